"""How much of its time a worker has used, without that in which a busy machine kept it waiting.

A limit that has become short (see `patience.py`) must not fall on an honest answer because
others have the cores. The kernel counts how long a thread was ready to run and had to wait; a
worker that keeps itself waiting, with threads of its own, pays for what these use.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TICKS_PER_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class Spent(NamedTuple):
    """What a process has used, in seconds: of all its threads, and its first one's waits."""

    cpu_s: float = 0.0
    waited_s: float = 0.0


def spent_by(pid: int) -> Spent:
    """Read it from /proc; nothing where that does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        cpu_s = (int(fields[11]) + int(fields[12])) / TICKS_PER_S
        return Spent(cpu_s, int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9)
    except (OSError, ValueError, IndexError):
        return Spent()


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or only waits to be reaped; False where /proc does not tell."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        return status.rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return Path("/proc/self/stat").exists()


class Clock:
    """The time that requests may take together, and have taken."""

    def __init__(self) -> None:
        self._limit_s = self._most_s = 60.0
        self._used_s = 0.0
        self._since: float | None = None
        self._pid: int | None = None
        self._before = Spent()

    def watch(self, pid: int | None) -> None:
        """From now on the worker is this process; None where nobody knows."""
        self._pid = pid

    def has_lost_its_process(self) -> bool:
        """Whether the worker has ended, as far as anybody knows."""
        return self._pid is not None and has_ended(self._pid)

    def start(self, limit_s: float, most_s: float) -> None:
        """Allow `limit_s` seconds from now, waits of a busy machine aside; `most_s` in all."""
        self._limit_s, self._most_s = limit_s, max(limit_s, most_s)
        self._used_s = 0.0
        self._before = self._spent()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Time that passes inside counts."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._used_s += time.monotonic() - self._since
            self._since = None

    def left_s(self) -> float:
        """How much is left; what a busy machine took is given back when the limit is reached."""
        used_s = self._used_s
        if self._since is not None:
            used_s += time.monotonic() - self._since
        left_s = self._limit_s - used_s
        if left_s > 0 or self._most_s <= self._limit_s:
            return left_s
        now, before = self._spent(), self._before
        lost_s = now.waited_s - before.waited_s
        charged_s = max(used_s - lost_s, now.cpu_s - before.cpu_s)
        return min(self._limit_s - charged_s, self._most_s - used_s)

    def _spent(self) -> Spent:
        # only a limit that is not the last word needs to know
        return spent_by(self._pid) if self._pid is not None and self._may_stretch else Spent()

    @property
    def _may_stretch(self) -> bool:
        return self._most_s > self._limit_s
