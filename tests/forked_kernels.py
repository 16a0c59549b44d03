"""Jupyter's own kernels, forked from a process that has imported what they import.

A kernel takes half a second of a processor to start, most of it for imports; tests start hundreds.
The kernel manager starts a small process in the kernel's place, which asks for a fork, waits for its
end, and takes it along when it is killed.
"""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager
from traitlets import Unicode

SERVER = """
import json, os, select, signal, socket, sys
del sys.path[0]  # as the launcher does
import ipykernel_launcher  # its place alone: it starts a kernel only when it is run
from ipykernel import kernelapp
# what a kernel imports when it begins
import debugpy, ipykernel.debugger, psutil, sqlite3, tornado.platform.asyncio, tornado.queues
import IPython.core.completerlib, IPython.core.logger, IPython.core.oinspect
import IPython.extensions.storemagic

def serve(listener):
    poll, kernels = select.poll(), {}
    poll.register(0, 0)
    poll.register(listener, select.POLLIN)
    while True:
        descriptor = poll.poll()[0][0]  # one at a time: a number that is closed may be used again
        if descriptor == 0:  # the tests have gone
            return
        if descriptor == listener.fileno():
            connection, _ = listener.accept()
            line = connection.makefile().readline()
            if not line:  # killed before it could ask
                connection.close()
                continue
            asked = json.loads(line)
            pid = os.fork()
            if pid == 0:
                listener.close()
                connection.close()
                return asked
            ended = os.pidfd_open(pid)
            for one in (connection.fileno(), ended):
                kernels[one] = pid, connection, ended
                poll.register(one, select.POLLIN)
        elif descriptor in kernels:  # it has ended, or who stands in its place
            pid, connection, ended = kernels[descriptor]
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            for one in (connection.fileno(), ended):
                poll.unregister(one)
                del kernels[one]
            connection.shutdown(socket.SHUT_RDWR)  # other kernels have inherited it
            connection.close()
            os.close(ended)

listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(64)
print("ready", flush=True)
asked = serve(listener)
if asked:
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv[:] = [ipykernel_launcher.__file__, *asked["arguments"]]
    kernelapp.launch_new_instance()
"""

IN_ITS_PLACE = """
import json, os, signal, socket, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)  # sent before it is killed
server = socket.socket(socket.AF_UNIX)
server.connect(sys.argv[1])
asked = {"folder": os.getcwd(), "environment": dict(os.environ), "arguments": sys.argv[2:]}
server.sendall(json.dumps(asked).encode() + b"\\n")
server.recv(1)
"""


@contextlib.contextmanager
def forked_kernels(folder: Path, environment: dict[str, str]) -> Iterator[type[AsyncKernelManager]]:
    """A manager whose kernels are forks; they end with this."""
    address = str(folder / "kernels")
    numbers = itertools.count()
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, address],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder, env=environment,
    )  # fmt: skip

    class Forked(AsyncKernelManager):
        # ports are looked for before a kernel takes them: somebody else may have been quicker
        transport = Unicode("ipc")

        def _ip_default(self) -> str:
            return str(folder / f"at-{next(numbers)}")

        def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
            command = [sys.executable, "-I", "-S", "-c", IN_ITS_PLACE, address]
            return [*command, "-f", self.connection_file, *(extra_arguments or [])]

    try:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        yield Forked
    finally:
        server.communicate()  # its input ends
