"""What happens when a submission takes too much."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import msgspec
import pytest
from walled import LIMITS, MODES, ready_zygote, run

from grader.judging.spawning import Zygote
from grader.model import EndingKind

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts what Linux counts")


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with ready_zygote() as zygote:
        yield zygote


@pytest.fixture(params=MODES)
def forbidden(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return MODES[request.param]


def test_too_much_memory_is_a_memory_error(zygote: Zygote, forbidden: tuple[str, ...]) -> None:
    result = run(zygote, "hoard = bytearray(300 << 20)", forbidden=forbidden)
    assert result.raised is not None
    assert result.raised.kinds[0] == "MemoryError"
    assert result.ending is None


def test_memory_up_to_the_limit_is_theirs(zygote: Zygote, forbidden: tuple[str, ...]) -> None:
    result = run(zygote, "hoard = bytearray(200 << 20); print(len(hoard))", forbidden=forbidden)
    assert result.json() == 200 << 20


def test_page_tables_count_as_memory(zygote: Zygote, forbidden: tuple[str, ...]) -> None:
    # one byte every 2 MiB costs a page of page table that no resource limit counts
    bomb = """
import mmap
held = []
while True:
    held.append(mmap.mmap(-1, 1 << 30, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ))
    for place in range(0, 1 << 30, 2 << 20):
        held[-1][place]
"""
    result = run(zygote, bomb, forbidden=forbidden)
    memory_error = result.raised is not None and "Error" in result.raised.kinds[0]
    assert memory_error or (result.ending and result.ending.kind is EndingKind.MEMORY)


def test_threads_are_counted(zygote: Zygote, forbidden: tuple[str, ...]) -> None:
    bomb = """
import threading, time
started = 0
try:
    for _ in range(500):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        started += 1
    time.sleep(3)
finally:
    print(started, flush=True)
"""
    result = run(zygote, bomb, forbidden=forbidden)
    if result.ending is None:
        assert result.raised is not None
        assert "can't start new thread" in str(result.raised)
        assert int(result.printed) <= LIMITS.processes
    else:
        assert result.ending.kind is EndingKind.PROCESSES


def test_a_full_disk_is_an_error_of_theirs_or_the_end(
    zygote: Zygote, forbidden: tuple[str, ...]
) -> None:
    flood = """
number = 0
while True:
    number += 1
    with open(f"flood{number}", "wb") as file:
        file.write(bytes(1 << 20))
"""
    result = run(zygote, flood, forbidden=forbidden)
    if result.ending is None:
        assert result.raised is not None
        assert "OSError" in result.raised.kinds
    else:
        assert result.ending.kind is EndingKind.DISK


def test_one_large_file_is_an_error_of_theirs(zygote: Zygote, forbidden: tuple[str, ...]) -> None:
    source = "open('large', 'wb').write(bytes(9 << 20))"
    result = run(zygote, source, forbidden=forbidden)
    assert result.raised is not None
    assert "OSError" in result.raised.kinds


def test_too_many_files_are_an_error_of_theirs_or_the_end(
    zygote: Zygote, forbidden: tuple[str, ...]
) -> None:
    flood = """
number = 0
while True:
    number += 1
    open(f"file{number}", "wb").close()
"""
    result = run(zygote, flood, forbidden=forbidden)
    if result.ending is None:
        assert result.raised is not None
        assert "OSError" in result.raised.kinds
    else:
        assert result.ending.kind is EndingKind.DISK


@pytest.mark.parametrize("hang", ["while True: pass", "import time; time.sleep(60)"])
def test_time_ends(zygote: Zygote, forbidden: tuple[str, ...], hang: str) -> None:
    limits = msgspec.structs.replace(LIMITS, wall_s=0.5)
    result = run(zygote, hang, limits=limits, forbidden=forbidden)
    assert result.ending is not None
    assert result.ending.kind is EndingKind.TIME
    assert "0.5 s" in result.ending.message


def test_descriptors_run_out_for_them_alone(zygote: Zygote, forbidden: tuple[str, ...]) -> None:
    source = "held = [open('/dev/null') for _ in range(200)]"
    result = run(zygote, source, forbidden=forbidden)
    assert result.raised is not None
    assert "Too many open files" in str(result.raised)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names are Linux's")
@pytest.mark.parametrize(
    "name", [b"\xff\xa0\x85 )", b"\xc2\x85Threads:\t9999"], ids=["bytes", "a line"]
)
def test_what_a_process_calls_itself_is_its_own_business(
    zygote: Zygote, forbidden: tuple[str, ...], name: bytes
) -> None:
    source = f"""
import ctypes, time
text = ctypes.create_string_buffer({name!r})
assert ctypes.CDLL(None).prctl(15, text, 0, 0, 0) == 0
time.sleep(0.5)
named = True
"""
    result = run(zygote, source, forbidden=forbidden)
    assert (result.raised, result.ending) == (None, None)


class TestWithoutTheSandbox:
    """Process, rlimits and watchdog are there in every mode."""

    def test_shared_memory_is_seen_by_the_watchdog(self, zygote: Zygote) -> None:
        bomb = """
import mmap
held = []
while True:
    held.append(mmap.mmap(-1, 64 << 20))
    held[-1].write(bytes(64 << 20))
"""
        limits = msgspec.structs.replace(LIMITS, memory_bytes=200 << 20)
        result = run(zygote, bomb, limits=limits, sandbox=False, forbidden=["cgroup"])
        assert result.ending is not None
        assert result.ending.kind is EndingKind.MEMORY

    def test_processes_are_counted_as_threads(self, zygote: Zygote) -> None:
        bomb = """
import subprocess, time
held = [subprocess.Popen(["/bin/sleep", "60"]) for _ in range(100)]
time.sleep(20)
"""
        result = run(zygote, bomb, sandbox=False)
        assert result.ending is not None
        assert result.ending.kind is EndingKind.PROCESSES

    def test_memory_of_child_processes_counts(self, zygote: Zygote) -> None:
        bomb = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        hoard = bytearray(150 << 20)
        time.sleep(20)
        os._exit(0)
time.sleep(20)
"""
        result = run(zygote, bomb, sandbox=False)
        assert result.ending is not None
        assert result.ending.kind is EndingKind.MEMORY
