"""What a supervisor's last word on a worker means, in plain words, with the limit that was hit."""

from __future__ import annotations

import signal

from grader.model import EndingKind, Limits
from grader.wire.events import Exit, Limit

LIMITS = {
    Limit.MEMORY: EndingKind.MEMORY,
    Limit.WALL_TIME: EndingKind.TIME,
    Limit.THREADS: EndingKind.PROCESSES,
    Limit.DISK: EndingKind.DISK,
    Limit.FILES: EndingKind.DISK,
}


def explain_exit(event: Exit, limits: Limits) -> tuple[EndingKind, str]:
    """Put a supervisor's exit event into plain words, with the limit that was hit."""
    reason, code = event.reason, event.code
    limit_texts = {
        Limit.MEMORY: f"it used more than {limits.memory_bytes / (1 << 30):g} GiB of memory",
        Limit.WALL_TIME: f"it ran longer than {limits.wall_s:g} s in all",
        Limit.THREADS: f"it started more than {limits.processes} threads",
        Limit.DISK: f"it wrote more than {limits.scratch_bytes >> 20} MiB of files",
        Limit.FILES: "it created too many files",
    }
    if reason in LIMITS:
        return LIMITS[reason], f"stopped: {limit_texts[reason]}"
    if code >= 0:
        return EndingKind.EXITED, f"its code ended the process (exit code {code})"
    if -code == signal.SIGXCPU:
        return EndingKind.TIME, "stopped: it used too much processor time"
    if -code == signal.SIGXFSZ:
        return EndingKind.DISK, "stopped: it wrote too large a file"
    if -code == signal.SIGSYS:
        return EndingKind.SIGNAL, "stopped: it made a system call that a grading forbids"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return EndingKind.SIGNAL, f"its process was ended by {name}"
