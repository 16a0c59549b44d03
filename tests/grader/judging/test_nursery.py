"""One process imports, and becomes two."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from processes import children, eventually, name_of, parent_of

import grader
from grader.config.course import Course, load_course
from grader.errors import GraderFault
from grader.judging.crew import Crew
from grader.judging.nursery import Nursery
from grader.judging.spawning import BOOTSTRAP, NURSERY
from grader.store.fingerprint import suite_digests

pytestmark = pytest.mark.skipif(not Nursery.possible(), reason="forks can't be watched here")

WHOM_TO_BECOME_IS_NOT_SAID = b'{"engine": "%s", "sites": [], "libraries": []}\n' % bytes(
    Path(grader.__file__).parents[1]
)
TELL = """
import json, os, socket, sys
told = {
    "pid": os.getpid(),
    "session": os.getsid(0),
    "environment": dict(os.environ),
    "imported": "heavy" in sys.modules,
    "path": sys.path[0],
    "arguments": len(sys.argv) - 1,
}
channel = socket.socket(fileno=int(sys.argv[1]))
channel.sendall(json.dumps(told).encode())
channel.recv(1)
"""


@pytest.fixture
def counted(tmp_path: Path) -> Path:
    """A package folder with a library that counts how often it is imported."""
    diary = tmp_path / "diary"
    text = f"from pathlib import Path\nwith Path({str(diary)!r}).open('a') as f: f.write('x')\n"
    (tmp_path / "heavy.py").write_text(text)
    return tmp_path


@pytest.fixture
def nursery(counted: Path) -> Iterator[Nursery]:
    first = {
        "engine": str(Path(grader.__file__).parents[1]),
        "sites": [str(counted)],
        "libraries": ["no_such_library", "heavy"],
    }
    message, environment = json.dumps(first).encode() + b"\n", {"PATH": "/usr/bin:/bin"}
    with (counted / "log").open("wb") as log:
        made = Nursery(NURSERY, message, environment, log)
    yield made
    made.process.kill()
    made.process.wait()
    made.close()


class Born:
    """A program that a nursery runs, at the other end of a socket."""

    def __init__(self, start: Callable[..., Any], **environment: str) -> None:
        self.channel, far = socket.socketpair()
        with far, Path(os.devnull).open("rb") as nothing:
            standard = [nothing.fileno()] * 3
            self.process = start(TELL, environment, [*standard, far.fileno()])

    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.channel.recv(1 << 20))
        return found


@pytest.fixture
def born() -> Iterator[Callable[..., Born]]:
    with contextlib.ExitStack() as ends:

        def bear(start: Callable[..., Any], **environment: str) -> Born:
            one = Born(start, **environment)
            ends.callback(one.channel.close)
            return one

        yield bear


def test_two_programs_run_and_one_has_imported(
    nursery: Nursery, counted: Path, born: Callable[..., Born]
) -> None:
    fork, itself = born(nursery.fork, WHO="fork"), born(nursery.become, WHO="itself")
    first, second = fork.told(), itself.told()
    assert (counted / "diary").read_text() == "x"
    assert (first["imported"], second["imported"]) == (True, True)
    assert second["pid"] == nursery.process.pid == parent_of(first["pid"])
    assert fork.process.pid == first["pid"]
    for one, who in ((first, "fork"), (second, "itself")):
        assert one["environment"].pop("LC_CTYPE", "C.UTF-8") == "C.UTF-8"  # Python's own
        assert one["environment"] == {"WHO": who}
        assert (one["session"], one["path"], one["arguments"]) == (one["pid"], "", 1)


def test_a_fork_is_watched_like_a_child(nursery: Nursery, born: Callable[..., Born]) -> None:
    fork = born(nursery.fork)
    fork.told()
    assert fork.process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        fork.process.wait(timeout=0.05)
    fork.process.kill()
    fork.process.wait(timeout=10)
    assert fork.process.poll() is not None
    assert eventually(lambda: not Path(f"/proc/{fork.process.pid}/fd/0").exists())


def test_an_import_that_does_not_end_can_be_ended(
    nursery: Nursery, born: Callable[..., Born]
) -> None:
    os.kill(nursery.process.pid, signal.SIGSTOP)
    fork = born(nursery.fork)
    fork.process.kill()
    fork.process.wait(timeout=10)
    assert fork.process.poll() is not None


def test_who_dies_before_anybody_is_born_has_no_fork(
    nursery: Nursery, born: Callable[..., Born]
) -> None:
    os.kill(nursery.process.pid, signal.SIGSTOP)
    fork = born(nursery.fork)
    nursery.close()
    assert fork.process.poll() is not None
    fork.process.kill()
    fork.process.wait(timeout=1)
    with pytest.raises(ProcessLookupError):
        _ = fork.process.pid
    assert fork.channel.recv(1) == b""


@pytest.mark.parametrize(
    ("program", "heard"),
    [
        (BOOTSTRAP, b""),
        (BOOTSTRAP, b'{"engine": "half of'),
        (NURSERY, WHOM_TO_BECOME_IS_NOT_SAID),
    ],
    ids=["nothing", "half of it", "whom to become"],
)
def test_it_ends_when_the_grader_goes_before_it_has_said_everything(
    program: str, heard: bytes
) -> None:
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-s", "-B", "-c", program]
    with theirs, subprocess.Popen(command, stdin=theirs.fileno()) as process:
        if heard:
            socket.send_fds(ours, [heard], [theirs.fileno()])
        theirs.close()
        ours.close()
        try:
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()


def test_who_has_become_somebody_is_not_its_to_end(
    nursery: Nursery, born: Callable[..., Born]
) -> None:
    itself = born(nursery.become)
    itself.told()
    nursery.close()
    assert itself.process.poll() is None


def preloading(toy: Path, library: str) -> Course:
    """The small course, with a library that is imported once."""
    table = toy / "pyproject.toml"
    table.write_text(
        table.read_text().replace('id = "sums"', f'id = "sums"\npreload = ["{library}"]')
    )
    return load_course(toy)


def test_a_library_that_ends_the_process_is_told_with_its_last_words(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites = tmp_path / "site-packages"
    sites.mkdir()
    text = "import os, sys; print('no such driver', file=sys.stderr, flush=True); os._exit(7)"
    (sites / "deadly.py").write_text(text)
    monkeypatch.syspath_prepend(sites)
    course = preloading(toy, "deadly")
    crew = Crew(course, suite_digests(course, ["adding"]))
    try:
        with pytest.raises(GraderFault, match="died while it started: no such driver"):
            crew.describe()
    finally:
        crew.close()


@pytest.mark.parametrize("whom", ["grader-judge", "grader-zygote"])
def test_a_crew_is_one_family_and_no_longer_alive_without_either(toy: Path, whom: str) -> None:
    course = preloading(toy, "colorsys")
    crew = Crew(course, suite_digests(course, ["adding"]))
    try:
        crew.describe()
        crew.wait_ready()
        (judge,) = children(os.getpid(), 0, "grader-judge")
        (zygote,) = children(os.getpid(), 0, "grader-zygote")
        assert parent_of(zygote) == judge
        assert crew.alive
        os.kill(judge if whom == "grader-judge" else zygote, signal.SIGKILL)
        assert eventually(lambda: not crew.alive)
    finally:
        crew.close()
    assert eventually(lambda: {name_of(judge), name_of(zygote)} == {"gone"})
