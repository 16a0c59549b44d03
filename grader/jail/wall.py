"""The wall as a whole: what this machine offers, which layers a worker gets, and entering it.

The order is fixed by what each step needs: namespaces while there are privileges, limits and the
user's change next, then no privileges any more, then Landlock, and the system-call filter last.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grader.jail import cgroups, landlock, linux, namespaces, seccomp
from grader.jail.limits import limit_process, mapped
from grader.jail.properties import (
    ALWAYS,
    CGROUP,
    LANDLOCK,
    NAMESPACES,
    PRIVILEGES,
    SECCOMP,
    USER_ID,
)
from grader.jail.readable import DEVICES, GPU_DATA, GPU_THREADS, Readable, gpu_devices
from grader.wire.worker import WorkerPolicy

# what namespaces and the change of user depend on
ROOT_NAMESPACES = "namespaces:root"
USER_NAMESPACES = "namespaces:user"
PUBLIC_TREE = "user id without namespaces"

TRIES = 3  # of a trial that is killed

# where no account, container or service is expected; the second where few users are mapped
USER_RANGES = ((0x6000_0000, 1 << 22), (50_000, 10_000))
FAR_APART = 7919  # between the users of two process namespaces: a prime


@dataclass(frozen=True)
class Offer:
    """What this machine can do for a wall.

    Attributes:
        works: layers, and what layers depend on.
        without: what does not work, and the system's reason.
    """

    works: frozenset[str] = frozenset()
    without: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WallPlan:
    """The layers that a worker gets. `kind` is that of its namespaces, if any."""

    layers: tuple[str, ...]
    kind: str = ""


def plan(policy: WorkerPolicy, offer: Offer) -> WallPlan:
    """Choose every layer that is offered and not forbidden."""
    if not policy.sandbox:
        return WallPlan(ALWAYS)
    works = offer.works - set(policy.forbidden)
    kind = "root" if ROOT_NAMESPACES in works else "user" if USER_NAMESPACES in works else ""
    if NAMESPACES in policy.forbidden:
        kind = ""
    # another user needs a root of its own where the interpreter lies in somebody's home
    becomes_another = kind == "root" or (not kind and PUBLIC_TREE in works)
    given = {
        CGROUP: CGROUP in works,
        NAMESPACES: bool(kind),
        USER_ID: USER_ID in works and becomes_another,
        PRIVILEGES: PRIVILEGES in works,
        LANDLOCK: LANDLOCK in works,
        SECCOMP: SECCOMP in works,
    }
    return WallPlan((*ALWAYS, *(name for name, there in given.items() if there)), kind)


def enter(
    chosen: WallPlan, policy: WorkerPolicy, tree: Readable, root: str, scratch: str, user: int
) -> str:
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
        _restrict_files(tree, [scratch], gpu=policy.uses_gpu)
    if SECCOMP in layers:
        seccomp.load_filter(seccomp.build_filter(os.getpid(), gpu=policy.uses_gpu))
    return scratch


def _counted_alone(chosen: WallPlan) -> bool:
    """Whether the kernel counts this worker's threads apart from everybody else's."""
    if chosen.kind == "user":
        release = re.match(r"(\d+)\.(\d+)", os.uname().release)
        return release is not None and tuple(map(int, release.groups())) >= (5, 14)
    return USER_ID in chosen.layers


def _restrict_files(tree: Readable, writable: list[str], *, gpu: bool = False) -> None:
    rules = landlock.Ruleset()
    rules.allow(landlock.READ_DIR, tree.listable)
    rules.allow(landlock.READ, tree.readable)
    rules.allow(landlock.READ, [path for path, _ in tree.data])
    rules.allow(landlock.READ_FILE, DEVICES)
    rules.allow(landlock.READ_FILE | landlock.WRITE_FILE | landlock.TRUNCATE, [os.devnull])
    rules.allow(landlock.READ_AND_WRITE, writable)
    if gpu:
        rules.allow(landlock.READ, GPU_DATA)
        rules.allow(landlock.WRITE_FILE | landlock.TRUNCATE, [GPU_THREADS])
        rules.allow(landlock.READ_FILE | landlock.WRITE_FILE | landlock.IOCTL_DEV, gpu_devices())
    rules.restrict()


# ---------------------------------------------------------------- another user


def worker_user(pid: int) -> int | None:
    """Return a user id that nobody else has, for the worker of the supervisor `pid`.

    Another container's supervisor may have the same number, and its workers the same users.
    """
    own = pid + FAR_APART * namespaces.process_namespace()
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
    except OSError:
        return None
    mapped = [(int(first), int(count)) for first, _, count in map(str.split, lines)]
    for start, size in USER_RANGES:
        user = start + own % size
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


def find_offer(policy: WorkerPolicy, tree: Readable, root: str) -> Offer:
    """Find out what works here, each in a child process that does it and ends."""
    user = worker_user(os.getpid()) if os.geteuid() == 0 else None

    def namespaces_of(kind: str) -> None:
        namespaces.separate_processes(kind)
        _in_child(lambda: _replace_root(policy, tree, root))

    def cgroup() -> None:
        cgroups.sweep()
        group = cgroups.Cgroup(os.getpid(), policy)
        try:
            _in_child(group.join)
        finally:
            group.remove()

    def another_user() -> None:
        if user is None:
            raise PermissionError("only root becomes somebody else")
        become(user)

    def reader() -> None:
        another_user()
        for path in tree.readable:
            if not os.access(path, os.R_OK):
                raise PermissionError(f"other users can't read {path}")

    trials: dict[str, Callable[[], None]] = {
        ROOT_NAMESPACES: lambda: namespaces_of("root"),
        USER_NAMESPACES: lambda: namespaces_of("user"),
        PRIVILEGES: linux.drop_capabilities,
        LANDLOCK: lambda: _try_landlock(tree),
        SECCOMP: _try_seccomp,
        CGROUP: cgroup,
        USER_ID: another_user,
        PUBLIC_TREE: reader,
    }
    without = {}
    for name, trial in trials.items():
        try:
            _in_child(trial, TRIES)
        except OSError as error:
            without[name] = str(error)
    return Offer(frozenset(trials) - set(without), without)


def _replace_root(policy: WorkerPolicy, tree: Readable, root: str) -> None:
    namespaces.separate_system()
    namespaces.build_root(tree, policy, root, os.geteuid())


def _try_landlock(tree: Readable) -> None:
    linux.drop_capabilities()
    _restrict_files(tree, [])


def _try_seccomp() -> None:
    linux.drop_capabilities()
    seccomp.load_filter(seccomp.build_filter(os.getpid()))


class Killed(OSError):
    """Somebody killed a trial, which says nothing about what it tried."""


def _in_child(action: Callable[[], None], tries: int = 1) -> None:
    """Perform `action` in a child process, so many times if it is killed.

    Raises:
        OSError: it failed; the message says why.
    """
    listen, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            action()
        except Killed:
            os.kill(os.getpid(), signal.SIGKILL)  # a child of its own was: both begin again
        except BaseException as error:
            os.write(tell, (str(error) or repr(error)).encode()[:1000])
        finally:
            os._exit(0)
    os.close(tell)
    failure = os.read(listen, 1000).decode(errors="replace")
    os.close(listen)
    _, status = os.waitpid(pid, 0)
    if status == signal.SIGKILL and tries > 1:
        _in_child(action, tries - 1)
    elif status == signal.SIGKILL:
        raise Killed("killed while it was tried")
    elif failure or status:
        raise PermissionError(failure or f"ended with status {status}")
