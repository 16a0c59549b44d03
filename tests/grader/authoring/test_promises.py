"""Promises: quoted as they stand, demanded by checks, broken by mutants that these checks kill."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy import write

from grader.authoring.lessons import Lesson, read_lesson
from grader.authoring.promises import PromiseReport, judge_promises, missing_entries
from grader.errors import SuiteError
from grader.model import Assignment, Check, Question, Suite

SOURCES = {"add": 'def add(a, b):\n    """Add two numbers.\n\n    Both may be\n    negative."""\n'}
KILLERS = {"wide": ("small", "any[1]", "other"), "narrow": ("any[2]",), "elsewhere": ("other",)}


def suite() -> Suite:
    names = {"small": "sums", "any[1]": "sums", "any[2]": "sums", "other": "more"}
    checks = tuple(
        Check(id=i, question=q, title="", points=1, public=False) for i, q in names.items()
    )
    questions = tuple(Question(id=q, title="", points=1) for q in ("sums", "more"))
    return Suite(Assignment("adding", "", questions), checks, (), "")


@pytest.fixture
def lesson(tmp_path: Path) -> Lesson:
    text = "# %% [markdown]\n# Sums are *fun*,\n# always.\n\n# %%\nx = 1  # one\n"
    return read_lesson(write(tmp_path / "01_adding.py", text))


def judged(lesson: Lesson, *entries: str, whole: bool = True) -> PromiseReport:
    """The report on a table with these entries; the docstring's sentences are free if `whole`."""
    rest = ["Add two numbers.", "Both may be negative."] if whole else []
    free = [f'in = "add"\nsentence = "{one}"\nfree = "toy"' for one in rest]
    table = "".join(f"[[promise]]\n{one}\n" for one in [*entries, *free])
    write(lesson.path.with_suffix("") / "promises.toml", table)
    return judge_promises(lesson, SOURCES, suite(), KILLERS)


def told(report: PromiseReport) -> str:
    return "\n".join(f"{one.what} | {one.hint}" for one in report.findings)


def entry(checks: str, mutants: str) -> str:
    return f'in = "add"\nsentence = "Both may be negative."\nchecks = {checks}\nmutants = {mutants}'


def test_a_kept_promise_is_counted(lesson: Lesson) -> None:
    report = judged(lesson, entry('["sums.any"]', '["narrow", "wide"]'))
    assert (report.checked, report.free, report.findings) == (1, 2, ())


def test_without_a_table_the_command_that_begins_one_is_named(lesson: Lesson) -> None:
    (finding,) = judge_promises(lesson, SOURCES, suite(), KILLERS).findings
    assert finding.where.endswith("01_adding/promises.toml")
    assert "--write-tables" in finding.hint


def test_a_sentence_without_an_entry_is_noticed(lesson: Lesson) -> None:
    report = judged(lesson, 'in = "add"\nsentence = "Add two numbers."\nfree = "x"', whole=False)
    assert "`add` says “Both may be negative.”" in told(report)
    assert len(missing_entries((), SOURCES)) == 2


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (entry("[]", "[]"), "no check demands, no mutant breaks “Both may be negative.” (in add)"),
        (entry('["sums.any"]', "[]"), "no mutant breaks"),
        (entry("[]", '["narrow"]'), "no check demands"),
        (entry('["sums.anny"]', '["narrow"]'), "no check is called `sums.anny` | did you mean"),
        (entry('["any"]', '["narrow"]'), "no check is called `any`"),
        (entry('["sums.any"]', '["narow"]'), "no mutant is called `narow`"),
        (entry('["sums.any[1]"]', '["narrow"]'), "`narrow` is killed by none of the checks"),
        (entry('["sums.any"]', '["wide"]'), "alone | the nearest one also fails other, small"),
        ('in = "add"\nsentence = "Three."\nfree = "x"', "does not stand in the docstring of `add`"),
        ('in = "sub"\nsentence = "Three."\nfree = "x"', "`in` names no docstring: `sub`"),
        ('sentence = "Sums are dull."\nfree = "x"', "does not stand in the lesson"),
        ('sentence = "Both may be negative."\nfree = "x"', "does not stand in the lesson"),
        (
            'sentence = "Sums are *fun*, always."\nfree = "x"\nchecks = ["sums.any"]',
            "is free, and has checks",
        ),
    ],
)
def test_what_does_not_hold_is_told(lesson: Lesson, given: str, expected: str) -> None:
    report = judged(lesson, given)
    assert expected in told(report)
    assert len(report.findings) == 1, told(report)


def test_the_lessons_own_text_is_quoted_without_a_place(lesson: Lesson) -> None:
    assert not judged(lesson, 'sentence = "Sums are *fun*, always."\nfree = "x"').findings
    assert not judged(lesson, 'sentence = "x = 1 # one"\nfree = "x"').findings


def test_a_malformed_table_names_its_file(lesson: Lesson) -> None:
    with pytest.raises(SuiteError) as caught:
        judged(lesson, 'sentense = "Sums"')
    assert "promises.toml" in str(caught.value.where)
