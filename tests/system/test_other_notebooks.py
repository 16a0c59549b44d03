"""Notebooks that are no `.ipynb`, graded as they were saved: marimo's, and Markdown."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import msgspec
import pytest
from toy import Silent, write

from grader.config.course import Course
from grader.gradebook import Gradebook
from grader.pipeline import Options, check

pytestmark = pytest.mark.slow

MARIMO = """\
import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium")


@app.cell
def _(mo, slider):
    def add(a, b):
        mo.stop(False)
        return a + b + slider.value - 3
    return (add,)


@app.cell
def _(mo):
    slider = mo.ui.slider(1, 10, value=3)
    mo.md(f"{slider}")
    return (slider,)


@app.class_definition
class Counter:
    def __init__(self, start=0):
        self.value_now = start

    def up(self):
        self.value_now += 1
        return self.value_now


@app.cell
def _(add):
    assert add(1, 2) == 3
    return


@app.cell
def _():
    import marimo as mo
    return (mo,)


if __name__ == "__main__":
    app.run()
"""

MARKDOWN = """\
---
title: "Adding"
jupyter: python3
---

Two numbers:

```{fence}
def add(a, b):
    return a + b
```

```bash
pip install nothing
```

```{fence}
class Counter:
    def __init__(self, start=0):
        self.value_now = start
    def up(self):
        self.value_now += 1
        return self.value_now
add(1, 2)
```
"""


def graded(course: Course, root: Path) -> Gradebook:
    # to import marimo takes a while on a busy machine
    limits = msgspec.structs.replace(course.limits, wall_s=120.0, cell_s=30.0, check_s=10.0)
    course = msgspec.structs.replace(course, limits=limits)
    return check([root], course, Options(jobs=2), Silent())


def test_a_notebook_of_marimo_runs_as_marimo_runs_it(toy_course: Course, tmp_path: Path) -> None:
    file = write(tmp_path / "class" / "ann" / "adding.py", MARIMO)
    # it is one indeed: marimo itself runs it without an error
    subprocess.run([sys.executable, file], check=True, capture_output=True, timeout=60)
    (score,) = graded(toy_course, tmp_path / "class").scores
    assert (score.earned, score.cell_errors) == (score.possible, ())


@pytest.mark.parametrize(("name", "fence"), [("adding.qmd", "{python}"), ("adding.md", "python")])
def test_markdown_is_graded_as_a_notebook(
    toy_course: Course, tmp_path: Path, name: str, fence: str
) -> None:
    write(tmp_path / "class" / "ann" / name, dedent(MARKDOWN.replace("{fence}", fence)))
    write(tmp_path / "class" / "README.md", "# About this class\n")
    (score,) = graded(toy_course, tmp_path / "class").scores
    assert (score.student, score.file) == ("ann", name)
    assert (score.earned, score.cell_errors) == (score.possible, ())
