"""Which exit status a gradebook is, and what signals do to a command."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from grader.exit_status import ExitStatus

if TYPE_CHECKING:
    from grader.gradebook import Gradebook


def status_of(
    gradebook: Gradebook, fail_under: float | None = None, *, everyone: bool = True
) -> ExitStatus:
    """The status for a gradebook: whether all are graded, and above a threshold in percent.

    Ungraded wins over below: a threshold says nothing about a score that does not exist. What was
    handed in by nobody knows whom is ungraded too, unless `everyone` was not asked for.
    """
    from grader.gradebook import State
    from grader.scoring.points import percent

    left = everyone and any(
        one.student is None and one.kind.keeps_from_grading for one in gradebook.problems
    )
    if left or any(one.state is State.UNGRADED for one in gradebook.scores):
        return ExitStatus.UNGRADED
    known = (one for one in gradebook.scores if one.state is not State.UNMARKED)
    if fail_under is not None and any(percent(one) < fail_under for one in known):
        return ExitStatus.BELOW
    return ExitStatus.OK


ASK_TO_END = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""A request to end, and a terminal that is closed; Windows has no such request."""


def stop_as_with_ctrl_c() -> None:
    """Let a request to end, or a terminal that is closed, stop the grader as Ctrl-C does."""
    for number in ASK_TO_END:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, signal.default_int_handler)


def end_undisturbed() -> None:
    """Let the end of the process, once begun, come to its end.

    One more Ctrl-C would leave folders behind and show people where it came. Requests to end are
    obeyed at once, without a word.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in ASK_TO_END:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
