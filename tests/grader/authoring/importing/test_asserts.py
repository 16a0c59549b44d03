"""Asserts about a notebook's names as checks on a submission."""

from __future__ import annotations

import ast

import pytest

from grader.authoring.importing.asserts import convert, imports_of

IMPORTED = imports_of(["import math as m\nfrom os import path, sep\n%matplotlib inline\n", "x ="])


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("assert mean([1]) == 1", "assert submission.mean([1]).value() == 1"),
        ("assert x + y > 2", "assert submission.x.value() + submission.y.value() > 2"),
        ("assert f(x, k=g)", "assert submission.f(submission.x, k=submission.g).value()"),
        ("assert f(x + 1)", "assert submission.f(submission.x.value() + 1).value()"),
        ("assert df.a[i].sum() == 1", "assert submission.df.a[submission.i.value()].sum().value() == 1"),
        ("assert len(words) == 3", "assert len(submission.words.value()) == 3"),
        ("assert all(f(i) > 0 for i in range(3))", "assert all((submission.f(i).value() > 0 for i in range(3)))"),
        ("r = f(1)\nassert r == r", "r = submission.f(1).value()\nassert r == r"),
        ("assert m.isclose(f(), 1)", "assert m.isclose(submission.f().value(), 1)"),
        ("for w in words:\n    assert w", "for w in submission.words.value():\n    assert w"),
        ("assert isinstance(x, (int, str))", "assert isinstance(submission.x.value(), (int, str))"),
        ("f(1)", "submission.f(1).done()"),
        ("assert_equal(f(), 2, 'no')", "assert submission.f().value() == 2"),
        ("assert_true(f())", "assert submission.f().value()"),
        ("self.assertFalse(f())", "assert not submission.f().value()"),
        ("assert_raises(ValueError, f, 1)", "with raises('ValueError'):\n    submission.f(1).done()"),
        ("with pytest.raises(KeyError):\n    f(1)", "with raises('KeyError'):\n    submission.f(1).done()"),
        (
            "try:\n    f(1)\nexcept (KeyError, ValueError):\n    pass\nelse:\n    raise AssertionError('no')",
            "with raises('KeyError', 'ValueError'):\n    submission.f(1).done()",
        ),
        (
            "try:\n    x = f(1)\n    assert False\nexcept ValueError:\n    pass",
            "with raises('ValueError'):\n    x = submission.f(1).value()",
        ),
    ],
)  # fmt: skip
def test_names_become_the_submissions(source: str, made: str) -> None:
    converted = convert(source, IMPORTED)
    assert "\n".join(converted.lines) == made
    assert (converted.notes == []) == (source != "f(1)")
    assert ("raises" in converted.helpers) == ("raises(" in made)


def test_an_import_of_the_notebook_comes_along_only_where_it_is_used() -> None:
    assert convert("assert m.isclose(f(), 1)", IMPORTED).imports == ["import math as m"]
    assert convert("assert f()", IMPORTED).imports == []


@pytest.mark.parametrize(
    "source",
    [
        "assert callable(f)",
        "assert isinstance(df, Frame)",
        "assert inspect.getsource(f)",
        "try:\n    f(1)\nexcept ValueError as e:\n    assert 'x' in str(e)",
        "with open(name) as file:\n    assert file.read()",
        "def helper():\n    return f()",
    ],
)
def test_what_cannot_be_carried_over_stays_as_a_comment_and_is_told(source: str) -> None:
    made = convert(f"{source}\nassert g() == 1", imports_of(["import inspect"]))
    assert made.lines[-1] == "assert submission.g().value() == 1"
    assert made.lines[:-1] == [f"# {line}" for line in source.split("\n")]
    assert len(made.notes) == 1


@pytest.mark.parametrize(
    ("source", "printed", "made"),
    [
        ("f(2)", "4", "assert submission.f(2).value() == 4"),
        ("f(2) == 4", "True", "assert (submission.f(2).value() == 4) == True"),
        ("print(f(2))", "four", "assert str(submission.f(2).value()) == 'four'"),
        ("f(2)", "array([1.])", "assert repr(submission.f(2).value()) == 'array([1.])'"),
        ("x = f(2)\nx", "'a'", "x = submission.f(2).value()\nassert x == 'a'"),
    ],
)
def test_what_a_cell_has_shown_must_come_out_again(source: str, printed: str, made: str) -> None:
    assert "\n".join(convert(source, {}, printed).lines) == made


def test_what_compares_nothing_is_told() -> None:
    assert convert("x = 1", {}).notes == ["it compares nothing"]


def test_what_comes_out_is_python() -> None:
    source = "a, b = f()\nwhile a:\n    a -= 1\n    assert g(a)[b:2].x is not None"
    ast.parse("\n".join(convert(source, {}).lines))
