"""What a submission's checks come to, one by one, and whose fault it is when one raises.

This runs in a judge; `grader/judging/session.py` has the session that is examined, in its worker.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Protocol

import pytest

from grader.errors import GraderFault
from grader.judging.choosing import function_of, with_required
from grader.judging.evidence import check_line, with_evidence
from grader.judging.known_texts import Known, name_known_answers
from grader.judging.libraries import how_to_install, missing_from_course
from grader.judging.processor_time import Overrun
from grader.judging.session import Session, derive_seed
from grader.judging.transcript import Transcript
from grader.judging.worker_link import WorkerLink
from grader.model import (
    Check,
    Ending,
    EndingKind,
    Outcome,
    Problem,
    ProblemKind,
    Run,
    Status,
    Submission,
    Suite,
)
from grader.testing.handles import SubmissionNames
from grader.testing.links import NotDefined, StudentError, WorkerStopped
from grader.testing.suites import where
from grader.testing.tellings import Tellings
from grader.testing.verdicts import in_words, outcome_of
from grader.wire.judge import JobRequest
from grader.wire.places import PLACES

MAX_TOLD = 500
"""Characters that are told of what a check raised: it may hold what the submission returned."""

MAX_OVERRUNS = 3
"""How many checks may take too much of the judge's own time before the others are not run."""


class CertainFault(GraderFault):
    """A fault of the course's own code: another try would take as long, and come to the same."""


class RunItem(Protocol):
    """Runs one test function; what it raised comes back."""

    def __call__(
        self,
        item: pytest.Item,
        seed: int,
        names: Callable[[], SubmissionNames],
        processor_s: float,
        transcript: Transcript | None = None,
        /,
    ) -> BaseException | None:
        """Run it from a seed, on a submission, within so much of the judge's processor time."""


class Examination:
    """One submission before its suite.

    Args:
        request: the submission and its limits.
        suite: the checks.
        items: a test function for each of them.
        run_item: runs one.
        begins: hears of each check that begins.
        spawn: starts a worker and returns its link.
        reference: the reference package, which tells a broken check from a broken submission.
        known: texts of the course that are no work of a student's.
        material: where the course's own code is.
    """

    def __init__(
        self,
        request: JobRequest,
        suite: Suite,
        items: Sequence[pytest.Item],
        *,
        run_item: RunItem,
        begins: Callable[[str], None],
        spawn: Callable[[], WorkerLink],
        reference: ModuleType | None,
        known: Known | None = None,
        material: Sequence[str] = (),
    ) -> None:
        self._request = request
        self._suite = suite
        self._items = items
        self._run_item = run_item
        self._begins = begins
        self._reference = reference
        self._seed_of = partial(derive_seed, request.seed, suite.digest, request.submission.digest)
        self._session = Session(
            request.submission,
            request.cells,
            request.limits,
            spawn,
            self._seed_of,
            request.torch_device,
            compare=bool(known),
        )
        self._tellings = Tellings(request.cells)
        self._sources = tuple((cell.number, cell.source) for cell in request.cells)
        self._overruns = 0
        self._has_lost = False
        self._transcript = Transcript()
        self._check_line: int | None = None
        self._known = known or {}
        self._material = tuple(map(Path, material))
        self._outcomes: dict[str, Outcome] = {}
        self._problems: list[Problem] = []

    def run(self) -> Run:
        """Run all checks, each after those that it requires."""
        session = self._session
        fault: Ending | None = None
        certain = False
        try:
            for check, item in in_order(*self._asked_for(), self._request.first):
                outcome = self._outcomes[check.id] = self._outcome(check, item)
                self._has_lost |= check.points > 0 and outcome.status is not Status.PASSED
            self._require_libraries()
        except GraderFault as error:
            fault = Ending(kind=EndingKind.FAULT, message=f"{error}")
            certain = isinstance(error, CertainFault)
        finally:
            session.close()
        if session.starved and not self._request.last_try:
            fault = Ending(kind=EndingKind.FAULT, message="the machine ran out of memory")
            certain = False
        submission = self._request.submission
        self._problems += name_known_answers(self._known, session.definitions, submission)
        self._problems += _name_places(session.imported_elsewhere, submission)
        return Run(
            submission=submission,
            outcomes=() if fault else self._outcomes_in_suite_order(),
            ending=fault or session.ending or Ending(),
            cell_errors=tuple(
                session.cell_errors[number] for number in sorted(session.cell_errors)
            ),
            output=session.output,
            isolation=session.isolation,
            usage=session.usage(),
            problems=tuple(self._problems),
            certain=certain,
        )

    def _require_libraries(self) -> None:
        """See that what was lost was not lost for want of a library.

        Raises:
            GraderFault: one of the course's is missing here.
        """
        if self._has_lost:
            missing = missing_from_course(self._session.cell_errors.values(), self._material)
            if missing is not None:
                raise missing

    def _asked_for(self) -> tuple[Sequence[Check], Sequence[pytest.Item]]:
        """The checks that are run, and their items: all, or some with what they require."""
        checks, items = self._suite.checks, self._items
        if not self._request.checks:
            return checks, items
        item_of = dict(zip((check.id for check in checks), items, strict=True))
        some = with_required(checks, self._request.checks)
        return some, [item_of[check.id] for check in some]

    def _outcomes_in_suite_order(self) -> tuple[Outcome, ...]:
        found = (self._outcomes.get(check.id) for check in self._suite.checks)
        return tuple(outcome for outcome in found if outcome is not None)

    def _outcome(self, check: Check, item: pytest.Item) -> Outcome:
        session = self._session
        if check.id in self._request.known_to_pass:
            return Outcome(check=check.id, status=Status.PASSED)
        reason = self._why_not(check)
        if reason:
            return Outcome(check=check.id, status=Status.SKIPPED, message=reason)
        self._begins(check.id)
        started = time.perf_counter()
        error, ending = self._asked(check, item)
        if session.had_accident:
            error, ending = self._asked(check, item)
        if isinstance(error, GraderFault):
            raise error
        if isinstance(error, Overrun):
            error, ending = self._overrun(error, check, item)
        elif error is not None and not _is_verdict(error):
            error = self._whose_fault(error, check, item)
        if ending is not None:
            session.note(ending)
        outcome = outcome_of(
            check,
            error,
            round(time.perf_counter() - started, 3),
            tuple(session.cell_errors.values()),
            ending,
            self._sources,
            self._tellings,
            public=check.public and not session.confidential,
        )
        if error is None or self._request.until_lost or _is_open(error):
            return outcome
        placed = self._tellings.placed(error) if isinstance(error, StudentError) else error
        return with_evidence(outcome, placed, self._transcript, self._check_line)

    def _asked(self, check: Check, item: pytest.Item) -> tuple[BaseException | None, Ending | None]:
        """Run a check: what it raised, and how the worker ended if it did."""
        names = partial(self._session.names_for, check)
        self._transcript = Transcript()
        seed, limit_s = self._seed_of(check.id), self._limit_s(check)
        error = self._run_item(item, seed, names, limit_s, self._transcript)
        self._check_line = check_line(error, item)
        return error, self._session.settle(check)

    def _limit_s(self, check: Check) -> float:
        """What a check may take of the judge's own time: as much as of the worker's."""
        return check.timeout_s or self._request.limits.check_s

    def _why_not(self, check: Check) -> str | None:
        """Why a check is not run; None if it is."""
        if not check.runs_on(self._session.device):
            return f"needs {' or '.join(check.devices)}"
        if self._has_lost and self._request.until_lost:
            return "not run: points are lost already"
        if self._overruns >= MAX_OVERRUNS:
            return f"not run: what it returned kept {self._overruns} checks busy for too long"
        for name in check.requires:
            for outcome in self._outcomes.values():
                concerned = name in (outcome.check, function_of(outcome.check))
                if concerned and outcome.status is not Status.PASSED:
                    return f"not run: `{name}` must pass first"
        return None

    def _whose_fault(self, error: BaseException, check: Check, item: pytest.Item) -> BaseException:
        """A check's own code raised. If it passes on the reference, the submission is to blame.

        Raises:
            GraderFault: the check fails on the reference too.
        """
        told = f"{type(error).__name__}: {in_words(error)}"[:MAX_TOLD]
        forget_values(error)
        if not self._passes_on_reference(check, item):
            hint = how_to_install(told)
            raised = f"the check `{check.id}` raised {told}" + (f" ({hint})" if hint else "")
            raise GraderFault(raised, where=where(item))
        self._problems.append(
            Problem(
                kind=ProblemKind.CHECK,
                message=f"`{check.id}` could not use what the submission returned ({told})",
                where=where(item),
                hint="it counts as failed; compare types and shapes first in this check",
                student=self._request.submission.student,
                assignment=self._request.submission.assignment,
            )
        )
        return AssertionError("your code returned something that this check can't use")

    def _overrun(
        self, error: Overrun, check: Check, item: pytest.Item
    ) -> tuple[BaseException, Ending]:
        """A check took too much of the judge's own time: the submission's doing, or the check's.

        Raises:
            CertainFault: the check takes as long on the reference.
        """
        limit = f"{self._limit_s(check):g} s"
        forget_values(error)
        self._session.give_up()
        if isinstance(self._tried_on_reference(check, item), Overrun):
            raise CertainFault(
                f"the check `{check.id}` itself takes over {limit}", where=where(item)
            )
        self._overruns += 1
        text = f"stopped after {limit} in `{check.id}`: what it returned takes too long to check"
        return WorkerStopped(text), Ending(kind=EndingKind.TIME, message=text)

    def _passes_on_reference(self, check: Check, item: pytest.Item) -> bool:
        """Whether it does; where there is no reference, the submission has to bear it."""
        return self._tried_on_reference(check, item) is None

    def _tried_on_reference(self, check: Check, item: pytest.Item) -> BaseException | None:
        """What a check raises on the reference; None also where there is none."""
        from grader.testing.local import LocalLink

        if self._reference is None:
            return None
        link = LocalLink(dict(vars(self._reference)))
        seed, limit_s = self._seed_of(check.id), self._limit_s(check)
        return self._run_item(item, seed, lambda: SubmissionNames(link), limit_s)


def in_order(
    checks: Sequence[Check], items: Sequence[pytest.Item], first: Sequence[str] = ()
) -> list[tuple[Check, pytest.Item]]:
    """Checks with their items, every check after those that it requires, public ones first.

    A worker that has heard nothing hidden may say what it likes to its student. Before all of
    them come those that are asked `first`, by their ids, with what they require.
    """
    todo = list(zip(checks, items, strict=True))
    wanted = _with_requirements(checks, first)
    done: list[tuple[Check, pytest.Item]] = []
    while todo:
        waiting = {function_of(check.id) for check, _ in todo}
        ready = [pair for pair in todo if not waiting & set(map(function_of, pair[0].requires))]
        public = (pair for pair in ready if pair[0].public)
        ahead = (pair for one in wanted for pair in ready if pair[0].id == one)
        chosen = next(ahead, None) or next(public, ready[0])
        todo.remove(chosen)
        done.append(chosen)
    return done


def _with_requirements(checks: Sequence[Check], first: Sequence[str]) -> list[str]:
    """The ids of some checks, each after those of all that it requires."""
    found: list[str] = []

    def put(check: Check) -> None:
        if check.id in found:
            return
        for other in with_required(checks, [check.id]):
            if other is not check:
                put(other)
        found.append(check.id)

    by_id = {check.id: check for check in checks}
    for name in first:
        put(by_id[name])
    return found


def forget_values(error: BaseException) -> None:
    """Let go of what the frames of an exception hold: it may fill the memory."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__  # type: ignore[assignment]


def _name_places(imported: Iterable[str], submission: Submission) -> Iterator[Problem]:
    """Tell of modules that exist only where the student worked: what they do may be missed."""
    names = sorted(imported)
    if not names:
        return
    yield Problem(
        kind=ProblemKind.ELSEWHERE,
        message="it imports what exists only where it was written: "
        + ", ".join(f"`{name}` ({PLACES[name]})" for name in names),
        where=submission.name,
        hint="a stand-in that does nothing was there instead: files from there were not",
        student=submission.student,
        assignment=submission.assignment,
    )


def _is_open(error: BaseException) -> bool:
    """Whether the student has not begun: then nothing needs to be explained."""
    return isinstance(error, StudentError) and error.kinds[0] == "NotImplementedError"


def _is_verdict(error: BaseException) -> bool:
    return isinstance(
        error, (AssertionError, StudentError, NotDefined, WorkerStopped, pytest.fail.Exception)
    )
