"""What makes a judge's process safe to have, cheap to fork, and not without something to do."""

from __future__ import annotations

import contextlib
import importlib
import select
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.errors import SuiteError
from grader.forking import prepare_to_fork
from grader.jail.linux import PR_SET_PDEATHSIG, prctl, set_dumpable, set_name
from grader.model import Ending, EndingKind
from grader.testing.verdicts import in_words
from grader.wire.judge import JobRequest, JudgeSetup
from grader.wire.worker import GPU_DRIVER_BYTES

LEAST_BYTES = 1 << 30
"""Checks may take so much memory where a submission may take less."""


def failed_run(error: BaseException, request: JobRequest) -> Ending:
    """What it means that no run came about."""
    if isinstance(error, MemoryError) and request.last_try:
        text = "stopped: what it returned filled the memory of the process that checks it"
        return Ending(kind=EndingKind.MEMORY, message=text)
    text = f"the judge failed: {type(error).__name__}: {in_words(error)}"
    return Ending(kind=EndingKind.FAULT, message=text)


def import_ahead(libraries: Sequence[str]) -> Iterator[bool]:
    """Import what values are made of, one before each `True`: or each job's fork would."""
    for name in libraries:
        with contextlib.suppress(Exception):  # a worker that lacks it says so
            importlib.import_module(name)
        prepare_to_fork()
        yield True


def is_asked(control: socket.socket) -> bool:
    """Whether a job waits there."""
    return bool(select.select([control], [], [], 0)[0])


def bytes_for_checks(request: JobRequest) -> int:
    """Memory that checks may take: they compute with sizes that a submission chose."""
    driver = 0 if request.device == "cpu" else GPU_DRIVER_BYTES
    return max(request.limits.memory_bytes, LEAST_BYTES) + driver


def guard_process() -> None:
    """Die with the process that started this one; let no process of the same user look inside."""
    set_name("grader-judge")
    if sys.platform.startswith("linux"):
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        set_dumpable(False)


def stay_with_one_thread() -> None:
    """Forks of a process that has run a parallel region hang: stay with one thread."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


def require_files(files: Sequence[Path], setup: JudgeSetup) -> None:
    """Make sure that there is something to collect: without a path, pytest looks everywhere.

    Raises:
        SuiteError: no assignment has a file of checks.
    """
    if files:
        return
    folders = ", ".join(folder for folder in (setup.checks, setup.suites) if folder)
    named = " or ".join(f"test_{assignment.id}.py" for assignment in setup.assignments[:3])
    if not setup.assignments:
        raise SuiteError(
            "this course has no assignment",
            where=setup.root,
            hint="`grader new-assignment ID` writes the first one",
        )
    raise SuiteError(
        "no assignment has a file of checks",
        where=folders or setup.root,
        hint=f"write {named}" if folders else "set `checks` and `suites` in [tool.grader]",
    )
