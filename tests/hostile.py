"""A class of hostile submissions between honest ones, graded together; and what became of it all.

Everything that the attacks go for is open to every user, so that nothing but the wall stops them.
All of it is the tests' own: an attack must never go for what somebody would miss.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import msgspec
import pytest
from toy import HIDDEN, REFERENCE, RIGHT, TABLE, Silent, notebook, write, write_course
from walled import processes_below, wait_until_gone

from grader.config.course import load_course
from grader.gradebook import Gradebook, Score
from grader.jail import linux
from grader.pipeline import Options, check
from grader.worker.watchdog import children_of

DENIED = "DENIED"
DONE = "DONE"
BROKEN = "BROKEN"

TRY = """
import asyncio, ctypes, errno, fcntl, gc, glob, importlib, importlib.util, inspect, io, json, mmap
import multiprocessing, os, pathlib, resource, shutil, signal, socket, stat, struct, subprocess, sys
import tempfile, threading, time, zipfile

T = json.loads(TARGETS)

def kernel(number, *arguments):
    "Make a system call of x86-64; elsewhere it counts as denied."
    if os.uname().machine != "x86_64":
        raise PermissionError("not tried here")
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(number, *(a if isinstance(a, bytes) else ctypes.c_long(a) for a in arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result

def filtered(number):
    "Make a call that the filter must refuse: an error of the call itself is not good enough."
    try:
        kernel(number, 0, 0, 0, 0, 0, 0)
    except OSError as error:
        if error.errno not in (None, errno.EPERM, errno.ENOSYS):
            raise RuntimeError(f"call {number} reached the kernel: {error.errno}")
        raise

def attempt(expression):
    try:
        value = eval(expression)
    except (OSError, ImportError, MemoryError) as error:
        print("DENIED", expression, type(error).__name__)
    except BaseException as error:
        print("BROKEN", expression, repr(error))
    else:
        print("DONE", expression, repr(value)[:500])
"""


def tries(*expressions: str) -> str:
    """A cell that tries each expression and prints what came of it."""
    return "\n".join(f"attempt({expression!r})" for expression in expressions)


@dataclass(frozen=True)
class Outside:
    """What the attacks go for.

    Attributes:
        folder: everything lies in here; open to everybody.
        token: random, and in every file, variable and name that nobody may read.
        targets: what the attacks are told.
    """

    folder: Path
    token: str
    targets: dict[str, Any]
    listeners: list[socket.socket]
    victim: subprocess.Popen[bytes]

    def harm(self) -> list[str]:
        """What an attack has damaged, called, ended or planted."""
        secret = self.folder / "secret"
        state = secret.stat() if secret.exists() else None
        found = {
            "the secret is gone": state is None,
            "the secret was changed": state is not None and secret.read_text() != self.token,
            "its mode or owner was changed": state is not None
            and (state.st_mode & 0o7777, state.st_uid) != (0o666, os.geteuid()),
            "its times were changed": state is not None and state.st_mtime == 1,
            "a file was planted": len(list((self.folder / "open").iterdir())) != 1,
            "somebody connected": bool(select.select(self.listeners, [], [], 0)[0]),
            "the victim was signalled": self.victim.poll() is not None,
            "the victim was reniced": os.getpriority(os.PRIO_PROCESS, self.victim.pid)
            != os.getpriority(os.PRIO_PROCESS, 0),
        }
        return [harm for harm, done in found.items() if done]

    def left(self, started: set[int]) -> list[str]:
        """What is still there of a grading: files, processes, shared memory, sockets."""
        key, mine = str(self.targets["key"]), self.targets["mine"]
        here = [f"file {path}" for path in (self.folder / "tmp").iterdir()]
        new = sorted(set(processes_below(os.getpid())) - started)
        # what was ended a moment ago may still be giving its memory back
        here += [f"process {pid}" for pid in wait_until_gone(new, within_s=2)]
        here += [f"{path}" for path in Path("/dev/shm").glob(f"*{mine}*")]
        for kind in ("shm", "sem", "msg"):
            with contextlib.suppress(OSError):
                lines = Path(f"/proc/sysvipc/{kind}").read_text().splitlines()
                here += [f"System V {kind}" for line in lines if key in line.split()]
        sockets = Path("/proc/net/unix").read_text()
        return here + ["socket"] * (mine in sockets)


@contextlib.contextmanager
def outside() -> Iterator[Outside]:
    """Set up what the attacks go for; `tempfile` gives a folder in there for the time."""
    token, plain = secrets.token_hex(12), secrets.token_hex(12)
    with (
        tempfile.TemporaryDirectory(prefix="hostile-") as name,
        socket.create_server(("127.0.0.1", 0)) as port,
        socket.socket(type=socket.SOCK_DGRAM) as datagrams,
        socket.socket(socket.AF_UNIX) as local,
        socket.socket(socket.AF_UNIX) as abstract,
        subprocess.Popen(["sleep", "900"], env={"TOKEN": token}) as victim,
        pytest.MonkeyPatch.context() as patch,
    ):
        folder = Path(name)
        folder.chmod(0o755)
        for inner in ("open", "tmp"):
            (folder / inner).mkdir()
            (folder / inner).chmod(0o777)
        secret = folder / "secret"
        secret.write_text(token)
        secret.chmod(0o666)
        datagrams.bind(("127.0.0.1", 0))
        local.bind(str(folder / "open/socket"))
        (folder / "open/socket").chmod(0o777)
        abstract.bind(f"\0{plain}-ours")
        for listener in (local, abstract):
            listener.listen()
        patch.setattr(tempfile, "tempdir", str(folder / "tmp"))
        patch.setenv("GRADER_TOKEN", token)
        targets = {
            "folder": str(folder),
            "open": str(folder / "open"),
            "secret": str(secret),
            "course": str(folder / "course"),
            "class": str(folder / "class"),
            "engine": str(Path(check.__code__.co_filename).parent),
            "port": port.getsockname()[1],
            "datagrams": datagrams.getsockname()[1],
            "socket": str(folder / "open/socket"),
            "abstract": f"\0{plain}-ours",
            "victim": victim.pid,
            "grader": os.getpid(),
            "mine": f"{plain}-mine",
            "key": int(plain[:6], 16),
        }
        try:
            yield Outside(folder, token, targets, [port, datagrams, local, abstract], victim)
        finally:
            victim.terminate()


def briefing(around: Outside) -> str:
    """The cell that tells an attack what it goes for."""
    return f"TARGETS = {json.dumps(around.targets)!r}\n{TRY}"


@dataclass(frozen=True)
class Aftermath:
    """A graded class, and the state of the world after it.

    Attributes:
        scores: by student; an attack's student is called as the attack is.
        clean: what an honest submission gets when it is graded alone, as JSON.
        harm, left: see `Outside`.
        token: what nobody may have read.
        neighbours: the honest students.
    """

    gradebook: Gradebook
    scores: Mapping[str, Score]
    clean: bytes
    harm: Sequence[str]
    left: Sequence[str]
    token: str
    neighbours: Sequence[str]

    def lines(self, attack: str, kind: str) -> list[str]:
        """What an attack printed about attempts of this kind: DONE, DENIED or BROKEN."""
        lines = self.scores[attack].output.splitlines()
        return [line for line in lines if line.startswith(kind)]

    def spoiled(self) -> list[str]:
        """Neighbours whose result is not, bit for bit, what it is without any attack."""
        return [name for name in self.neighbours if anonymous(self.scores[name]) != self.clean]


def anonymous(score: Score) -> bytes:
    """A score without its student's name, as bytes."""
    return msgspec.json.encode(msgspec.structs.replace(score, student=""))


def grade_between_neighbours(
    attacks: Mapping[str, Sequence[str]],
    *,
    sandbox: bool = True,
    limits: str = "",
    told: bool = True,
) -> Aftermath:
    """Grade a class in which every attack stands between two honest submissions.

    Args:
        attacks: the cells of each.
        sandbox: whether there is a wall.
        limits: replaces the course's limits.
        told: whether the attacks begin with a cell that names their targets.
    """
    with outside() as around:
        course = load_course(_course_of_secrets(around, limits))
        folder = Path(around.targets["class"])
        neighbours = [f"honest_{number:03}" for number in range(len(attacks) + 1)]
        for name in neighbours:
            write(folder / name / "adding.py", RIGHT)
        for name, cells in attacks.items():
            source = [briefing(around), *cells] if told else list(cells)
            write(folder / name / "adding.ipynb", notebook(*map(dedent, source)))
        options = Options(sandbox=sandbox)
        alone = check((folder / neighbours[0],), course, options, Silent())
        started = set(processes_below(os.getpid()))
        with adopting_orphans():
            gradebook = check((folder,), course, options, Silent())
            left = around.left(started)
        return Aftermath(
            gradebook=gradebook,
            scores={score.student: score for score in gradebook.scores},
            clean=anonymous(alone.scores[0]),
            harm=around.harm(),
            left=left,
            token=around.token,
            neighbours=neighbours,
        )


@contextlib.contextmanager
def adopting_orphans() -> Iterator[None]:
    """Make what escapes from its parent a child of this process, where it is seen."""
    before = set(children_of(os.getpid()))
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 0)
        for orphan in set(children_of(os.getpid())) - before:
            os.waitpid(orphan, os.WNOHANG)


def _course_of_secrets(around: Outside, limits: str) -> Path:
    """The small course with the token in its hidden suite and its reference, open to everybody."""
    root = write_course(Path(around.targets["course"]))
    write(root / "hidden/test_adding.py", f"{HIDDEN}\n# {around.token}\n")
    write(root / "reference/sums/__init__.py", f"{REFERENCE}\nTOKEN = {around.token!r}\n")
    if limits:
        before, _, after = TABLE.partition("wall_s = 30\ncell_s = 1\ncheck_s = 1\n")
        write(root / "pyproject.toml", before + limits + after)
    for path in (root, *root.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    return root


ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the wall is made of parts of Linux")
