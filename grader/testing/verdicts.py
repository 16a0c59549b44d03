"""From what a check raised to an outcome that is fair, and safe to show.

`Outcome.message` may reach the student. For hidden checks it holds no value, no text of an
exception and no name that the submission chose: all of those could carry hidden inputs out. Names
and places of exceptions are rationed: see `grader/testing/tellings.py`.
`Outcome.detail` is for instructors.
"""

from __future__ import annotations

from grader.model import CellError, Check, Ending, EndingKind, Outcome, Status
from grader.testing.excerpts import excerpt
from grader.testing.failure import CheckFailed
from grader.testing.links import NotDefined, StudentError, WorkerStopped
from grader.testing.tellings import Tellings, builtin_name

MAX_TEXT = 3_000
"""Characters of a message: a check's own may hold all that a submission returned."""


def outcome_of(
    check: Check,
    error: BaseException | None,
    seconds: float,
    cell_errors: tuple[CellError, ...] = (),
    ending: Ending | None = None,
    sources: tuple[tuple[int, str], ...] = (),
    tellings: Tellings | None = None,
    public: bool | None = None,
) -> Outcome:
    """Judge one check by what it raised.

    Args:
        check: the check.
        error: what it raised; None means that it held.
        seconds: how long it took.
        cell_errors: cells of the notebook that raised, to explain names that are missing.
        ending: how the worker ended, when it did.
        sources: (number, source) of the notebook's cells.
        tellings: what the student may be told of exceptions; None when they know anyway.
        public: whether what was raised can hold nothing hidden; as the check is, if not given.
    """
    public = check.public if public is None else public
    if isinstance(error, NotDefined):
        message = explain_missing(error.name, cell_errors, sources)
        status, detail = Status.ERROR, message
    elif isinstance(error, StudentError):
        status, message, detail = _raised(error, public, tellings)
    else:
        status, message, detail = _judge(error, public, ending)
    return Outcome(
        check=check.id,
        status=status,
        seconds=seconds,
        message=message[:MAX_TEXT],
        detail=detail[:MAX_TEXT],
    )


def _raised(
    error: StudentError, public: bool, tellings: Tellings | None
) -> tuple[Status, str, str]:
    shown = error
    if tellings is not None:
        error = tellings.placed(error)
        shown = tellings.shown(error, public)
    if error.kinds[0] == "NotImplementedError":
        return Status.FAILED, f"not implemented yet{_place(shown)}", str(error)
    return Status.ERROR, _shown_error(shown, public), f"{error}{_place(error)}"


def _judge(
    error: BaseException | None, public: bool, ending: Ending | None
) -> tuple[Status, str, str]:
    if error is None:
        return Status.PASSED, "", ""
    if isinstance(error, WorkerStopped):
        late = ending is not None and ending.kind is EndingKind.TIME
        # the ending says what may be told of it
        message = str(error) if ending is None else ending.message or str(error)
        return (Status.TIMEOUT if late else Status.ERROR), message, str(error)
    text = _explanation(error)
    return Status.FAILED, text if public else "", text


def explain_missing(
    name: str, cell_errors: tuple[CellError, ...], sources: tuple[tuple[int, str], ...]
) -> str:
    """Say why a name is missing: the cell that would have defined it raised, or nobody wrote it."""
    by_cell = dict(sources)
    for error in cell_errors:
        if _seems_to_define(by_cell.get(error.cell, ""), name):
            return f"`{name}` is not defined: {describe_cell_error(error)}"
    if cell_errors:
        return f"`{name}` is not defined; {describe_cell_error(cell_errors[0])}"
    return f"`{name}` is not defined anywhere in the notebook"


def describe_cell_error(error: CellError) -> str:
    """`code cell 4, line 2: NameError: name 'x' is not defined`: about the student's own cells."""
    place = f"code cell {error.cell}" + (f", line {error.line}" if error.line else "")
    return f"{place}: {error.error}" + (f": {error.message}" if error.message else "")


def _seems_to_define(source: str, name: str) -> bool:
    return any(
        line.lstrip().startswith(
            (f"class {name}", f"def {name}", f"{name} =", f"{name}=", f"{name}:")
        )
        for line in source.splitlines()
    )


def _shown_error(error: StudentError, public: bool) -> str:
    name = error.kinds[0]
    if public:
        return (
            f"{name}: {error.message}{_place(error)}" if error.message else f"{name}{_place(error)}"
        )
    return f"your code raised {builtin_name(name)}{_place(error)}"


def _place(error: StudentError) -> str:
    cell = f"code cell {error.cell}" if error.cell else ""
    line = f"line {error.line}" if error.line else ""
    place = ", ".join(part for part in (cell, line) if part)
    code = f": {error.source_line.strip()}" if error.source_line.strip() else ""
    return f" ({place}{code})" if place else ""


def _explanation(error: BaseException) -> str:
    if isinstance(error, CheckFailed):
        text = error.message
        if error.expected is not None:
            text += f"; expected {error.expected}"
        if error.actual is not None:
            text += (
                f", got {error.actual}" if error.expected is not None else f"; got {error.actual}"
            )
        return text
    return in_words(error)


def in_words(error: BaseException) -> str:
    """The first line of an exception's text, made of an excerpt of what it holds.

    That may be all that a submission returned.
    """
    told = error.args[0] if len(error.args) == 1 else error.args
    text = told if type(told) is str else excerpt(told) if error.args else ""
    first = text[:MAX_TEXT].strip().partition("\n")[0]
    return first or type(error).__name__
