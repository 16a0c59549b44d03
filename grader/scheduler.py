"""Jobs over slots: one warm judge, one warm zygote, as many submissions at once as there are slots.

`Engine` starts both processes at once, so that they warm up while submissions are discovered.
Results come as they finish; nothing depends on their order.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

import msgspec

from grader.config import Course
from grader.errors import GraderFault, IntakeError, SuiteError
from grader.intake import read_submission
from grader.judge_protocol import JobRequest, JudgeSetup, Ready, read_frame, write_frame
from grader.model import Assignment, Ending, EndingKind, Job, Run, Suite
from grader.notebook import read_cells
from grader.worker.launch import Zygote

TRIES = 2
"""A fault of ours is tried once more before a submission stays ungraded."""

SLACK_S = 60.0
"""How long past its limit a job may take before its judge is given up."""


@dataclass
class _Active:
    job: Job
    attempt: int
    connection: socket.socket
    started: float
    judge_pid: int | None = None


class Engine:
    """A judge and, unless it only describes suites, a zygote to fork workers from.

    Args:
        course: what to grade with.
        grade: False starts no zygote: suites can be listed, nothing can be graded.
        sandbox: False gives up the wall's isolation; reports say so.
        assignments: ids to load suites for; all when empty.

    Raises:
        SuiteError: a suite can't be used; raised on first use of `suites`.
    """

    def __init__(
        self,
        course: Course,
        *,
        grade: bool = True,
        sandbox: bool = True,
        assignments: Iterable[str] = (),
    ) -> None:
        self.course = course
        wanted = set(assignments)
        self._assignments = tuple(
            Assignment(id=a.id, title=a.title, due=a.due)
            for a in course.assignments
            if not wanted or a.id in wanted
        )
        self._suites: dict[str, Suite] | None = None
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the engine)
        self._zygote: Zygote | None = None
        if grade:
            self._zygote = Zygote(preload=course.preload, public=course.public, sandbox=sandbox)
        try:
            self._control, self._judge = self._start_judge(sandbox)
        except BaseException:
            self._end_zygote()
            raise

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def suites(self) -> dict[str, Suite]:
        """The suites by assignment id; waits for the judge the first time.

        Raises:
            SuiteError: a suite or the reference can't be used. GraderFault: the judge died.
        """
        if self._suites is None:
            try:
                ready = msgspec.json.decode(read_frame(self._control), type=Ready)
            except (EOFError, OSError):
                raise GraderFault(
                    "the judge ended at its start", where=self._last_words()
                ) from None
            if ready.error:
                raise SuiteError(ready.error, where=ready.where, hint=ready.hint)
            self._suites = {suite.assignment.id: suite for suite in ready.suites}
        return self._suites

    def run(self, jobs: Iterable[Job], slots: int) -> Generator[Run, None, None]:
        """Grade jobs, at most `slots` at once; runs come as they finish.

        Raises:
            GraderFault: the zygote or the judge can't be started.
        """
        assert self._zygote is not None, "an engine that only describes can't grade"
        self._zygote.wait_ready()
        waiting = [(job, 1) for job in jobs][::-1]
        active: dict[socket.socket, _Active] = {}
        with selectors.DefaultSelector() as selector:
            try:
                while waiting or active:
                    while waiting and len(active) < slots:
                        job, attempt = waiting.pop()
                        started = self._start(job, attempt)
                        if isinstance(started, Run):
                            yield started
                        else:
                            active[started.connection] = started
                            selector.register(started.connection, selectors.EVENT_READ)
                    for entry in self._ready(selector, active):
                        run = self._receive(entry)
                        if run is None:
                            continue
                        selector.unregister(entry.connection)
                        entry.connection.close()
                        del active[entry.connection]
                        if run.ending.kind is EndingKind.FAULT and entry.attempt < TRIES:
                            waiting.append((entry.job, entry.attempt + 1))
                        else:
                            yield run
            finally:
                for entry in active.values():
                    entry.connection.close()

    def close(self) -> None:
        """End the judge, the zygote and everything that they started."""
        self._control.close()
        self._judge.kill()
        self._judge.wait()
        self._end_zygote()
        self._log.close()

    # ------------------------------------------------------------ jobs

    def _start(self, job: Job, attempt: int) -> _Active | Run:
        """Hand a job to the judge; a file that can't be read is a run of its own kind."""
        submission = job.submission
        try:
            cells = read_cells(read_submission(submission), submission.name)
        except IntakeError as error:
            ending = Ending(kind=EndingKind.UNREADABLE, message=error.message)
            return Run(submission=submission, ending=ending)
        request = JobRequest(
            submission=submission, cells=cells, device=job.device, seed=job.seed, limits=job.limits
        )
        ours, theirs = socket.socketpair()
        try:
            socket.send_fds(self._control, [b"j"], [theirs.fileno()])
            write_frame(ours, msgspec.json.encode(request))
        except OSError:
            ours.close()
            raise GraderFault("the judge ended", where=self._last_words()) from None
        finally:
            theirs.close()
        return _Active(job, attempt, ours, time.monotonic())

    def _ready(
        self, selector: selectors.BaseSelector, active: dict[socket.socket, _Active]
    ) -> list[_Active]:
        found = [active[key.fileobj] for key, _ in selector.select(timeout=1.0)]  # type: ignore[index]
        now = time.monotonic()
        for entry in active.values():
            if now - entry.started > entry.job.limits.wall_s + SLACK_S and entry.judge_pid:
                _kill(entry.judge_pid)  # its connection ends, which is read as a fault
        return found

    def _receive(self, entry: _Active) -> Run | None:
        """Read one frame of a job: first the judge's pid, then the run."""
        try:
            frame = read_frame(entry.connection)
            if entry.judge_pid is None:
                entry.judge_pid = int(frame)
                return None
            return msgspec.json.decode(frame, type=Run)
        except (EOFError, OSError):
            message = f"the judge ended while grading: {self._last_words()}"
        return Run(
            submission=entry.job.submission, ending=Ending(kind=EndingKind.FAULT, message=message)
        )

    # ------------------------------------------------------------ processes

    def _start_judge(self, sandbox: bool) -> tuple[socket.socket, subprocess.Popen[bytes]]:
        ours, theirs = socket.socketpair()
        inherited = [theirs.fileno()]
        if self._zygote is not None:
            inherited.append(self._zygote.fileno())
        root = str(Path(__file__).resolve().parent.parent)
        code = f"import sys; sys.path.insert(0, {root!r}); from grader.judge import main; main()"
        process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", code, str(theirs.fileno())],
            pass_fds=inherited,
            env=_judge_environment(),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            cwd="/",
            start_new_session=True,  # Ctrl-C is for the grader, which then ends its own
        )
        theirs.close()
        course = self.course
        setup = JudgeSetup(
            root=str(course.root),
            assignments=self._assignments,
            checks=_text(course.checks),
            suites=_text(course.suites),
            reference=_text(course.reference),
            spawn_socket=self._zygote.fileno() if self._zygote is not None else None,
            sandbox=sandbox,
        )
        write_frame(ours, msgspec.json.encode(setup))
        return ours, process

    def _last_words(self) -> str:
        self._judge.poll()
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:500] if lines else f"exit code {self._judge.returncode}"

    def _end_zygote(self) -> None:
        if self._zygote is not None:
            self._zygote.close()


def usable_cores() -> int:
    """How many cores this process may use: affinity counts, not the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_suites(course: Course, assignments: Iterable[str] = ()) -> dict[str, Suite]:
    """Load and validate suites without grading anything.

    Raises:
        SuiteError: a suite or the reference can't be used.
    """
    with Engine(course, grade=False, assignments=assignments) as engine:
        return engine.suites


def _judge_environment() -> dict[str, str]:
    """What the judge needs of the environment; pytest's variables and plugins are left out."""
    kept = {
        name: value
        for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR")
        if (value := os.environ.get(name))
    }
    return kept | {
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "MPLBACKEND": "Agg",
    }


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
