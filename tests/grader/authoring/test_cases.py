"""What the gate tries, and what it leaves out because it could change nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy import Silent, write, write_gate

from grader.authoring.cases import Kind, Planned, definitions, plan_cases
from grader.authoring.lessons import read_lesson
from grader.authoring.verify import Verdict, try_cases
from grader.config.course import load_course

SECOND = """
[[tool.grader.assignments]]
id = "doubling"
title = "Doubling"
"""

DOUBLING = """
# %%
from operator import add as plus

# Your own, once it is finished:
# plus = load("adding").add

# %% solution="double"
### BEGIN SOLUTION
def double(x):
    return plus(x, x)
### END SOLUTION

# %% question="twice"
"""

CHECKS = """
from grader.testing import assert_equal, check


class TestTwice:
    '''Twice'''

    @check(points=1)
    def test_twice(self, submission):
        '''Doubles'''
        assert_equal(submission.double(3).value(), 6)
"""


@pytest.fixture
def two(toy: Path) -> Path:
    """A course whose second assignment makes use of one answer of the first."""
    write_gate(toy)
    table = toy / "pyproject.toml"
    table.write_text(table.read_text() + SECOND)
    write(toy / "lessons/02_doubling.py", DOUBLING)
    write(toy / "hidden/test_doubling.py", CHECKS)
    return toy


def planned(root: Path, assignment: str, *, thorough: bool = False) -> dict[str, Planned]:
    """The mutants that are tried on one assignment."""
    cases = plan_cases(load_course(root), [assignment], thorough=thorough)
    return {case.name: case for case in cases if case.kind is Kind.MUTANT}


def run(case: Planned) -> dict:
    names: dict = {}
    for cell in case.cells:
        exec(cell.source, names)
    return names


def test_a_mutant_has_its_bug_and_nothing_else(two: Path) -> None:
    case = planned(two, "adding")["subtracts"]
    assert (case.must_lose, case.origin) == (("small", "any"), "")
    assert run(case)["add"](5, 3) == 2
    assert run(case)["Counter"](1).up() == 2


def test_a_mutant_is_plugged_in_where_its_answer_is_used(two: Path) -> None:
    cases = planned(two, "doubling")
    # those of `add`, and answers that are of no use
    assert set(cases) == {"subtracts", "integers_only", "accepts_text", "unusable"}
    assert (cases["subtracts"].must_lose, cases["subtracts"].origin) == ((), "adding")
    assert run(cases["subtracts"])["double"](5) == 0


def test_a_scout_raises_whatever_is_asked_of_earlier_answers(two: Path) -> None:
    names = run(planned(two, "doubling")["unusable"])
    with pytest.raises(RuntimeError, match="earlier"):
        names["double"](5)
    with pytest.raises(RuntimeError, match="earlier"):
        names["Counter"](1)
    with pytest.raises(RuntimeError, match="earlier"):
        type("Own", (names["Counter"],), {})


def plugged(root: Path) -> dict[str, Verdict]:
    """What the gate says of answers to the first assignment, plugged into the second."""
    cases = [case for case in plan_cases(load_course(root), ["doubling"]) if case.origin]
    (found,) = try_cases(load_course(root), cases, watcher=Silent(), proof=False).gates
    return {case.name: case.verdict for case in found.cases}


def test_where_an_earlier_answer_matters_its_mutants_are_tried(two: Path) -> None:
    found = plugged(two)
    assert set(found) == {"subtracts", "integers_only", "accepts_text"}
    assert found["subtracts"] is Verdict.LOSES_ELSEWHERE


def test_where_no_earlier_answer_matters_that_is_all_that_is_tried(two: Path) -> None:
    text = DOUBLING.replace("return plus(x, x)", "return 2 * x if x else plus(x, x)")
    write(two / "lessons/02_doubling.py", text)
    assert plugged(two) == {"unusable": Verdict.OK}


def test_thorough_plugs_in_the_others_too(two: Path) -> None:
    assert set(planned(two, "doubling", thorough=True)) == set(planned(two, "adding"))


def test_without_the_line_that_plugs_it_in_a_mutant_stays_at_home(two: Path) -> None:
    write(two / "lessons/02_doubling.py", DOUBLING.replace("# plus = load", "# see load"))
    assert planned(two, "doubling") == {}


def test_what_a_lesson_asks_for_itself_stays_its_own(two: Path) -> None:
    own = DOUBLING.replace("double", "add").replace("plus(x, x)", "2 * x")
    write(two / "lessons/02_doubling.py", own)
    assert run(planned(two, "doubling", thorough=True)["subtracts"])["add"](5) == 10


LESSON = '''\
# %%
import math

# %%
def given(x):
    return math.sqrt(x)

print(given(2.0))

# %% solution="Answer"
### BEGIN SOLUTION
class Answer:
    root = given(4.0)
### END SOLUTION

# %%
class Example(list):
    """Shown to students."""

%matplotlib inline
'''


def test_given_functions_are_kept_without_demos_and_answers(tmp_path: Path) -> None:
    path = tmp_path / "01_toy.py"
    path.write_text(LESSON)
    assert definitions(read_lesson(path)) == ["def given(x):\n    return math.sqrt(x)"]
