"""One process per worker: walls it in, watches it, and says on the status pipe what became of it.

    {"event": "ready", "isolation": {"mode", "layers", "missing"}, "ms"}
    {"event": "refused", "missing": [{"property", "provide"}]}
    {"event": "failed", "message"}                                       our fault
    {"event": "exit", "reason", "code", "cpu_s", "wall_s", "peak_bytes"}

`reason` is null when the worker ended by itself, else the limit it hit: "wall time", "memory",
"threads", "disk", "files", or "grader went away". `code` is an exit status, or minus a signal.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from grader.worker.entry import enter
from grader.worker.jail.linux import PR_SET_CHILD_SUBREAPER, prctl
from grader.worker.jail.policy import Policy

TICK_MS = 20
PAGE = os.sysconf("SC_PAGESIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True)
class Ends:
    """The worker's ends of its four pipes, in the order of the spawn packet."""

    requests: int
    replies: int
    output: int
    status: int


def supervise(policy: Policy, ends: Ends, leash: int, state: str, started: float) -> NoReturn:
    """Fork the worker, watch it to its end, report, and exit.

    Args:
        policy: what the worker may do and use.
        ends: the worker's ends of the pipes.
        leash: a pipe that is closed when the zygote is gone.
        state: the session's folder on the host.
        started: when the request arrived, on the monotonic clock.
    """
    code = 1
    try:
        os.setsid()
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        scratch = tempfile.mkdtemp(prefix="scratch-", dir=state)
        pid = os.fork()
        if pid == 0:
            enter(policy, ends, scratch, started)
        for descriptor in (ends.requests, ends.replies, ends.output):
            os.close(descriptor)
        reason, peak = _watch(pid, policy, ends.status, leash, scratch, started)
        if reason is not None:
            os.kill(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        _end_descendants()
        say(
            ends.status,
            event="exit",
            reason=reason,
            code=os.waitstatus_to_exitcode(status),
            cpu_s=round(usage.ru_utime + usage.ru_stime, 3),
            wall_s=round(time.monotonic() - started, 3),
            peak_bytes=max(peak, usage.ru_maxrss << 10),
        )
        shutil.rmtree(scratch, ignore_errors=True)
        code = 0
    except BaseException as error:
        say(ends.status, event="failed", message=f"the supervisor failed: {error!r}"[:500])
    finally:
        os._exit(code)


def say(status: int, **event: object) -> None:
    """Write one line to the status pipe; nobody may be listening any more."""
    try:
        os.write(status, json.dumps(event).encode() + b"\n")
    except OSError:
        pass


def _watch(
    pid: int, policy: Policy, status: int, leash: int, scratch: str, started: float
) -> tuple[str | None, int]:
    """Wait until the worker ends or must end: the reason, and the most memory seen."""
    poll = select.poll()
    poll.register(status, 0)  # POLLERR: nobody reads any more
    poll.register(leash, 0)
    base: int | None = None
    peak = 0
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if poll.poll(TICK_MS):
            return "grader went away", peak
        if time.monotonic() - started > policy.wall_s:
            return "wall time", peak
        used = resident_bytes(pid)
        base = used if base is None else base
        peak = max(peak, used)
        if used - base > policy.memory_bytes:
            return "memory", peak
    return None, peak


def resident_bytes(pid: int) -> int:
    """Memory that a process occupies; 0 when it is gone or where there is no /proc."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def _end_descendants() -> None:
    """Kill what the worker left behind: as its subreaper, this process is now the parent."""
    if not sys.platform.startswith("linux"):
        return
    while True:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        if not children:
            return
        for child in children:
            os.kill(int(child), signal.SIGKILL)
            os.waitpid(int(child), 0)
