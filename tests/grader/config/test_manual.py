"""Questions that a person marks are read with their rubrics, and refused where they make no sense."""

from __future__ import annotations

from pathlib import Path

import pytest
from to_mark import TABLE
from toy import write

from grader.config.course import load_course
from grader.config.manual import require_no_checks
from grader.errors import ConfigError
from grader.model import Question, RubricItem


def test_questions_and_rubrics_are_read_in_their_order(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", TABLE)
    why, sketch = load_course(tmp_path).assignment("tides").manual
    assert (why.id, why.points, why.manual, why.bonus) == ("why", 4, True, False)
    assert why.rubric[0] == RubricItem("moon", "Names the moon", 1.5)
    assert [one.points for one in why.rubric] == [1.5, 2.5, -1]
    assert (sketch.rubric, sketch.towards_maximum) == ((), 0)


def test_a_lesson_in_one_file_has_them_in_its_header(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "[tool.grader]\n")
    write(
        tmp_path / "lessons/01_tides.py",
        """
        # %% [grader]
        # [[manual]]
        # id = "why"
        # title = "Why?"
        # points = 2

        # %% [markdown]
        # # Tides
        """,
    )
    (only,) = load_course(tmp_path).assignment("tides").manual
    assert only.title == "Why?"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("points = 4", "points = 0", "points must be more than 0"),
        ("points = 4", "points = nan", "points must be more than 0"),
        ("points = 4", "points = 1e9", "points must be more than 0, and up to"),
        ("points = 1.5", "points = inf", "points of `moon` must be a number"),
        ('id = "why"', 'id = "why not"', "'why not' is not a plain name"),
        ('id = "sketch"', 'id = "why"', "two are called `why`"),
        ('id = "far_side"', 'id = "moon"', "two are called `moon`"),
        ('text = "Names the moon"', 'text = " "', "`moon` has no text"),
        ("bonus = true", "bonis = true", "bonis"),
        ("points = 1.5", 'points = "many"', "points"),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in TABLE
    write(tmp_path / "pyproject.toml", TABLE.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load_course(tmp_path)
    assert words in caught.value.message
    assert "pyproject.toml" in caught.value.where


def test_the_nearest_key_is_offered(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", TABLE.replace("rubric", "rubrik"))
    with pytest.raises(ConfigError) as caught:
        load_course(tmp_path)
    assert caught.value.hint == "did you mean `rubric`?"


def test_a_question_is_not_marked_by_a_person_and_by_checks() -> None:
    both = Question("why", "Why?", 1, manual=True)
    require_no_checks([both], ["other"], "here")
    with pytest.raises(ConfigError, match="`why` has checks"):
        require_no_checks([both], ["other", "why"], "here")
