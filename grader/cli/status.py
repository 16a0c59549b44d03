"""What the command's exit status says to a script."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from grader.errors import GraderError, GraderFault, NothingToGrade

if TYPE_CHECKING:
    from grader.gradebook import Gradebook


class ExitStatus(enum.IntEnum):
    """Every status that `grader` ends with."""

    OK = 0
    BELOW = 1
    """A score is below `--fail-under`, a gate failed, or the wall has a gap."""
    USAGE = 2
    """The command line, the course or a suite can't be used."""
    UNGRADED = 3
    """A submission has no score."""
    NOTHING_TO_GRADE = 4
    INTERRUPTED = 130


def status_of_error(error: GraderError) -> ExitStatus:
    """The status for an error that a person can act on."""
    if isinstance(error, NothingToGrade):
        return ExitStatus.NOTHING_TO_GRADE
    return ExitStatus.UNGRADED if isinstance(error, GraderFault) else ExitStatus.USAGE


def status_of(gradebook: Gradebook, fail_under: float | None = None) -> ExitStatus:
    """The status for a gradebook: whether all are graded, and above a threshold in percent.

    Ungraded wins over below: a threshold says nothing about a score that does not exist.
    """
    from grader.model import State
    from grader.scoring.points import percent

    if any(one.state is State.UNGRADED for one in gradebook.scores):
        return ExitStatus.UNGRADED
    if fail_under is not None and any(percent(one) < fail_under for one in gradebook.scores):
        return ExitStatus.BELOW
    return ExitStatus.OK
