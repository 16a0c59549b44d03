"""Control groups, version 2 or 1, where they are writable: they count memory exactly.

A hardening on top: without them the watchdog notices memory that setrlimit(2) does not count.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from grader.worker.jail.policy import Policy

ROOT = Path("/sys/fs/cgroup")
PREFIX = "grader-"
# page tables, page cache of the scratch folder, kernel memory
MARGIN_BYTES = 256 << 20


class Cgroup:
    """One worker's control groups: a folder in each hierarchy.

    Raises:
        OSError: they can't be made here.
    """

    def __init__(self, name: str, policy: Policy) -> None:
        memory = policy.host_bytes + policy.scratch_bytes + MARGIN_BYTES
        if (ROOT / "cgroup.controllers").exists():
            settings = {
                ROOT: {"memory.max": memory, "memory.swap.max": 0, "pids.max": policy.threads}
            }
        else:
            settings = {
                ROOT / "memory": {"memory.limit_in_bytes": memory},
                ROOT / "pids": {"pids.max": policy.threads},
            }
        self._folders: list[Path] = []
        try:
            for hierarchy, files in settings.items():
                folder = hierarchy / f"{PREFIX}{name}"
                folder.mkdir()
                self._folders.append(folder)
                for file, value in files.items():
                    # a kernel without swap accounting has no such file
                    if file != "memory.swap.max" or (folder / file).exists():
                        (folder / file).write_text(str(value))
        except OSError:
            self.remove()
            raise

    def join(self) -> None:
        """Move the calling process in.

        Raises:
            OSError: the kernel refused.
        """
        for folder in self._folders:
            (folder / "cgroup.procs").write_text("0")

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


def sweep() -> None:
    """Remove groups that sessions left behind which were killed."""
    for hierarchy in (ROOT, ROOT / "memory", ROOT / "pids"):
        with contextlib.suppress(OSError):
            for folder in hierarchy.glob(f"{PREFIX}*-*"):
                owner = folder.name.removeprefix(PREFIX).partition("-")[0]
                if owner.isdigit() and not Path(f"/proc/{owner}").exists():
                    with contextlib.suppress(OSError):
                        folder.rmdir()
