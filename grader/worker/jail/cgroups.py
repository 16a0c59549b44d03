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
        """Whether the kernel killed a member because it reached the memory limit."""
        for name in ("memory.events", "memory.oom_control"):
            for folder in self._folders:
                with contextlib.suppress(OSError):
                    for line in (folder / name).read_text().splitlines():
                        if line.startswith("oom_kill ") and not line.endswith(" 0"):
                            return True
        return False

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


def sweep() -> None:
    """Remove groups that sessions left behind which were killed."""
    for hierarchy in (ROOT, ROOT / "memory", ROOT / "pids"):
        with contextlib.suppress(OSError):
            for folder in hierarchy.glob(f"{PREFIX}*-*"):
                owner = folder.name.removeprefix(PREFIX).partition("-")[0]
                if owner.isdigit() and not Path(f"/proc/{owner}").exists():
                    with contextlib.suppress(OSError):
                        folder.rmdir()
