"""Run code in real workers and see what became of it."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.judging.spawning import Zygote, spawn
from grader.judging.worker_link import WorkerLink
from grader.model import Ending, Isolation, Limits
from grader.testing.links import StudentError, WorkerStopped
from grader.testing.operations import Op

LIMITS = Limits(wall_s=30, memory_bytes=256 << 20, scratch_bytes=8 << 20)

# what this machine offers to this user, as layers that must be done without
MODES = {
    "best": (),
    "user namespace": ("namespaces:root",),
    "pod": ("namespaces",),
}


@dataclass(frozen=True)
class Result:
    """What a worker left: what it printed, what it raised, how it ended."""

    printed: str
    raised: StudentError | None
    ending: Ending | None
    isolation: Isolation | None

    def json(self) -> Any:
        return json.loads(self.printed)


def run(
    zygote: Zygote,
    source: str,
    *,
    limits: Limits = LIMITS,
    forbidden: Sequence[str] = (),
    sandbox: bool = True,
    device: str = "cpu",
    within_s: float = 20,
) -> Result:
    """Run one notebook cell in a fresh worker."""
    pipes = spawn(zygote.fileno(), limits, device=device, sandbox=sandbox, forbidden=forbidden)
    link = WorkerLink(pipes, limits)
    raised = None
    try:
        link.wait_ready()
        link.allow(within_s, f"after {within_s} s")
        link.request(Op.CELL, number=1, source=source, limit_s=within_s)
    except StudentError as error:
        raised = error
    except WorkerStopped:
        pass
    finally:
        printed = link.printed()
        link.close()
    return Result(printed, raised, link.ending, link.isolation)


@contextlib.contextmanager
def ready_zygote(**options: Any) -> Iterator[Zygote]:
    """A zygote that has preloaded everything, closed at the end."""
    with Zygote(**{"preload": [], **options}) as zygote:
        zygote.wait_ready()
        yield zygote


def events(status: int, timeout_s: float = 10) -> list[dict[str, Any]]:
    """Everything that is said on a status pipe until it is closed."""
    os.set_blocking(status, False)
    received = b""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            chunk = os.read(status, 1 << 16)
        except BlockingIOError:
            time.sleep(0.005)
            continue
        if not chunk:
            return [json.loads(line) for line in received.splitlines()]
        received += chunk
    raise TimeoutError(f"the status pipe is still open after {timeout_s} s: {received!r}")


def processes_below(pid: int) -> list[int]:
    """The living descendants of a process."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = entry.read_text().rpartition(")")[2].split()
            if fields[0] != "Z":
                parents[int(entry.parent.name)] = int(fields[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {pid})


def wait_until_gone(pids: Sequence[int], within_s: float) -> list[int]:
    """Wait until these processes have ended; return those that have not."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not any(_lives(pid) for pid in pids):
            return []
        time.sleep(0.01)
    return [pid for pid in pids if _lives(pid)]


def _lives(pid: int) -> bool:
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
            != "Z"
        )
    except OSError:
        return False
