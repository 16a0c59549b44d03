"""`marks.jsonl` in the output folder: what people have said of answers, line by line.

Lines are only ever added, and each names those that it takes the place of. So whatever two markers
write at once, into one file or into two that are put together later, is there, and what they don't
agree about can be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from grader.config.policy import Mark
from grader.store.lines import add_lines, digest, read_lines

NAME = "marks.jsonl"


def read(folder: Path) -> tuple[Mark, ...]:
    """Return the marks of an output folder, the oldest first.

    Raises:
        GraderError: the file can't be read, or a line is none: it is never passed over in silence.
    """
    return read_file(folder / NAME)


def read_file(path: Path) -> tuple[Mark, ...]:
    """Return the marks of a file of any name, as `read` does."""
    return read_lines(path, Mark, "mark")


def add(folder: Path, *marks: Mark) -> Path:
    """Add lines and wait until the disk has them; return the file.

    Raises:
        GraderError: they can't be written.
    """
    path = folder / NAME
    add_lines(path, marks, "mark")
    return path


def merge(folder: Path, others: Iterable[Mark]) -> tuple[Mark, ...]:
    """Add the marks that a folder doesn't have; return them.

    Raises:
        GraderError: they can't be read or written.
    """
    known = {digest(one) for one in read(folder)}
    new = tuple({digest(one): one for one in others if digest(one) not in known}.values())
    if new:
        add(folder, *new)
    return new


def heads(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Return those that no other takes the place of, each once, the oldest first."""
    by_name = {digest(one): one for one in marks}
    replaced = {name for one in by_name.values() for name in one.after}
    return tuple(
        one
        for name, one in sorted(by_name.items(), key=lambda item: (item[1].at, item[0]))
        if name not in replaced
    )
