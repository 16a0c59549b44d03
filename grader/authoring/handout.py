"""What a lesson in one file needs beside its notebook: public checks, and the cell that finds them.

    notebooks/01_words.ipynb           its first code cell imports `check`
    notebooks/checks/test_words.py     the public checks of the lesson

A course that has no public folder has no README.md for students, either: these are written here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from grader.authoring.lessons import LessonCell
from grader.authoring.suite_text import suite_text
from grader.config.course import Course
from grader.lesson.one_file import read_one_file

CHECKS = "checks"

SETUP = """\
import sys

sys.path += [".", ".."]  # the folder `grader` is there
from grader.testing.notebook import check

ASSIGNMENT = "{assignment}"  # tells check() which notebook this is"""

README = """\
# {title}

You need Python 3.11 or newer. In the unpacked folder:

```sh
python -m pip install -r requirements.txt
jupyter lab notebooks
```

Replace `# YOUR CODE HERE` and the line below it. A cell that begins with `check(` tells at once
whether your code is right; what else is checked follows when you hand in.
"""

REQUIREMENTS = "ipykernel>=6.29\njupyterlab>=4.1\nmsgspec>=0.18.6\npytest>=8.0\n"

_HAS_CHECK = re.compile(r"^\s*(?:from\s.*\bimport\b.*\bcheck\b|def check\b|check\s*=)", re.M)


def public_checks(course: Course, assignment: str) -> dict[str, bytes]:
    """The files of a lesson's public checks, by their paths beside the notebook; none without any.

    Raises:
        ReleaseError, SuiteError: the lesson can't be used.
    """
    path = course.one_file.get(assignment)
    text = "" if path is None else suite_text(read_one_file(path), public=True)
    return {f"{CHECKS}/test_{assignment}.py": text.encode()} if text else {}


def setup_cell(course: Course, path: Path, cells: tuple[LessonCell, ...]) -> Iterator[LessonCell]:
    """The cell that imports `check`, if the lesson has public checks and no such cell itself."""
    if path not in course.one_file.values():
        return
    if any(cell.kind == "code" and _HAS_CHECK.search(cell.source) for cell in cells):
        return
    lesson = read_one_file(path)
    if any(one.public and one.functions for one in lesson.checks):
        yield LessonCell("code", SETUP.format(assignment=lesson.assignment), 0)


def for_the_top(course: Course) -> dict[str, bytes]:
    """The files at the top of what students get, where the course has none of its own."""
    texts = {"README.md": README.format(title=course.title), "requirements.txt": REQUIREMENTS}
    return {name: text.encode() for name, text in texts.items()}
