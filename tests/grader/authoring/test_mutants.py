"""Known-wrong answers."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from toy import write

from grader.authoring.mutants import Mutant, apply, load_mutants
from grader.config.course import Course
from grader.errors import ConfigError, SuiteError

MUTANT = """
    bug = "subtracts"
    loses = ["any"]

    [[edit]]
    in = "add"
    old = "a + b"
    new = "a - b"
"""


@pytest.fixture
def course(toy_course: Course, toy: Path) -> Course:
    write(
        toy / "lessons/01_adding.py",
        '# %% solution="add"\n# %% solution="Counter"\n# %% question="any"\n',
    )
    write(toy / "mutants/adding/subtracts.toml", MUTANT)
    return msgspec.structs.replace(toy_course, lessons=toy / "lessons", mutants=toy / "mutants")


def load_with(course: Course, old: str, new: str) -> tuple[Mutant, ...]:
    assert old in MUTANT
    write(course.mutants / "adding/subtracts.toml", MUTANT.replace(old, new))
    return load_mutants(course)


def test_a_mutant_says_what_it_must_lose(course: Course) -> None:
    (mutant,) = load_mutants(course)
    assert (mutant.assignment, mutant.name, mutant.loses) == ("adding", "subtracts", ("any",))


def test_edits_are_made_in_order(course: Course) -> None:
    (mutant,) = load_with(
        course, 'new = "a - b"', 'new = "a * b"\n[[edit]]\nin = "add"\nold = "a * b"\nnew = "b"'
    )
    assert apply(mutant, {"add": "def add(a, b):\n    return a + b"})["add"].endswith("return b")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('in = "add"', 'in = "sub"', "no answer is called `sub`"),
        ('old = "a + b"', 'old = "a % b"', "`a % b` occurs 0 times in `add`"),
        ('old = "a + b"', 'old = "a"', "times in `add`, not once"),
        ('old = "a + b"', 'old = ""', "occurs 0 times"),
        ('new = "a - b"', 'new = "a - ("', "not valid Python"),
        ('new = "a - b"', 'new = "a + b"', "change nothing"),
        ('loses = ["any"]', 'loses = ["some"]', "names no question: `some`"),
        ('loses = ["any"]', "loses = []", "`loses` is empty"),
        ('bug = "subtracts"', 'bug = ""', "`bug` is empty"),
        ('bug = "subtracts"', "", "missing required field `bug`"),
        ('bug = "subtracts"', 'bug = "x"\nbugs = 1', "unknown field `bugs`"),
        ('bug = "subtracts"', "bug = ", "not a mutant"),
    ],
)
def test_mistakes_name_the_file(course: Course, old: str, new: str, message: str) -> None:
    with pytest.raises(SuiteError) as caught:
        load_with(course, old, new)
    assert message in caught.value.message
    assert caught.value.where.endswith("subtracts.toml")


def test_mutants_belong_to_an_assignment(course: Course) -> None:
    with pytest.raises(ConfigError, match="`subtracting`"):
        load_mutants(course, "subtracting")
    write(course.mutants / "addin/x.toml", MUTANT)
    with pytest.raises(SuiteError, match="unknown assignment `addin`"):
        load_mutants(course)


def test_course_without_mutants_has_none(toy_course: Course) -> None:
    assert load_mutants(toy_course) == ()
