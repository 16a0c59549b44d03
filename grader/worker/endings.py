"""What a supervisor's last word on a worker means, in plain words, with the limit that was hit."""

from __future__ import annotations

import signal
from typing import Any

from grader.model import EndingKind, Limits

REASONS = {
    "memory": EndingKind.MEMORY,
    "wall time": EndingKind.TIME,
    "threads": EndingKind.PROCESSES,
    "disk": EndingKind.DISK,
    "files": EndingKind.DISK,
}


def explain_exit(event: dict[str, Any], limits: Limits) -> tuple[EndingKind, str]:
    """Put a supervisor's exit event into plain words, with the limit that was hit."""
    reason, code = event.get("reason"), int(event.get("code", 0))
    limit_texts = {
        "memory": f"it used more than {limits.memory_bytes / (1 << 30):g} GiB of memory",
        "wall time": f"it ran longer than {limits.wall_s:g} s in all",
        "threads": f"it started more than {limits.processes} threads",
        "disk": f"it wrote more than {limits.scratch_bytes >> 20} MiB of files",
        "files": "it created too many files",
    }
    if reason in REASONS:
        return REASONS[reason], f"stopped: {limit_texts[reason]}"
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
