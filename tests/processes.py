"""Looking at processes, for tests that kill some: Linux only."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def parent_of(pid: int) -> int:
    """The parent's id by the kernel's own table; -1 when the process is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return -1
    return int(stat.rpartition(")")[2].split()[1])


def descendants(pid: int, steps: int = 100) -> set[int]:
    """All processes at most so many steps below one."""
    below: dict[int, set[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            below.setdefault(parent_of(int(entry.name)), set()).add(int(entry.name))
    found: set[int] = set()
    level = {pid}
    for _ in range(steps):
        level = {child for one in level for child in below.get(one, ())}
        if not level:
            break
        found |= level
    return found


def name_of(pid: int) -> str:
    """What a process calls itself; a fork has the name of who forked it."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    except OSError:
        return "gone"


def children(pid: int, depth: int, name: str) -> set[int]:
    """Processes so many forks below the first of a name, which is somewhere below this one."""
    named = {one for one in descendants(pid) if name_of(one) == name}
    roots = {one for one in named if parent_of(one) not in named}
    if depth == 0:
        return roots
    return named & {
        below
        for root in roots
        for below in descendants(root, steps=depth) - descendants(root, steps=depth - 1)
    }


def alive(pids: set[int]) -> set[int]:
    """Those that still run. One that only waits to be reaped, by whomever, is dead."""
    return {pid for pid in pids if _state(pid) not in ("Z", "X", "")}


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return ""


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether a condition holds before long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()
