"""Which files of tests are read, and which come first: pytest calls these, `conftest.py` has them.

The order is for several processes that share the work: what takes minutes is not to begin when the
others have nothing left to do.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

MARKS = ("slow", "e2e", "gpu")
"""What takes long or needs something; a file says so itself, see `pytest_ignore_collect`."""

FIRST = (
    # slow
    "grader/intake/test_discovery_of_owners.py",
    "suites/test_every_check_matters.py",
    "system/nbgrader/test_same_scores.py",
    "docs/test_guides.py",
    "system/test_kill.py",
    "course/test_notebooks.py",
    "system/nbgrader/test_attackers.py",
    "attacks/test_modes.py",
    "grader/worker/test_shell_as_in_jupyter.py",
    "system/test_ordinary_user.py",
    "attacks/test_interpreter.py",
    "grader/authoring/test_student_release.py",
    "system/test_scale.py",
    "system/test_cut_off.py",
    "attacks/test_exhausting.py",
    # e2e
    "e2e/test_student.py",
    "e2e/test_jupyterhub.py",
    "grader/reports/html/test_page_in_browser.py",
    "packaging/test_wheel.py",
)
"""The files that take longest, below `tests/`."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave a file unread in which no test has the mark that all tests are asked for to have."""
    asked = re.match(rf"({'|'.join(MARKS)})( and not \w+)*$", config.option.markexpr)
    if asked is None or not collection_path.match("test_*.py"):
        return None
    return None if _names(collection_path, asked[1]) else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first.

    Raises:
        pytest.UsageError: a file does not name a mark that its tests have: nobody would read it.
    """
    for path, mark in sorted({(item.path, mark.name) for item in items for mark in item.iter_markers()}):  # fmt: skip
        if mark in MARKS and not _names(path, mark):
            raise pytest.UsageError(f"{path} has tests that are {mark}: this word must stand in it")
    rank = {name: number for number, name in enumerate(FIRST)}
    tests = Path(__file__).parent
    places = {item.path: item.path.relative_to(tests).as_posix() for item in items}
    items.sort(key=lambda item: rank.get(places[item.path], len(FIRST)))


def _names(path: Path, mark: str) -> bool:
    return re.search(rf"\b{mark}\b", path.read_text(encoding="utf-8")) is not None
