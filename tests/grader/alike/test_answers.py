"""Which statements belong to an answer."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from grader.alike.answers import find_answers, stub_names


def found(source: str, *asked: str) -> dict[str, list[str]]:
    answers = find_answers(ast.parse(dedent(source)).body, asked)
    return {name: [ast.unparse(one).split("\n")[0] for one in own] for name, own in answers.items()}


def test_stubs_are_what_is_left_to_students():
    template = '''
    def given(a):
        return a
    def stub(a):
        """Says what it is to do."""
        # YOUR CODE HERE
        raise NotImplementedError()
    class Part:
        def made(self):
            return 1
        def left(self):
            raise NotImplementedError
    class Given:
        def refuse(self):
            raise ValueError()
    '''
    assert stub_names(ast.parse(dedent(template)).body) == ["stub", "Part"]


def test_an_answer_takes_its_helpers_along_and_nothing_else():
    source = """
    def other():
        return 1
    TABLE = [1]
    def deeper(x):
        return TABLE[x]
    def helper(x):
        return deeper(x)
    def asked(x):
        return helper(x)
    """
    assert found(source, "asked") == {
        "asked": ["TABLE = [1]", "def deeper(x):", "def helper(x):", "def asked(x):"]
    }


@pytest.mark.parametrize(
    "use",
    [
        "class Asked:\n    way = way",
        "class Asked(way):\n    pass",
        "class Asked:\n    pass\nAsked.run = way",
        "@way\nclass Asked:\n    pass",
        "Asked = way",
        "if True:\n    Asked = way",
        "try:\n    class Asked(way):\n        pass\nexcept Exception:\n    pass",
    ],
)
def test_a_helper_may_be_used_in_any_way(use):
    source = f"def way():\n    return 1\n{use}"
    assert "def way():" in found(source, "Asked")["Asked"]


def test_a_variable_of_an_answer_is_no_helper_of_the_same_name():
    source = """
    x = demonstrate()
    def asked(y):
        x = y + 1
        return x
    """
    assert found(source, "asked") == {"asked": ["def asked(y):"]}


def test_helpers_that_need_one_another_come_once():
    source = "def a():\n    return b()\ndef b():\n    return a()"
    assert found(source, "a", "b") == {"a": ["def a():", "def b():"], "b": ["def a():", "def b():"]}


def test_where_nothing_is_asked_for_by_name_every_definition_is_an_answer():
    source = "x = 1\ndef a():\n    return x\nclass B:\n    pass"
    assert found(source) == {"a": ["def a():"], "B": ["class B:"]}


def test_who_answers_nothing_has_no_answers():
    assert found("x = 1", "asked") == {}
