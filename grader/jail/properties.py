"""What must hold before a submission runs, and which layers make it hold.

A jail is judged by these properties: it is complete when each has a layer, whichever that is.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

PROCESS = "process"
WATCHDOG = "watchdog"
RLIMITS = "rlimits"
PRIVILEGES = "privileges"
USER_ID = "user id"
NAMESPACES = "namespaces"
LANDLOCK = "landlock"
SECCOMP = "seccomp"
CGROUP = "cgroup"

# there is no wall without a process to put behind it
ALWAYS = (PROCESS, RLIMITS, WATCHDOG)

NAMESPACES_OR_LANDLOCK = (
    "user namespaces (`sysctl user.max_user_namespaces`, in a container "
    "`--security-opt seccomp=unconfined`), or Landlock (Linux 5.13 or newer, `landlock` in the "
    "kernel's `lsm=` list)"
)
SYSTEM_CALL_FILTER = "the system-call filter: Linux with CONFIG_SECCOMP_FILTER on x86_64 or aarch64"


@dataclass(frozen=True)
class Property:
    """One thing that must hold. Any of the layers in `given_by` is enough."""

    id: str
    title: str
    given_by: tuple[str, ...]
    provide: str


PROPERTIES = (
    Property(
        "read",
        "no file is read outside",
        (NAMESPACES, LANDLOCK),
        NAMESPACES_OR_LANDLOCK,
    ),
    Property(
        "write",
        "no file is written outside",
        (NAMESPACES, LANDLOCK),
        NAMESPACES_OR_LANDLOCK,
    ),
    Property(
        "chmod",
        "no file's mode, owner or time is changed outside",
        (NAMESPACES, USER_ID, SECCOMP),
        SYSTEM_CALL_FILTER,
    ),
    Property("network", "no network", (NAMESPACES, SECCOMP), SYSTEM_CALL_FILTER),
    Property(
        "signal",
        "no signal to other processes",
        (NAMESPACES, USER_ID, SECCOMP),
        SYSTEM_CALL_FILTER,
    ),
    Property(
        "outlive",
        "nothing outlives the grading",
        (NAMESPACES, SECCOMP),
        SYSTEM_CALL_FILTER,
    ),
    Property("kernel", "a bounded kernel surface", (SECCOMP,), SYSTEM_CALL_FILTER),
    Property(
        "limits",
        "memory, disk, thread and time limits",
        (RLIMITS,),
        "setrlimit(2), as every Linux has it",
    ),
    Property(
        "privileges",
        "no new privileges",
        (PRIVILEGES,),
        "no_new_privs: Linux 3.5 or newer",
    ),
)


def missing(layers: Collection[str]) -> tuple[Property, ...]:
    """Return the properties that none of these layers gives: none for a complete wall."""
    return tuple(item for item in PROPERTIES if not set(item.given_by) & set(layers))


def mode(layers: Collection[str]) -> str:
    """Name a complete wall: "full" with namespaces, "pod" without, as in most containers."""
    return "full" if NAMESPACES in layers else "pod"
