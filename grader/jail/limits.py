"""Resource limits of one process, setrlimit(2): what the kernel itself counts."""

from __future__ import annotations

import math
import os
import resource
import sys
from dataclasses import dataclass
from pathlib import Path

from grader.wire.worker import WorkerPolicy

# a thread's stack, and the arena that glibc's malloc reserves for it
ADDRESS_SPACE_PER_THREAD = 72 << 20
ADDRESS_SPACE_MARGIN = 1 << 30
PENDING_SIGNALS = 256


@dataclass(frozen=True)
class Mapped:
    """What a process has mapped: address space, and private writable memory in it, in bytes."""

    address_space: int
    data: int


def mapped() -> Mapped | None:
    """Return what this process has mapped; None on a system that does not tell.

    Raises:
        OSError: /proc is gone: it must be asked before the root is replaced.
    """
    if sys.platform != "linux":
        return None
    fields = Path("/proc/self/statm").read_text().split()
    page = os.sysconf("SC_PAGESIZE")
    return Mapped(int(fields[0]) * page, int(fields[5]) * page)


def limit_data(more: int) -> None:
    """Let this process hold so many bytes more than now; beyond, it gets a `MemoryError`."""
    now = mapped()
    if now is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        room = now.data + more
        room = room if hard == resource.RLIM_INFINITY else min(room, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (room, hard))


def limit_process(policy: WorkerPolicy, before: Mapped | None, *, own_user: bool) -> None:
    """Set the limits of this process.

    Args:
        policy: what it may use.
        before: what it had mapped: what the zygote has preloaded is not the submission's.
        own_user: whether no other process runs as this user: then its threads can be counted.

    Raises:
        OSError: the kernel refused.
    """
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: policy.open_files,
        resource.RLIMIT_FSIZE: policy.scratch_bytes,
        resource.RLIMIT_CPU: math.ceil(policy.wall_s * (os.cpu_count() or 1)) + 1,
    }
    if before:
        limits[resource.RLIMIT_DATA] = before.data + policy.host_bytes
    if before and not policy.uses_gpu:
        # bounds the page tables, which RLIMIT_DATA does not see; CUDA reserves more than it uses
        room = policy.memory_bytes + policy.threads * ADDRESS_SPACE_PER_THREAD
        limits[resource.RLIMIT_AS] = before.address_space + room + ADDRESS_SPACE_MARGIN
    if own_user:
        limits[resource.RLIMIT_NPROC] = policy.threads
    for name in ("RLIMIT_MEMLOCK", "RLIMIT_MSGQUEUE"):
        if hasattr(resource, name):
            limits[getattr(resource, name)] = 0
    if hasattr(resource, "RLIMIT_SIGPENDING"):
        limits[resource.RLIMIT_SIGPENDING] = PENDING_SIGNALS
    for kind, value in limits.items():
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
