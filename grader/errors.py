"""Every exception that the grader raises on purpose, as one tree.

    GraderError                 something a person can act on: a message, a place, a next step
    ├── UsageError              the command line asked for something that can't be done      exit 2
    ├── ConfigError             `[tool.grader]` is missing or wrong                          exit 2
    ├── SuiteError              a suite can't be used: named with file and line              exit 2
    ├── ReleaseError            a lesson can't be turned into a notebook                     exit 2
    ├── OutputBusy              another run is writing to the output folder                  exit 2
    ├── NothingToGrade          no submission was found                                      exit 4
    ├── IntakeError             one submission can't be read: it is reported, others go on
    ├── NobodyGrades            those who graded are gone: what is finished counts         exit 130
    └── GraderFault             our fault: the submission stays ungraded                     exit 3

Only `grader/cli/status.py` turns one of these into an exit status; nothing below it prints.
"""

from __future__ import annotations

import errno
import os


class GraderError(Exception):
    """An error for a person: what happened, where, and what to do next.

    Args:
        message: what is wrong, in one sentence without a final full stop.
        where: the file, line or option that it is about.
        hint: the next step.
    """

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}: {self.where}" if self.where else self.message


class UsageError(GraderError):
    """The command line asks for something that can't be done."""


class ConfigError(GraderError):
    """`[tool.grader]` is missing or wrong."""


class SuiteError(GraderError):
    """A suite can't be used; `where` is `file:line`."""


class ReleaseError(GraderError):
    """A lesson can't be turned into a notebook, or a notebook is not what its lesson gives."""


class OutputBusy(GraderError):
    """Another run holds the output folder."""


class NothingToGrade(GraderError):
    """No submission was found where one was looked for."""


class IntakeError(GraderError):
    """One submission can't be read. It is reported; all others are graded."""


class NobodyGrades(GraderError):
    """Whoever graded is gone, and did not come back in time. It ends a run as Ctrl-C does."""


class GraderFault(GraderError):
    """The grader itself failed. The submission stays ungraded: never zero, never full marks."""


def told(error: BaseException) -> str:
    """Return what an exception says, in one line for a person: no tuple and no representation."""
    first = error.args[0] if error.args else None
    if isinstance(first, list) and first and isinstance(first[0], tuple):
        return _one_line(str(first[0][-1]))  # of shutil: many times source, target, why
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if isinstance(error.filename, str) else ""
        return _one_line(f"{error.strerror}{where}")
    return _one_line(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)


def no_room(error: BaseException, folder: str = "") -> GraderFault | None:
    """Return the error for a disk that is full, or a temporary folder that can't be used.

    Args:
        error: what was raised.
        folder: where it was to be written; the temporary folder if not given.

    Returns:
        None if the error is another one.
    """
    import tempfile

    hint = (
        "free some space there, or name another folder for temporary files: TMPDIR=/path grader …"
    )
    said = told(error).lower()
    if said.startswith("no usable temporary directory"):
        where = os.environ.get("TMPDIR", "") or "/tmp, /var/tmp"
        return GraderFault("there is no room in any temporary folder", where=where, hint=hint)
    full = (os.strerror(number).lower() for number in (errno.ENOSPC, errno.EDQUOT))
    if not any(text in said for text in full):
        return None
    try:
        where = folder or tempfile.gettempdir()
    except OSError:
        where = os.environ.get("TMPDIR", "/tmp")
    return GraderFault("there is no room in the temporary folder", where=where, hint=hint)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
