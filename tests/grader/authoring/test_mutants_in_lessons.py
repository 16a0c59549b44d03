"""Mutants that are cells of a lesson in one file."""

from __future__ import annotations

from pathlib import Path

import pytest
from one_file import write_one_file_course
from toy import write

from grader.authoring.mutants import apply, load_mutants
from grader.config.course import load_course
from grader.errors import SuiteError

ANSWER = "def total(numbers):"
WHOLE = "def total(numbers):\n    return sum(int(number) for number in numbers)\n"


def test_a_replacement_and_definitions_are_edits_of_the_answers(tmp_path: Path) -> None:
    first, second, third = load_mutants(load_course(write_one_file_course(tmp_path)))
    sources = {"total": f"{ANSWER}\n    result += number\n", "HALF": "HALF = 0.5\n"}
    assert [(edit.answer, edit.old, edit.new) for edit in first.edits] == [
        ("total", "result += number", "return number")
    ]
    assert apply(third, sources)["HALF"] == "HALF = 0.25\n"
    (edit,) = second.edits
    assert edit.answer == "total"
    assert edit.old.startswith(ANSWER)
    assert edit.old.endswith("return result")
    assert edit.new == WHOLE.rstrip("\n")


def test_what_stands_beside_definitions_comes_before_them(tmp_path: Path) -> None:
    wrong = f"import math\n\n@staticmethod\n{WHOLE}"
    root = write_one_file_course(tmp_path, WHOLE, wrong)
    (edit,) = load_mutants(load_course(root))[1].edits
    assert edit.new == f"import math\n@staticmethod\n{WHOLE}".rstrip("\n")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('replace="HALF = 0.5"', 'replace="QUARTER"', "occurs 0 times"),
        ('replace="HALF = 0.5"', 'replace="="', "times in the answers, not once"),
        ('by="HALF = 0.25"', 'by="HALF ="', "not valid Python"),
        ('by="HALF = 0.25"', 'by="HALF = 0.5"', "change nothing"),
        ("def total(numbers):\n    return sum(int", "def sums(numbers):\n    return sum(int", "defines nothing"),
        ("mutant quarter", "mutant first_only", "two mutants are called `first_only`"),
    ],
)  # fmt: skip
def test_what_is_no_mistake_in_an_answer_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    root = write_one_file_course(tmp_path, old, new)
    path = root / "lessons/01_adding.py"
    text = path.read_text(encoding="utf-8")
    marker = (
        "mutant refuses_nothing"
        if "sums" in new
        else new
        if "first_only" in new
        else "mutant quarter"
    )
    line = text.count("\n", 0, text.rindex(marker)) + 1
    with pytest.raises(SuiteError, match=message) as caught:
        load_mutants(load_course(root))
    assert f"{path}:{line}" in caught.value.where


TWO_CLASSES = '''
    # %% solution
    class Cart:
        """Goods."""

        def add(self, number):
            self.number = number

        def drop(self, number):
            self.number = number


    # %% check hidden question=cart points=1
    def test_cart(submission):
        cart = submission.Cart()
        cart.add(1)
        assert cart.number.value() == 1

    # %% mutant adds_none loses=cart MARKER
'''


def write_two_classes(tmp_path: Path, marker: str) -> Path:
    write(tmp_path / "pyproject.toml", "[tool.grader]\n")
    write(tmp_path / "lessons/01_carts.py", TWO_CLASSES.replace("MARKER", marker))
    return tmp_path


def test_a_replacement_can_be_made_in_one_function_or_method(tmp_path: Path) -> None:
    marker = 'in=Cart.add replace="= number" by="= 0"'
    ((edit,),) = [
        one.edits for one in load_mutants(load_course(write_two_classes(tmp_path, marker)))
    ]
    assert edit.old.strip().startswith("def add")
    assert edit.new == edit.old.replace("= number", "= 0")


@pytest.mark.parametrize(
    ("marker", "message", "hint"),
    [
        ('replace="= number" by="= 0"', "occurs 2 times in the answers", "say where: in=Cart.add or in=Cart.drop"),
        ('in=Cart replace="= number" by="= 0"', "occurs 2 times in `Cart`, not once", "long enough"),
        ('in=Cart.buy replace="= number" by="= 0"', "no answer defines `Cart.buy`", "there are Cart, Cart.add, Cart.drop"),
    ],
)  # fmt: skip
def test_a_replacement_in_several_places_says_how_to_name_one(
    tmp_path: Path, marker: str, message: str, hint: str
) -> None:
    with pytest.raises(SuiteError, match=message) as caught:
        load_mutants(load_course(write_two_classes(tmp_path, marker)))
    assert hint in (caught.value.hint or "")
