"""One order for statements that commute, and the old one for those that don't."""

from __future__ import annotations

import ast
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.alike.ordering import MOST_STATEMENTS, canonical_order


def ordered(lines: list[str]) -> list[str]:
    statements = ast.parse("\n".join(lines)).body
    return [lines[place] for place in canonical_order(statements, lines)]


@given(order=st.permutations([f"v{n} = f({n})" for n in range(6)]))
def test_what_has_nothing_to_do_with_each_other_has_one_order(order):
    assert ordered(list(order)) == sorted(order)


DEPENDENT = {
    "what is made is used": ["x = f()", "a = g(x)"],
    "what is used is made anew": ["y = g(x)", "x = f()"],
    "what is made is made anew": ["x = g()", "x = f()"],
    "part of it is set": ["x[0] = 2", "a = x"],
    "it changes in place": ["x.zero_()", "a = x"],
    "a method is called for what it does": ["x.append(1)", "a = x"],
    "an attribute": ["self.x = f()", "a = self.x"],
    "it leaves": ["return_ = g()", "return return_"],
    "it adds": ["x += 1", "a = x"],
}


@pytest.mark.parametrize("name", DEPENDENT)
def test_what_depends_on_something_stays_behind_it(name):
    lines = DEPENDENT[name]
    source = "def f():\n" + "\n".join(f"    {one}" for one in lines)
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    for keys in permutations(["a", "b"]):
        assert canonical_order(function.body, keys) == [0, 1]


def test_whoever_only_reads_does_not_wait():
    assert ordered(["b = f(x)", "a = g(x)"]) == ["a = g(x)", "b = f(x)"]
    assert ordered(["self.b = f(x)", "self.a = g(x)"]) == ["self.a = g(x)", "self.b = f(x)"]


def test_a_very_long_block_keeps_its_order():
    lines = [f"v{n} = {n}" for n in reversed(range(MOST_STATEMENTS + 1))]
    assert ordered(lines) == lines
