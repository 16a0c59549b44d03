"""Jobs over slots: as many submissions at once as there are slots, on one warm crew.

Results come as they finish; nothing depends on their order. A judge, zygote or worker that dies
costs the jobs that it was busy with one of their tries, and is replaced.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import replace
from types import TracebackType

from grader.config.course import Course
from grader.errors import GraderFault, IntakeError, SuiteError
from grader.intake.reading import Reader, Source, read_submission
from grader.intake.readings import ReadingBudget, Readings
from grader.jail.cgroups import kills_when_out_of_memory
from grader.judging.attempts import TRIES, Active, Try, ended, kill, left_out, receive, unreadable
from grader.judging.crew import Crew
from grader.judging.executor import Begun
from grader.judging.gpus import Leases, find_gpus
from grader.model import EndingKind, Job, Run, Suite
from grader.store.fingerprint import suite_digests
from grader.wire.judge import JobRequest

REPLACEMENTS = 3
"""How many crews may die in a row without grading anything before the grader gives up."""

SLACK_S = 60.0
"""How long past its limit a job may take before its judge is given up."""

MOMENT_S = 0.05
"""After a fault, the time that the kernel may take to tell who died."""


def _never() -> bool:
    return False


class Engine:
    """Grades jobs. Its processes start at once, or, when the suites are known, with the first job.

    Several threads may call `run` at once: they share the crew.

    Args:
        course: what to grade with.
        grade: False: suites can be listed, nothing can be graded.
        sandbox: False gives up the wall's isolation; reports say so.
        assignments: ids to load suites for; all when empty.
        known: the suites, when an earlier run has described them.
        readings: remembers what files said in earlier runs.

    Attributes:
        knew_suites: whether nobody had to ask a judge for them.

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
        known: Mapping[str, Suite] | None = None,
        readings: Readings | None = None,
    ) -> None:
        self._readings = readings or Readings()
        self.course = course
        self._grade = grade
        self._sandbox = sandbox
        self.knew_suites = known is not None
        self._suites = None if known is None else dict(known)
        wanted = set(assignments) or {assignment.id for assignment in course.assignments}
        self._digests = (
            suite_digests(course, wanted)
            if known is None
            else {name: suite.digest for name, suite in known.items()}
        )
        self._lock = threading.RLock()
        self._leases = Leases(find_gpus(), course.workers_per_gpu)
        self._crew: Crew | None = self._new_crew() if known is None else None
        self._has_worked = False
        self._died_in_a_row = 0

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
            assert self._crew is not None
            self._suites = self._crew.describe()
        return self._suites

    def run(
        self,
        jobs: Iterable[Job],
        slots: int | None = None,
        begun: Begun = lambda *_: None,
        *,
        source: Source | None = None,
        budget: ReadingBudget | None = None,
        stopped: Callable[[], bool] = _never,
    ) -> Generator[Run, None, None]:
        """Grade jobs, at most `slots` at once, in their order; runs come as they finish.

        Args:
            jobs: what to grade.
            slots: how many at once; as many as there are cores if not given.
            begun: hears of each submission as its grading begins.
            source: where submissions are read; the disk if not given.
            budget: what reading them may cost; one for each student if not given.
            stopped: asked about once a second: whether nobody wants the rest any more.

        Raises:
            GraderFault: the zygote or the judge can't be started.
            SuiteError: the suites are not those that the jobs were planned with.
        """
        waiting = deque(Try(job) for job in jobs)
        slots = self.slots(slots)
        active: dict[socket.socket, Active] = {}
        budgets: dict[str, ReadingBudget] = defaultdict(ReadingBudget)
        with selectors.DefaultSelector() as selector, Reader() as disk:
            reader = source or disk
            try:
                while (waiting or active) and not stopped():
                    while waiting and len(active) < slots:
                        device = self._lease(waiting[0].job.device)
                        if device is None:
                            break
                        attempt = waiting.popleft()
                        spent = budget or budgets[attempt.job.submission.student]
                        started = self._start(attempt, reader, device, spent)
                        if isinstance(started, Active):
                            active[started.connection] = started
                            selector.register(started.connection, selectors.EVENT_READ)
                            begun(attempt.job.submission)
                            continue
                        self._give(device)
                        if self._stands(started, attempt, waiting):
                            yield started
                    for entry in self._ready(selector, active):
                        run = receive(entry)
                        if run is None:
                            continue
                        selector.unregister(entry.connection)
                        entry.connection.close()
                        del active[entry.connection]
                        self._give(entry.device)
                        attempt = self._judged_dead(entry) if entry.died else entry.attempt
                        run = entry.attributed(run, attempt)
                        if self._stands(run, attempt, waiting):
                            yield run
            finally:
                for entry in active.values():
                    entry.connection.close()
                    self._give(entry.device)

    def slots(self, asked: int | None = None) -> int:
        """How many submissions are graded at once: as many as there are cores if none is asked."""
        return asked or usable_cores()

    def warm_up(self) -> None:
        """Wait until submissions can be graded, and the first time let one try to break out.

        Raises:
            GraderFault: nothing can be graded here. SuiteError: a suite can't be used.
        """
        with self._lock:
            self._ready_crew()

    def close(self) -> None:
        """End the judge, the zygote and everything that they started."""
        with self._lock:
            if self._crew is not None:
                self._crew.close()
                self._crew = None

    # ------------------------------------------------------------ jobs

    def _start(
        self, attempt: Try, reader: Source, device: str, budget: ReadingBudget
    ) -> Active | Run:
        """Hand a job to the judge; what can't be read or handed over is a run of its own kind."""
        job = attempt.job
        try:
            with budget.spending():
                content = read_submission(job.submission, reader)
                reading = self._readings.cells(content, job.submission.name)
        except IntakeError as error:
            return unreadable(job, error)
        request = JobRequest(
            submission=job.submission,
            cells=reading.cells,
            device=device,
            seed=job.seed,
            limits=job.limits,
            last_try=attempt.number >= TRIES,
            until_lost=job.until_lost,
            first=job.first,
            checks=job.checks,
            known_to_pass=job.known_to_pass,
        )
        try:
            with self._lock:
                connection = self._ready_crew().ask(request)
        except GraderFault as fault:
            if not self._has_worked:
                raise
            return ended(job, EndingKind.FAULT, str(fault))
        notes = tuple(left_out(job.submission, note) for note in reading.notes)
        kills = kills_when_out_of_memory()
        return Active(attempt, connection, time.monotonic(), notes, reading.python, device, kills)

    def _stands(self, run: Run, attempt: Try, waiting: deque[Try]) -> bool:
        """Whether a run is the job's result; after a fault of ours it waits for another try."""
        if run.ending.kind is not EndingKind.FAULT:
            self._died_in_a_row = 0
            return True
        if self._crew is not None and self._crew.alive:
            time.sleep(MOMENT_S)
        if run.certain or attempt.number >= TRIES or self._died_in_a_row > REPLACEMENTS:
            return True
        waiting.append(Try(attempt.job, attempt.number + 1, attempt.died_in))
        return False

    def _judged_dead(self, entry: Active) -> Try:
        """A job's try with the check in which its judge died, if nobody else is known to blame."""
        time.sleep(MOMENT_S)
        crew_lives = self._crew is not None and self._crew.alive
        blameless = crew_lives and kills_when_out_of_memory() == entry.kills_before
        check = entry.check if blameless else ""
        return replace(entry.attempt, died_in=(*entry.attempt.died_in, check))

    def _ready(
        self, selector: selectors.BaseSelector, active: dict[socket.socket, Active]
    ) -> list[Active]:
        """Wait for a job that has news; end the judge of one that is long overdue."""
        found = [active[key.fileobj] for key, _ in selector.select(timeout=1.0)]  # type: ignore[index]
        now = time.monotonic()
        for entry in active.values():
            entry.overdue = now - entry.started > entry.attempt.job.limits.wall_s + SLACK_S
            entry.overran = entry.overran or entry.takes_too_long()
            if entry.overdue or entry.overran:
                # its connection ends, which is read as its death
                if entry.judge_pid is not None:
                    kill(entry.judge_pid)
                else:
                    self._lose_crew()  # it did not even begin: the judge hangs
        return found

    # ------------------------------------------------------------ processes

    def _new_crew(self) -> Crew:
        return Crew(self.course, self._digests, grade=self._grade, sandbox=self._sandbox)

    def _ready_crew(self) -> Crew:
        """The crew, after replacing a dead one.

        Raises:
            GraderFault: none can be had. SuiteError: it reads other suites than were planned with.
        """
        if self._crew is not None and not self._crew.alive:
            self._lose_crew()
        if self._died_in_a_row > REPLACEMENTS:
            raise GraderFault(
                f"the grader's own processes died {self._died_in_a_row} times in a row",
                hint="run `grader doctor`",
            )
        if self._crew is None:
            self._crew = self._new_crew()
        if self._crew.describe() != self.suites:
            raise SuiteError(
                "the checks have changed while they were in use",
                where=", ".join(str(p) for p in (self.course.checks, self.course.suites) if p),
                hint="grade again when nobody is editing them",
            )
        self._crew.wait_ready()
        self._has_worked = True
        return self._crew

    def _lose_crew(self) -> None:
        with self._lock:
            self._died_in_a_row += 1
            self.close()

    def _lease(self, device: str) -> str | None:
        with self._lock:
            return self._leases.take(device)

    def _give(self, device: str) -> None:
        with self._lock:
            self._leases.give(device)


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
