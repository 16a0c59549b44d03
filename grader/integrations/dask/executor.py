"""The executor whose slots are threads of Dask workers, and its connection, which may be lost."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING

from grader.config.course import Course
from grader.errors import GraderFault
from grader.intake.reading import Reader
from grader.intake.readings import Readings
from grader.integrations.dask.grading import Grading
from grader.integrations.dask.session import ROUND_S, Lost, Session
from grader.judging.engine import Engine
from grader.judging.executor import Begun
from grader.model import Job, Run, Suite
from grader.store.fingerprint import suite_digests

if TYPE_CHECKING:
    from grader.integrations.dask.cluster import Cluster


class DaskExecutor:
    """See `grader.judging.executor.Executor`. It connects with its first job.

    Args:
        cluster: where.
        course: what to grade with.
        sandbox: False gives up the wall's isolation.
        assignments: ids to load suites for; all when empty.
        known: the suites, when an earlier run has described them.
        readings: not used: workers read submissions.
    """

    def __init__(
        self,
        cluster: Cluster,
        course: Course,
        *,
        sandbox: bool = True,
        assignments: Iterable[str] = (),
        known: Mapping[str, Suite] | None = None,
        readings: Readings | None = None,
    ) -> None:
        del readings
        self.course = course
        self._cluster = cluster
        self._sandbox = sandbox
        self._digests = suite_digests(
            course, tuple(assignments) or tuple(one.id for one in course.assignments)
        )
        # a judge of this machine describes the suites; it starts no zygote
        self._judge = Engine(course, grade=False, assignments=assignments, known=known)
        self._session: Session | None = None
        self._stack = contextlib.ExitStack()
        self._most_slots = 0

    def __enter__(self) -> DaskExecutor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def knew_suites(self) -> bool:
        """See `Executor`."""
        return self._judge.knew_suites

    @property
    def suites(self) -> dict[str, Suite]:
        """See `Executor`."""
        suites = self._judge.suites
        self._judge.close()
        return suites

    def slots(self, asked: int | None = None) -> int:
        """As many as the threads of all workers, as far as is known; fewer if fewer are asked."""
        return min(asked or self._most_slots, self._most_slots) or 1

    def close(self) -> None:
        """End everything that was started, on the cluster, too."""
        self._judge.close()
        self._disconnect()

    def run(
        self, jobs: Iterable[Job], slots: int | None = None, begun: Begun = lambda *_: None
    ) -> Generator[Run, None, None]:
        """See `Executor`."""
        grading = Grading(self._cluster, jobs, slots, begun)
        if not grading.left:
            return
        try:
            with Reader() as reader:
                while grading.left:
                    try:
                        yield from self._go_on(grading, reader)
                    except Lost as lost:
                        grading.take_back_all()
                        self._reconnect(str(lost))
        finally:
            grading.cancel()

    def _go_on(self, grading: Grading, reader: Reader) -> Generator[Run, None, None]:
        session = self._connected()
        while grading.left:
            yield from grading.send(session, reader)
            yield from grading.hear(session)
            self._most_slots = max(self._most_slots, session.slots())
            grading.watch(session)

    # ------------------------------------------------------------ the connection

    def _connected(self) -> Session:
        if self._session is None:
            self._session = self._stack.enter_context(
                Session.opened(self._cluster, self.course, self._digests, sandbox=self._sandbox)
            )
        return self._session

    def _disconnect(self) -> None:
        self._session = None
        self._stack.close()

    def _reconnect(self, reason: str) -> None:
        """Wait for the scheduler, or whoever takes its place.

        Raises:
            NobodyGrades: nobody came.
        """
        cluster = self._cluster
        cluster.tell(f"{reason}: waiting up to {cluster.wait_s:g} s for it to come back")
        deadline = time.monotonic() + cluster.wait_s
        self._disconnect()
        while True:
            try:
                self._connected()
                return
            except GraderFault as fault:
                self._disconnect()
                if time.monotonic() > deadline or cluster.address.local:
                    raise cluster.gave_up(str(fault)) from None
                time.sleep(ROUND_S)
