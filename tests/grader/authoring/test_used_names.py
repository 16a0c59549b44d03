"""Which names of a text count as used."""

from __future__ import annotations

import pytest

from grader.authoring.used_names import names_used, needed


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ("f(g.h, k=1)", {"f", "g", "h", "k"}),
        ("def f(x: Model) -> Model:\n    '''Of a Model.'''\n    y: Model = x\n    return y", {"x", "y"}),
        ("submission.defines('Model')", {"submission", "defines", "Model"}),
        ("submission.module('course.parts').Model()", {"submission", "module"}),
        ("reference.Model()", {"reference"}),
        ("%time Model()", set()),
    ],
)  # fmt: skip
def test_what_counts_as_use(source: str, used: set[str]) -> None:
    assert names_used(source) == used


def test_an_answer_is_needed_that_a_used_one_makes_use_of() -> None:
    texts = {"a": "def a(): return b()", "b": "def b(): return 1", "c": "def c(): return a()"}
    assert needed(texts, {"a", "print"}) == {"a", "b"}
