"""The near end of spawning: starts the zygote, asks it for workers.

Standard library and the grader's own small modules; no torch. Runs in the grader and in judges.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

import grader
from grader.errors import GraderError, GraderFault, no_room, told
from grader.jail.scratch import remove_tree
from grader.judging.libraries import how_to_install
from grader.judging.nursery import ForkedProcess, Nursery
from grader.judging.python_environment import environment_of_workers, site_folders
from grader.judging.staging import stage_data, stage_packages, withhold_answers
from grader.model import Limits
from grader.wire.events import Failed, Warm, decode_event
from grader.wire.worker import WorkerPolicy

CLOSING_S = 5.0

# the zygote's arguments and import path name nothing but its own interpreter: where the engine lies
# comes with the first message, on the socket that is its standard input
BEGINNING = """\
import sys
path = sys.path[:]
del sys.path[0]  # the working folder
import json, socket
control = socket.socket(fileno=0)
message, descriptors, _, _ = socket.recv_fds(control, 1 << 16, 1)
while not message.endswith(b"\\n"):
    part = control.recv(1 << 16) if message else b""
    if not part:
        sys.exit()  # the grader has gone
    message += part
config = json.loads(message)
sys.path[:] = [config["engine"], *sys.path, *config["sites"]]  # a user's own site is not there yet
"""
BOOTSTRAP = f"""{BEGINNING}\
from grader.worker.zygote import main
main(control, descriptors[0], message)
"""
NURSERY = f"""{BEGINNING}\
from grader.worker.nursery import main
main(control, config["libraries"], path)
"""
# packets keep their bounds, and several judges may send
SPAWN_SOCKET = socket.SOCK_SEQPACKET if sys.platform == "linux" else socket.SOCK_DGRAM


@dataclass(frozen=True)
class WorkerPipes:
    """The judge's ends of a worker's four pipes. Closing `requests` or `status` ends the worker."""

    requests: int
    replies: int
    output: int
    status: int

    def close(self) -> None:
        """Close all four."""
        for descriptor in (self.requests, self.replies, self.output, self.status):
            os.close(descriptor)


def require_platform(*, sandbox: bool) -> None:
    """Check that workers can exist on this system.

    Raises:
        GraderError: there is no `fork` here, or no wall and it was asked for.
    """
    if not hasattr(os, "fork"):
        raise GraderError(
            f"grading is not supported on {sys.platform} yet: workers are forked",
            hint="use Linux, macOS, WSL 2 or a container; checks in a notebook work everywhere",
        )
    if sandbox and not sys.platform.startswith("linux"):
        raise GraderError(
            f"there is no sandbox on {sys.platform}: it is made of parts of Linux",
            hint="grade on Linux, or trust the submissions and pass `--sandbox off`",
        )


class Zygote:
    """The warm process that workers are forked from.

    Attributes:
        without: layers of the wall that this machine does not give, with the system's reason; known
            when it is ready.
        nursery: the process that it is forked from, if that is to become a judge afterwards.

    Args:
        preload: modules that it imports once, for every worker.
        later: modules that it imports once there is time; a worker that needs one before that
            imports it itself.
        public: packages that a submission may import while it is graded.
        private: what no worker may read, should it lie among the installed packages.
        withheld: what of the public packages answers an assignment, by assignment; see
            `grader/judging/withholding.py`.
        data: what lies beside the notebooks of an assignment, by assignment.
        sandbox: whether its workers will be walled in.
        beside_judge: whether a judge will be started that needs what is preloaded, too: then both
            come from one process that imports it once, if this system can have that.

    Raises:
        GraderError: this system can't have one.
    """

    def __init__(
        self,
        *,
        preload: Sequence[str],
        later: Sequence[str] = (),
        public: Sequence[Path] = (),
        private: Sequence[Path] = (),
        withheld: Mapping[str, Sequence[str]] | None = None,
        data: Mapping[str, Sequence[Path]] | None = None,
        sandbox: bool = True,
        beside_judge: bool = False,
    ) -> None:
        require_platform(sandbox=sandbox)
        self.without: dict[str, str] = {}
        self.nursery: Nursery | None = None
        try:
            self.state = Path(tempfile.mkdtemp(prefix="grader-"))
            self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        except OSError as error:
            raise _not_started(error) from error
        self._ready = False
        self._control, far_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._spawn, far_spawn = socket.socketpair(socket.AF_UNIX, SPAWN_SOCKET)
        try:
            with far_control, far_spawn:
                self.state.chmod(0o755)  # a worker may run as another user
                sites = site_folders()
                engine = str(Path(grader.__file__).resolve().parents[1])
                environment = environment_of_workers(self.state)
                shared = _installed(preload, public)
                if beside_judge and shared and Nursery.possible():
                    first = {"engine": engine, "sites": sites, "libraries": shared}
                    self.nursery = Nursery(NURSERY, _line(first), environment, self._log)
                beside = data or {}
                staged = stage_packages(public, self.state / "public", beside)
                parts = self.state / "parts"
                originals = withhold_answers(public, staged, parts, withheld or {}, sites)
                config = {
                    "engine": engine,
                    "sites": sites,
                    "public": str(staged),
                    "parts": str(parts),
                    "data": stage_data(beside, self.state / "data"),
                    "private": [str(path.absolute()) for path in (*private, *originals)],
                    "preload": list(preload),
                    "later": list(later),
                    "state": str(self.state),
                    "sandbox": sandbox,
                }
                self._process = self._started(environment, far_control)
                self._tell(_line(config), far_spawn)
        except GraderError:
            self._release()
            raise
        except OSError as error:
            self._release()
            raise _not_started(error, self.state.parent) from error

    def _started(
        self, environment: dict[str, str], control: socket.socket
    ) -> subprocess.Popen[bytes] | ForkedProcess:
        if self.nursery is not None:
            standard = [control.fileno(), self._log.fileno(), self._log.fileno()]
            return self.nursery.fork(BOOTSTRAP, environment, standard)
        return subprocess.Popen(
            # `-I` would ignore the hash seed; the environment is all ours anyway
            [sys.executable, "-s", "-B", "-c", BOOTSTRAP],
            stdin=control.fileno(),
            stdout=self._log,
            stderr=self._log,
            env=environment,
            cwd="/",
            start_new_session=True,  # Ctrl-C is the grader's to handle
        )

    def _tell(self, message: bytes, spawn_socket: socket.socket) -> None:
        with contextlib.suppress(ConnectionError):  # it has died: wait_ready tells why
            sent = socket.send_fds(self._control, [message], [spawn_socket.fileno()])
            self._control.sendall(message[sent:])

    def _release(self) -> None:
        if self.nursery is not None:
            self.nursery.close()
        for held in (self._control, self._spawn, self._log):
            held.close()
        remove_tree(str(self.state))

    @property
    def pid(self) -> int:
        """The zygote's process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def fileno(self) -> int:
        """The spawn socket: pass it to `spawn`, here or in a process that inherits it."""
        return self._spawn.fileno()

    def wait_ready(self, timeout_s: float = 120) -> None:
        """Wait until everything is preloaded.

        Raises:
            GraderFault: the zygote died or did not answer in time; the message says why.
        """
        if self._ready:
            return
        self._control.settimeout(timeout_s)
        try:
            answer = self._control.makefile("rb").readline()
        except TimeoutError:
            self._fail(f"the zygote was not ready after {timeout_s:g} s")
        except ConnectionError:
            answer = b""
        if not answer:
            self._fail("the zygote died while it started")
        event = decode_event(answer)
        if isinstance(event, Failed):
            full = no_room(OSError(event.message), str(self.state.parent))
            if full is not None:
                self.close()
                raise full
            self._fail(event.message)
        assert isinstance(event, Warm)
        self.without = event.without
        self._ready = True

    def _fail(self, message: str) -> NoReturn:
        where = self._last_words()
        self.close()
        hint = how_to_install(message) or "run `grader doctor`"
        raise GraderFault(message, where=where, hint=hint)

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read()[-4096:].decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def close(self) -> None:
        """End the zygote and all of its workers."""
        self._control.close()
        self._spawn.close()
        if not self._ready:  # it is importing and does not listen
            self._process.kill()
        try:
            self._process.wait(timeout=CLOSING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._release()

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def _installed(modules: Sequence[str], public: Sequence[Path]) -> list[str]:
    """The modules that are not the course's own: a judge has another copy of these."""
    own = {path.stem for path in public}
    return [name for name in modules if name.partition(".")[0] not in own]


def _not_started(error: OSError, folder: Path | None = None) -> GraderFault:
    full = no_room(error, "" if folder is None else str(folder))
    return full or GraderFault(f"the zygote can't be started: {told(error)}")


def spawn(
    socket_fd: int,
    limits: Limits,
    *,
    device: str = "cpu",
    sandbox: bool = True,
    forbidden: Sequence[str] = (),
    canary: dict[str, Any] | None = None,
    assignment: str = "1",
) -> WorkerPipes:
    """Ask the zygote behind `socket_fd` for a worker; does not wait for it.

    What becomes of it is said on the status pipe, one JSON object a line.

    Args:
        socket_fd: what `Zygote.fileno` gave.
        limits: what the worker may use.
        device: `"cpu"`, or `"cuda:N"`, which opens the graphics driver to it and shows it one GPU,
            as `"cuda"`.
        sandbox: whether it is walled in.
        forbidden: layers of the wall to do without, for its tests.
        canary: what the worker shall try to break, instead of serving: see `Policy`.
        assignment: what is graded; the worker's environment says so.

    Raises:
        GraderFault: the zygote is gone.
    """
    policy = WorkerPolicy(
        wall_s=limits.wall_s,
        memory_bytes=limits.memory_bytes,
        scratch_bytes=limits.scratch_bytes,
        threads=limits.processes,
        device=device,
        sandbox=sandbox,
        forbidden=tuple(forbidden),
        canary=canary,
        assignment=assignment,
    )
    requests_out, requests_in = os.pipe()
    replies_out, replies_in = os.pipe()
    output_out, output_in = os.pipe()
    status_out, status_in = os.pipe()
    pipes = WorkerPipes(requests_in, replies_out, output_out, status_out)
    far = [requests_out, replies_in, output_in, status_in]
    try:
        _send(socket_fd, policy.to_json(), far)
    except OSError:
        pipes.close()
        raise GraderFault(
            "the zygote is gone: no worker can be started", hint="grade again"
        ) from None
    finally:
        for descriptor in far:
            os.close(descriptor)
    return pipes


def _send(socket_fd: int, message: bytes, descriptors: list[int]) -> None:
    channel = socket.socket(fileno=socket_fd)
    try:
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
        channel.sendmsg([message], [rights], getattr(socket, "MSG_NOSIGNAL", 0))
    finally:
        channel.detach()
