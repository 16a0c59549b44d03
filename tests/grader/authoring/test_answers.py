"""From a reference's source to solved cells and stubs."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import write

from grader.authoring.answers import (
    BEGIN,
    END,
    clear_solution,
    leave_out,
    mark_solution,
    reference_source,
)
from grader.config.course import Course
from grader.errors import ReleaseError


def stub(source: str, given: tuple[str, ...] = ()) -> str:
    """What a student gets; it and the solved cell are valid Python, and the solved one the same."""
    source = dedent(source).strip("\n")
    solved = mark_solution(source, given)
    assert ast.dump(ast.parse(solved)) == ast.dump(ast.parse(source))
    cleared = clear_solution(solved)
    ast.parse(cleared)
    return cleared


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(x):\n    return x", "def f(x):\n    {stub}"),
        ("def f(x): return x", "def f(x):\n    {stub}"),
        ("def f(x): a = 1; return a  # why", "def f(x):\n    {stub}"),
        ('def f(x):\n    """Doc."""\n    return x', 'def f(x):\n    """Doc."""\n    {stub}'),
        ('def f(x): "Doc."; return x', 'def f(x):\n    "Doc."\n    {stub}'),
        ('def f(x):\n    "Doc."; return x', 'def f(x):\n    "Doc."\n    {stub}'),
        ("def f(x) -> dict[str, int]: return {\n    'ä': 1}", "def f(x) -> dict[str, int]:\n    {stub}"),
        ("def f(x=lambda: 1, y={'a': 2}): return x", "def f(x=lambda: 1, y={'a': 2}):\n    {stub}"),
        ("async def f(\n    x,  # (B, T)\n):  # note\n    # why\n\n    await x",
         "async def f(\n    x,  # (B, T)\n):  # note\n    {stub}"),
        ("def f():\n    @cache\n    def g():\n        return 1\n    return g", "def f():\n    {stub}"),
        ("@cache\n@deco(\n    1)\ndef f():\n    return 1", "@cache\n@deco(\n    1)\ndef f():\n    {stub}"),
        ('def f():\n    return """\n# text\n"""', "def f():\n    {stub}"),
        ("def f():\n\treturn 1", "def f():\n\t{stub}"),
    ],
)  # fmt: skip
def test_body_becomes_a_stub(source: str, expected: str) -> None:
    indent = "\t" if "\t" in source else "    "
    text = f"# YOUR CODE HERE\n{indent}raise NotImplementedError()"
    assert stub(source) == expected.replace("{stub}", text)


def test_everything_but_bodies_stays() -> None:
    source = '''
        class Counter(Base):
            """Counts."""

            step: int = 1
            names = ("a", "b")

            def __init__(self) -> None:
                self.value = SECRET

            @property
            def doubled(self) -> int:
                """Twice the value."""
                # SECRET reason
                return self.value * 2
                # SECRET afterthought

            def abstract(self) -> int:
                """Has only a docstring."""

            def open(self) -> None: ...

            class Inner:
                def deep(self): return SECRET

            if True:
                def conditional(self):
                    return SECRET
    '''
    cleared = stub(source)
    assert "SECRET" not in cleared
    assert cleared.count("raise NotImplementedError()") == 4
    kept = ('"""Counts."""', "step: int = 1", 'names = ("a", "b")', "@property", "Twice the value",
            "Has only a docstring", "def open(self) -> None: ...", "class Inner:")  # fmt: skip
    assert all(text in cleared for text in kept)


def test_given_bodies_stay() -> None:
    source = """
        class A:
            def __init__(self):
                self.a = 1

            class B:
                def __init__(self):
                    self.b = 2

            def f(self):
                return 3
    """
    both = stub(source, ("__init__",))
    assert "self.a = 1" in both
    assert "self.b = 2" in both
    one = stub(source, ("A.__init__",))
    assert "self.a = 1" in one
    assert "self.b" not in one
    assert "return 3" not in one


@pytest.mark.parametrize(
    ("source", "given", "message"),
    [
        ("def f():\n    return 1", ("g",), "names no function"),
        ("def f():\n    return 1", ("f",), "nothing is left"),
        ('def f():\n    """Doc."""', (), "nothing is left"),
        (f"def f():\n    {BEGIN}\n    return 1\n    {END}", (), "already"),
    ],
)
def test_what_can_not_be_marked_is_refused(
    source: str, given: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ReleaseError, match=message):
        mark_solution(source, given)


@pytest.mark.parametrize(
    "source",
    ["x = 1", BEGIN, END, f"{END}\n{BEGIN}", f"{BEGIN}\n{BEGIN}\n{END}", f"{BEGIN}\n{END}\n{END}"],
)
def test_markers_come_in_pairs(source: str) -> None:
    with pytest.raises(ReleaseError, match="solution"):
        clear_solution(source)


LINES = st.lists(
    st.sampled_from(["a = 1", "    ### BEGIN SOLUTION", "\t# BEGIN SOLUTION", "END SOLUTION", ""])
)


MODEL = dedent(
    """
    class Model:
        def first(self):
            return 1

        @deco(
            2)
        def later(self):
            def inner():
                return 2
            return inner

        def last(self): return 3
    """
).strip()


def test_what_comes_later_is_left_out() -> None:
    kept = "class Model:\n    def first(self):\n        return 1\n\n    def last(self): return 3"
    assert leave_out(MODEL, ["later"]) == leave_out(MODEL, ["Model.later"]) == kept
    assert leave_out(MODEL, ()) == MODEL


@pytest.mark.parametrize(
    ("names", "message"), [(["lost"], "`lost`"), (["first", "later", "last"], "nothing is left")]
)
def test_what_can_not_be_left_out(names: list[str], message: str) -> None:
    with pytest.raises(ReleaseError, match=message):
        leave_out(MODEL, names)


@settings(deadline=None)  # the first example imports nbgrader
@given(LINES)
def test_clearing_is_what_nbgrader_does(lines: list[str]) -> None:
    preprocessors = pytest.importorskip("nbgrader.preprocessors")
    nbformat = pytest.importorskip("nbformat")
    source = "\n".join(lines)
    cell = nbformat.v4.new_code_cell(source)
    try:
        cleared = clear_solution(source)
    except ReleaseError:
        return  # stricter: nbgrader lets some unpaired markers pass
    assert preprocessors.ClearSolutions()._replace_solution_region(cell, "python")
    assert cell.source == cleared


def test_reference_is_read_and_not_run(toy_course: Course, toy: Path) -> None:
    write(toy / "reference/sums/more.py", "raise SystemExit\n@deco\ndef extra(): return 1")
    assert reference_source(toy_course, "extra") == "@deco\ndef extra(): return 1"
    assert reference_source(toy_course, "Counter").startswith("class Counter:")


def test_reference_can_be_a_file(toy_course: Course, toy: Path) -> None:
    path = toy / "reference/sums/__init__.py"
    course = msgspec.structs.replace(toy_course, reference=path)
    assert reference_source(course, "add").startswith("def add(")


def test_unknown_name_suggests_the_nearest(toy_course: Course) -> None:
    with pytest.raises(ReleaseError, match="no class or function `Countr`") as caught:
        reference_source(toy_course, "Countr")
    assert caught.value.hint == "did you mean `Counter`?"


def test_name_defined_twice_is_refused(toy_course: Course, toy: Path) -> None:
    write(toy / "reference/sums/more.py", "def add(): return 1")
    with pytest.raises(ReleaseError, match=r"defines `add` 2 times: __init__.py, more.py"):
        reference_source(toy_course, "add")


def test_broken_reference_is_named_with_its_line(toy_course: Course, toy: Path) -> None:
    write(toy / "reference/sums/more.py", "x = 1\ndef f(:")
    with pytest.raises(ReleaseError, match=r"more\.py:2"):
        reference_source(toy_course, "add")


def test_course_without_reference_is_refused(toy_course: Course) -> None:
    with pytest.raises(ReleaseError, match="names none"):
        reference_source(msgspec.structs.replace(toy_course, reference=None), "add")
