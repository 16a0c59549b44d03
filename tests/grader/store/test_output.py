from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from grader.errors import GraderError, OutputBusy
from grader.store.output import LOCK_NAME, PRIVATE, OutputFolder, write_atomically

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX only")

HOLD = """
import sys
from pathlib import Path
from grader.store.output import OutputFolder
with OutputFolder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_and_its_folders_are_made(tmp_path):
    path = tmp_path / "a" / "b" / "file.txt"
    write_atomically(path, "grün\n")
    assert path.read_bytes() == "grün\n".encode()
    assert names(path.parent) == ["file.txt"]


def test_text_that_no_encoding_holds_does_not_cost_the_file(tmp_path):
    write_atomically(tmp_path / "f", "a\udc80b")
    assert (tmp_path / "f").read_bytes() == b"a?b"


def test_readers_see_the_old_content_or_the_new(tmp_path):
    path = tmp_path / "f"
    contents = [b"a" * 200_000, b"b" * 200_000]
    path.write_bytes(contents[0])
    stop = threading.Event()
    seen: set[bytes] = set()

    def read() -> None:
        while not stop.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(100):
        write_atomically(path, contents[number % 2], durable=False)
    stop.set()
    reader.join()
    assert seen <= set(contents)


@posix
def test_a_planted_link_is_replaced_and_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    link = tmp_path / "link"
    link.symlink_to(victim)
    write_atomically(link, "new")
    assert victim.read_text() == "mine"
    assert not link.is_symlink()


@pytest.fixture(params=[0o000, 0o022, 0o027, 0o077], ids="{:03o}".format)
def umask(request):
    old = os.umask(request.param)
    yield request.param
    os.umask(old)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@posix
@pytest.mark.parametrize(
    ("mode", "file", "folder"),
    [(PRIVATE, 0o600, 0o700), (0o640, 0o640, 0o750), (0o660, 0o660, 0o770)],
)
@pytest.mark.parametrize("durable", [True, False])
def test_files_and_folders_have_their_mode_whatever_the_umask(
    tmp_path, umask, mode, file, folder, durable
):
    path = tmp_path / "a/b/f"
    write_atomically(path, "x", durable=durable, mode=mode)
    assert mode_of(path) == file
    assert [mode_of(path.parent), mode_of(path.parent.parent)] == [folder, folder]


@posix
def test_nobody_can_read_a_file_while_it_is_written(tmp_path, umask, monkeypatch):
    seen = []
    flush = os.fsync

    def look(descriptor):
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    write_atomically(tmp_path / "f", "x")
    assert seen[0] == 0o600


@posix
def test_an_output_folder_is_for_its_owner(tmp_path, umask):
    with OutputFolder(tmp_path / "a/out") as output:
        pass
    assert [mode_of(output.parent), mode_of(output), mode_of(output / LOCK_NAME)] == [
        0o700,
        0o700,
        0o600,
    ]


@posix
def test_a_folder_that_exists_keeps_its_mode(tmp_path):
    (tmp_path / "out").mkdir(mode=0o755)
    write_atomically(tmp_path / "out/f", "x")
    assert mode_of(tmp_path / "out") == 0o755


@posix
@pytest.mark.parametrize("durable", [True, False])
def test_what_an_earlier_version_let_others_read_is_closed(tmp_path, durable):
    path = tmp_path / "f"
    path.write_text("x")
    path.chmod(0o644)
    write_atomically(path, "x", durable=durable)
    assert mode_of(path) == 0o600


@posix
def test_the_umask_decides_about_what_is_no_students(tmp_path, umask):
    write_atomically(tmp_path / "a/f", "x", mode=None)
    assert mode_of(tmp_path / "a/f") == 0o666 & ~umask
    assert mode_of(tmp_path / "a") == 0o777 & ~umask


@posix
def test_a_disk_that_fills_up_leaves_the_old_file_and_says_what_to_do(tmp_path):
    """A file size limit stops the write half way, as a full disk does."""
    path = tmp_path / "f"
    path.write_text("old")
    code = """
import resource, signal, sys
from pathlib import Path
from grader.errors import GraderError
from grader.store.output import write_atomically
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomically(Path(sys.argv[1]), b"x" * 100_000)
except GraderError as error:
    print(error.where, "|", error.hint)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    where, _, hint = done.stdout.strip().partition(" | ")
    assert where == str(path)
    assert hint
    assert path.read_text() == "old"
    assert names(tmp_path) == ["f"]


def test_a_file_in_the_way_is_an_error_for_a_person(tmp_path):
    (tmp_path / "f").write_text("")
    with pytest.raises(GraderError, match="can't write the file") as caught:
        write_atomically(tmp_path / "f" / "g", "x")
    assert caught.value.where == str(tmp_path / "f" / "g")
    assert "file is in the way" in caught.value.hint


def test_a_folder_in_the_way_stays_and_no_temporary_file_is_left(tmp_path):
    (tmp_path / "f").mkdir()
    with pytest.raises(GraderError):
        write_atomically(tmp_path / "f", "x")
    assert names(tmp_path) == ["f"]


def test_a_very_long_name_can_be_written(tmp_path):
    path = tmp_path / ("é" * 120 + ".md")  # 243 bytes: the temporary name must not be longer
    write_atomically(path, "x")
    assert path.read_text() == "x"


def test_a_second_run_is_turned_away_at_once(tmp_path):
    output = tmp_path / "out"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(output)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(OutputBusy) as caught, OutputFolder(output):
            pass
        assert caught.value.where == str(output)
        assert caught.value.hint
    finally:
        holder.communicate()
    with OutputFolder(output) as folder:
        assert folder == output


def test_a_killed_run_blocks_nobody(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    holder.kill()
    holder.communicate()
    assert (tmp_path / LOCK_NAME).exists()
    with OutputFolder(tmp_path):
        pass


def test_the_folder_is_free_again_after_an_error(tmp_path):
    with pytest.raises(RuntimeError), OutputFolder(tmp_path):
        raise RuntimeError
    with OutputFolder(tmp_path):
        pass


def test_a_file_where_the_folder_should_be_is_an_error_for_a_person(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(GraderError, match="can't use the output folder") as caught:
        OutputFolder(tmp_path / "out").__enter__()
    assert "--output" in caught.value.hint


def test_what_a_killed_run_had_begun_to_write_is_removed(tmp_path):
    begun = ".gradebook.json.0123456789ab.tmp"
    for folder in (tmp_path, tmp_path / "feedback/ann", tmp_path / ".results/runs"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / begun).write_text("half")
        (folder / "mine.tmp").write_text("kept")
    (tmp_path / "another run").mkdir()
    (tmp_path / "another run" / begun).write_text("being written right now")
    with OutputFolder(tmp_path):
        left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.tmp"))
    assert left == [
        ".results/runs/mine.tmp",
        f"another run/{begun}",
        "feedback/ann/mine.tmp",
        "mine.tmp",
    ]
