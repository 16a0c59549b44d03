"""How every program of ours ends, for the script that has started it."""

from __future__ import annotations

import enum

from grader.errors import GraderError, GraderFault, NobodyGrades, NothingToGrade


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
    if isinstance(error, NobodyGrades):
        return ExitStatus.INTERRUPTED
    return ExitStatus.UNGRADED if isinstance(error, GraderFault) else ExitStatus.USAGE
