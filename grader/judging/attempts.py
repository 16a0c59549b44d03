"""Jobs in the hands of a judge: how often each was tried, where it is, whose fault it was."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from dataclasses import dataclass

import msgspec

from grader.errors import IntakeError
from grader.intake.readings import OverBudget
from grader.judging.clock import spent_by
from grader.judging.pythons import with_pythons
from grader.model import Ending, EndingKind, Job, Problem, ProblemKind, Run, Submission
from grader.serialization import from_json
from grader.wire.judge import BEGINS, read_frame

TRIES = 3
"""How often a job is tried when the fault is ours, before its submission stays ungraded."""

JUDGE_SLACK_S = 10.0
"""How much more of its own processor time a judge may take for a check than twice its limit."""


@dataclass(frozen=True)
class Try:
    """A job's place in the queue. `died_in`: in which checks judges died before."""

    job: Job
    number: int = 1
    died_in: tuple[str, ...] = ()


@dataclass
class Active:
    """A job in the hands of a judge, which is at `check`; before that, it had used `cpu_s`.

    `notes` are on cells that could not be read, and `python` is what the notebook is from.
    """

    attempt: Try
    connection: socket.socket
    started: float
    notes: tuple[Problem, ...]
    python: str
    device: str
    kills_before: int
    judge_pid: int | None = None
    check: str = ""
    cpu_s: float = 0.0
    died: bool = False
    overran: bool = False
    overdue: bool = False

    def begins(self, check: str) -> None:
        """Its judge begins with a check."""
        self.check = check
        self.cpu_s = self._cpu_used_s()

    def takes_too_long(self) -> bool:
        """Whether the judge is in an operation that its own limit does not cut off."""
        job = self.attempt.job
        limits = [one.timeout_s for one in job.suite.checks if one.id == self.check]
        if not limits or self.judge_pid is None:
            return False
        most_s = 2 * (limits[0] or job.limits.check_s) + JUDGE_SLACK_S
        return self._cpu_used_s() - self.cpu_s > most_s

    def attributed(self, run: Run, attempt: Try) -> Run:
        """A run that came about because the judge died, as whose doing that was.

        Too much processor time is the submission's: what it returned has kept the judge busy. Else
        the job is tried again; what happens on every try is the submission's too.
        """
        if not self.died:
            return run
        where = f" in `{self.check}`" if self.check else ""
        busy = f"stopped{where}: what it returned takes too long to check"
        every_time = len(attempt.died_in) >= TRIES and len(set(attempt.died_in)) == 1
        if self.overran or (self.overdue and attempt.number >= TRIES):
            return ended(attempt.job, EndingKind.TIME, busy)
        if every_time and self.check and attempt.died_in[0]:
            text = f"what it returned ended the process that checks it, {TRIES} times{where}"
            return ended(attempt.job, EndingKind.SIGNAL, text)
        return run

    def _cpu_used_s(self) -> float:
        return 0.0 if self.judge_pid is None else spent_by(self.judge_pid).cpu_s


def left_out(submission: Submission, note: str) -> Problem:
    """What a person should know of a notebook of which a cell could not be read."""
    return Problem(
        kind=ProblemKind.NOTEBOOK,
        message=note,
        where=submission.name,
        hint="all its other cells were run",
        student=submission.student,
        assignment=submission.assignment,
    )


def receive(entry: Active) -> Run | None:
    """Read one frame of a job: first the judge's pid, then which check begins, last the run."""
    try:
        frame = read_frame(entry.connection)
        if entry.judge_pid is None:
            entry.judge_pid = int(frame)
            return None
        if frame.startswith(BEGINS):
            entry.begins(frame.removeprefix(BEGINS).decode())
            return None
        run = from_json(frame, Run)
    except (EOFError, OSError):
        entry.died = True
        return ended(entry.attempt.job, EndingKind.FAULT, "the judge ended while grading")
    run = msgspec.structs.replace(run, problems=entry.notes + run.problems)
    return with_pythons(run, entry.python)


def ended(job: Job, kind: EndingKind, message: str) -> Run:
    """A run that ended before anything was asked."""
    return Run(submission=job.submission, ending=Ending(kind=kind, message=message))


def unreadable(job: Job, error: IntakeError) -> Run:
    """The run of a job whose file can't be read."""
    kind = ProblemKind.TOO_MUCH if isinstance(error, OverBudget) else ProblemKind.UNREADABLE
    ending = Ending(EndingKind.UNREADABLE, error.message, kind, error.hint)
    return Run(submission=job.submission, ending=ending)


def kill(pid: int) -> None:
    """End a process that may be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
