"""`docs/cli.md` is what the commands say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from grader.cli.app import NAMES
from grader.cli.reference import reference

PAGE = Path(__file__).parents[3] / "docs/cli.md"


def test_the_page_is_not_stale() -> None:
    command = [sys.executable, "-m", "cogapp", "--check", "--diff", str(PAGE)]
    done = subprocess.run(command, cwd=PAGE.parents[1], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run `make docs`:\n{done.stdout}"


def test_every_command_has_its_place() -> None:
    text = reference()
    assert [line[4:] for line in text.splitlines() if line.startswith("### ")] == [
        f"grader {name}" for name in NAMES
    ]
