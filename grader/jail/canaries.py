"""Attempts to break out, made from inside a worker by the grader itself: see `selftest.py`.

Each canary does what a submission must not be able to do, and raises when it is stopped.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grader.jail.linux import has_no_new_privileges

SEEN_AFTER_S = 1.0  # a watchdog that has not noticed by then never will


@dataclass(frozen=True)
class Targets:
    """What the canaries go for. All of it belongs to the self-test.

    Attributes:
        secret: a file outside.
        port: where somebody listens on this machine.
        unix_socket: the path of a socket that somebody listens on.
        victim: a process of the grader's user.
        memory_bytes, scratch_bytes, threads: the worker's limits, to be exceeded.
        only: one attempt that the worker may be ended for, and nothing else: see `ENDING`.
    """

    secret: str
    port: int
    unix_socket: str
    victim: int
    memory_bytes: int
    scratch_bytes: int
    threads: int
    only: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return what a policy carries."""
        return asdict(self)


# (property, what is tried, the attempt)
Canary = tuple[str, str, Callable[[Targets], object]]


def _write_beside(targets: Targets) -> None:
    Path(targets.secret).with_name("planted").write_text("planted")


def _connect(family: int, address: tuple[str, int] | str) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(1)
        connection.connect(address)


def _chmod(targets: Targets) -> None:
    Path(targets.secret).chmod(0o700)
    _must_hold(stat.S_IMODE(Path(targets.secret).stat().st_mode) == 0o700)


def _set_times(targets: Targets) -> None:
    os.utime(targets.secret, (1, 1))
    _must_hold(Path(targets.secret).stat().st_mtime == 1)


def _must_hold(effect: bool) -> None:
    """Raise when a call that said it worked had no effect."""
    if not effect:
        raise PermissionError


def _fork(_: Targets) -> None:
    if os.fork() == 0:
        os.setsid()
        time.sleep(5)
        os._exit(0)


def _gain_privileges(_: Targets) -> None:
    _must_hold(not has_no_new_privileges())


def _overfill(targets: Targets) -> None:
    with Path("overfull").open("wb") as file:
        file.seek(targets.scratch_bytes + 1)
        file.write(b"!")


CANARIES: tuple[Canary, ...] = (
    ("read", "read a file outside", lambda t: Path(t.secret).read_bytes()),
    ("write", "overwrite a file outside", lambda t: Path(t.secret).write_text("overwritten")),
    ("write", "make a file outside", _write_beside),
    ("write", "make a file beside its own folder", lambda _: Path("../beside").write_text("x")),
    ("write", "remove a file outside", lambda t: Path(t.secret).unlink()),
    ("chmod", "change a file's mode", _chmod),
    ("chmod", "change a file's times", _set_times),
    ("chmod", "change a file's owner", lambda t: os.chown(t.secret, 12345, 12345)),
    ("network", "connect to a port", lambda t: _connect(socket.AF_INET, ("127.0.0.1", t.port))),
    ("network", "connect to a socket", lambda t: _connect(socket.AF_UNIX, t.unix_socket)),
    ("signal", "kill another process", lambda t: os.kill(t.victim, signal.SIGTERM)),
    ("signal", "reach every process", lambda _: os.kill(-1, 0)),
    ("outlive", "start a process", _fork),
    ("kernel", "call the kernel where Python never does", lambda _: os.memfd_create("canary")),
    ("privileges", "gain privileges by executing a file", _gain_privileges),
    (
        "limits",
        "take more memory than allowed",
        lambda t: mmap.mmap(-1, t.memory_bytes + (1 << 20), flags=mmap.MAP_PRIVATE),
    ),
    ("limits", "write more than allowed", _overfill),
)


def _start_threads(targets: Targets) -> None:
    threading.stack_size(1 << 18)  # many must fit into little memory
    for _ in range(targets.threads + 1):
        threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
    time.sleep(SEEN_AFTER_S)


TOO_LONG = "run longer than allowed"
TOO_MANY_THREADS = "start more threads than allowed"

ENDING: dict[str, Canary] = {
    TOO_LONG: ("limits", TOO_LONG, lambda _: time.sleep(3600)),
    TOO_MANY_THREADS: ("limits", TOO_MANY_THREADS, _start_threads),
}


def fly(fields: dict[str, Any], report: int) -> None:
    """Try everything and write what succeeded, as JSON, to the descriptor `report`."""
    targets = Targets(**fields)
    canaries = (ENDING[targets.only],) if targets.only else CANARIES
    escaped = [[name, tried] for name, tried, attempt in canaries if _succeeds(attempt, targets)]
    os.write(report, json.dumps(escaped).encode())


def _succeeds(attempt: Callable[[Targets], object], targets: Targets) -> bool:
    try:
        attempt(targets)
    except (OSError, MemoryError, RuntimeError):  # a thread that can't be started is the last
        return False
    return True
