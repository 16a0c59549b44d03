"""Control groups, version 2 or 1, where they are writable: they count memory exactly.

A hardening on top: without them the watchdog notices memory that setrlimit(2) does not count.

Containers may share control groups and nothing else. So a group's name says in which process
namespace its owner is, where alone the owner's number means something, and ends with a number drawn
at random: `grader-nNAMESPACE-OWNER-RANDOM`. The `n` keeps earlier versions of the
grader from taking the number for a process's, and the group for one to remove.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from grader.jail.namespaces import process_namespace
from grader.wire.worker import WorkerPolicy

ROOT = Path("/sys/fs/cgroup")
PREFIX = "grader-"
TRIES = 5
"""How often a group is made anew that somebody removes while it is made."""

ABANDONED_S = 24 * 3600.0
"""After so long, a group of a namespace that can't be looked into, and with no member, is nobody's.

A living grader has a process in its group milliseconds after it made it.
"""
# page tables, page cache of the scratch folder, kernel memory
MARGIN_BYTES = 256 << 20


class Cgroup:
    """One worker's control groups: a folder in each hierarchy.

    Args:
        owner: the process, in this process namespace, with which the group is of no use any more.
        policy: the limits.

    Raises:
        OSError: they can't be made here.
    """

    def __init__(self, owner: int, policy: WorkerPolicy) -> None:
        name = f"{PREFIX}n{process_namespace()}-{owner}-{secrets.token_hex(6)}"
        self._settings = {at / name: files for at, files in _settings(policy).items()}
        self._folders = list(self._settings)
        try:
            self._persist(self._make)
        except OSError:
            self.remove()
            raise

    def join(self) -> None:
        """Move the calling process in.

        Raises:
            OSError: the kernel refused.
        """
        self._persist(self._enter)

    def _make(self) -> None:
        for folder, files in self._settings.items():
            folder.mkdir(exist_ok=True)
            for file, value in files.items():
                # a kernel without swap accounting has no such file
                if file != "memory.swap.max" or (folder / file).exists():
                    (folder / file).write_text(str(value))

    def _enter(self) -> None:
        for folder in self._settings:
            (folder / "cgroup.procs").write_text("0")

    def _persist(self, step: Callable[[], None]) -> None:
        """Take a step; where somebody removes the group meanwhile, make it anew and try again."""
        for left in reversed(range(TRIES)):
            try:
                step()
                return
            except FileNotFoundError as error:
                if not all(folder.parent.is_dir() for folder in self._settings):
                    raise  # there are no such hierarchies
                if not left:
                    told = "its control group was removed again and again, perhaps by other graders"
                    raise OSError(error.errno, told) from None
            with contextlib.suppress(FileNotFoundError):
                self._make()

    def out_of_memory(self) -> bool:
        """Whether the kernel killed a member because this group reached its memory limit."""
        reached = self._count("memory.events", "oom") or self._count("memory.failcnt", "")
        return reached > 0 and self.lost_a_member()

    def lost_a_member(self) -> bool:
        """Whether the kernel killed a member for want of memory, here or on the whole machine."""
        return any(
            self._count(name, "oom_kill") for name in ("memory.events", "memory.oom_control")
        )

    def _count(self, file: str, name: str) -> int:
        """What a file of the memory hierarchy counts under a name; 0 where there is none."""
        for folder in self._folders:
            with contextlib.suppress(OSError):
                return _counter((folder / file).read_text(), name)
        return 0

    def remove(self) -> None:
        """Remove the folders; their processes must be dead."""
        for folder in self._folders:
            for _ in range(50):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:  # the kernel has not noticed yet that the last member is gone
                    time.sleep(0.002)


def kills_when_out_of_memory() -> int:
    """How often the kernel has killed a process for want of memory; 0 if it won't say."""
    with contextlib.suppress(OSError):
        return _counter(Path("/proc/vmstat").read_text(), "oom_kill")
    return 0


def _counter(text: str, name: str) -> int:
    """The number after a name at a line's beginning; without a name, the only number there is."""
    for line in text.splitlines():
        key, _, value = line.rpartition(" ")
        if key == name and value.isdigit():
            return int(value)
    return 0


def _settings(policy: WorkerPolicy) -> dict[Path, dict[str, int]]:
    """What is written into which files of a group, by hierarchy."""
    memory = policy.host_bytes + policy.scratch_bytes + MARGIN_BYTES
    if (ROOT / "cgroup.controllers").exists():
        return {ROOT: {"memory.max": memory, "memory.swap.max": 0, "pids.max": policy.threads}}
    return {
        ROOT / "memory": {"memory.limit_in_bytes": memory},
        ROOT / "pids": {"pids.max": policy.threads},
    }


def sweep() -> None:
    """Remove groups that sessions left behind which were killed, and nothing that may be in use.

    The kernel removes no group that has a member; this is about those that have none yet.
    """
    here = process_namespace()
    for hierarchy in (ROOT, ROOT / "memory", ROOT / "pids"):
        with contextlib.suppress(OSError):
            for folder in hierarchy.glob(f"{PREFIX}*-*"):
                with contextlib.suppress(OSError):
                    if _is_abandoned(folder, here):
                        folder.rmdir()


def _is_abandoned(folder: Path, here: int) -> bool:
    namespace, owner, *rest = folder.name.removeprefix(PREFIX).split("-")
    if here and namespace == f"n{here}" and rest and owner.isdigit():
        return not _lives(int(owner))
    return time.time() - folder.stat().st_mtime > ABANDONED_S


def _lives(pid: int) -> bool:
    """Whether a process of this namespace exists. `/proc` may show those of another one."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return True
