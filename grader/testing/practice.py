"""What a student is told about checks on their own code: plain values, and each cause once.

A check that did not hold says what was expected and what came, and has a hint. One that could not
finish, because the code raised or took too long, says why and in which of the student's own lines;
where several end for one reason, that is told once, and they count as not run.

Students have this file too.
"""

from __future__ import annotations

import json
import linecache
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from grader.model import Limits
from grader.testing.objects import CELL_FILE

SETTINGS = Path(__file__).with_name("practice.json")
"""In a student's folder: what the course decides for checks in a notebook."""

MAX_LINE = 200


@dataclass(frozen=True)
class Place:
    """A line of the student's own: in which cell or file, its number, its text."""

    where: str
    line: int
    source: str

    @property
    def named(self) -> str:
        """Where it is: `Cell In[5], line 3`."""
        return f"{self.where}, line {self.line}" if self.where else f"line {self.line}"

    def __str__(self) -> str:
        return f"{self.named}: {self.source}" if self.source else self.named


@dataclass(frozen=True)
class Cause:
    """Why code did not come to its end: an exception's kind, words for it, and where."""

    kind: str
    what: str
    place: Place | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """Two causes with one key are one: a message may hold what differs from call to call."""
        return (self.kind, self.place) if self.place is not None else (self.kind, self.what)

    def __str__(self) -> str:
        return f"{self.what} ({self.place})" if self.place is not None else self.what


@dataclass(frozen=True)
class LocalResult:
    """One public check on one's own code.

    message: why it did not pass.
    hint: the check's, if it ran and did not hold; otherwise "".
    skipped: it was not run.
    cause: why it could not finish.
    """

    question: str
    question_title: str
    check: str
    title: str
    points: float
    passed: bool
    message: str = ""
    hint: str = ""
    skipped: bool = False
    cause: Cause | None = None

    def __str__(self) -> str:
        if self.skipped:
            return f"– {self.title} ({self.message})"
        lines = [f"{'✓' if self.passed else '✗'} {self.title}", *self.message.splitlines()]
        if self.hint:
            lines.append(f"Hint: {self.hint}")
        return "\n  ".join(lines)


class Interrupted(KeyboardInterrupt):
    """Somebody interrupted the checks. Jupyter shows one line for it, without a traceback.

    told: whether more has been shown of it already.
    """

    def __init__(self, results: Sequence[LocalResult], place: Place | None) -> None:
        where = f" in {place.named}" if place is not None else ""
        where += f" (`{place.source}`)" if place is not None and place.source else ""
        super().__init__(f"the checks were interrupted{where}")
        self.results = tuple(results)
        self.told = False

    def _render_traceback_(self) -> list[str]:
        return ["Interrupted." if self.told else f"Interrupted: {self}."]


def each_cause_once(
    results: Iterable[LocalResult],
) -> tuple[list[tuple[Cause, int]], list[LocalResult]]:
    """Take out what stopped several checks.

    Returns:
        The causes, each with the number of checks that it stopped, and all results; those that a
        cause stopped are among them as not run.
    """
    results = list(results)
    stopped = Counter(result.cause.key for result in results if result.cause is not None)
    causes: dict[tuple[object, ...], Cause] = {}
    told: list[LocalResult] = []
    for result in results:
        if result.cause is not None and stopped[result.cause.key] > 1:
            causes.setdefault(result.cause.key, result.cause)
            result = replace(result, message="not run", skipped=True, cause=None)
        told.append(result)
    return [(cause, stopped[key]) for key, cause in causes.items()], told


def settings_of(limits: Limits) -> dict[str, float]:
    """What a release writes down in `SETTINGS`."""
    return {"check_s": limits.check_s}


def limit_of_the_course() -> float:
    """What a check may take in a notebook, in seconds, as the release has written it down."""
    if SETTINGS.is_file():
        return float(json.loads(SETTINGS.read_text(encoding="utf-8"))["check_s"])
    return Limits().check_s  # the course itself, not a release of it


# ---------------------------------------------------------------- the student's own lines


def own_place(error: BaseException, namespace: dict[str, Any]) -> Place | None:
    """The innermost line that the student wrote, of those that an exception came through."""
    found: Place | None = None
    step: TracebackType | None = error.__traceback__
    while step is not None:
        if _is_own(step.tb_frame, namespace):
            found = _place(step.tb_frame, step.tb_lineno)
        step = step.tb_next
    return found


def _is_own(frame: FrameType, namespace: dict[str, Any]) -> bool:
    return frame.f_globals is namespace or bool(CELL_FILE.fullmatch(frame.f_code.co_filename))


def _place(frame: FrameType, line: int) -> Place:
    name = frame.f_code.co_filename
    source = linecache.getline(name, line, frame.f_globals).strip()[:MAX_LINE]
    return Place(_cell(name) or _file(name), line, source)


def _cell(filename: str) -> str:
    """`Cell In[5]`, as Jupyter counts the cell that was run, if it is one and Jupyter says so."""
    try:
        from_ipython: Any = sys.modules["IPython"]
        named = from_ipython.get_ipython().compile.format_code_name(filename)
    except (KeyError, AttributeError):
        return ""
    return " ".join(named) if named else ""


def _file(filename: str) -> str:
    return "" if CELL_FILE.fullmatch(filename) or filename[:1] == "<" else Path(filename).name
