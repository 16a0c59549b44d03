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
from walled import LIMITS, MODES, ready_zygote, run

from grader.errors import GraderFault
from grader.jail import wall
from grader.jail.readable import Readable
from grader.judging.spawning import Zygote, spawn
from grader.judging.worker_link import WorkerLink
from grader.model import Isolation
from grader.wire.worker import WorkerPolicy

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the wall is made of parts of Linux"
)

# each must raise OSError; `t` are the targets outside
DENIED = {
    "read a file": "open(t['secret']).read()",
    "read a file through a descriptor of its folder": (
        "os.open('secret', os.O_RDONLY, dir_fd=os.open(t['folder'], os.O_PATH))"
    ),
    "read a file by climbing": "open('../' * 20 + t['secret']).read()",
    "list a folder": "os.listdir(t['folder'])",
    "read the grader's own code": "open(t['engine'] + '/cli.py').read()",
    "read the password file": "open('/etc/passwd').read()",
    "read another process": "open(f\"/proc/{t['victim']}/mem\", 'rb').read(1)",
    "read its own environment": "open('/proc/self/environ').read()",
    "read the kernel's log": "open('/dev/kmsg').read(1)",
    "write a file": "open(t['secret'], 'a')",
    "write into a folder": "open(t['folder'] + '/planted', 'w')",
    "truncate a file by name": "os.truncate(t['secret'], 0)",
    "truncate a file while reading": "os.open(t['secret'], os.O_RDONLY | os.O_TRUNC)",
    "write beside its scratch": "open('../beside', 'w')",
    "write into a temporary folder of the system": "open('/tmp/beside', 'w')",
    "write into a folder that leads to what it may read": "open(beside_a_public_package(), 'w')",
    "write into the root": "os.mkdir('/beside')",
    "overwrite the standard library": "open(os.__file__, 'a')",
    "overwrite a package": "open(a_package(), 'a')",
    "remove a file": "os.unlink(t['secret'])",
    "rename a file": "os.rename(t['secret'], 'mine')",
    "link a file": "os.link(t['secret'], 'mine')",
    "link to a file": "os.symlink(t['secret'], 'mine')",
    "change an owner": "os.chown(t['secret'], 12345, 12345)",
    "make a FIFO": "os.mkfifo('fifo')",
    "make a device": "os.mknod('device', 0o60666, 0)",
    "set an attribute": "os.setxattr('.', 'user.x', b'1')",
    "connect to a port": "socket.create_connection(('127.0.0.1', t['port']), 1)",
    "connect to a socket": "socket.socket(socket.AF_UNIX).connect(t['socket'])",
    "connect to an abstract socket": "socket.socket(socket.AF_UNIX).connect(t['abstract'])",
    "send a datagram": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('127.0.0.1', 9))",
    "make a datagram pair": "socket.socketpair(type=socket.SOCK_DGRAM)",
    "send to a path": "socket.socketpair()[0].sendto(b'', t['socket'])",
    "kill a process": "os.kill(t['victim'], 15)",
    "kill its supervisor": "os.kill(os.getppid() or 1, 9)",
    "kill its group": "os.kill(0, 0)",
    "kill everybody": "os.kill(-1, 0)",
    "signal a thread": "signal.pidfd_send_signal(0, 15)",
    "have signals sent": "fcntl.fcntl(0, fcntl.F_SETOWN, t['victim'])",
    "fork": "os.fork()",
    "run a program": "subprocess.run(['/bin/true'])",
    "execute": "os.execv('/bin/true', ['true'])",
    "start a process": "multiprocessing.get_context('fork').Process(target=print).start()",
    "make shared memory": "mmap.mmap(-1, 4096)",
    "make a memory file": "os.memfd_create('x')",
    "lower its niceness": "os.nice(-5)",
    "leave its processor": "os.sched_setaffinity(0, {0})",
    "become root": "os.setuid(0)",
    "make a session": "os.setsid()",
    "change the root": "os.chroot('.')",
    "ptrace": "kernel(101, 16, t['victim'], 0, 0)",
    "read another's memory": "kernel(310, t['victim'], 0, 0, 0, 0, 0)",
    "make a namespace": "kernel(272, 0x10000000)",
    "mount": "kernel(165, 0, 0, 0, 0, 0)",
    "use a key ring": "kernel(250, 0, -3, 0, 0, 0)",
    "make an io_uring": "kernel(425, 8, 0)",
    "load a BPF program": "kernel(321, 5, 0, 0)",
    "watch performance": "kernel(298, 0, 0, -1, -1, 0)",
    "catch page faults": "kernel(323, 0)",
    "make a message queue": "kernel(68, 0, 0o1000)",
    "make System V memory": "kernel(29, 0, 4096, 0o1000)",
    "open by handle": "kernel(304, -100, 0, 0)",
    "fork by clone3": "kernel(435, 0, 0)",
    "vfork": "kernel(58)",
    "make a process by clone": "kernel(56, 17, 0, 0, 0, 0)",
    "make a namespace by clone": "kernel(56, 0x10010f00, 0, 0, 0, 0)",
    "set a limit of itself": "kernel(302, 0, 7, 4096, 0)",
}

# what CUDA needs: shared memory, and the /proc of the worker itself
OPEN_WITH_GPU = {"make shared memory", "read its own environment"}

# each must work: honest notebooks do it
ALLOWED = {
    "write a file": "open('own', 'w').write('x')",
    "copy a file with its mode and times": "shutil.copy2(__import__('json').__file__, 'copy.py')",
    "make a temporary file": "tempfile.NamedTemporaryFile().write(b'x')",
    "make a temporary folder": "tempfile.mkdtemp()",
    "make and remove folders": "(os.makedirs('a/b'), shutil.rmtree('a'))",
    "rename its file": "(open('p', 'w'), os.rename('p', 'q'))",
    "start a thread": "(t := threading.Thread(target=len, args=('',)), t.start(), t.join())",
    "use a pool of threads": "list(concurrent.futures.ThreadPoolExecutor(2).map(len, ['a', 'b']))",
    "run asyncio": "asyncio.run(asyncio.sleep(0))",
    "import the standard library": "importlib.import_module('colorsys')",
    "import an extension": "importlib.import_module('_sqlite3')",
    "import a package": "importlib.import_module('msgpack')",
    "import a public package": "importlib.import_module('handout').ANSWER == 42 or 1 / 0",
    "list installed packages": "os.listdir(os.path.dirname(os.path.dirname(msgpack.__file__)))",
    "know a time zone": "zoneinfo.ZoneInfo('Europe/Berlin')",
    "read random bytes": "open('/dev/urandom', 'rb').read(4) + os.urandom(4)",
    "discard output": "open('/dev/null', 'w').write('x')",
    "know itself": "(os.getpid(), os.cpu_count(), os.uname(), os.getcwd(), platform.platform())",
    "signal itself": "(signal.signal(10, signal.SIG_IGN), os.kill(os.getpid(), 10))",
    "set an alarm": "signal.setitimer(signal.ITIMER_REAL, 0)",
    "map a file": "(f := open('own', 'r+b'), mmap.mmap(f.fileno(), 0))",
    "lock a file": "(f := open('own'), fcntl.flock(f, 2), fcntl.lockf(f, fcntl.LOCK_SH))",
    "make a database": "sqlite3.connect('data').execute('create table a (b)')",
    "read its limits": "resource.getrlimit(resource.RLIMIT_NOFILE)",
}

TRY = """
import asyncio, concurrent.futures, ctypes, fcntl, importlib, json, mmap, msgpack, multiprocessing
import os, platform, resource, shutil, signal, socket, sqlite3, subprocess, tempfile, threading
import zoneinfo

def kernel(number, *arguments):
    if os.uname().machine != "x86_64":
        raise PermissionError("not tried here")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *map(ctypes.c_long, arguments)) < 0:
        raise OSError(ctypes.get_errno(), "")

def a_package():
    return msgpack.__file__

def beside_a_public_package():
    return os.path.join(os.path.dirname(importlib.import_module("handout").__path__[0]), "..", "x")

t = json.loads({targets!r})
outcomes = {{}}
for name, attempt in json.loads({attempts!r}).items():
    try:
        eval(attempt)
    except OSError:
        outcomes[name] = "denied"
    except BaseException as error:
        outcomes[name] = repr(error)
    else:
        outcomes[name] = "done"
print(json.dumps(outcomes))
"""


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
    holder.request("cell", number=1, source=lock, limit_s=5)
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
