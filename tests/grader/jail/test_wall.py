"""What a submission must not be able to do, tried in every mode that this machine offers."""

from __future__ import annotations

import fcntl
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from wall_trials import ALLOWED, DENIED, OPEN_WITH_GPU, TRY
from walled import LIMITS, MODES, ready_zygote, run

from grader.errors import GraderFault
from grader.jail import wall
from grader.jail.readable import Readable
from grader.judging.spawning import Zygote, spawn
from grader.judging.worker_link import WorkerLink
from grader.model import Isolation
from grader.testing.operations import Op
from grader.wire.worker import WorkerPolicy

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the wall is made of parts of Linux"
)


NO_WALL = Isolation(mode="off", layers=())


@dataclass
class Outside:
    """What lies outside, and how to see that nothing happened to it."""

    targets: dict[str, Any]
    listeners: list[socket.socket]
    victim: subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    with (
        tempfile.TemporaryDirectory(prefix="outside-") as name,
        socket.create_server(("127.0.0.1", 0)) as port,
        socket.socket(socket.AF_UNIX) as local,
        socket.socket(socket.AF_UNIX) as abstract,
        subprocess.Popen(["sleep", "600"]) as victim,
    ):
        folder = Path(name)
        folder.chmod(0o777)  # nothing but the wall may be what stops a worker
        secret = folder / "secret"
        secret.write_text("secret")
        secret.chmod(0o666)
        local.bind(str(folder / "socket"))
        abstract.bind(f"\0{folder}")
        for listener in (local, abstract):
            listener.listen()
        (folder / "socket").chmod(0o777)
        targets = {
            "folder": str(folder),
            "secret": str(secret),
            "engine": str(Path(spawn.__code__.co_filename).parents[1]),
            "port": port.getsockname()[1],
            "socket": str(folder / "socket"),
            "abstract": f"\0{folder}",
            "victim": victim.pid,
        }
        yield Outside(targets, [port, local, abstract], victim)
        victim.terminate()


@pytest.fixture(scope="module")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    public = tmp_path_factory.mktemp("course") / "handout"
    public.mkdir()
    (public / "__init__.py").write_text("ANSWER = 42\n")
    with ready_zygote(public=[public]) as zygote:
        yield zygote


@pytest.fixture(scope="module", params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def outcomes(zygote: Zygote, outside: Outside, mode: str) -> dict[str, str]:
    """What became of every attempt, all made by one worker."""
    attempts = {f"deny {name}": code for name, code in DENIED.items()}
    attempts |= {f"allow {name}": code for name, code in ALLOWED.items()}
    source = TRY.format(targets=json.dumps(outside.targets), attempts=json.dumps(attempts))
    result = run(zygote, source, forbidden=MODES[mode])
    assert result.raised is None
    return dict(result.json())


@pytest.fixture(scope="module")
def gpu_outcomes(zygote: Zygote, outside: Outside, mode: str) -> dict[str, str]:
    """What becomes of the attempts of a worker that is given a GPU (there need not be one)."""
    attempts = {name: code for name, code in DENIED.items() if name not in OPEN_WITH_GPU}
    source = TRY.format(targets=json.dumps(outside.targets), attempts=json.dumps(attempts))
    result = run(zygote, source, forbidden=MODES[mode], device="cuda")
    assert result.raised is None
    return dict(result.json())


def test_a_worker_with_a_gpu_can_do_little_more(gpu_outcomes: dict[str, str]) -> None:
    assert {name for name, outcome in gpu_outcomes.items() if outcome != "denied"} == set()


def test_a_worker_with_a_gpu_names_its_threads_as_the_driver_does(
    zygote: Zygote, mode: str
) -> None:
    source = """
import threading
path = f"/proc/self/task/{threading.get_native_id()}/comm"
with open(path, "w") as file:
    file.write("cuda")
print('"' + open(path).read().strip() + '"')
"""
    result = run(zygote, source, forbidden=MODES[mode], device="cuda")
    assert result.raised is None
    assert result.json() == "cuda"


@pytest.mark.parametrize("device", ["cpu", "cuda:0", "cuda:2"])
def test_a_worker_is_shown_its_own_gpu_alone(zygote: Zygote, device: str) -> None:
    source = "import json, os; print(json.dumps(os.environ['CUDA_VISIBLE_DEVICES']))"
    assert run(zygote, source, device=device).json() == device.partition(":")[2]


@pytest.mark.parametrize("name", DENIED)
def test_a_worker_can_not(name: str, outcomes: dict[str, str]) -> None:
    assert outcomes[f"deny {name}"] == "denied"


@pytest.mark.parametrize("name", ALLOWED)
def test_a_worker_can(name: str, outcomes: dict[str, str]) -> None:
    assert outcomes[f"allow {name}"] == "done"


def test_nothing_outside_has_changed(outcomes: dict[str, str], outside: Outside) -> None:
    folder = Path(outside.targets["folder"])
    assert sorted(path.name for path in folder.iterdir()) == ["secret", "socket"]
    assert (folder / "secret").read_text() == "secret"
    assert outside.victim.poll() is None
    assert not select.select(outside.listeners, [], [], 0)[0]


def test_what_exists_outside_is_not_even_known(zygote: Zygote, outside: Outside, mode: str) -> None:
    isolation = run(zygote, "", forbidden=MODES[mode]).isolation or NO_WALL
    if "namespaces" not in isolation.layers:
        pytest.skip("without a root of its own, a worker may ask")
    paths = [outside.targets["secret"], "/etc/passwd", "/proc/1", "/var/log", "/bin/sh"]
    source = f"import json, os; print(json.dumps([os.path.lexists(p) for p in {paths!r}]))"
    assert not any(run(zygote, source, forbidden=MODES[mode]).json())


def test_chmod_says_that_it_worked_and_does_nothing(
    zygote: Zygote, mode: str, tmp_path: Path
) -> None:
    victim = tmp_path / "file"
    victim.write_text("")
    victim.chmod(0o644)
    before = victim.stat()
    path = str(victim)
    run(zygote, f"import os; os.chmod({path!r}, 0o777)", forbidden=MODES[mode])
    run(zygote, f"import os; os.utime({path!r}, (1, 1))", forbidden=MODES[mode])
    after = victim.stat()
    assert (after.st_mode, after.st_mtime) == (before.st_mode, before.st_mtime)


def test_locks_are_no_message(zygote: Zygote, mode: str) -> None:
    pipes = spawn(zygote.fileno(), LIMITS, forbidden=MODES[mode])
    holder = WorkerLink(pipes, LIMITS)
    holder.wait_ready()
    holder.allow(10, "")
    lock = "import fcntl, os; f = open(os.__file__); fcntl.flock(f, 2); fcntl.lockf(f, 1)"
    holder.request(Op.CELL, number=1, source=lock, limit_s=5)
    with Path(os.__file__).open() as shared:
        fcntl.flock(shared, fcntl.LOCK_EX | fcntl.LOCK_NB)
    holder.close()


def test_the_report_names_mode_and_layers(zygote: Zygote, mode: str) -> None:
    isolation = run(zygote, "", forbidden=MODES[mode]).isolation
    assert isolation is not None
    assert isolation.mode == ("pod" if mode == "pod" else "full")
    assert {"landlock", "seccomp", "privileges", "rlimits", "watchdog"} <= set(isolation.layers)
    assert ("namespaces" in isolation.layers) == (mode != "pod")


def test_two_workers_share_nothing(zygote: Zygote, mode: str) -> None:
    for _ in range(2):
        result = run(
            zygote,
            "import os, json; print(json.dumps(os.listdir('.'))); open('left', 'w').write('x');",
            forbidden=MODES[mode],
        )
        assert result.json() == []


@pytest.mark.parametrize(
    ("forbidden", "lacking"),
    [
        (("namespaces", "landlock"), "no file is read outside"),
        (("seccomp",), "a bounded kernel surface"),
        (("privileges",), "no new privileges"),
    ],
)
def test_an_incomplete_wall_is_refused_by_name(
    zygote: Zygote, forbidden: tuple[str, ...], lacking: str
) -> None:
    with pytest.raises(GraderFault, match=lacking):
        run(zygote, "", forbidden=forbidden)


def test_without_the_sandbox_the_report_says_so(zygote: Zygote) -> None:
    isolation = run(zygote, "", sandbox=False).isolation
    assert isolation is not None
    assert isolation.mode == "off"
    assert isolation.layers == ("process", "rlimits", "watchdog")


def test_foreign_system_calls_are_deadly(zygote: Zygote) -> None:
    # mmap a page with: mov eax, 20; int 0x80; ret: a call of the 32-bit ABI
    source = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
page.write(bytes.fromhex("b814000000cd80c3"))
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
"""
    ending = run(zygote, source).ending
    assert ending is not None
    assert "forbids" in ending.message


@pytest.mark.parametrize(
    ("step", "layer"),
    [
        pytest.param((wall.linux, "drop_capabilities"), {wall.PRIVILEGES}, id="a trial"),
        pytest.param(
            (wall.namespaces, "build_root"),
            {wall.ROOT_NAMESPACES, wall.USER_NAMESPACES},
            id="a trial's child",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_trial_that_somebody_kills_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: tuple[Any, str], layer: set[str]
) -> None:
    def offered() -> frozenset[str]:
        policy = WorkerPolicy(wall_s=60, memory_bytes=1 << 30, scratch_bytes=1 << 20, threads=8)
        (root := tmp_path / "root").mkdir(exist_ok=True)
        return wall.find_offer(policy, Readable((), (), (), (), ()), str(root)).works

    module, name = step
    real, killed = getattr(module, name), tmp_path / "killed"

    def killed_once(*arguments: Any) -> Any:
        if not killed.exists():
            killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)
            # process 1 of a namespace can't kill itself; the kernel can
            resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
            while True:
                pass
        return real(*arguments)

    calm = offered()
    if not layer & calm:
        pytest.skip("not to be had here")
    monkeypatch.setattr(module, name, killed_once)
    assert offered() == calm
    assert killed.exists()


def test_a_wall_that_can_not_be_built_lets_nobody_in(tmp_path: Path) -> None:
    """A mount that fails half way is the worker's end: it never goes on with half a wall."""
    with ready_zygote() as zygote:
        if "namespaces" not in (run(zygote, "").isolation or NO_WALL).layers:
            pytest.skip("there is no mount that could fail")
        (zygote.state / "root").rename(tmp_path / "root")
        with pytest.raises(GraderFault, match="could not be started"):
            run(zygote, "print('inside')")
