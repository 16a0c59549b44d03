"""A run that is cut off while it writes, or whose disk is full: the next one ends as if nothing was."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from runs import GRADER, ROOT, differences, end, kept, reports, reused, start
from toy import RIGHT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not sys.platform.startswith("linux"), reason="mounts, and leaves no process"
    ),
]

CLASS = {"ann": RIGHT, "bob": ["print('bob was here')", "def add(a, b): return 3"]}
CUT_OFF = 9

# ends the process, as a power cut does, before it makes the durable step of this number
CUT = """
import os, sys
left = int(sys.argv.pop(1))
def cut_before(real):
    def step(*arguments, **named):
        global left
        left -= 1
        if left == 0:
            os._exit(9)
        return real(*arguments, **named)
    return step
os.fsync, os.replace = cut_before(os.fsync), cut_before(os.replace)
from grader.cli import main
main()
"""

# a suite, two runs, scores and gradebook: flush, rename, flush the folder
STEPS_AT_LEAST = 3 * 5

# the first argument is the disk's size in pages, the second its mount point
FULL = """
import json, shutil, subprocess, sys
from grader.jail import linux
pages, output, copy, *command = sys.argv[1:]
linux.unshare(linux.CLONE_NEWNS)
linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
linux.mount("disk", output, "tmpfs", 0, f"size={4096 * int(pages)}")
first = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
linux.mount("disk", output, "tmpfs", linux.MS_REMOUNT, "size=1m")
second = subprocess.run(command, stdout=subprocess.DEVNULL)
shutil.copytree(output, copy)
print(json.dumps([first.returncode, first.stderr, second.returncode]))
"""


@pytest.fixture
def folder(class_of: Callable[..., Path]) -> Path:
    return class_of(**CLASS)


@pytest.fixture
def calm(toy: Path, folder: Path, tmp_path: Path) -> dict[str, object]:
    """The reports of a run that nothing disturbs."""
    assert end(start(toy, folder, tmp_path / "calm")) == 0
    return reports(tmp_path / "calm")


def test_wherever_a_run_is_cut_off_between_write_and_rename_the_next_completes_it(
    toy: Path, folder: Path, tmp_path: Path, calm: dict[str, object]
) -> None:
    for step in itertools.count(1):
        output = tmp_path / f"cut {step}"
        code = end(start(toy, folder, output, grader=(sys.executable, "-c", CUT, str(step))))
        if code == 0:
            break  # it has fewer steps
        assert code == CUT_OFF, step
        finished = kept(output)
        assert end(start(toy, folder, output)) == 0, step
        assert differences(reports(output), calm) == [], step
        assert (reused(output), kept(output)) == (finished, len(CLASS)), step
        assert not list(output.rglob("*.tmp")), step
    assert step > STEPS_AT_LEAST


@pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0, reason="only root mounts a small disk"
)
@pytest.mark.parametrize("pages", [1, 2, 4, 6])
def test_a_full_disk_is_told_and_the_next_run_goes_on(
    toy: Path, folder: Path, tmp_path: Path, calm: dict[str, object], pages: int
) -> None:
    (output := tmp_path / "out").mkdir()
    check = [*GRADER, "check", str(folder), "--output", str(output), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(pages), str(output), str(tmp_path / "copy"), *check],
        cwd=toy,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    code, told, again = json.loads(done.stdout)
    assert (code, again) == (2, 0), told
    assert "no space left on device" in told
    assert "free some disk space" in told
    assert "Traceback" not in told
    assert differences(reports(tmp_path / "copy"), calm) == []
    assert kept(tmp_path / "copy") == len(CLASS)
