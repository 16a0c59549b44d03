"""A small course whose one assignment is one file, and how to write it."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

from toy import write

LESSON = '''
    # %% [grader]
    # title = "Adding up"
    # [questions.totals]
    # title = "Totals of numbers"
    # points = 3

    # %% [markdown]
    # # Adding
    #
    # Numbers come together.

    # %%
    START = 0  # where every total begins

    # %% solution
    def total(numbers):
        """Return the sum."""
        result = START  # CANARY-ANSWER
        for number in numbers:
            result += number
        return result

    # %% check public question=examples points=1
    from grader.testing import assert_equal, raises

    LIMIT = 1000


    def test_small(submission):
        """Adds one and two

        Hint: Begin with nothing.
        """
        assert submission.total([1, 2]).value() == 3

    # %% check hidden question=totals
    # CANARY-HIDDEN
    def test_any(submission, reference, rng):
        """Adds any numbers"""
        numbers = [rng.randrange(1, LIMIT) for _ in range(9)]
        assert_equal(submission.total(numbers).value(), reference.total(numbers), "the total")


    def test_text(submission):
        submission.total([]).done()
        with raises("TypeError"):
            submission.total(["1"])

    # %% solution
    ### BEGIN SOLUTION
    HALF = 0.5  # CANARY-CONSTANT
    ### END SOLUTION

    # %% check hidden question=half points=2
    text = """
    # %% no marker
      indented"""


    def test_half(submission):
        """Half of one
        """
        kept = """
    not indented"""
        assert kept == "\\nnot indented" and text.endswith("  indented")
        assert submission.HALF.value() == 0.5

    # %% mutant first_only loses=examples,totals replace="result += number" by="return number"
    # CANARY-MUTANT only the first number counts

    # %% mutant refuses_nothing loses=totals
    def total(numbers):
        return sum(int(number) for number in numbers)

    # %% mutant quarter loses=half replace="HALF = 0.5" by="HALF = 0.25"

    # %% fake by_heart at_most=1
    # CANARY-FAKE it knows the example
    def total(numbers):
        return START + 3

    # %% style builtin
    HALF = 1 / 2

    def total(numbers):
        return sum(numbers, START)  # CANARY-STYLE

    # %% [markdown] tags=["instructor"]
    # CANARY-NOTE
'''
"""Six points: 1 public, 3 and 2 hidden."""

RIGHT = "HALF = 0.5\n\n\ndef total(numbers):\n    return sum(numbers)\n"
FIRST_ONLY = "HALF = 0.5\n\n\ndef total(numbers):\n    return numbers[0] if numbers else 0\n"


def write_lesson(path: Path, old: str = "", new: str = "") -> Path:
    """Write the lesson, with one text in place of another."""
    text = dedent(LESSON)
    assert old in text
    return write(path, text.replace(old, new, 1) if old else text)


def write_one_file_course(root: Path, old: str = "", new: str = "") -> Path:
    """Write the course: one lesson, and a table in which nothing stands."""
    write(root / "pyproject.toml", "[tool.grader]\n")
    write_lesson(root / "lessons/01_adding.py", old, new)
    return root


def as_notebook(lesson: Path, *, tags: bool = False) -> Path:
    """The same lesson as a notebook, marked in first lines or in tags, in the lesson's place."""
    from grader.lesson.cells import read_source

    cells = []
    for cell in read_source(lesson):
        marker = cell.marker
        kind = "markdown" if marker.kind == "markdown" else "code"
        values = {key: value for key, value in marker.values.items() if key != "tags"}
        words = [" ".join(marker.words)] if marker.words else []
        words += [f"[{marker.kind}]"] if marker.kind == "grader" else []
        if tags:
            said = [*words, *(f"{key}={json.dumps(value)}" for key, value in values.items())]
            metadata = {"tags": [*said, *marker.values.get("tags", [])]}
            head = ""
        else:
            metadata = {"tags": list(marker.values.get("tags", []))}
            said = [*words, *(f"{key}={json.dumps(value)}" for key, value in values.items())]
            head = f"# %% {' '.join(said)}\n" if said else ""
        source = head + cell.source
        made = {"cell_type": kind, "metadata": metadata, "source": source.splitlines(True)}
        cells.append(made | ({"outputs": [], "execution_count": None} if kind == "code" else {}))
    content = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}
    lesson.unlink()
    path = lesson.with_suffix(".ipynb")
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return path
