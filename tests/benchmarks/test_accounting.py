"""The accounts must hold what every descendant used, however it ended."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.accounting import CommandFailed, measure

BURN = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are reaped without being counted
if os.fork() == 0:
    memory = bytearray(200 << 20)
    while time.process_time() < 0.7: pass
    time.sleep(0.6)
    os._exit(0)
print("first", flush=True)
try: os.wait()
except ChildProcessError: pass
"""


def test_a_child_that_nobody_waits_for_is_counted(tmp_path: Path) -> None:
    cost = measure([sys.executable, "-c", BURN], log=tmp_path / "log", first_result="^first")
    if cost.cpu_s is None or cost.peak_bytes is None:
        pytest.skip("no control group can be made here")
    assert cost.cpu_s >= 0.7
    assert cost.peak_bytes >= 200 << 20
    assert cost.first_s is not None
    assert cost.first_s < cost.wall_s


def test_an_unexpected_status_is_an_error_with_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('what went wrong'); raise SystemExit(3)"]
    with pytest.raises(CommandFailed, match="what went wrong"):
        measure(command, log=tmp_path / "log")
    assert measure(command, log=tmp_path / "log", statuses=(0, 3)).wall_s > 0
