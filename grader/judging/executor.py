"""The one seam between what is to be graded and who grades it.

The engine of this machine and a cluster are its two implementations; nobody else knows which it is.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from types import TracebackType
from typing import Protocol

from grader.config.course import Course
from grader.intake.readings import Readings
from grader.model import Job, Run, Suite

Begun = Callable[..., None]
"""Hears of a submission, and of the host when it is another one, as its grading begins."""


class Executor(Protocol):
    """Grades jobs: they go in, runs come out as they finish."""

    @property
    def course(self) -> Course:
        """What it grades with."""

    @property
    def knew_suites(self) -> bool:
        """Whether nobody had to ask a judge for the suites."""

    @property
    def suites(self) -> dict[str, Suite]:
        """The suites by assignment id.

        Raises:
            SuiteError: a suite or the reference can't be used. GraderFault: the judge died.
        """

    def run(
        self, jobs: Iterable[Job], slots: int | None = None, begun: Begun = ...
    ) -> Generator[Run, None, None]:
        """Grade jobs, in about their order, each once; runs come as they finish.

        Args:
            jobs: what to grade.
            slots: how many at once at most; as many as there is room for if not given.
            begun: hears of each submission as its grading begins.

        Raises:
            GraderFault: nothing can be graded. SuiteError: the suites have changed meanwhile.
            NobodyGrades: those who graded are gone, and did not come back.
        """

    def slots(self, asked: int | None = None) -> int:
        """How many submissions are graded at once."""

    def close(self) -> None:
        """End everything that was started."""

    def __enter__(self) -> Executor: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Starts(Protocol):
    """Starts an executor: see `grader.judging.engine.Engine`."""

    def __call__(
        self,
        course: Course,
        *,
        sandbox: bool = True,
        assignments: Iterable[str] = (),
        known: Mapping[str, Suite] | None = None,
        readings: Readings | None = None,
    ) -> Executor:
        """Start it."""
