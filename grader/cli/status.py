"""Which exit status a gradebook is."""

from __future__ import annotations

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
    if fail_under is not None and any(percent(one) < fail_under for one in gradebook.scores):
        return ExitStatus.BELOW
    return ExitStatus.OK
