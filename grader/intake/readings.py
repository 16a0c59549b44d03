"""Reading is part of grading: what each student's files may cost, and what they said, kept.

No file is read outside of limits. One file is bounded by its size, since everything that looks at
it takes time that is linear; many files are bounded together, for each student. What took long to
read is kept by the digest of its bytes, so that no later run reads it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from grader.errors import IntakeError
from grader.intake.notebook import Reading, metadata_assignment, read
from grader.intake.reading import digest
from grader.model import Value

T = TypeVar("T")

MAX_FILES = 200
MAX_BYTES = 256 << 20
MAX_SECONDS = 10.0

KEPT_FROM_S = 0.05
"""What takes less is read again sooner than it is found again."""
KEPT_FROM_BYTES = 128 << 10
"""No file that is smaller takes so long."""

NOTEBOOK = ".ipynb"
KINDS = {NOTEBOOK: "notebook", ".py": "script", ".qmd": "quarto", ".md": "markdown"}
"""What is kept of a file, by its ending."""


class OverBudget(IntakeError):
    """A student's files are too much to read: none of them is graded, everybody else is."""


class ReadingBudget:
    """What the files of one student may cost to read.

    Seconds are processor time of the thread that reads, so that a busy machine spends nobody's.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self.seconds = 0.0

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Count what is read within.

        Raises:
            OverBudget: nothing is left.
        """
        hint = "keep those that count, with their outputs cleared"
        if self.seconds > MAX_SECONDS:
            message = f"to read these files takes more than {MAX_SECONDS:g} s: none is graded"
            raise OverBudget(message, hint=hint)
        if self.bytes > MAX_BYTES:
            size = MAX_BYTES >> 20
            message = f"these files are larger than {size} MiB together: none is graded"
            raise OverBudget(message, hint=hint)
        began = time.thread_time()
        try:
            yield
        finally:
            self.seconds += time.thread_time() - began


class Said(Value, frozen=True):
    """What a file said when it was read: an assignment, cells, or why it can't be read."""

    assignment: str | None = None
    reading: Reading | None = None
    refused: str = ""
    hint: str = ""


class Keeper(Protocol):
    """Where readings outlive a run."""

    def find_reading(self, kind: str, content: str, type_: type[T]) -> T | None:
        """Return what was kept of bytes with this digest."""

    def keep_reading(self, kind: str, content: str, said: Said) -> None:
        """Keep what bytes with this digest said."""


class Readings:
    """Reads files, or remembers what they said.

    Args:
        keeper: where it is kept; None keeps nothing.
    """

    def __init__(self, keeper: Keeper | None = None) -> None:
        self._keeper = keeper

    def assignment(self, content: bytes, name: str) -> str | None:
        """Return the assignment that a notebook's metadata names, if any."""
        ending = _ending(name)
        if ending != NOTEBOOK:  # takes no time, and may be another text with the same bytes
            return metadata_assignment(content, name)
        return self._said(
            "metadata", content, lambda: Said(assignment=metadata_assignment(content, ending))
        ).assignment

    def cells(self, content: bytes, name: str) -> Reading:
        """Return the code cells of a notebook or script.

        Raises:
            IntakeError: it is neither; the message says what it seems to be.
        """
        ending = _ending(name)
        said = self._said(KINDS[ending], content, lambda: _read(content, f"x{ending}"))
        if said.reading is None:
            raise IntakeError(said.refused, where=name, hint=said.hint)
        return said.reading

    def _said(self, kind: str, content: bytes, read_it: Callable[[], Said]) -> Said:
        if self._keeper is None or len(content) < KEPT_FROM_BYTES:
            return read_it()
        key = digest(content)
        known = self._keeper.find_reading(kind, key, Said)
        if known is not None:
            return known
        began = time.thread_time()
        said = read_it()
        if time.thread_time() - began > KEPT_FROM_S:
            self._keeper.keep_reading(kind, key, said)
        return said


def _ending(name: str) -> str:
    """The ending that decides how a file is read: what has none of the others is a notebook."""
    return next((ending for ending in KINDS if name.lower().endswith(ending)), NOTEBOOK)


def _read(content: bytes, name: str) -> Said:
    try:
        return Said(reading=read(content, name))
    except IntakeError as error:
        return Said(refused=error.message, hint=error.hint)
