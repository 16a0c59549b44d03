"""What of the public packages answers an assignment is in no file that its workers can read."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy import write

from grader.errors import ConfigError
from grader.judging.withholding import _without, withhold

WORDS = """\
    # -*- coding: utf-8 -*-
    import functools

    one = 1


    @functools.cache
    def double(x):
        "Doubles."
        return 2 * x


    class Counter:
        def up(self):
            return 1

        def down(self):
            return -1


    if one:
        def triple(x): return 3 * x
    else:
        triple = None
    last = "ü"
"""


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """Staged packages: one of modules, one of answers, and a module by itself."""
    folder = tmp_path / "public"
    write(folder / "course/__init__.py", "START = 1\n")
    write(folder / "course/words.py", dedent(WORDS))
    write(folder / "course/answers/__init__.py", "")
    write(folder / "course/answers/first.py", "ANSWER = 1\n")
    write(folder / "course/answers/data.txt", "42\n")
    write(folder / "loose.py", "def f(): pass\n")
    return folder


def texts(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def names(source: str) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }


def test_nobody_gets_what_some_may_not_have_but_those_who_may(public: Path, tmp_path: Path) -> None:
    before = texts(public)
    withhold(public, tmp_path / "parts", {"a": ["course.words.double"], "b": []})
    assert names(texts(public)["course/words.py"]) == {"Counter", "up", "down", "triple"}
    assert texts(tmp_path / "parts") == {"b/course/words.py": before["course/words.py"]}
    untouched = set(before) - {"course/words.py"}
    assert {name: texts(public)[name] for name in untouched} == {n: before[n] for n in untouched}


def test_each_assignment_loses_its_own(public: Path, tmp_path: Path) -> None:
    table = {"a": ["course.words.double"], "b": ["course.words.Counter", "course.words.double"]}
    withhold(public, tmp_path / "parts", table)
    assert names(texts(tmp_path / "parts")["a/course/words.py"]) == {
        "Counter", "up", "down", "triple",
    }  # fmt: skip
    # what all others lose together is what everybody sees: `b` needs no file of its own
    assert list(texts(tmp_path / "parts")) == ["a/course/words.py"]
    assert names(texts(public)["course/words.py"]) == {"triple"}


def test_lines_keep_their_numbers_and_the_text_is_gone(public: Path, tmp_path: Path) -> None:
    before = texts(public)["course/words.py"].splitlines()
    withhold(public, tmp_path / "parts", {"a": ["course.words.double", "course.words.Counter.up"]})
    after = texts(public)["course/words.py"].splitlines()
    assert len(after) == len(before)
    kept = {number for number, line in enumerate(after) if line == before[number]}
    assert {before[n].strip() for n in range(len(before)) if n not in kept} == {
        "@functools.cache", "def double(x):", '"Doubles."', "return 2 * x",
        "def up(self):", "return 1",
    }  # fmt: skip
    assert "2 * x" not in "\n".join(after)


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("course.words.one", {"double", "Counter", "up", "down", "triple"}),
        ("course.words.Counter.down", {"double", "Counter", "up", "triple"}),
        ("course.words.triple", {"double", "Counter", "up", "down"}),
        ("course.words.last", {"double", "Counter", "up", "down", "triple"}),
    ],
)
def test_whatever_kind_of_definition_it_is(
    public: Path, tmp_path: Path, name: str, left: set[str]
) -> None:
    withhold(public, tmp_path / "parts", {"a": [name]})
    text = texts(public)["course/words.py"]
    assert names(text) == left
    assert not any(
        isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and name.endswith(node.id)
        for node in ast.walk(ast.parse(text))
    )


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("course.words", ["course/words.py"]),
        ("loose", ["loose.py"]),
        ("course.answers.first", ["course/answers/first.py"]),
        (
            "course.answers",
            ["course/answers/__init__.py", "course/answers/data.txt", "course/answers/first.py"],
        ),
    ],
)
def test_modules_and_packages_go_as_a_whole(
    public: Path, tmp_path: Path, name: str, gone: list[str]
) -> None:
    before = texts(public)
    concerned = withhold(public, tmp_path / "parts", {"a": [name], "b": []})
    assert set(before) - set(texts(public)) == set(gone)
    assert sorted(texts(tmp_path / "parts")) == [f"b/{path}" for path in gone]
    assert all(any(Path(path).is_relative_to(one) for one in concerned) for path in gone)


def test_a_definition_of_a_package_itself(public: Path, tmp_path: Path) -> None:
    withhold(public, tmp_path / "parts", {"a": ["course.START"], "b": []})
    assert texts(public)["course/__init__.py"] == "pass\n"
    assert texts(tmp_path / "parts") == {"b/course/__init__.py": "START = 1\n"}


def test_where_nothing_is_withheld_nothing_is_changed(public: Path, tmp_path: Path) -> None:
    before = texts(public)
    assert withhold(public, tmp_path / "parts", {"a": [], "b": []}) == ()
    assert texts(public) == before
    assert texts(tmp_path / "parts") == {}


@pytest.mark.parametrize(
    "name",
    ["", ".", "course.", "nothing", "course.nothing", "course.words.nothing", "loose.f.x", "..",
     "course.words.double.x", "/etc/passwd", "course/words", "course.answers.data.txt"],
)  # fmt: skip
def test_a_name_that_leads_nowhere_is_told(public: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="assignment `a`: nothing public is called"):
        withhold(public, tmp_path / "parts", {"a": [name]})


def test_what_can_not_be_taken_out_is_told(public: Path, tmp_path: Path) -> None:
    write(public / "loose.py", "a = 1; b = 2\n")
    with pytest.raises(ConfigError, match="shares a line"):
        withhold(public, tmp_path / "one", {"a": ["loose.a"]})
    write(public / "loose.py", "a = (\n")
    with pytest.raises(ConfigError, match="can't be withheld"):
        withhold(public, tmp_path / "two", {"a": ["loose.a"]})


def test_a_module_within_a_package_that_is_withheld_is_told(public: Path, tmp_path: Path) -> None:
    table = {"a": ["course.answers"], "b": ["course.answers.first.ANSWER"]}
    with pytest.raises(ConfigError, match="withheld as a whole"):
        withhold(public, tmp_path / "parts", table)


STATEMENTS = st.lists(
    st.sampled_from(
        [
            "{} = 1",
            "{}: int = 1",
            "def {}(a, b=(1,\n 2)):\n    '''x\n    y'''\n    return a",
            "async def {}(): pass",
            "class {}:\n    x = 1\n\n    def f(self): ...",
            "@(lambda f: f)\n\ndef {}(): return '\u2028\x0c'",
            "if True:\n    def {}(): pass\nelse:\n    {} = 2",
            "try:\n    {} = 1\nexcept ValueError:\n    pass\nfinally:\n    pass",
            "with open(0) as f:\n    {} = f",
        ]
    ),
    min_size=1,
    max_size=6,
)


@given(STATEMENTS, st.data())
def test_whatever_stands_around_it_the_rest_stays(
    statements: Sequence[str], data: st.DataObject
) -> None:
    source = "\n".join(text.replace("{}", f"name{n}") for n, text in enumerate(statements)) + "\n"
    ast.parse(source)
    gone = data.draw(st.integers(0, len(statements) - 1))
    after = _without(source.encode(), {(f"name{gone}",)}).decode()
    tree = ast.parse(after)
    assert f"name{gone}" not in after
    assert all(f"name{n}" in after for n in range(len(statements)) if n != gone)
    assert after.count("\n") == source.count("\n")
    assert len(tree.body) == len(ast.parse(source).body)
