"""Whatever dies, nothing of a grading is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import alive, children, descendants, eventually

SLEEPS = "import time\ntime.sleep(60)"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_when_the_grader_dies_nothing_is_left(
    toy: Path, class_of: Callable[..., Path], end: signal.Signals
) -> None:
    folder = class_of(ann=SLEEPS, bob=SLEEPS)
    process = subprocess.Popen(
        [sys.executable, "-m", "grader.cli", "check", str(folder), "--timeout", "60"],
        cwd=toy,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # judge, zygote, two judges at work, two supervisors, two workers
    assert eventually(lambda: len(descendants(process.pid)) >= 8, 30), "it did not get going"
    family = descendants(process.pid)
    os.kill(process.pid, end)
    process.wait(30)
    assert eventually(lambda: not alive(family)), [
        Path(f"/proc/{pid}/cmdline").read_bytes() for pid in alive(family)
    ]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_judge_that_is_killed_costs_one_try(toy: Path, class_of: Callable[..., Path]) -> None:
    folder = class_of(ann="import time\ntime.sleep(0.8)\ndef add(a, b): return a + b")
    process = subprocess.Popen(
        [sys.executable, "-m", "grader.cli", "check", str(folder), "-v"],
        cwd=toy,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def judges() -> set[int]:
        return children(process.pid, 1, "grader-judge")

    assert eventually(lambda: len(judges()) == 1, 30)
    os.kill(judges().pop(), signal.SIGKILL)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "ann" in out
