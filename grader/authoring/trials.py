"""The gate's cases, graded as submissions are: each is a file and takes a submission's way."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from grader.authoring.cases import Planned
from grader.authoring.kills import killing_checks
from grader.config.course import Course
from grader.gradebook import Score
from grader.judging.engine import Engine
from grader.judging.executor import Starts
from grader.judging.grading import Watcher, grade_jobs
from grader.model import Cell, Job, Problem, Submission, Suite
from grader.store.results import Results


def grade_cases(
    course: Course,
    planned: Sequence[Planned],
    jobs: int | None,
    watcher: Watcher,
    starts: Starts = Engine,
) -> tuple[Mapping[str, Suite], list[Score]]:
    """Grade cases as submissions are; their scores in the same order.

    Those of which it is asked only whether they lose anything come last: by then it is known which
    checks fail what is wrong in the same answer, and these are asked first.
    """
    assignments = list(dict.fromkeys(case.assignment for case in planned))
    with tempfile.TemporaryDirectory() as folder, starts(course, assignments=assignments) as engine:
        suites = engine.suites
        trials = list(zip(planned, _write(planned, Path(folder)), strict=True))
        scores: dict[Submission, Score] = {}
        killers = Killers()
        together = _InRounds(watcher, len(trials))
        for numbers in _rounds(planned):
            work = [
                Job(
                    submission=trials[number][1],
                    suite=suites[planned[number].assignment],
                    device="cpu",
                    seed=planned[number].seed,
                    limits=course.limits,
                    until_lost=planned[number].until_lost,
                    first=killers.of(planned[number]) if planned[number].until_lost else (),
                )
                for number in numbers
            ]
            graded = grade_jobs(engine, work, Results(None), together, slots=jobs)
            if not graded.complete:
                raise KeyboardInterrupt
            for number in numbers:
                score = graded.by_submission[trials[number][1]].score
                scores[trials[number][1]] = score
                killers.learn(planned[number], score)
    return suites, [scores[submission] for _, submission in trials]


def _rounds(planned: Sequence[Planned]) -> Iterator[list[int]]:
    """The numbers of the cases, in two rounds.

    In the first are those that are asked everything, and one more for each answer of which they
    say nothing.
    """
    first = [number for number, case in enumerate(planned) if not case.until_lost]
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
    """Which checks fail what is wrong in an answer: those that fail the most come first."""

    MOST = 8

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)

    def learn(self, case: Planned, score: Score) -> None:
        """A case has its score."""
        for answer in case.wrong:
            self._counts[case.assignment, answer].update(killing_checks(score))

    def of(self, case: Planned) -> tuple[str, ...]:
        """The checks to ask first, as far as anything is known."""
        counts = sum((self._counts[case.assignment, one] for one in case.wrong), Counter[str]())
        return tuple(check for check, _ in counts.most_common(self.MOST))


class _InRounds:
    """A watcher of several rounds, to which they are one."""

    def __init__(self, watcher: Watcher, cases: int) -> None:
        self._watcher = watcher
        self._cases = cases
        self._began = False

    def start(self, _jobs: int, *, kept: int = 0) -> None:
        if not self._began:
            self._began = True
            self._watcher.start(self._cases, kept=kept)

    def begun(self, submission: Submission, host: str = "") -> None:
        self._watcher.begun(submission, host)

    def finished(self, score: Score) -> None:
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
