"""The warm process that workers are forked from. Its memory is every worker's memory.

It is exec'ed with an explicit environment and has never seen a suite, a reference or a roster. It
imports the preload list once, then forks a supervisor for every packet on the spawn socket.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from grader.errors import told
from grader.forking import prepare_to_fork, start_loading
from grader.jail.linux import PR_SET_CHILD_SUBREAPER, prctl, set_dumpable, set_name
from grader.jail.readable import Readable, find_readable
from grader.jail.scratch import remove_tree
from grader.jail.wall import Offer, find_offer
from grader.testing import notebook  # noqa: F401 (released notebooks import `check` from it)
from grader.wire.events import Failed, Warm, encode_event
from grader.wire.worker import WorkerPolicy
from grader.worker import serve
from grader.worker.entry import Ends
from grader.worker.supervisor import Surroundings, say, supervise
from grader.worker.warm import PreloadError, preload, require

CLOSING_S = 2.0
HEARTBEAT_MS = 200
PAUSE_MS = 100
"""So long after a request, nobody will ask for another worker at once."""
PACKET_BYTES = 1 << 16


@dataclass(frozen=True)
class Config:
    """What `launch.Zygote` says in its first message. All paths are absolute.

    Attributes:
        engine: the folder that holds the package `grader`.
        sites: folders in which packages are installed.
        public: the folder of staged public packages.
        parts: the folder with what of them differs between assignments, which is not imported here.
        data: for each assignment that has some, where it lies and its name beside the notebook.
        private: what no worker may read, wherever it lies.
        preload: modules to import once.
        later: modules to import when there is time.
        state: the session's folder.
        sandbox: whether there will be walls, and what they can be made of must be found out.
    """

    engine: str
    sites: list[str]
    public: str
    parts: str
    data: dict[str, list[list[str]]]
    private: list[str]
    preload: list[str]
    later: list[str]
    state: str
    sandbox: bool

    def data_by_assignment(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """The data as what does not change."""
        return {name: tuple((path, at) for path, at in own) for name, own in self.data.items()}


def main(control: socket.socket, spawn_fd: int, message: str) -> NoReturn:
    """Preload, say so on `control`, then fork supervisors until the grader is gone.

    Args:
        control: the grader's line: its end of file ends everything.
        spawn_fd: the far end of the spawn socket.
        message: a `Config` as JSON.
    """
    set_name("grader-zygote")
    try:
        config = Config(**json.loads(message))
        site_hooks = _site_hooks()
        sys.path[:] = _import_path(config)
        tree, offer = _find_wall(config)  # while forks are cheap
        start_loading()
        preload(config.preload)
        require(config.later)
        serve.warm()
        _forget_the_engine(config.engine, site_hooks)
    except Exception as error:
        reason = (
            str(error) if isinstance(error, PreloadError) else f"the zygote failed: {told(error)}"
        )
        control.sendall(encode_event(Failed(reason)))
        os._exit(1)
    set_dumpable(False)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    prepare_to_fork()
    try:
        control.sendall(encode_event(Warm(dict(offer.without))))
    except OSError:  # the grader was killed meanwhile
        remove_tree(config.state)
        os._exit(0)
    requests, spare_work = socket.socket(fileno=spawn_fd), _spare_work(config.later)
    leash, held = os.pipe()  # closed with this process, however it ends
    session = Surroundings(
        config.state,
        leash,
        os.getpid(),
        tree,
        offer,
        public=config.public,
        parts=config.parts,
        data=config.data_by_assignment(),
    )
    _serve(control, requests, spare_work, session, held)


# ---------------------------------------------------------------- imports


def _import_path(config: Config) -> list[str]:
    """The standard library, public packages, installed packages, and for now the engine."""
    stdlib = [str(Path(os.__file__).parent)]
    extensions = [folder for folder in sys.path if Path(folder).name == "lib-dynload"]
    folders = [*stdlib, *extensions, config.public, *config.sites, config.engine]
    return list(dict.fromkeys(folders))


def _site_hooks() -> list[object]:
    """Import hooks that `.pth` files have added: those of an editable install know the project."""
    return [hook for hook in sys.meta_path if not _is_pythons_own(hook)]


def _is_pythons_own(hook: object) -> bool:
    return str(getattr(hook, "__module__", "")).startswith("_frozen_importlib")


def _forget_the_engine(engine: str, hooks: list[object]) -> None:
    """Take the project's root off the import path: `solutions` may lie beside the engine."""
    if engine in sys.path:
        sys.path.remove(engine)
    sys.path_importer_cache.pop(engine, None)
    sys.meta_path[:] = [hook for hook in sys.meta_path if hook not in hooks]
    sys.modules["grader"].__path__ = []


def _find_wall(config: Config) -> tuple[Readable, Offer]:
    root = Path(config.state, "root")
    root.mkdir()
    if not config.sandbox:
        return Readable((), (), (), (), ()), Offer()
    hidden = [str(Path(config.engine, "grader")), *config.private]
    tree = find_readable(config.sites, config.public, hidden)
    trial = WorkerPolicy(wall_s=60, memory_bytes=1 << 30, scratch_bytes=1 << 20, threads=8)
    return tree, find_offer(trial, tree, str(root))


# ---------------------------------------------------------------- spawning


def _serve(
    control: socket.socket,
    requests: socket.socket,
    spare_work: Iterator[bool],
    session: Surroundings,
    held: int,
) -> NoReturn:
    supervisors: set[int] = set()
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(requests, select.POLLIN)
    wait_ms = HEARTBEAT_MS
    while True:
        ready = {descriptor for descriptor, _ in poll.poll(wait_ms)}
        if not ready and wait_ms < HEARTBEAT_MS:
            wait_ms = 0 if next(spare_work, False) else HEARTBEAT_MS
        _reap(supervisors)
        if control.fileno() in ready:
            break
        if requests.fileno() in ready:
            started = time.monotonic()
            message, descriptors, _, _ = socket.recv_fds(requests, PACKET_BYTES, len(Ends._fields))
            if len(descriptors) == len(Ends._fields):
                own = (held, control.fileno(), requests.fileno())
                try:
                    policy = WorkerPolicy.from_json(message)
                    supervisors.add(_fork(policy, descriptors, session, own, started))
                    # nothing may keep the first submission waiting: canaries come before it
                    wait_ms = PAUSE_MS if policy.canary is None else HEARTBEAT_MS
                except (OSError, TypeError, ValueError) as error:
                    reason = f"can't fork a worker: {error}"
                    say(Ends(*descriptors).status, Failed(reason))
            elif not message:
                poll.unregister(requests)  # nobody can ask any more
            for descriptor in descriptors:
                os.close(descriptor)
    os.close(held)
    _await(supervisors)
    remove_tree(session.state)
    os._exit(0)


def _spare_work(modules: Sequence[str]) -> Iterator[bool]:
    """Import, one after the other, what saves time later on; `True` after each."""
    for name in modules:
        start_loading()
        with contextlib.suppress(Exception):  # whoever imports it will see why
            preload([name])
        prepare_to_fork()
        yield True


def _fork(
    policy: WorkerPolicy,
    descriptors: list[int],
    session: Surroundings,
    own: tuple[int, ...],
    started: float,
) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            for descriptor in own:
                os.close(descriptor)
            supervise(policy, Ends(*descriptors), session, started)
        finally:
            os._exit(1)
    return pid


def _reap(supervisors: set[int]) -> None:
    """Collect dead supervisors, and what a killed one has orphaned."""
    with contextlib.suppress(ChildProcessError):
        while pid := os.waitpid(-1, os.WNOHANG)[0]:
            supervisors.discard(pid)


def _await(supervisors: set[int]) -> None:
    """Let supervisors end their workers and clean up."""
    deadline = time.monotonic() + CLOSING_S
    while supervisors and time.monotonic() < deadline:
        time.sleep(0.005)
        _reap(supervisors)
    for pid in supervisors:
        os.kill(pid, signal.SIGKILL)
