"""One submission tried again, by hand: some checks, behind the same wall, and nothing is kept."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

import msgspec

from grader.config.course import Course
from grader.errors import GraderFault, IntakeError, UsageError
from grader.gradebook import Gradebook
from grader.intake.originals import Originals
from grader.intake.readings import Readings
from grader.judging.choosing import chosen_checks, require_meant
from grader.judging.crew import Crew
from grader.model import (
    MOST_SECONDS,
    Cell,
    Ending,
    EndingKind,
    Limits,
    Run,
    Submission,
    Suite,
    Value,
)
from grader.serialization import from_json
from grader.store.fingerprint import suite_digests
from grader.wire.judge import BEGINS, ByHand, JobRequest, read_frame

SLACK_S = 60.0
"""How long past its limit a trial may take before its judge is given up."""


class Case(Value, frozen=True):
    """A submission with what it was graded with: the same seed asks the same."""

    submission: Submission
    seed: int = 0
    device: str = "cpu"


class Trial(Value, frozen=True):
    """What came of one trial, and from which seed."""

    seed: int
    run: Run


def find_case(gradebook: Gradebook, student: str, assignment: str, where: Path) -> Case:
    """Return what an earlier run has graded; of several attempts, the one that counts.

    Raises:
        UsageError: it was not graded, or the gradebook does not say where its file lies.
    """
    score = next(
        (s for s in gradebook.scores if (s.student, s.assignment) == (student, assignment)), None
    )
    if score is None or not score.digest:
        raise UsageError(
            f"{student} has handed in nothing for {assignment} that was graded", where=str(where)
        )
    found = Originals(gradebook).of(score)
    if found is None:
        raise UsageError(
            "this gradebook does not say where the file lies",
            where=str(where),
            hint="say it with `--submissions PATH`, or grade again",
        )
    submission, origin = found
    return Case(submission, origin.seed, origin.device)


def with_code(cells: Sequence[Cell], path: Path) -> tuple[Cell, ...]:
    """Return cells as an instructor's file changes them.

    A script is one more cell after the student's, so that its definitions come in the place of
    theirs. A notebook takes the place of all of them.

    Raises:
        UsageError: it can't be read.
    """
    try:
        reading = Readings().cells(path.read_bytes(), path.name)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UsageError(f"the code can't be read ({reason})", where=str(path)) from None
    except IntakeError as error:
        raise UsageError(error.message, where=str(path), hint=error.hint) from None
    if path.suffix.lower() != ".py":
        return reading.cells
    after = max((cell.number for cell in cells), default=0)
    more = tuple(Cell(number=after + cell.number, source=cell.source) for cell in reading.cells)
    return (*cells, *more)


class Trials:
    """Tries one assignment's checks: a judge, a zygote, and the wall, always.

        with Trials(course, "blocks") as trials: trials.run(...)

    Raises:
        GraderError: this system has no wall.
    """

    def __init__(self, course: Course, assignment: str) -> None:
        self._limits = course.limits
        self._assignment = assignment
        self._crew = Crew(course, suite_digests(course, [assignment]))

    def __enter__(self) -> Trials:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._crew.close()

    @property
    def suite(self) -> Suite:
        """The assignment's checks.

        Raises:
            SuiteError: they can't be used.
        """
        return self._crew.describe()[self._assignment]

    def meant(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """The ids of the checks that patterns mean; all without any.

        Raises:
            UsageError: one means none.
        """
        require_meant([self.suite], patterns)
        return chosen_checks(self.suite, patterns or ["*"])

    def run(
        self, case: Case, cells: Sequence[Cell], checks: Sequence[str], seeds: Sequence[int]
    ) -> Iterator[Trial]:
        """Run checks, with what they require, once from each seed.

        Raises:
            GraderFault: nothing can be graded here, or the judge ended.
        """
        for seed in seeds:
            yield Trial(seed, self._tried(_request(case, cells, checks, seed, self._limits)))

    def by_hand(
        self, case: Case, cells: Sequence[Cell], checks: Sequence[str], what: ByHand, terminal: int
    ) -> Run:
        """Let a person work in the judge, at a terminal; no time limit ends a check meanwhile.

        Raises:
            GraderFault: nothing can be graded here, or the judge ended.
        """
        limits = msgspec.structs.replace(self._limits, wall_s=MOST_SECONDS, check_s=MOST_SECONDS)
        request = msgspec.structs.replace(
            _request(case, cells, checks, case.seed, limits),
            by_hand=what,
            terminal=os.environ.get("TERM", "dumb"),
        )
        with _as_it_was(terminal):
            return self._tried(request, terminal)

    def _tried(self, request: JobRequest, terminal: int | None = None) -> Run:
        self._crew.wait_ready()
        connection = self._crew.ask(request, terminal)
        connection.settimeout(request.limits.wall_s + SLACK_S)
        try:
            with connection:
                read_frame(connection)  # who grades it
                while (frame := read_frame(connection)).startswith(BEGINS):
                    pass
        except TimeoutError:
            text = "stopped: what it returned takes too long to check"
            ending = Ending(kind=EndingKind.TIME, message=text)
            return Run(submission=request.submission, ending=ending)
        except (EOFError, OSError):
            raise GraderFault("the judge ended", where=self._crew.last_words()) from None
        return from_json(frame, Run)


def _request(
    case: Case, cells: Sequence[Cell], checks: Sequence[str], seed: int, limits: Limits
) -> JobRequest:
    return JobRequest(
        submission=case.submission,
        cells=tuple(cells),
        device=case.device,
        seed=seed,
        limits=limits,
        checks=tuple(checks),
    )


@contextlib.contextmanager
def _as_it_was(terminal: int) -> Iterator[None]:
    """Leave a terminal as it was, however what runs there ends."""
    import termios

    before = termios.tcgetattr(terminal)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)
