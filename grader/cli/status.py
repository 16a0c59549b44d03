"""Which exit status a gradebook is, and what stops a grading."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from grader.exit_status import ExitStatus

if TYPE_CHECKING:
    from grader.gradebook import Gradebook


def status_of(gradebook: Gradebook, fail_under: float | None = None) -> ExitStatus:
    """The status for a gradebook: whether all are graded, and above a threshold in percent.

    Ungraded wins over below: a threshold says nothing about a score that does not exist.
    """
    from grader.gradebook import State
    from grader.scoring.points import percent

    if any(one.state is State.UNGRADED for one in gradebook.scores):
        return ExitStatus.UNGRADED
    known = (one for one in gradebook.scores if one.state is not State.UNMARKED)
    if fail_under is not None and any(percent(one) < fail_under for one in known):
        return ExitStatus.BELOW
    return ExitStatus.OK


def stop_as_with_ctrl_c() -> None:
    """Let a request to end, or a terminal that is closed, stop the grader as Ctrl-C does."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, signal.default_int_handler)
