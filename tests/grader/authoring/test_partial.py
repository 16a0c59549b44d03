"""Partial work: how a stub is left unsolved, and what that may cost."""

from __future__ import annotations

import ast
from pathlib import Path

import msgspec
import pytest
from toy import write

from grader.authoring.lessons import Lesson, lesson_paths, read_lesson
from grader.authoring.partial import (
    PartialReport,
    PartialResult,
    Variant,
    gaps,
    judge_partial,
    missing_losses,
    stubs,
    unsolved,
)
from grader.authoring.release import build_notebook, code_cells, solution_sources
from grader.config.course import load_course

CLASS = """
class Sum(Base):
    size = 3

    def __init__(self, a):
        super().__init__()
        self.a = a

    def up(self):
        return self.a + 1
"""


def body(text: str, function: str) -> str:
    """The body of a method of a text, on one line; empty if it has none."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return "; ".join(ast.unparse(one) for one in node.body)
    return ""


def test_a_class_is_a_stub_and_so_is_each_of_its_methods() -> None:
    assert stubs("Sum", CLASS) == ["Sum", "Sum.__init__", "Sum.up"]
    assert stubs("Sum", CLASS, ["__init__"]) == ["Sum"]
    assert stubs("f", "def f():\n    return 1") == ["f"]


@pytest.mark.parametrize(
    ("variant", "init", "up"),
    [
        (Variant.RAISES, "raise NotImplementedError()", "raise NotImplementedError()"),
        (Variant.RETURNS_NONE, "return None", "return None"),
        (Variant.PASSES, "", ""),
        (Variant.WRONG_SHAPE, "super().__init__()", "return [0] * 7"),
        (Variant.LEFT_OUT, "", ""),
    ],
)
def test_a_whole_class_is_left_unsolved(variant: Variant, init: str, up: str) -> None:
    text = unsolved(CLASS, "Sum", variant, "[0] * 7")
    assert (body(text, "__init__"), body(text, "up")) == (init, up)
    assert ("class Sum(Base)" in text) == (variant is not Variant.LEFT_OUT)


def test_a_wrong_answer_has_as_many_values_as_the_right_one() -> None:
    source = "def f() -> tuple[Tensor, Tensor | None]:\n    return 1, 2"
    text = unsolved(source, "f", Variant.WRONG_SHAPE, "zeros(1)")
    assert body(text, "f") == "return (zeros(1), zeros(1))"


@pytest.mark.parametrize("variant", list(Variant))
def test_one_method_is_left_unsolved_and_the_other_stays(variant: Variant) -> None:
    text = unsolved(CLASS, "Sum.up", variant, "[0] * 7")
    assert body(text, "__init__") == "super().__init__(); self.a = a"
    assert body(text, "up") != "return self.a + 1"
    assert ("def up" in text) == (variant is not Variant.LEFT_OUT)


def test_a_stub_that_is_called_as_a_question_is_left_unsolved_like_any_other() -> None:
    course = load_course(Path(__file__).parents[3])
    path = lesson_paths(course)["memory_estimation"]
    lesson = read_lesson(path)
    assert "largest_batch" in {cell.solution for cell in lesson.cells if cell.solution} & {
        cell.question for cell in lesson.cells
    }
    solved = code_cells(build_notebook(path, course, None, solved=True))
    for gap in gaps(course, lesson, solution_sources(course, lesson)):
        assert gap.cells != solved, f"{gap.stub}, {gap.variants}"


def test_what_students_are_given_stays() -> None:
    for variant in (Variant.RAISES, Variant.RETURNS_NONE, Variant.WRONG_SHAPE):
        text = unsolved(CLASS, "Sum", variant, "0", ["__init__"])
        assert body(text, "__init__") == "super().__init__(); self.a = a"
        assert body(text, "up") != "return self.a + 1"


# ---------------------------------------------------------------- what it may cost


@pytest.fixture
def lesson(tmp_path: Path) -> Lesson:
    return read_lesson(write(tmp_path / "01_adding.py", "# %%\nx = 1\n"))


def result(variant: Variant, *lost: str, earned: float = 3, stub: str = "Sum.up") -> PartialResult:
    return PartialResult(stub, variant, earned, 5, lost, ())


RESULTS = [
    result(Variant.RAISES, "small", "state"),
    result(Variant.LEFT_OUT, "small", "state"),
    result(Variant.WRONG_SHAPE, "small"),
]

ASKS = """
[asks]
Sum = ["small"]
"""

LOST = """
[[lost]]
stub = "Sum.up"
questions = ["state"]
variants = ["raises", "left out"]
reason = "it counts"
"""


def judged(lesson: Lesson, table: str, results: list[PartialResult] | None = None) -> PartialReport:
    write(lesson.path.with_suffix("") / "partial.toml", table)
    return judge_partial(lesson, ["small", "state"], results or RESULTS)


def told(report: PartialReport) -> str:
    return "\n".join(f"{one.what} | {one.hint}" for one in report.findings)


def test_a_loss_with_a_reason_is_accepted(lesson: Lesson) -> None:
    report = judged(lesson, ASKS + LOST)
    assert not report.findings
    assert {one.own for one in report.results} == {("small",)}, "what asks for a class asks for it"


def test_a_loss_without_a_reason_is_told_once_for_all_its_variants(lesson: Lesson) -> None:
    report = judged(lesson, ASKS)
    (finding,) = report.findings
    assert finding.what == "`Sum.up` unsolved (raises, left out) costs state"
    assert [one.unexpected for one in report.results] == [("state",), ("state",), ()]
    (entry,) = missing_losses(lesson, RESULTS)
    assert entry == {
        "stub": "Sum.up", "variants": ["raises", "left out"], "questions": ["state"], "reason": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (ASKS + LOST.replace("it counts", " "), "costs state without a reason"),
        (ASKS + LOST.replace(', "left out"', ""), "unsolved (left out) costs state"),
        (
            ASKS + LOST.replace('variants = ["raises", "left out"]', ""),
            "keeps state, listed as lost",
        ),
        (ASKS + LOST.replace('["state"]', '["state", "other"]'), "no question is called `other`"),
        (
            ASKS + LOST + '[[lost]]\nstub = "x"\nquestions = []\nreason = "x"',
            "no stub is called `x`",
        ),
        (LOST, "no question asks for `Sum.up`"),
    ],
)
def test_a_table_that_says_something_else_is_told(
    lesson: Lesson, table: str, expected: str
) -> None:
    assert expected in told(judged(lesson, table))


@pytest.mark.parametrize("honest", [Variant.RAISES, Variant.LEFT_OUT])
def test_an_honest_gap_costs_no_more_than_a_wrong_answer(lesson: Lesson, honest: Variant) -> None:
    cheaper = [
        msgspec.structs.replace(one, earned=2.5) if one.variant is honest else one
        for one in RESULTS
    ]
    (finding,) = judged(lesson, ASKS + LOST, cheaper).findings
    assert finding.what == f"`Sum.up`: {honest} earns 2.5, a wrong answer 3"


def test_without_a_table_the_command_that_begins_one_is_named(lesson: Lesson) -> None:
    (finding,) = judge_partial(lesson, ["small", "state"], RESULTS).findings
    assert finding.where.endswith("01_adding/partial.toml")
    assert "--write-tables" in finding.hint
