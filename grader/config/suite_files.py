"""Which files hold the checks of an assignment, and which assignment a file's checks are of.

In a folder of suites, the checks of an assignment are `test_ASSIGNMENT.py`. Where these are too
many for one file, they are the files `test_*.py` in a folder `ASSIGNMENT/`, in the order of their
names:

    test_words.py
    letters/test_1_counting.py
    letters/test_2_sorting.py

Modules that tests import lie beside `test_words.py`, under names of their own.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path


def suite_files(folder: Path | None, assignment: str) -> list[Path]:
    """The files of one assignment's checks in a folder of suites, in the order of the questions."""
    if folder is None:
        return []
    found = [folder / f"test_{assignment}.py", *sorted((folder / assignment).glob("test_*.py"))]
    return [path for path in found if path.is_file()]


def assignment_of(path: Path, folders: Collection[Path | None]) -> str | None:
    """Which assignment a file in one of the folders of suites holds checks of; None if of none."""
    if not (path.name.startswith("test_") and path.suffix == ".py"):
        return None
    if path.parent in folders:
        return path.stem.removeprefix("test_")
    return path.parent.name if path.parent.parent in folders else None
