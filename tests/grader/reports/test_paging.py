"""Long listings on a terminal: a real one, with a pager that says that it was asked."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from generated import gradebook

from grader.reports.gradebook_json import encode

pty = pytest.importorskip("pty")
fcntl = pytest.importorskip("fcntl")
termios = pytest.importorskip("termios")

PAGER = "sed s/^/page:/"


def on_a_terminal(command: list[str], folder: Path, rows: int, **environment: str) -> str:
    """What a person sees of a command, on a screen of so many rows."""
    near, far = pty.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 100, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "grader.cli", *command],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "TERM": "xterm", "PAGER": PAGER, **environment},
        stdin=far,
        stdout=far,
        stderr=far,
    )
    os.close(far)
    seen = b""
    while True:
        try:
            some = os.read(near, 4096)
        except OSError:  # Linux: nobody has the other end any more
            break
        if not some:
            break
        seen += some
    os.close(near)
    assert process.wait() == 0
    return seen.decode()


@pytest.fixture
def results(tmp_path: Path) -> Path:
    (tmp_path / "gradebook.json").write_bytes(encode(gradebook(3)))
    return tmp_path


SHOW = ["show", "student0001", "--results", "gradebook.json"]


def test_what_is_longer_than_the_screen_goes_to_the_pager(results: Path) -> None:
    lines = on_a_terminal(SHOW, results, rows=10).splitlines()
    assert len(lines) > 10
    assert all(line.startswith("page:") for line in lines)


@pytest.mark.parametrize(
    ("more", "rows", "environment"),
    [([], 5000, {}), (["--no-pager"], 10, {}), (["--json"], 10, {}), ([], 10, {"PAGER": ""})],
)
def test_otherwise_it_is_printed(
    results: Path, more: list[str], rows: int, environment: dict[str, str]
) -> None:
    seen = on_a_terminal([*SHOW, *more], results, rows, **environment)
    assert "student0001" in seen
    assert "page:" not in seen


def test_what_goes_to_another_program_is_never_paged(results: Path) -> None:
    command = [sys.executable, "-m", "grader.cli", *SHOW]
    done = subprocess.run(
        command, cwd=results, env={"PAGER": "false"}, capture_output=True, text=True, check=True
    )
    assert done.stdout.count("\n") > 10
