"""A small course that has nothing to do with torch, and how to write files for it."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

from grader.gradebook import Score
from grader.model import Problem, Submission

TABLE = """
[tool.grader]
id = "sums"
title = "Sums"
checks = "public"
suites = "hidden"
reference = "reference/sums"

[tool.grader.limits]
wall_s = 30
cell_s = 1
check_s = 1
memory = "512 MiB"

[[tool.grader.assignments]]
id = "adding"
title = "Adding"
"""

REFERENCE = '''
"""The reference of a course that has nothing to do with torch."""


def add(a, b):
    return a + b


class Counter:
    """Counts."""

    def __init__(self, start=0):
        self.value_now = start

    def up(self):
        self.value_now += 1
        return self.value_now
'''

PUBLIC = '''
from grader.testing import assert_equal, check


class TestSmall:
    """Small numbers"""

    @check(points=1, hint="Use +.")
    def test_small_sum(self, submission):
        """Adds 1 and 2"""
        assert_equal(submission.add(1, 2).value(), 3, "the sum")
'''

HIDDEN = '''
import pytest

from grader.testing import assert_close, check, raises


class TestAny:
    """Any numbers"""

    @check(points=2, hint="Use + on the arguments.", requires=["test_small_sum"])
    @pytest.mark.parametrize("scale", [1, 10, 100])
    def test_any_sum(self, submission, reference, rng, scale):
        """Adds numbers of any size"""
        a, b = scale * rng.random(), scale * rng.random()
        assert_close(submission.add(a, b).value(), reference.add(a, b), "the sum")


class TestState:
    """A counter counts"""

    @check(points=1, hint="Keep the count in the object.")
    def test_counts(self, submission, rng):
        """Counts up from where it starts"""
        start = rng.randrange(1000)
        counter = submission.Counter(start)
        counter.up()
        assert counter.up().value() == start + 2

    @check(points=1)
    def test_rejects_text(self, submission):
        """Adding text to a number is an error"""
        with raises("TypeError"):
            submission.add(1, "2")
'''


def write(path: Path, text: str) -> Path:
    """Write a dedented text, making folders as needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    return path


def notebook(*cells: str, assignment: str | None = None) -> str:
    """The JSON of a notebook with these code cells."""
    metadata = {} if assignment is None else {"grader": {"assignment": assignment}}
    return json.dumps(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": metadata,
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"cell-{number}",
                    "metadata": {},
                    "source": dedent(source).strip("\n"),
                    "outputs": [],
                    "execution_count": None,
                }
                for number, source in enumerate(cells)
            ],
        }
    )


def write_course(root: Path) -> Path:
    """Write the small course: 1 public point and 4 hidden ones."""
    write(root / "pyproject.toml", TABLE)
    write(root / "reference/sums/__init__.py", REFERENCE)
    write(root / "public/test_adding.py", PUBLIC)
    write(root / "hidden/test_adding.py", HIDDEN)
    return root


RIGHT = """
def add(a, b):
    return a + b

class Counter:
    def __init__(self, start=0):
        self.n = start
    def up(self):
        self.n += 1
        return self.n
"""
"""A submission to the small course that deserves all 5 points."""


class Silent:
    """Watches a grading without a word."""

    def start(self, jobs: int, title: str = "", *, kept: int = 0) -> None:
        """So many submissions."""

    def begun(self, submission: Submission, host: str = "") -> None:
        """One is being graded."""

    def finished(self, score: Score) -> None:
        """One is graded."""

    def problem(self, problem: Problem) -> None:
        """A person should look at something."""


LESSON = """
# %% [markdown]
# # Adding

# %%
from __future__ import annotations

# %% solution="add"

# %% question="small"

# %% question="any"

# %% solution="Counter"

# %% question="state"
"""

MUTANTS = {
    "subtracts": ("add", "a + b", "a - b", ["small", "any"]),
    "integers_only": ("add", "a + b", "int(a + b)", ["any"]),
    "starts_at_zero": ("Counter", "= start", "= 0", ["state"]),
    "accepts_text": ("add", "a + b", "a + type(a)(b)", ["state"]),
}


def write_gate(root: Path) -> Path:
    """Give the small course a lesson and mutants, so that its suite can be verified."""
    table = 'lessons = "lessons"\nmutants = "mutants"\nreference'
    write(root / "pyproject.toml", TABLE.replace("reference", table, 1))
    write(root / "lessons/01_adding.py", LESSON)
    for name, (answer, old, new, loses) in MUTANTS.items():
        edit = f'[[edit]]\nin = "{answer}"\nold = "{old}"\nnew = "{new}"\n'
        write(root / f"mutants/adding/{name}.toml", f'bug = "{name}"\nloses = {loses}\n{edit}')
    return root
