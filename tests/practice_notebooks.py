"""Notebooks that are never graded, run as students run them."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from stated_numbers import ROOT

from grader.authoring.lessons import practice_lessons
from grader.authoring.release import build_notebook
from grader.config.course import load_course

COURSE = load_course(ROOT)
LESSONS = {path.stem: path for path in practice_lessons(COURSE)}


def run(stem: str, *, solved: bool) -> tuple[str, dict[str, Any]]:
    """What a notebook prints, and the names that it defines; a cell that raises fails."""
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for cell in build_notebook(LESSONS[stem], COURSE, None, solved=solved)["cells"]:
            if cell["cell_type"] == "code":
                exec(cell["source"], names)
    return printed.getvalue(), names
