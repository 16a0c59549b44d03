"""The command line, run as people run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

RIGHT = "def add(a, b):\n    return a + b\n"


def grader(
    *arguments: object, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grader.cli", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **(env or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def assert_clear(result: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    for word in words:
        assert word in result.stderr
