"""Resource limits of one process, setrlimit(2): what the kernel itself counts."""

from __future__ import annotations

import math
import os
import resource
from pathlib import Path

from grader.worker.jail.policy import Policy

# a thread's stack, and the arena that glibc's malloc reserves for it
ADDRESS_SPACE_PER_THREAD = 72 << 20
ADDRESS_SPACE_MARGIN = 1 << 30
PENDING_SIGNALS = 256


def limit_process(policy: Policy, *, own_user: bool) -> None:
    """Set the limits of this process.

    Memory is counted from here on: what the zygote has preloaded is not the submission's.

    Args:
        policy: what it may use.
        own_user: whether no other process runs as this user: then its threads can be counted.

    Raises:
        OSError: the kernel refused.
    """
    address_space, data = _mapped_bytes()
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: policy.open_files,
        resource.RLIMIT_FSIZE: policy.scratch_bytes,
        resource.RLIMIT_CPU: math.ceil(policy.wall_s * (os.cpu_count() or 1)) + 1,
    }
    if data:
        limits[resource.RLIMIT_DATA] = data + policy.memory_bytes
    if address_space and policy.device == "cpu":
        # bounds the page tables, which RLIMIT_DATA does not see; CUDA reserves more than it uses
        room = policy.memory_bytes + policy.threads * ADDRESS_SPACE_PER_THREAD
        limits[resource.RLIMIT_AS] = address_space + room + ADDRESS_SPACE_MARGIN
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


def _mapped_bytes() -> tuple[int, int]:
    """Address space and private writable memory of this process; zeros where there is no /proc."""
    try:
        fields = Path("/proc/self/statm").read_text().split()
    except OSError:
        return 0, 0
    page = os.sysconf("SC_PAGESIZE")
    return int(fields[0]) * page, int(fields[5]) * page
