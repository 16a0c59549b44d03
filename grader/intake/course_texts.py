"""The course's own files as code: their author is trusted, so an unreadable one is an error."""

from __future__ import annotations

import tokenize
from pathlib import Path

from grader.errors import IntakeError, SuiteError
from grader.intake.files import read_regular
from grader.intake.notebook import read


def read_text(path: Path) -> list[str]:
    """Return the code of a script, as one piece, or the cells of a notebook.

    Raises:
        SuiteError: it can't be read.
    """
    try:
        if path.suffix == ".py":
            with tokenize.open(path) as file:
                return [file.read()]
        return [cell.source for cell in read(read_regular(path), path.name).cells]
    except (IntakeError, OSError, SyntaxError, UnicodeDecodeError) as error:
        reason = error.message if isinstance(error, IntakeError) else error
        raise SuiteError(f"a text of the course can't be read: {reason}", where=str(path)) from None


def python_files(place: Path) -> list[Path]:
    """Return a module's file, or all files of a package."""
    return [place] if place.is_file() else sorted(place.rglob("*.py"))
