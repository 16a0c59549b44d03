"""What a course's own code may take while it is loaded, and where it was when it took more."""

from __future__ import annotations

import importlib
import traceback
from pathlib import Path
from types import ModuleType

from grader.errors import SuiteError
from grader.judging.processor_time import Overrun, at_most

LOAD_S = 60.0
"""Processor time for a module, or a cell of a lesson; `cell_s`, where that is longer."""


def describe(error: BaseException, load_s: float) -> str:
    """What ended the loading, in one line."""
    if isinstance(error, Overrun):
        return f"it runs for over {load_s:g} s"
    return f"{type(error).__name__}: {error}".split("\n")[0].removesuffix(": ")


def hint_for(error: BaseException) -> str:
    """What to do about it, where the error itself does not say so."""
    if isinstance(error, Overrun):
        return "is there a loop without an end? What needs so long needs a longer `cell_s`"
    if isinstance(error, SystemExit):
        return "it ends the process that loads it: take `exit` or `SystemExit` out"
    return ""


def import_reference(path: Path, load_s: float) -> ModuleType:
    """Import the reference, a package or a module whose folder is on `sys.path`.

    Raises:
        SuiteError: it can't be imported, or takes too long.
    """
    try:
        with at_most(load_s):
            return importlib.import_module(path.stem)
    except BaseException as error:  # also what would end this process without a word
        what = f"the reference can't be imported: {describe(error, load_s)}"
        raise cant_be_loaded(what, error, str(path)) from None


def cant_be_loaded(message: str, error: BaseException, folder: str) -> SuiteError:
    """The error for a module that can't be loaded, with the last line of the course in its way.

    Args:
        message: what can't be loaded, and why.
        error: what was raised.
        folder: where the course's files are; the place if none of them was at work.
    """
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{one.filename}:{one.lineno}" for one in frames if one.filename.startswith(folder)]
    if isinstance(error, SyntaxError) and error.filename:
        places = [f"{error.filename}:{error.lineno}"]
    where = places[-1] if places else folder
    return SuiteError(message, where=where, hint=hint_for(error))
