"""The gate's cases, graded as submissions are: each is a file and takes a submission's way."""

from __future__ import annotations

import hashlib
import json
import statistics
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from grader.authoring.cases import Planned, in_place_of, material
from grader.authoring.kills import killing_checks, lost_questions
from grader.authoring.reach import Reach, Tracer
from grader.config.course import Course
from grader.gradebook import Score, State
from grader.judging.engine import Engine
from grader.judging.executor import Executor, Starts
from grader.judging.grading import Watcher, grade_jobs
from grader.model import Cell, Job, Problem, Submission, Suite
from grader.store.results import Results

WORTH_TRACING = 40
"""Cases of an assignment that repay the seconds in which its right answers are run once more."""


def grade_cases(
    course: Course,
    planned: Sequence[Planned],
    jobs: int | None,
    watcher: Watcher,
    starts: Starts = Engine,
) -> tuple[Mapping[str, Suite], list[tuple[Planned, Score]]]:
    """Grade cases as submissions are; they with their scores, in the same order.

    Scouts come first: what they show to matter nowhere is left out, and so are scouts that show
    nothing. Those of which it is asked only whether they lose anything come last: by then it is
    known which checks fail what is wrong in the same answer, and these are asked first. No case is
    asked a check that does not reach what is wrong in it.
    """
    assignments = list(dict.fromkeys(case.assignment for case in planned))
    with (
        tempfile.TemporaryDirectory() as folder,
        starts(course, assignments=assignments) as engine,
        _tracer(course, planned, engine.suites) as tracer,
    ):
        suites = engine.suites
        files = _write(planned, Path(folder))
        scores: dict[int, Score] = {}
        killers = Killers()
        together = _InRounds(watcher, len(planned))
        for numbers in _rounds(planned):
            wanted = [n for n in numbers if not _is_needless(planned[n], planned, scores)]
            reach = {} if all(planned[n].scout for n in wanted) else tracer.found()
            work = [
                _job(course, engine, planned[n], files[n], killers.of(planned[n]), reach)
                for n in wanted
            ]
            together.left_out(len(numbers) - len(wanted))
            graded = grade_jobs(engine, work, Results(None), together, slots=jobs)
            if not graded.complete:
                raise KeyboardInterrupt
            for n in wanted:
                found = graded.by_submission[files[n]]
                scores[n] = found.score
                killers.learn(planned[n], found.score, found.seconds_of)
    kept = [n for n in sorted(scores) if not (planned[n].scout and lost_questions(scores[n]))]
    return suites, [(planned[n], scores[n]) for n in kept]


def _job(
    course: Course,
    engine: Executor,
    case: Planned,
    file: Submission,
    first: tuple[str, ...],
    reach: Mapping[str, Reach],
) -> Job:
    return Job(
        submission=file,
        suite=engine.suites[case.assignment],
        device="cpu",
        seed=case.seed,
        limits=course.limits,
        until_lost=case.until_lost,
        first=first if case.until_lost else (),
        known_to_pass=_out_of_reach(case, reach),
    )


def _tracer(course: Course, planned: Sequence[Planned], suites: Mapping[str, Suite]) -> Tracer:
    """What finds out which checks reach what; for few cases that takes longer than it saves."""
    concerned = Counter(case.assignment for case in planned if case.changed)
    worth_it = [name for name, cases in concerned.items() if cases >= WORTH_TRACING]
    cells = {name: in_place_of(material(course, name), {}) for name in worth_it}
    return Tracer(course, cells, {name: suites[name].digest for name in worth_it})


def _out_of_reach(case: Planned, reach: Mapping[str, Reach]) -> tuple[str, ...]:
    """The checks that can't notice what is wrong in a case; none if no check could."""
    entered = reach.get(case.assignment, {})
    if not case.changed or not any(functions & set(case.changed) for functions in entered.values()):
        return ()
    return tuple(check for check, functions in entered.items() if not functions & set(case.changed))


def _is_needless(case: Planned, planned: Sequence[Planned], scores: Mapping[int, Score]) -> bool:
    """Whether a scout has found out that nothing of what a case plugs in matters there."""
    return bool(case.origin) and any(
        (planned[n].assignment, planned[n].origin) == (case.assignment, case.origin)
        and planned[n].scout
        and score.state is State.GRADED
        and not lost_questions(score)
        for n, score in scores.items()
    )


def _rounds(planned: Sequence[Planned]) -> Iterator[list[int]]:
    """The numbers of the cases, in three rounds.

    First scouts; then those that are asked everything, and one more for each answer of which they
    say nothing.
    """
    yield [number for number, case in enumerate(planned) if case.scout]
    first = [n for n, case in enumerate(planned) if not case.until_lost and not case.scout]
    known = {(planned[n].assignment, answer) for n in first for answer in planned[n].wrong}
    second: list[int] = []
    for number, case in enumerate(planned):
        places = {(case.assignment, answer) for answer in case.wrong}
        if case.until_lost:
            (second if places <= known else first).append(number)
            known |= places
    yield first
    yield second


class Killers:
    """Which checks fail what is wrong in an answer: what fails the most in a second comes first.

    What is looked for is one failure, as soon as possible.
    """

    MOST = 8
    TRIP_S = 0.01
    """What a check takes at least, as far as its order is concerned: less is noise."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self._seconds: dict[tuple[str, str], list[float]] = defaultdict(list)

    def learn(self, case: Planned, score: Score, seconds_of: Mapping[str, float]) -> None:
        """A case has its score, for which its checks took so long."""
        for answer in case.wrong:
            self._counts[case.assignment, answer].update(killing_checks(score))
        for check, seconds in seconds_of.items():
            self._seconds[case.assignment, check].append(seconds)

    def of(self, case: Planned) -> tuple[str, ...]:
        """The checks to ask first, as far as anything is known."""
        counts = sum((self._counts[case.assignment, one] for one in case.wrong), Counter[str]())

        def in_a_second(check: str) -> float:
            usual_s = statistics.median(self._seconds[case.assignment, check] or [0.0])
            return counts[check] / max(usual_s, self.TRIP_S)

        return tuple(sorted(counts, key=in_a_second, reverse=True)[: self.MOST])


class _InRounds:
    """A watcher of several rounds, to which they are one."""

    def __init__(self, watcher: Watcher, cases: int) -> None:
        self._watcher = watcher
        self._cases = cases
        self._finished = 0

    def left_out(self, cases: int) -> None:
        """So many of them need not be graded."""
        self._cases -= cases

    def start(self, _jobs: int, *, kept: int = 0) -> None:
        self._watcher.start(self._cases, kept=self._finished + kept)

    def begun(self, submission: Submission, host: str = "") -> None:
        self._watcher.begun(submission, host)

    def finished(self, score: Score) -> None:
        self._finished += 1
        self._watcher.finished(score)

    def problem(self, problem: Problem) -> None:
        self._watcher.problem(problem)


def _write(cases: Sequence[Planned], folder: Path) -> list[Submission]:
    """Make each case a file, so that it takes a submission's way."""
    submissions = []
    for number, case in enumerate(cases):
        path = folder / f"{number}.ipynb"
        content = json.dumps(_notebook(case.cells)).encode()
        path.write_bytes(content)
        submissions.append(
            Submission(
                student=f"{number} {case.name}",
                assignment=case.assignment,
                path=str(path),
                name=f"{case.name}.ipynb",
                digest=hashlib.sha256(content).hexdigest(),
            )
        )
    return submissions


def _notebook(cells: Iterable[Cell]) -> dict[str, object]:
    return {
        "nbformat": 4,
        "nbformat_minor": 4,
        "metadata": {},
        "cells": [
            {
                "cell_type": "code",
                "metadata": {},
                "outputs": [],
                "execution_count": None,
                "source": cell.source,
            }
            for cell in cells
        ],
    }
