"""What an output folder holds is read before anything is graded, or nothing is."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from generated import gradebook as generated

from grader.config.course import Course
from grader.errors import UsageError
from grader.gradebook import Regrade
from grader.reports.gradebook_json import encode
from grader.store.output import GRADEBOOK
from grader.store.standing import (
    graded_with_now,
    keep_former,
    read_regrades,
    read_standing,
    require_place_for,
)

replace = msgspec.structs.replace
FORMER = Path(__file__).parents[2] / "former/gradebook_1.json"


def test_an_empty_folder_has_nothing_that_stands(tmp_path: Path, toy_course: Course) -> None:
    assert read_standing(tmp_path, toy_course) is None


def test_what_was_written_is_what_stands(tmp_path: Path, toy_course: Course) -> None:
    book = replace(generated(2), course=toy_course.id)
    (tmp_path / GRADEBOOK).write_bytes(encode(book))
    found = read_standing(tmp_path, toy_course)
    assert found is not None
    assert encode(found) == encode(book)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"no json"])
def test_scores_that_can_not_be_read_are_not_written_over(
    tmp_path: Path, toy_course: Course, content: bytes
) -> None:
    (tmp_path / GRADEBOOK).write_bytes(content)
    with pytest.raises(UsageError, match="can't be read"):
        read_standing(tmp_path, toy_course)


def test_another_courses_scores_are_refused(tmp_path: Path, toy_course: Course) -> None:
    (tmp_path / GRADEBOOK).write_bytes(encode(generated(1)))
    with pytest.raises(UsageError, match="another course, `transformer`"):
        read_standing(tmp_path, toy_course)


def test_another_format_is_refused(tmp_path: Path, toy_course: Course) -> None:
    book = replace(generated(1), course=toy_course.id, schema_version=99)
    (tmp_path / GRADEBOOK).write_bytes(encode(book))
    with pytest.raises(UsageError, match="schema version 99"):
        read_standing(tmp_path, toy_course)


@pytest.mark.parametrize(("stands", "asked"), [((), ("a",)), (("a",), ()), (("a",), ("b",))])
def test_scores_of_some_checks_and_of_others_do_not_mix(
    tmp_path: Path, toy_course: Course, stands: tuple[str, ...], asked: tuple[str, ...]
) -> None:
    book = replace(generated(1), course=toy_course.id, only_checks=stands)
    (tmp_path / GRADEBOOK).write_bytes(encode(book))
    with pytest.raises(UsageError, match="holds the scores of"):
        read_standing(tmp_path, toy_course, asked)
    assert read_standing(tmp_path, toy_course, stands) is not None


@pytest.mark.parametrize("content", [encode(generated(1)), b"no json"])
def test_scores_of_some_checks_replace_no_others(tmp_path: Path, content: bytes) -> None:
    require_place_for(("a",), tmp_path)
    (tmp_path / GRADEBOOK).write_bytes(content)
    require_place_for((), tmp_path)  # all checks: it is what the folder is for
    with pytest.raises(UsageError, match="are not to replace them"):
        require_place_for(("a",), tmp_path)
    (tmp_path / GRADEBOOK).write_bytes(encode(replace(generated(1), only_checks=("b",))))
    require_place_for(("a",), tmp_path)


def test_an_assignment_that_was_not_graded_now_is_known_by_its_suite(toy_course: Course) -> None:
    adding = replace(generated(1, assignments=1).assignments[0], id="adding")
    before = replace(generated(1), assignments=(adding, replace(adding, id="gone")))
    new = replace(before, assignments=())
    now = graded_with_now(toy_course, before, new)
    assert now.keys() == {"adding"}
    hidden = next(toy_course.suites.glob("test_*.py"))
    hidden.write_text(hidden.read_text() + "\n")
    assert graded_with_now(toy_course, before, new) != now


def test_a_gradebook_of_the_first_version_stands(tmp_path: Path, toy_course: Course) -> None:
    shutil.copy(FORMER, tmp_path / GRADEBOOK)
    found = read_standing(tmp_path, toy_course)
    assert found is not None
    assert [score.earned for score in found.scores] == [4, 2, 5]
    assert (found.schema_version, found.run.asked, found.regrades) == (1, None, ())


def test_a_run_about_everybody_keeps_the_log_that_can_be_read(
    tmp_path: Path, toy_course: Course
) -> None:
    assert read_regrades(tmp_path, toy_course) == ()
    line = Regrade(
        at="2026-01-01", by="", because="", assignments=(), changes={}, former="", gained=0,
        lost=0, same=1,
    )  # fmt: skip
    book = replace(generated(1), course=toy_course.id, regrades=(line,))
    (tmp_path / GRADEBOOK).write_bytes(encode(book))
    assert read_regrades(tmp_path, toy_course) == (line,)
    (tmp_path / GRADEBOOK).write_bytes(encode(replace(book, course="another")))
    assert read_regrades(tmp_path, toy_course) == ()


def test_copies_of_one_second_have_names_of_their_own(tmp_path: Path) -> None:
    at = datetime(2026, 3, 27, 10, 15, tzinfo=UTC)
    names = []
    for content in ("one", "two", "three"):
        (tmp_path / GRADEBOOK).write_text(content)
        path = keep_former(tmp_path, at, 0o600)
        assert path.read_text() == content
        names.append(path.name)
    assert names[0] == "gradebook-before-2026-03-27T10.15.00Z.json"
    assert len(set(names)) == 3
