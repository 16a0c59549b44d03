"""The near end of the process that becomes judge and zygote: torch is imported once for both.

An import of torch takes a processor one to two seconds, and both would do it at the same moment.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO

PACKET_BYTES = 64


class Nursery:
    """A process that imports libraries before it is anybody; then it becomes a zygote and a judge.

    Args:
        bootstrap: what it runs: see `grader/worker/nursery.py`.
        message: what the bootstrap reads first.
        environment: all that it is started with. Workers can find it out.
        log: where it says what goes wrong while it imports.
    """

    @staticmethod
    def possible() -> bool:
        """Whether a fork can be watched here by who is not its parent: on Linux."""
        return hasattr(os, "pidfd_open") and sys.platform == "linux"

    def __init__(
        self, bootstrap: str, message: bytes, environment: Mapping[str, str], log: IO[bytes]
    ) -> None:
        self._waits = True
        self._control, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with far:
            self.process = subprocess.Popen(
                [sys.executable, "-s", "-B", "-c", bootstrap],
                stdin=far.fileno(),
                stdout=log,
                stderr=log,
                env=dict(environment),
                cwd="/",
                start_new_session=True,  # Ctrl-C is the grader's to handle
            )
        self._say(message)

    def fork(
        self, code: str, environment: Mapping[str, str], descriptors: Sequence[int]
    ) -> ForkedProcess:
        """Let a fork run a program.

        Args:
            code: the program.
            environment: all that it sees of the environment from now on.
            descriptors: its input, output and errors; the numbers of others are its arguments.
        """
        self._name(code, environment, descriptors, forked=True)
        return ForkedProcess(self.process, self._control)

    def become(
        self, code: str, environment: Mapping[str, str], descriptors: Sequence[int]
    ) -> subprocess.Popen[bytes]:
        """Let the process itself run a program; the rest is as for `fork`, which comes before."""
        self._name(code, environment, descriptors, forked=False)
        self._waits = False
        return self.process

    def close(self) -> None:
        """End it, unless it has become somebody."""
        if self._waits:
            self.process.kill()
            self.process.wait()
        self._control.close()

    def _name(
        self,
        code: str,
        environment: Mapping[str, str],
        descriptors: Sequence[int],
        *,
        forked: bool,
    ) -> None:
        birth = {"code": code, "environment": dict(environment), "forked": forked}
        self._say(json.dumps(birth).encode(), descriptors)

    def _say(self, message: bytes, descriptors: Sequence[int] = ()) -> None:
        with contextlib.suppress(ConnectionError):  # it has died: who waits for it will see
            socket.send_fds(self._control, [message], list(descriptors))


class ForkedProcess:
    """A process that was forked from a nursery, with what `Popen` has for a child of one's own."""

    def __init__(self, parent: subprocess.Popen[bytes], news: socket.socket) -> None:
        self._parent = parent
        self._news = news.dup()  # the nursery may be closed before
        self._pid: int | None = None
        self._handle: int | None = None

    @property
    def pid(self) -> int:
        """Its process id; waits until there is one.

        Raises:
            ProcessLookupError: its parent has died before.
        """
        self._hear(wait=True)
        if self._pid is None:
            raise ProcessLookupError("never forked")
        return self._pid

    def poll(self) -> int | None:
        """Tell whether it has ended: `None` if it runs or is not born yet, else 0."""
        self._hear(wait=False)
        if self._handle is not None:
            return 0 if _ended(self._handle, 0) else None
        return None if self._parent.poll() is None else 0

    def kill(self) -> None:
        """Kill it; whoever still imports, and would fork for nobody, is killed before."""
        self._hear(wait=False)
        if self._handle is None:
            self._parent.kill()
            self._hear(wait=True)
        if self._handle is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: it has not ended in so many seconds.
        """
        self._hear(wait=True)
        if self._handle is None:
            return self._parent.wait(timeout)  # it died before
        if not _ended(self._handle, timeout):
            raise subprocess.TimeoutExpired("a forked process", timeout or 0)
        return 0

    def _hear(self, *, wait: bool) -> None:
        """Take in what the nursery says about the fork."""
        if self._handle is not None or not (wait or _ended(self._news.fileno(), 0)):
            return
        with contextlib.suppress(OSError):
            said, descriptors, _, _ = socket.recv_fds(self._news, PACKET_BYTES, 1)
            if descriptors:
                self._pid, self._handle = int(said), descriptors[0]

    def __del__(self) -> None:
        self._news.close()
        if self._handle is not None:
            os.close(self._handle)


def _ended(descriptor: int, timeout: float | None) -> bool:
    """Whether there is something to read: for a process's descriptor, that it has ended."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(None if timeout is None else 1000 * timeout))
