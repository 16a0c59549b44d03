"""The jobs of one run on a cluster: those that wait, those on their way, and who died of what.

A few submissions for each slot are on the way at any time, no more, so that memory is flat however
large a class is. Dask gives a worker's submissions to another one when it dies; what is counted
here is which submissions were *running* when workers died. The second time, a submission waits
until all others are done and then runs alone; a third worker that dies of it is the last.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from grader.errors import IntakeError, told
from grader.intake.reading import Reader, read_submission
from grader.intake.readings import ReadingBudget
from grader.integrations.dask.messages import Answer, News, Order, Said
from grader.integrations.dask.session import ROUND_S, Gone, Session, cancel
from grader.judging.attempts import TRIES, ended, unreadable
from grader.judging.executor import Begun
from grader.model import EndingKind, Job, Run
from grader.serialization import from_json, to_json

if TYPE_CHECKING:
    from grader.integrations.dask.cluster import Cluster

PATIENCE_S = 1.0
"""After so long without anybody who grades it is asked why."""

OTHERS_S = 10.0
"""When all refuse, so long others may come that don't."""

WARM_S = 60.0
"""So long a worker may take to get ready, before it counts as none."""

SUSPECT = TRIES - 1
"""So many workers died while a submission ran: it runs alone from now on."""


KILLED = "KilledWorker"
INNOCENT = frozenset({"NoValidWorkerError", "CancelledError", "FutureCancelledError", "Stopped"})
"""What a task fails with for no reason of its own."""


@dataclass(eq=False)
class Task:
    """A job on its way. `deaths`: of workers while it ran; `errors`: other faults of ours."""

    job: Job
    deaths: int = 0
    errors: int = 0
    key: str = ""
    future: Any = field(default=None, repr=False)
    runs_on: str = ""

    @property
    def suspect(self) -> bool:
        """Whether it must run alone."""
        return self.deaths >= SUSPECT


class Grading:
    """The jobs of one call of `run`: those that wait, and those on their way."""

    def __init__(
        self, cluster: Cluster, jobs: Iterable[Job], most: int | None, begun: Begun
    ) -> None:
        self._cluster = cluster
        self._jobs = iter(jobs)  # a task is made when it is sent: there may be very many jobs
        self._waiting: deque[Task] = deque()
        self._suspects: deque[Task] = deque()
        self._sent: dict[str, Task] = {}
        self._most = most
        self._begun = begun
        self._budgets: dict[str, ReadingBudget] = defaultdict(ReadingBudget)
        self._nobody_since: float | None = None
        self._told = ""
        self._graded = 0

    @property
    def left(self) -> bool:
        """Whether anything has no result yet."""
        return bool(self._first_waiting() or self._suspects or self._sent)

    # ------------------------------------------------------------ sending

    def send(self, session: Session, reader: Reader) -> Generator[Run, None, None]:
        """Send as many as there is room for; what can't be read is a run at once."""
        while (task := self._next(session)) is not None:
            job = task.job
            try:
                with self._budgets[job.submission.student].spending():
                    content = read_submission(job.submission, reader)
            except IntakeError as error:
                yield unreadable(job, error)
                continue
            task.key, task.runs_on = f"grade-{uuid.uuid4().hex}", ""
            self._sent[task.key] = task
            order = to_json(Order.of(job))
            task.future = session.submit(task.key, order, content, gpu=job.device != "cpu")

    def _first_waiting(self) -> Task | None:
        """The task that is sent next, but for those that must run alone."""
        if not self._waiting:
            self._waiting.extend(Task(job) for job in itertools.islice(self._jobs, 1))
        return self._waiting[0] if self._waiting else None

    def _next(self, session: Session) -> Task | None:
        first = self._first_waiting()
        if first is not None:
            room = self._room(session, first.job.device != "cpu")
            return self._waiting.popleft() if len(self._sent) < room else None
        if self._suspects and not self._sent and session.slots(self._needs_gpu()):
            return self._suspects.popleft()
        return None

    def _room(self, session: Session, gpu: bool) -> int:
        """How many may be on their way: some wait at the workers, so that no slot does."""
        slots = session.slots(gpu)
        if self._most is not None:
            return min(self._most, slots)
        return slots + max(2, slots // 2) if slots else 0

    def _needs_gpu(self) -> bool:
        first = self._first_waiting() or next(iter(self._suspects), None)
        return first is not None and first.job.device != "cpu"

    # ------------------------------------------------------------ hearing

    def hear(self, session: Session) -> Generator[Run, None, None]:
        """Wait for news, and take all there is.

        Raises:
            Lost: the scheduler is gone.
        """
        wait_s = ROUND_S
        with contextlib.suppress(queue.Empty):
            while True:
                key, news = session.news(wait_s)
                wait_s = 0.0
                run = self._heard(session, key, news)
                if run is not None:
                    self._graded += 1
                    yield run

    def _heard(self, session: Session, key: str, news: object) -> Run | None:
        if isinstance(news, Said):
            self._told_by_worker(session, news)
            return None
        if isinstance(news, Gone):
            return self._worker_gone(session, news)
        task = self._sent.get(key)
        if task is None:  # taken back meanwhile
            return None
        if isinstance(news, bytes):
            return self._answered(task, from_json(news, Answer))
        return self._failed(session, task, news)

    def _told_by_worker(self, session: Session, said: Said) -> None:
        if said.news is News.BEGUN:
            if task := self._sent.get(said.key):
                task.runs_on = said.worker
                self._begun(task.job.submission, said.host)
            return
        had = session.slots()
        if session.joined(said):
            self._cluster.tell(f"{said.host} ({said.worker}) grades nothing: {said.reason}")
            self._take_back(lambda task: not task.runs_on)
        elif not had:  # what waited for the others is not given to it by itself
            self._take_back(lambda task: not task.runs_on)

    def _worker_gone(self, session: Session, gone: Gone) -> Run | None:
        host = session.host(gone.worker)
        if not session.left(gone.worker):
            return None
        ran = [task for task in self._sent.values() if task.runs_on == gone.worker]
        for task in ran:
            task.runs_on = ""
            task.deaths += not gone.expected
        if not gone.expected:
            self._cluster.tell(f"a worker is gone: {host}")
        dead = [task for task in ran if task.deaths >= TRIES]
        self._take_back(lambda task: task.suspect or not session.slots())
        for task in dead:  # one at most: it ran alone
            self._suspects.remove(task)
            return ended(
                task.job, EndingKind.FAULT, f"{task.deaths} workers died while they graded it"
            )
        return None

    def _answered(self, task: Task, answer: Answer) -> Run | None:
        del self._sent[task.key]
        self._budgets[task.job.submission.student].seconds += answer.reading_s
        ours = answer.run.ending.kind in (EndingKind.FAULT, EndingKind.REFUSED)
        task.errors += ours and not answer.unfit
        if ours and task.errors < TRIES:
            self._waiting.append(task)
            return None
        return answer.run

    def _failed(self, session: Session, task: Task, error: object) -> Run | None:
        """Dask could not carry a task out: what died of others' doing is sent again."""
        session.require_connection()
        del self._sent[task.key]
        kind = type(error).__name__
        if kind == KILLED and not task.suspect:  # or it waited where others' doing killed workers
            task.deaths = SUSPECT
            self._suspects.append(task)
            return None
        task.errors += TRIES if kind == KILLED else kind not in INNOCENT
        if task.errors >= TRIES:
            said = told(error) if isinstance(error, BaseException) else str(error)
            return ended(task.job, EndingKind.FAULT, f"the cluster could not grade it: {said}")
        self._waiting.append(task)
        return None

    def _take_back(self, which: Callable[[Task], bool]) -> None:
        """Take tasks off the cluster, to be sent again before all others, or alone at the end."""
        back = [task for task in self._sent.values() if which(task)]
        for task in reversed(back):
            del self._sent[task.key]
            cancel(task.future)
            task.future = None
            (self._suspects if task.suspect else self._waiting).appendleft(task)

    def take_back_all(self) -> None:
        """The cluster is gone with all that was on its way."""
        self._take_back(lambda _: True)

    def cancel(self) -> None:
        """Nobody wants what is on its way."""
        for task in self._sent.values():
            cancel(task.future)

    # ------------------------------------------------------------ whether anybody grades

    def watch(self, session: Session) -> None:
        """Say so when nobody grades, and give up when nobody has come for long.

        Raises:
            GraderFault: everybody who is there has refused. NobodyGrades: nobody came.
            Lost: the scheduler is gone.
        """
        session.require_connection()
        if not self.left or session.slots(self._needs_gpu()):
            self._nobody_since, self._told = None, ""
            return
        now = time.monotonic()
        if self._nobody_since is None:
            self._nobody_since = now
        if now - self._nobody_since < PATIENCE_S:
            return
        reason, soon = session.why_nobody(gpu=self._needs_gpu())
        patient_s = min(OTHERS_S, self._cluster.wait_s)
        if not self._graded and now - self._nobody_since > patient_s:
            session.require_somebody()
        wait_s = max(self._cluster.wait_s, WARM_S if soon else 0.0)
        if now - self._nobody_since > wait_s:
            raise self._cluster.gave_up(reason)
        if reason != self._told and (not soon or now - self._nobody_since > OTHERS_S):
            self._told = reason
            self._cluster.tell(f"{reason}: waiting up to {self._cluster.wait_s:g} s for one")
