"""Source notebooks of other graders, written by hand in their formats."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

Cell = tuple[str, str, dict[str, Any], str]


def raw(text: str) -> Cell:
    return "raw", text, {}, ""


def prose(text: str, **marks: Any) -> Cell:
    return "markdown", text, {"nbgrader": _marks(marks)} if marks else {}, ""


def code(text: str, shown: str = "", **marks: Any) -> Cell:
    return "code", text, {"nbgrader": _marks(marks)} if marks else {}, shown


def _marks(marks: dict[str, Any]) -> dict[str, Any]:
    plain = {"grade": False, "locked": False, "schema_version": 3, "solution": False, "task": False}
    return plain | marks


def write_notebook(path: Path, *cells: Cell) -> Path:
    made = []
    for kind, text, metadata, shown in cells:
        cell: dict[str, Any] = {
            "cell_type": kind,
            "metadata": metadata,
            "source": dedent(text).strip("\n").splitlines(True),
        }
        if kind == "code":
            data = {"data": {"text/plain": [shown]}, "metadata": {}, "execution_count": 1}
            outputs = [{"output_type": "execute_result", **data}] if shown else []
            cell |= {"outputs": outputs, "execution_count": None}
        made.append(cell)
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return path


OTTER = (
    raw("# ASSIGNMENT CONFIG\nname: hw01\nfiles:\n  - data.csv"),
    prose("# Homework 1"),
    code("import math\n\nWORDS = ['to', 'be']"),
    raw("# BEGIN QUESTION\nname: q1\npoints: 2"),
    prose("**Question 1.** Write `square`."),
    raw("# BEGIN SOLUTION"),
    code("""
        def square(x):
            \"\"\"Return x times x.\"\"\"
            y = x * x # SOLUTION NO PROMPT
            return y # SOLUTION

        nine = square(3) # SOLUTION
    """),
    raw("# END SOLUTION"),
    raw("# BEGIN TESTS"),
    code("square(2)", "4"),
    code("""
        # HIDDEN
        assert math.isclose(square(1.5), 2.25) and nine == 9
    """),
    raw("# END TESTS"),
    raw("# END QUESTION"),
    raw("# BEGIN QUESTION\nname: Q 2"),
    raw("# BEGIN SOLUTION"),
    code("""
        def root(x):
            # BEGIN SOLUTION NO PROMPT
            if x < 0:
                raise ValueError(x)
            return math.sqrt(x)
            # END SOLUTION
            \"\"\" # BEGIN PROMPT
            pass
            \"\"\"; # END PROMPT
    """),
    raw("# END SOLUTION"),
    raw("# BEGIN TESTS"),
    code('''
        """ # BEGIN TEST CONFIG
        points: 1.5
        hidden: true
        failure_message: Think of negative numbers.
        """ # END TEST CONFIG
        def test_negative(root):
            for x in [4, 9]:
                assert root(x) ** 2 == x
            try:
                root(-1)
            except ValueError:
                pass
            else:
                raise AssertionError("no error")

        test_negative(root)  # IGNORE
    '''),
    code('"""# BEGIN TEST CONFIG\npoints: 0.5\n"""# END TEST CONFIG\ncallable(root)', "True"),
    raw("# END TESTS"),
    raw("# END QUESTION"),
    raw("# BEGIN QUESTION\nname: q3\nmanual: true"),
    prose("Why?"),
    raw("# BEGIN SOLUTION"),
    prose("Because of the SECRET."),
    raw("# END SOLUTION"),
    raw("# END QUESTION"),
)

NBGRADER = (
    prose("# Problem set 1"),
    code("import math as m\nimport pytest"),
    prose("Write `squares`.", grade_id="intro", locked=True),
    code("""
        def squares(n):
            \"\"\"Squares of 1 to n.\"\"\"
            ### BEGIN SOLUTION
            if n < 1:
                raise ValueError("n must be positive")
            return [i ** 2 for i in range(1, n + 1)]
            ### END SOLUTION
    """, grade_id="squares", solution=True),
    code("""
        # The squares of 1 to n are returned
        from nose.tools import assert_equal, assert_raises
        small = squares(3)
        assert small == [1, 4, 9]
        assert_equal(squares(1), [1])
        ### BEGIN HIDDEN TESTS
        assert len(squares(11)) == 11 and small[0] == 1
        assert_raises(ValueError, squares, 0)
        with pytest.raises(ValueError):
            squares(-4)
        ### END HIDDEN TESTS
    """, grade_id="squares-tests", grade=True, locked=True, points=3),
    code("""
        ### BEGIN SOLUTION
        total = m.fsum(squares(4))
        ### END SOLUTION
    """, grade_id="total", solution=True),
    code("""
        ### BEGIN HIDDEN TESTS
        assert total == 30, "the total is wrong"
        ### END HIDDEN TESTS
    """, grade_id="total_tests", grade=True, locked=True, points=1),
    prose("The answer is SECRET.", grade_id="why", grade=True, solution=True, points=2),
    prose("Plot it.\n### BEGIN MARK SCHEME\nSECRET scheme\n### END MARK SCHEME\n", grade_id="t", task=True, points=2),
)  # fmt: skip
