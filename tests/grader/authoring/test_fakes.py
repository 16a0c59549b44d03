"""Answers that only pretend."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from toy import write

from grader.authoring.fakes import load_fakes
from grader.config.course import Course
from grader.errors import SuiteError

SCRIPT = """
    # /// fake
    # pretends = "every sum is 3"
    # at_most = 1
    # ///
    def add(a, b):
        return 3
"""

EDITS = """
    pretends = "nothing is added"
    at_most = 0.5

    [[edit]]
    in = "add"
    old = "a + b"
    new = "a"
"""


@pytest.fixture
def course(toy_course: Course, toy: Path) -> Course:
    write(toy / "lessons/01_adding.py", '# %% solution="add"\n# %% solution="Counter"\n')
    (toy / "fakes").mkdir()
    return msgspec.structs.replace(toy_course, lessons=toy / "lessons", fakes=toy / "fakes")


def test_a_script_is_a_fake_as_it_stands(course: Course, toy: Path) -> None:
    path = write(toy / "fakes/adding/three.py", SCRIPT)
    (fake,) = load_fakes(course, "adding")
    assert (fake.name, fake.pretends, fake.at_most) == ("three", "every sum is 3", 1)
    assert fake.source == path.read_text()
    assert fake.answers == {}


def test_a_fake_may_be_edits_of_the_reference(course: Course, toy: Path) -> None:
    write(toy / "fakes/adding/first.toml", EDITS)
    (fake,) = load_fakes(course, "adding")
    assert fake.source == ""
    assert fake.answers["add"].endswith("return a")
    assert "class Counter" in fake.answers["Counter"]


def test_what_fakes_have_in_common_stands_before_each(course: Course, toy: Path) -> None:
    write(toy / "fakes/adding/_sum.py", "SUM = 3")
    text = SCRIPT.replace("# at_most = 1", '# at_most = 1\n    # after = "_sum.py"')
    write(toy / "fakes/adding/three.py", text)
    (fake,) = load_fakes(course, "adding")
    assert fake.source.startswith("SUM = 3")
    assert fake.source.endswith("return 3\n")


@pytest.mark.parametrize("name", ["_gone.py", "three.py", "../adding/_sum.py"])
def test_only_a_common_file_beside_it_can_stand_before_a_fake(
    course: Course, toy: Path, name: str
) -> None:
    write(toy / "fakes/adding/_sum.py", "SUM = 3")
    text = SCRIPT.replace("# at_most = 1", f'# at_most = 1\n    # after = "{name}"')
    write(toy / "fakes/adding/three.py", text)
    with pytest.raises(SuiteError, match="`after` names no such file"):
        load_fakes(course, "adding")


def test_fakes_come_by_name(course: Course, toy: Path) -> None:
    write(toy / "fakes/adding/c.py", SCRIPT)
    write(toy / "fakes/adding/b.toml", EDITS)
    write(toy / "fakes/adding/a.py", SCRIPT)
    assert [fake.name for fake in load_fakes(course, "adding")] == ["a", "b", "c"]


def test_a_course_without_fakes_has_none(toy_course: Course) -> None:
    assert load_fakes(toy_course, "adding") == ()


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("three.py", "# /// fake", "# a fake", "has 0"),
        ("three.py", "# ///\n", "# ///\n    # /// fake\n    # x = 1\n    # ///\n", "has 2"),
        ("three.py", "at_most", "at_least", "unknown field `at_least`"),
        ("three.py", "at_most = 1", "at_most = -1", "no number of points"),
        ("three.py", "at_most = 1", "at_most = nan", "no number of points"),
        ("three.py", "at_most = 1", "at_most = inf", "no number of points"),
        ("three.py", '"every sum is 3"', '""', "`pretends` is empty"),
        ("three.py", '"every sum is 3"', '"', "not a fake"),
        ("first.toml", "[[edit]]", "[edit]", "not a fake"),
        ("first.toml", '"a + b"', '"a - b"', "occurs 0 times"),
        ("first.toml", '"add"', '"sub"', "no answer is called `sub`"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(
    course: Course, toy: Path, name: str, old: str, new: str, message: str
) -> None:
    text = SCRIPT if name.endswith(".py") else EDITS
    assert old in text
    path = write(toy / "fakes/adding" / name, text.replace(old, new))
    with pytest.raises(SuiteError, match=message) as caught:
        load_fakes(course, "adding")
    assert caught.value.where == str(path)


def test_a_table_without_edits_is_no_fake(course: Course, toy: Path) -> None:
    write(toy / "fakes/adding/first.toml", EDITS.partition("[[edit]]")[0])
    with pytest.raises(SuiteError, match=r"no `\[\[edit\]\]`"):
        load_fakes(course, "adding")


def test_a_folder_of_no_assignment_is_noticed(course: Course, toy: Path) -> None:
    write(toy / "fakes/addition/three.py", SCRIPT)
    with pytest.raises(SuiteError, match="fakes of an unknown assignment `addition`"):
        load_fakes(course, "adding")
