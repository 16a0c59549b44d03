from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from grader.errors import IntakeError
from grader.intake.files import limit_of, open_regular, read_regular, too_large

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX file types")


def test_a_regular_file_is_read_whole(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(b"x = 1\r\n")
    assert read_regular(path) == b"x = 1\r\n"


def test_a_file_of_exactly_the_limit_is_read_and_one_byte_more_is_not(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(b"12345")
    assert read_regular(path, limit=5) == b"12345"
    with pytest.raises(IntakeError, match="too large") as error:
        read_regular(path, limit=4)
    assert "outputs" not in error.value.hint  # only a notebook has any


def test_what_was_not_looked_into_is_told_what_such_files_are_large_of():
    assert "outputs" in too_large(65 << 20, limit_of("a.ipynb")).hint
    assert "outputs" not in too_large(65 << 20, limit_of("a.py")).hint


def test_a_huge_file_is_refused_with_its_size_without_being_read(tmp_path):
    path = tmp_path / "huge.ipynb"
    with path.open("wb") as stream:
        stream.truncate(1 << 40)  # sparse: reading it would never end
    with pytest.raises(IntakeError, match=r"too large: 1048576 MiB, the limit is 10 MiB"):
        read_regular(path)


INTERRUPTED = """
import contextlib, sys
from grader.intake.files import open_regular

def open_until(moment):
    left = moment

    def interrupt(*_):
        nonlocal left
        left -= 1
        if left == 0:
            sys.setprofile(None)
            raise KeyboardInterrupt

    sys.setprofile(interrupt)
    try:
        open_regular(sys.argv[1]).close()
    finally:
        sys.setprofile(None)
    return left > 0

moment = 1
while True:
    with contextlib.suppress(KeyboardInterrupt):
        if open_until(moment):
            break
    moment += 1  # raised, or lost in a finaliser that ran in that very moment
print(moment)
"""
"""Opens a file again and again, with Ctrl-C one call or return later each time."""


def test_an_interrupt_stays_one_whenever_it_comes(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(b"x = 1\n")
    # a fresh interpreter: 3.11 hangs when what it has specialised is interrupted in this way
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(path)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10


@posix
def test_links_pipes_sockets_devices_and_folders_are_refused(tmp_path):
    (tmp_path / "real").write_text("x")
    link = tmp_path / "link"
    link.symlink_to("real")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        for path in (link, pipe, tmp_path / "socket", tmp_path, "/dev/zero"):
            with pytest.raises(IntakeError):
                open_regular(path)
    with pytest.raises(IntakeError, match="symbolic link"):
        open_regular(link)


def test_a_missing_file_is_an_intake_error(tmp_path):
    with pytest.raises(IntakeError, match="gone"):
        open_regular(tmp_path / "no")


@posix
def test_a_hard_link_inside_ones_own_folder_is_read(tmp_path):
    (tmp_path / "a").write_text("x")
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    assert read_regular(tmp_path / "b") == b"x"


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to chown")
def test_a_hard_link_to_somebody_elses_file_is_refused(tmp_path):
    (tmp_path / "theirs").write_text("x")
    os.chown(tmp_path / "theirs", 12345, 12345)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "b").hardlink_to(tmp_path / "theirs")
    with pytest.raises(IntakeError, match="hard link"):
        read_regular(tmp_path / "mine" / "b")
