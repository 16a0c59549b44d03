"""The process that imports what the judge and the workers both need, and then becomes both.

It has seen nothing when it imports: neither a suite nor a submission. Then it is told whom to
become. First comes the zygote, for which it forks; last the judge, which it becomes itself. Each
program is given its environment, its descriptors and its code as if it were started anew.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import socket
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

from grader.forking import start_loading

PACKET_BYTES = 1 << 18
MOST_DESCRIPTORS = 8
STANDARD = 3
"""So many of the descriptors that come along become input, output and errors."""


def main(control: socket.socket, libraries: Sequence[str], path: Sequence[str]) -> None:
    """Import, then become whom the grader names, until it names somebody without a fork.

    Args:
        control: where it names them: a packet each, with the descriptors that they get.
        libraries: modules to import. One that can't be is the business of who needs it.
        path: the import path as an interpreter that starts has it.
    """
    start_loading()
    for name in libraries:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    while True:
        packet, descriptors, _, _ = socket.recv_fds(control, PACKET_BYTES, MOST_DESCRIPTORS)
        if not packet:
            sys.exit()  # the grader has gone
        birth = json.loads(packet)
        if birth["forked"] and (pid := os.fork()):
            socket.send_fds(control, [str(pid).encode()], [os.pidfd_open(pid)])
            for descriptor in descriptors:
                os.close(descriptor)
            continue
        if birth["forked"]:
            os.setsid()
        control.detach()  # its place is taken
        sys.path[:] = path
        return _become(birth, descriptors)


def _become(birth: dict[str, Any], descriptors: Sequence[int]) -> None:
    for number, descriptor in enumerate(descriptors[:STANDARD]):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(birth["environment"])
    sys.argv[1:] = map(str, descriptors[STANDARD:])
    tempfile.tempdir = None  # another environment names another folder
    if random := sys.modules.get("numpy.random"):
        random.seed()  # or the fork could tell what the other draws; Python does so itself
    exec(compile(birth["code"], "<string>", "exec"), vars(sys.modules["__main__"]))
