"""Watches one worker from outside: time, memory, threads, disk."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from grader.jail.scratch import disk_use
from grader.wire.events import Limit
from grader.wire.worker import WorkerPolicy

TICK_MS = 20
TICKS_PER_DISK_CHECK = 10
# setrlimit(2) gives a clean MemoryError at the limit; this is for what it does not count
MEMORY_MARGIN = 256 << 20
COUNTED = ("RssAnon", "RssShmem", "VmSwap", "VmPTE")


@dataclass(frozen=True)
class Use:
    """What a process holds now. All zero when it is gone, or on a system without /proc."""

    memory_bytes: int = 0
    threads: int = 0


def use_of(pid: int | str) -> Use:
    """Read a process's memory (its own pages, shared memory, page tables) and threads."""
    fields = {}
    with contextlib.suppress(OSError):
        # it names itself, with whatever bytes: only what the kernel writes is a line
        for line in Path(f"/proc/{pid}/status").read_text(errors="replace").split("\n"):
            name, _, value = line.partition(":")
            fields[name] = value
    memory = sum(int(fields[name].split()[0]) << 10 for name in COUNTED if name in fields)
    return Use(memory, int(fields.get("Threads", 0)))


def children_of(pid: int) -> list[int]:
    """Return the processes whose parent is `pid`."""
    try:
        return [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:  # gone, or a kernel without that file
        return []


def descendants_of(pid: int) -> list[int]:
    """Return the processes below `pid`, parents first."""
    found = children_of(pid)
    for child in found:
        found += children_of(child)
    return found


class Watchdog:
    """Says when a worker must end, and keeps the most memory that it was seen to hold.

    Args:
        policy: what it may use.
        pid: the worker.
        scratch: its folder on the host; None when it has a file system with a size of its own.
        alone: whether it can't have children.
        started: when its time began, on the monotonic clock.
    """

    def __init__(
        self, policy: WorkerPolicy, pid: int, *, scratch: str | None, alone: bool, started: float
    ) -> None:
        self.peak_bytes = 0
        self._policy = policy
        self._pid = pid
        self._scratch = scratch
        self._alone = alone
        self._deadline = started + policy.wall_s
        # this process and the worker are forks of the same zygote: that much is not the worker's
        self._base = use_of("self").memory_bytes
        # the course's own data is in there already
        self._given = (0, 0) if scratch is None else disk_use(scratch)
        self._tick = 0

    def reason(self) -> Limit | None:
        """Return the limit that the worker has hit, or None; call it every tick."""
        self._tick += 1
        if time.monotonic() > self._deadline:
            return Limit.WALL_TIME
        # what was daemonised is a child of this process: it is the subreaper
        pids = [self._pid] if self._alone else descendants_of(os.getpid())
        uses = [use_of(pid) for pid in pids]
        memory = sum(max(0, use.memory_bytes - self._base) for use in uses)
        self.peak_bytes = max(self.peak_bytes, memory + self._base)
        if memory > self._policy.host_bytes + MEMORY_MARGIN:
            return Limit.MEMORY
        if sum(use.threads for use in uses) > self._policy.threads:
            return Limit.THREADS
        return self._disk_reason()

    def _disk_reason(self) -> Limit | None:
        if self._scratch is None or self._tick % TICKS_PER_DISK_CHECK:
            return None
        used, entries = disk_use(self._scratch)
        given_bytes, given = self._given
        if used - given_bytes > self._policy.scratch_bytes:
            return Limit.DISK
        return Limit.FILES if entries - given > self._policy.scratch_files else None
