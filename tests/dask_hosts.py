"""Dask clusters of several hosts on this machine, as real processes, for tests that harm them.

Each worker has a host name and, where that is permitted, a network of its own, whose link can be
taken down; elsewhere all are on the loopback.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from processes import descendants, eventually

ROOT = Path(__file__).parents[1]
QUICK = {
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "6s",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "12s",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s",
    "DASK_DISTRIBUTED__ADMIN__TICK__LIMIT": "1h",
}
"""How soon Dask notices what has happened: its own defaults are for networks that are slower."""


def may_have_hosts() -> bool:
    """Whether networks and host names of our own can be made."""
    name = f"gt{os.getpid()}"
    made = shutil.which("ip") and _quietly("ip", "netns", "add", name)
    return bool(made) and _quietly("ip", "netns", "del", name)


def _quietly(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@dataclass
class Host:
    """A worker's machine."""

    name: str
    network: str
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def pids(self) -> dict[str, set[int]]:
        """Its processes by what they are: nanny, worker, judge, zygote."""
        found: dict[str, set[int]] = {"nanny": {self.process.pid}}
        for pid in descendants(self.process.pid):
            with contextlib.suppress(OSError):
                line = Path(f"/proc/{pid}/cmdline").read_bytes()
                for name, sign in SIGNS.items():
                    if sign in line:
                        found.setdefault(name, set()).add(pid)
        return found

    def kill(self, what: str, number: int = signal.SIGKILL) -> bool:
        """Send a signal to one of its processes; whether there was one."""
        for pid in sorted(self.pids.get(what, ())):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
                return True
        return False

    def link(self, state: str) -> None:
        """Take its link to the others down, or up."""
        subprocess.run(["ip", "link", "set", f"{self.network}h", state], check=True)


SIGNS = {
    "worker": b"spawn_main",
    "judge": b"grader.judging.judge import",
    "zygote": b"grader.worker.zygote",
}


@dataclass
class Cluster:
    """A scheduler and its hosts."""

    folder: Path
    apart: bool
    hosts: list[Host] = field(default_factory=list)
    scheduler: subprocess.Popen[bytes] | None = None
    port: int = 0
    _made: int = 0

    @property
    def _id(self) -> str:
        return f"{os.getpid() % 10000}"

    @property
    def ip(self) -> str:
        number = os.getpid()
        return f"10.{77 + number % 100}.{number // 100 % 250}.1" if self.apart else "127.0.0.1"

    @property
    def address(self) -> str:
        return f"tcp://{self.ip}:{self.port}"

    def start_scheduler(self) -> None:
        """Start it; at the same port when it has been there before."""
        if not self.port:
            with socket.create_server((self.ip, 0)) as free:
                self.port = free.getsockname()[1]
        self.scheduler = self._dask(
            "scheduler", ["--host", self.ip, "--port", str(self.port), "--no-dashboard"]
        )
        assert eventually(self._answers, 20)

    def _answers(self) -> bool:
        try:
            socket.create_connection((self.ip, self.port), 1).close()
        except OSError:
            return False
        return True

    def add(self, *, threads: int = 1, more: tuple[str, ...] = (), **environment: str) -> Host:
        """Add a host with a worker and its nanny."""
        self._made += 1
        number = self._made
        name = f"host{number}"
        network = f"g{self._id}x{number}"
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        prefix: list[str] = []
        if self.apart:
            self._wire(network, number)
            prefix = ["nsenter", f"--net=/run/netns/{network}", "unshare", "--uts", "sh", "-c",
                      f'hostname {name}; exec "$@"', "sh"]  # fmt: skip
        options = [self.address, "--nthreads", str(threads), "--no-dashboard", "--name", name,
                   "--memory-limit", "0", "--local-directory", str(folder), *more]  # fmt: skip
        process = self._dask(name, options, prefix, environment)
        host = Host(name, network, folder, process)
        self.hosts.append(host)
        return host

    def wait_for(self, host: Host) -> None:
        """Wait until the scheduler knows a host's worker."""
        log = self.folder / f"{host.name}.log"
        assert eventually(lambda: b"established connection" in log.read_bytes(), 30)

    def _wire(self, network: str, number: int) -> None:
        bridge, net = f"g{self._id}br", self.ip.rpartition(".")[0]
        steps = [
            f"ip netns add {network}",
            f"ip link add {network}h type veth peer name eth0 netns {network}",
            f"ip link set {network}h master {bridge} up",
            f"ip -n {network} addr add {net}.{number + 1}/24 dev eth0",
            f"ip -n {network} link set eth0 up",
            f"ip -n {network} link set lo up",
        ]
        for step in steps:
            subprocess.run(step.split(), check=True)

    def _dask(
        self,
        what: str,
        options: list[str],
        prefix: list[str] | None = None,
        environment: dict[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{what}.log").open("ab")
        program = "scheduler" if what == "scheduler" else "worker"
        with log:
            return subprocess.Popen(
                [
                    *(prefix or []),
                    sys.executable,
                    "-m",
                    f"distributed.cli.dask_{program}",
                    *options,
                ],
                env={**os.environ, **QUICK, "PYTHONPATH": str(ROOT), **(environment or {})},
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.folder,
            )

    def remove(self, host: Host) -> None:
        """End all that runs on a host, and forget it."""
        end(host.process)
        self.hosts.remove(host)
        if self.apart:
            _quietly("ip", "netns", "del", host.network)
            _quietly("ip", "link", "del", f"{host.network}h")

    def open(self) -> None:
        if self.apart:
            bridge = f"g{self._id}br"
            subprocess.run(["ip", "link", "add", bridge, "type", "bridge"], check=True)
            subprocess.run(["ip", "addr", "add", f"{self.ip}/24", "dev", bridge], check=True)
            subprocess.run(["ip", "link", "set", bridge, "up"], check=True)

    def close(self) -> None:
        for host in list(self.hosts):
            self.remove(host)
        if self.scheduler is not None:
            end(self.scheduler)
        if self.apart:
            _quietly("ip", "link", "del", f"g{self._id}br")


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all below it."""
    below = descendants(process.pid)
    for pid in (process.pid, *below):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait(10)


@contextlib.contextmanager
def cluster(folder: Path, hosts: int = 2, **more: object) -> Iterator[Cluster]:
    """A cluster of so many hosts."""
    found = Cluster(folder, may_have_hosts())
    folder.mkdir(parents=True, exist_ok=True)
    try:
        found.open()
        found.start_scheduler()
        for _ in range(hosts):
            found.add(**more)  # type: ignore[arg-type]
        yield found
    finally:
        found.close()
