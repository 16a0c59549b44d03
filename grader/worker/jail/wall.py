"""The wall as a whole: what this machine offers, which layers a worker gets, and entering it.

The order is fixed by what each step needs: namespaces while there are privileges, limits and the
user's change next, then no privileges any more, then Landlock, and the system-call filter last.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from grader.worker.jail import cgroups, landlock, linux, namespaces, seccomp, syscalls
from grader.worker.jail.limits import limit_process, mapped
from grader.worker.jail.policy import Policy
from grader.worker.jail.properties import (
    ALWAYS,
    CGROUP,
    LANDLOCK,
    NAMESPACES,
    PRIVILEGES,
    SECCOMP,
    USER_ID,
)
from grader.worker.jail.tree import DEVICES, Tree

# where no account, container or service is expected; the second where few users are mapped
USER_RANGES = ((0x6000_0000, 1 << 22), (50_000, 10_000))


@dataclass(frozen=True)
class Offer:
    """What this machine can do for a wall, found out by doing it in a child process.

    namespaces: the kinds that work, best first.
    user_id: whether this process may become another user.
    tree_is_public: whether another user can read what workers must read.
    """

    namespaces: tuple[str, ...] = ()
    privileges: bool = False
    landlock: bool = False
    seccomp: bool = False
    cgroup: bool = False
    user_id: bool = False
    tree_is_public: bool = False


@dataclass(frozen=True)
class Plan:
    """The layers that a worker gets. `kind` is that of its namespaces, if any."""

    layers: tuple[str, ...]
    kind: str = ""


def plan(policy: Policy, offer: Offer) -> Plan:
    """Choose every layer that is offered and not forbidden."""
    if not policy.sandbox:
        return Plan(ALWAYS)
    kinds = [kind for kind in offer.namespaces if f"{NAMESPACES}:{kind}" not in policy.forbidden]
    kind = kinds[0] if kinds and NAMESPACES not in policy.forbidden else ""
    offered = {
        CGROUP: offer.cgroup,
        NAMESPACES: bool(kind),
        USER_ID: offer.user_id and kind != "user" and (bool(kind) or offer.tree_is_public),
        PRIVILEGES: offer.privileges,
        LANDLOCK: offer.landlock,
        SECCOMP: offer.seccomp,
    }
    chosen = (name for name, there in offered.items() if there and name not in policy.forbidden)
    return Plan((*ALWAYS, *chosen), kind)


def enter(chosen: Plan, policy: Policy, tree: Tree, root: str, scratch: str, user: int) -> str:
    """Put this process behind the wall, for good, and return its scratch folder.

    Args:
        chosen: the layers; all of them are built or the process must not go on.
        policy: the limits.
        tree: what may be read.
        root: an empty folder to mount a private root on.
        scratch: the scratch folder where there is no private root.
        user: whom to become where the plan says so.

    Raises:
        OSError: a layer could not be built.
    """
    layers = chosen.layers
    before = mapped()
    if NAMESPACES in layers:
        namespaces.separate_system()
        owner = user if USER_ID in layers else os.geteuid()
        scratch = namespaces.build_root(tree, policy, root, owner)
    limit_process(policy, before, own_user=_counted_alone(chosen))
    if USER_ID in layers:
        become(user)
    if PRIVILEGES in layers:
        linux.drop_capabilities()
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)  # a change of user clears it
    linux.set_dumpable(False)
    if LANDLOCK in layers:
        writable = [namespaces.SCRATCH_MOUNT] if NAMESPACES in layers else [scratch]
        _restrict_files(tree, writable)
    if SECCOMP in layers:
        seccomp.load_filter(seccomp.build_filter(os.getpid()))
    return scratch


def _counted_alone(chosen: Plan) -> bool:
    """Whether the kernel counts this worker's threads apart from everybody else's."""
    if chosen.kind == "user":
        release = re.match(r"(\d+)\.(\d+)", os.uname().release)
        return release is not None and tuple(map(int, release.groups())) >= (5, 14)
    return USER_ID in chosen.layers


def _restrict_files(tree: Tree, writable: list[str]) -> None:
    rules = landlock.Ruleset()
    rules.allow(landlock.READ_DIR, tree.listable)
    rules.allow(landlock.READ, tree.readable)
    rules.allow(landlock.READ_FILE, DEVICES)
    rules.allow(landlock.READ_FILE | landlock.WRITE_FILE | landlock.TRUNCATE, [os.devnull])
    rules.allow(landlock.READ_AND_WRITE, writable)
    rules.restrict()


# ---------------------------------------------------------------- another user


def worker_user(pid: int) -> int | None:
    """Return a user id that nobody else has, for the worker of the supervisor `pid`."""
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
    except OSError:
        return None
    mapped = [(int(first), int(count)) for first, _, count in map(str.split, lines)]
    for start, size in USER_RANGES:
        user = start + pid % size
        if any(first <= user < first + count for first, count in mapped):
            return user
    return None


def become(user: int) -> None:
    """Become another user, in a group of the same number and no other.

    Raises:
        OSError: this process may not.
    """
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


# ---------------------------------------------------------------- what is offered


def find_offer(policy: Policy, tree: Tree, root: str) -> Offer:
    """Find out what works here, each in a child process that does it and ends."""
    user = worker_user(os.getpid()) if os.geteuid() == 0 else None
    kinds = ("root", "user") if os.geteuid() == 0 else ("user",)

    def namespace(kind: str) -> None:
        namespaces.separate_processes(kind)
        _must_work(lambda: _enter_namespaces(policy, tree, root))

    def namespace_works(kind: str) -> bool:
        return _works(lambda: namespace(kind))

    def cgroup() -> None:
        cgroups.sweep()
        group = cgroups.Cgroup(f"{os.getpid()}-probe", policy)
        try:
            _must_work(group.join)
        finally:
            group.remove()

    def public() -> None:
        become(user or 0)
        if not all(os.access(path, os.R_OK) for path in tree.readable):
            raise PermissionError

    known = syscalls.supported()
    return Offer(
        namespaces=tuple(filter(namespace_works, kinds)) if known else (),
        privileges=known and _works(linux.drop_capabilities),
        landlock=known and _works(lambda: _try_landlock(tree)),
        seccomp=known and _works(_try_seccomp),
        cgroup=_works(cgroup),
        user_id=user is not None and _works(lambda: become(user)),
        tree_is_public=user is not None and _works(public),
    )


def _enter_namespaces(policy: Policy, tree: Tree, root: str) -> None:
    namespaces.separate_system()
    namespaces.build_root(tree, policy, root, os.geteuid())


def _try_landlock(tree: Tree) -> None:
    linux.drop_capabilities()
    _restrict_files(tree, [])


def _try_seccomp() -> None:
    linux.drop_capabilities()
    seccomp.load_filter(seccomp.build_filter(os.getpid()))


def _works(action: Callable[[], None]) -> bool:
    """Whether `action` succeeds in a child process."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            action()
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1] == 0


def _must_work(action: Callable[[], None]) -> None:
    if not _works(action):
        raise PermissionError
