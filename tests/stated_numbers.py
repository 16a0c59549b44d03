"""What a lesson says in numbers, for tests that compute them again."""

from __future__ import annotations

import re
from pathlib import Path

from grader.authoring.lessons import lesson_path, read_lesson
from grader.config.course import load_course

ROOT = Path(__file__).parents[1]


def prose_of(assignment: str) -> str:
    """A lesson's Markdown, with every run of white space as one space."""
    lesson = read_lesson(lesson_path(load_course(ROOT), assignment))
    texts = (cell.source for cell in lesson.cells if cell.kind == "markdown")
    return " ".join(" ".join(texts).split())


def stated(prose: str, pattern: str) -> list[float]:
    """The numbers, one for each group, of the only place that looks like this.

    Raises:
        AssertionError: there is no such place, or there are several.
    """
    found = re.findall(pattern, prose)
    assert len(found) == 1, f"{len(found)} places look like {pattern}"
    texts = found[0] if isinstance(found[0], tuple) else (found[0],)
    return [float(text.replace("{,}", "").replace(",", "")) for text in texts]
