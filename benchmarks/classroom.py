"""The class that every tool grades: right answers in several styles, and wrong ones."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.authoring.cases import Kind, imports, plan_cases, style_files
from grader.authoring.lessons import lesson_path, read_lesson
from grader.authoring.release import solution_sources
from grader.config.course import Course

ASSIGNMENT = "embeddings"
MUTANT_STRIDE = 7  # neighbours in the alphabet have much the same bug


@dataclass(frozen=True)
class Work:
    """What one student hands in: imports and answers, without the lesson's demonstrations."""

    student: str
    kind: str
    cells: tuple[str, ...]


def make_class(course: Course, size: int) -> list[Work]:
    """Right and wrong answers in turn; no two files are alike, so that nothing can be reused."""
    answers = zip(itertools.cycle(_right(course)), itertools.cycle(_wrong(course)), strict=False)
    chosen = itertools.islice(itertools.chain.from_iterable(answers), size)
    return [
        Work(f"student{number:04}", kind, (f"# {number}", *cells))
        for number, (kind, cells) in enumerate(chosen)
    ]


def _right(course: Course) -> list[tuple[str, tuple[str, ...]]]:
    lesson = read_lesson(lesson_path(course, ASSIGNMENT))
    reference = (*imports(lesson), *solution_sources(course, lesson).values())
    styles = style_files(course, ASSIGNMENT)
    return [
        ("reference", reference),
        *((path.stem, (path.read_text(encoding="utf-8"),)) for path in styles),
    ]


def _wrong(course: Course) -> list[tuple[str, tuple[str, ...]]]:
    planned = plan_cases(course, [ASSIGNMENT])
    mutants = [case for case in planned if case.kind is Kind.MUTANT and not case.origin]
    order = sorted(range(len(mutants)), key=lambda index: (index % MUTANT_STRIDE, index))
    return [
        (mutants[index].name, tuple(cell.source for cell in mutants[index].cells))
        for index in order
    ]


# ---------------------------------------------------------------- notebooks


def code(source: str, name: str, **nbgrader: Any) -> dict[str, Any]:
    """A code cell; with keywords, one that nbgrader knows."""
    marks = {
        "schema_version": 3,
        "grade_id": name,
        "grade": False,
        "locked": False,
        "solution": False,
        "task": False,
    }
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": {"nbgrader": {**marks, **nbgrader}} if nbgrader else {},
        "outputs": [],
        "source": source,
    }


def write_notebook(path: Path, cells: Iterable[dict[str, Any]]) -> None:
    """Write a notebook of these cells."""
    notebook = {
        "cells": list(cells),
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook, indent=1), encoding="utf-8")


def write_plain(works: Sequence[Work], folder: Path) -> None:
    """STUDENT/embeddings.ipynb for each."""
    for work in works:
        cells = [code(source, f"own-{number}") for number, source in enumerate(work.cells)]
        write_notebook(folder / work.student / f"{ASSIGNMENT}.ipynb", cells)
