"""The gate's cases, graded as submissions are: each is a file and takes a submission's way."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from grader.authoring.cases import Planned
from grader.config.course import Course
from grader.gradebook import Score
from grader.judging.engine import Engine, usable_cores
from grader.judging.grading import Watcher, grade_jobs
from grader.model import Cell, Job, Submission, Suite
from grader.store.results import Results


def grade_cases(
    course: Course,
    planned: Sequence[Planned],
    jobs: int | None,
    watcher: Watcher,
) -> tuple[Mapping[str, Suite], list[Score]]:
    """Grade cases as submissions are; their scores in the same order."""
    assignments = list(dict.fromkeys(case.assignment for case in planned))
    with tempfile.TemporaryDirectory() as folder, Engine(course, assignments=assignments) as engine:
        suites = engine.suites
        submissions = _write(planned, Path(folder))
        work = [
            Job(
                submission=submission,
                suite=suites[case.assignment],
                device="cpu",
                seed=case.seed,
                limits=course.limits,
                until_lost=case.until_lost,
            )
            for case, submission in zip(planned, submissions, strict=True)
        ]
        slots = jobs or usable_cores()
        graded = grade_jobs(engine, work, Results(None), watcher, slots=slots)
    if not graded.complete:
        raise KeyboardInterrupt
    return suites, [graded.by_submission[submission].score for submission in submissions]


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
