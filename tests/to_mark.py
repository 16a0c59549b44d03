"""A class whose written answers wait for a person: graded already, so that no test has to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path

from toy import write

from grader.config.course import Course, load_course
from grader.gradebook import (
    SCHEMA_VERSION,
    Asked,
    AssignmentReport,
    CheckReport,
    Gradebook,
    Origin,
    QuestionReport,
    RunInfo,
    Score,
    ScoredOutcome,
    State,
)
from grader.intake.originals import Originals
from grader.intake.reading import Reader
from grader.intake.written import digests
from grader.model import Ending, Status
from grader.reports.choices import DEFAULT, Format, Hidden
from grader.reports.writing import write_reports
from grader.scoring.rules import ScoreRules, remark

TABLE = """
[tool.grader]
id = "coasts"
title = "Coasts"

[[tool.grader.assignments]]
id = "tides"
title = "Tides"

[[tool.grader.assignments.manual]]
id = "why"
title = "Why are there `two` tides a day?"
points = 4

[[tool.grader.assignments.manual.rubric]]
id = "moon"
text = "Names the moon"
points = 1.5

[[tool.grader.assignments.manual.rubric]]
id = "far_side"
text = "Explains the bulge on the far side"
points = 2.5

[[tool.grader.assignments.manual.rubric]]
id = "sun_alone"
text = "Says that it is the sun alone"
points = -1

[[tool.grader.assignments.manual]]
id = "sketch"
title = "A sketch in code"
points = 1
bonus = true
"""

REPORT = AssignmentReport(
    id="tides",
    title="Tides",
    points=2,
    questions=(
        QuestionReport(
            id="heights",
            title="Heights",
            points=2,
            checks=(CheckReport("test_low", "Low water", 1, public=True), CheckReport("test_high", "High water", 1, public=False)),
        ),
    ),
)  # fmt: skip


def handed_in(why: str, sketch: str | None = "draw()") -> str:
    """A notebook with these answers, beside cells of other names."""
    cells = [
        ("markdown", "intro", "# Tides"),
        ("code", "heights", "def heights(): ..."),
        ("markdown", "why", why),
        *([("code", "sketch", sketch)] if sketch is not None else []),
    ]
    made = [
        {
            "cell_type": kind,
            "id": f"cell-{place}",
            "metadata": {"nbgrader": {"grade_id": name}},
            "source": source,
        }
        | ({"outputs": [], "execution_count": None} if kind == "code" else {})
        for place, (kind, name, source) in enumerate(cells)
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made})


def write_class(
    root: Path, answers: Mapping[str, str], formats: Collection[Format] = DEFAULT
) -> tuple[Course, Path]:
    """Write a course, what its students handed in, and reports; return course and reports."""
    write(root / "pyproject.toml", TABLE)
    course = load_course(root)
    scores, origins = [], []
    for place, (student, why) in enumerate(answers.items()):
        path = write(root / "submissions" / f"{place:04}" / "tides.ipynb", handed_in(why))
        passed = place % 2 == 0
        outcomes = tuple(
            ScoredOutcome(
                check=name, question="heights", possible=1.0,
                status=Status.PASSED if good else Status.FAILED, earned=float(good),
            )
            for name, good in (("test_low", True), ("test_high", passed))
        )  # fmt: skip
        earned = 1.0 + passed
        scores.append(
            Score(
                student=student, assignment="tides", state=State.GRADED, earned=earned,
                possible=2.0, ending=Ending(), questions={"heights": earned}, outcomes=outcomes,
                file="tides.ipynb", digest=hashlib.sha256(path.read_bytes()).hexdigest(),
            )
        )  # fmt: skip
        origins.append(Origin(student=student, assignment="tides", path=str(path)))
    asked = Asked(
        paths=(str(root / "submissions"),),
        formats=tuple(one.value for one in formats),
        show_hidden=Hidden.TITLES.value,
    )
    gradebook = Gradebook(
        schema_version=SCHEMA_VERSION, course=course.id, course_title=course.title,
        assignments=(REPORT,), scores=tuple(scores), problems=(), isolation=None,
        run=RunInfo(started_at="2026-01-01T00:00:00+00:00", asked=asked, origins=tuple(origins)),
    )  # fmt: skip
    manual = course.assignments[0].manual
    with Reader() as reader:
        answers = {
            (score.student, "tides"): digests(Originals(gradebook).of(score)[0], manual, reader)
            for score in scores
        }
    marked = remark(gradebook, course, ScoreRules(course), answers)
    write_reports(marked, root / "reports", formats)
    return course, root / "reports"
