"""The warm process that workers are forked from. Its memory is every worker's memory.

It is exec'ed with an explicit environment and has never seen a suite, a reference or a roster. It
imports the preload list once, then forks a supervisor for every packet on the spawn socket.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import sysconfig
import time
from collections.abc import Sequence
from typing import Any, NoReturn

from grader.worker import serve
from grader.worker.jail.linux import set_dumpable
from grader.worker.jail.policy import Policy
from grader.worker.supervisor import Ends, supervise

CLOSING_S = 2.0


class PreloadFailed(Exception):
    """A module of the preload list can't be imported."""


def main(control: socket.socket, spawn_fd: int, config: dict[str, Any]) -> NoReturn:
    """Preload, say so on `control`, then serve until the grader is gone.

    Args:
        control: the grader's line: its end of file ends everything.
        spawn_fd: the far end of the spawn socket.
        config: engine, sites, preload, public, state: see `launch.Zygote`.
    """
    try:
        sys.path[:] = _import_path(config)
        preload(config["preload"])
        serve.warm()
    except Exception as error:
        message = (
            str(error) if isinstance(error, PreloadFailed) else f"the zygote failed: {error!r}"
        )
        control.send(json.dumps({"message": message}).encode())
        os._exit(1)
    _forget_the_engine(config["engine"])
    set_dumpable(False)
    gc.collect()
    gc.freeze()
    control.send(b'{"event": "ready"}')
    _serve(control, socket.socket(fileno=spawn_fd), config["state"])


def preload(modules: Sequence[str]) -> None:
    """Import modules once for all workers.

    Raises:
        PreloadFailed: one of them can't be imported.
    """
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:
            raise PreloadFailed(
                f"can't import `{name}`, which [tool.grader] preload names: {error}"
            ) from error
    if "torch" in sys.modules:
        _warm_torch()


def _warm_torch() -> None:
    import torch

    # a parallel region before the fork would hang every child that enters one
    torch.set_num_threads(1)


def _import_path(config: dict[str, Any]) -> list[str]:
    paths = sysconfig.get_paths()
    stdlib = [paths["stdlib"], paths["platstdlib"], sysconfig.get_config_var("DESTSHARED")]
    return list(
        dict.fromkeys([*filter(None, stdlib), config["public"], *config["sites"], config["engine"]])
    )


def _forget_the_engine(engine: str) -> None:
    """Take the project's root off the import path: `solutions` may lie beside the engine."""
    sys.path.remove(engine)
    sys.path_importer_cache.pop(engine, None)


def _serve(control: socket.socket, requests: socket.socket, state: str) -> NoReturn:
    leash, held = os.pipe()  # its closing tells every supervisor that the zygote is gone
    supervisors: set[int] = set()
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(requests, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll(1000)}
        _reap(supervisors)
        if control.fileno() in ready:
            break
        if requests.fileno() in ready:
            started = time.monotonic()
            message, descriptors, _, _ = socket.recv_fds(requests, 1 << 16, 4)
            if not message:
                break
            pid = os.fork()
            if pid == 0:
                for descriptor in (held, control.detach(), requests.detach()):
                    os.close(descriptor)
                supervise(Policy.from_json(message), Ends(*descriptors), leash, state, started)
            supervisors.add(pid)
            for descriptor in descriptors:
                os.close(descriptor)
    os.close(held)
    deadline = time.monotonic() + CLOSING_S
    while supervisors and time.monotonic() < deadline:
        time.sleep(0.005)
        _reap(supervisors)
    for pid in supervisors:
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(state, ignore_errors=True)
    os._exit(0)


def _reap(supervisors: set[int]) -> None:
    while supervisors:
        pid, _ = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        supervisors.discard(pid)
