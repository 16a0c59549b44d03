"""What a command costs: wall and processor seconds and memory, of all its descendants together.

`resource` can't tell: a process whose parent ignores SIGCHLD is reaped without being counted, and
the grader's judge has such children. A control group counts every member, however it ends.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLE_S = 0.5
CGROUPS = Path("/sys/fs/cgroup")


class CommandFailed(Exception):
    """A measured command ended with a status that nobody expected; the message holds its log."""


@dataclass(frozen=True)
class Cost:
    """One command's cost. What this machine can't count is None.

    `first_s` is the time until the first line of its log that matched.
    """

    wall_s: float
    cpu_s: float | None
    peak_bytes: int | None
    first_s: float | None


def measure(
    command: Sequence[str],
    *,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    first_result: str | None = None,
    statuses: Sequence[int] = (0,),
) -> Cost:
    """Run a command and count what it and all its descendants use.

    Args:
        command: the program and its arguments.
        log: where its output goes.
        cwd: where it runs.
        env: its environment; this process's if not given.
        first_result: a pattern; the first line of output that it matches is the first result.
        statuses: the exit statuses of a run that went well.

    Raises:
        CommandFailed: it ended with another status.
    """
    with _group() as group, log.open("w", encoding="utf-8") as lines:
        sampler = _MemorySampler(group)
        began = time.perf_counter()
        process = subprocess.Popen(
            _inside(group, command),
            cwd=cwd,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        with sampler, process:
            first_s = None
            assert process.stdout is not None
            for line in process.stdout:
                if first_s is None and first_result and re.search(first_result, line):
                    first_s = time.perf_counter() - began
                lines.write(line)
            status = process.wait()
            wall_s = time.perf_counter() - began
        cost = Cost(wall_s, _cpu_s(group), sampler.peak_bytes, first_s)
    if status not in statuses:
        tail = log.read_text(encoding="utf-8")[-2000:]
        raise CommandFailed(f"`{command[0]}` ended with status {status}; see {log}\n{tail}")
    return cost


# ---------------------------------------------------------------- control groups


@contextlib.contextmanager
def _group() -> Iterator[Path | None]:
    """A new control group, version 2; None where none can be made."""
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():
        yield None
        return
    folders = [
        Path(fields[1])
        for fields in map(str.split, mounts.read_text().splitlines())
        if fields[2] == "cgroup2"
    ]
    own = re.search(r"^0::(/.*)$", Path("/proc/self/cgroup").read_text(), re.M)
    if not folders or own is None:
        yield None
        return
    group = folders[0] / own[1].lstrip("/") / f"benchmark-{os.getpid()}-{time.monotonic_ns()}"
    try:
        group.mkdir()
    except OSError:
        yield None
        return
    try:
        yield group
    finally:
        _remove(group)


def _remove(group: Path) -> None:
    with contextlib.suppress(OSError):  # Linux 5.14: whatever an interrupted command left running
        (group / "cgroup.kill").write_text("1")
    for _ in range(100):
        try:
            group.rmdir()
            return
        except OSError:  # the last member is still dying
            time.sleep(0.02)


def _inside(group: Path | None, command: Sequence[str]) -> list[str]:
    """The command as a member of the group."""
    if group is None:
        return list(command)
    join = ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group / "cgroup.procs")]
    if (CGROUPS / "cgroup.controllers").exists():
        # In the one hierarchy of version 2, a worker that moved to a group of its own would no
        # longer be counted in this one: the command sees that hierarchy read-only.
        keep = f'mount -o remount,bind,ro {CGROUPS} && exec "$@"'
        join += ["unshare", "--mount", "sh", "-c", keep, "sh"]
    return [*join, *command]


def _cpu_s(group: Path | None) -> float | None:
    if group is None:
        return None
    counts = dict(line.split() for line in (group / "cpu.stat").read_text().splitlines())
    return int(counts["usage_usec"]) / 1e6


class _MemorySampler:
    """The largest sum of the members' memory that was seen.

    Proportional set size: a page that N processes share counts 1/N in each, so that forks of a
    warm process are not counted as if each had its own torch.
    """

    def __init__(self, group: Path | None) -> None:
        self._group = group
        self._peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        if self._group is not None:
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._group is not None:
            self._thread.join()

    @property
    def peak_bytes(self) -> int | None:
        """None when nothing could be read."""
        return self._peak or None

    def _run(self) -> None:
        assert self._group is not None
        while not self._ended.wait(SAMPLE_S):
            members = (self._group / "cgroup.procs").read_text().split()
            self._peak = max(self._peak, sum(map(_pss_bytes, members)))


def _pss_bytes(process: str) -> int:
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:  # it is gone, or nobody may look
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.M)
    return int(found[1]) * 1024 if found else 0
