"""`adjustments.jsonl` in the output folder: what an instructor changed by hand, line by line.

Lines are only ever added: one that takes another back names it by its digest. So it can always be
told who changed what, when and why; and whatever is graded again, they stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from grader.config.policy import Adjustment
from grader.store.lines import add_lines, digest, read_lines

NAME = "adjustments.jsonl"


def read(folder: Path) -> tuple[Adjustment, ...]:
    """Return the adjustments of an output folder, the oldest first.

    Raises:
        GraderError: the file can't be read, or a line is none: it is never passed over in silence.
    """
    return read_lines(folder / NAME, Adjustment, "adjustment")


def in_force(adjustments: Iterable[Adjustment]) -> tuple[Adjustment, ...]:
    """Return those that nobody has taken back."""
    found: list[Adjustment] = []
    for one in adjustments:
        if not one.undoes:
            found.append(one)
            continue
        for place in reversed(range(len(found))):
            if digest(found[place]) == one.undoes:
                del found[place]
                break
    return tuple(found)


def add(folder: Path, adjustment: Adjustment) -> Path:
    """Add one line and wait until the disk has it; return the file.

    Raises:
        GraderError: it can't be written.
    """
    path = folder / NAME
    add_lines(path, (adjustment,), "adjustment")
    return path
