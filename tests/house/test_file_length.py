"""A file fits in the head: at most 400 lines."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_LINES = 400
READ_FROM_TOP_TO_BOTTOM = (
    "solutions/lessons/", "solutions/practice/", "grader/authoring/templates/", "examples/courses/",
)  # fmt: skip


def too_long(root: Path) -> set[str]:
    """The files of Python that git knows of and that have too many lines."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.py"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    names = [name for name in listed.decode().split("\0") if (root / name).is_file()]
    return {
        name
        for name in filter(None, names)
        if not name.startswith(READ_FROM_TOP_TO_BOTTOM)
        and len((root / name).read_bytes().splitlines()) > MOST_LINES
    }


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="git knows which files are ours")
def test_no_file_is_too_long() -> None:
    assert not too_long(ROOT), "split them by what they are about"


def test_a_file_that_is_too_long_is_found(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for name, lines in (("long.py", MOST_LINES + 1), ("short.py", MOST_LINES), ("long.txt", 999)):
        (tmp_path / name).write_text("x = 1\n" * lines)
    (tmp_path / "solutions/lessons").mkdir(parents=True)
    (tmp_path / "solutions/lessons/01_long.py").write_text("x = 1\n" * 999)
    assert too_long(tmp_path) == {"long.py"}
