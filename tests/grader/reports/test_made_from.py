"""Pages that are left alone are those that would be the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from grader.gradebook import Gradebook, Total
from grader.model import Isolation
from grader.reports.writing import write_reports

replace = msgspec.structs.replace


def pages(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("students/*.html")}


def of_ada(book: Gradebook, **changes: object) -> Gradebook:
    scores = [replace(s, **changes) if s.student == "ada" else s for s in book.scores]
    return replace(book, scores=tuple(scores))


def without_a_student(book: Gradebook) -> Gradebook:
    return replace(book, scores=tuple(s for s in book.scores if s.student != "bo"))


def with_another_hint(book: Gradebook) -> Gradebook:
    (assignment,) = book.assignments
    questions = tuple(
        replace(one, checks=tuple(replace(check, hint="Another.") for check in one.checks))
        for one in assignment.questions
    )
    return replace(book, assignments=(replace(assignment, questions=questions),))


CHANGES: dict[str, Callable[[Gradebook], Gradebook]] = {
    "points": lambda book: of_ada(book, earned=0.25),
    "what was found": lambda book: of_ada(book, outcomes=()),
    "a name": lambda book: replace(book, names={"ada": "Ada Lovelace"}),
    "a total": lambda book: replace(book, totals=(Total(student="ada", earned=1.0, possible=2.0),)),
    "the wall": lambda book: replace(book, isolation=Isolation(mode="off")),
    "the course's title": lambda book: replace(book, course_title="Another course"),
    "a hint": with_another_hint,
    "who comes before and after": without_a_student,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_changes_the_pages_are_those_of_an_empty_folder(
    change: Callable[[Gradebook], Gradebook],
    gradebook: Gradebook,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for folder, books in (("kept", [gradebook, change(gradebook)]), ("new", [change(gradebook)])):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)  # pages name the folder as the command line did
        for book in books:
            write_reports(book, Path("out"))
    fresh = pages(tmp_path / "new/out")
    kept = pages(tmp_path / "kept/out")
    assert {name: kept[name] for name in fresh} == fresh


def test_what_has_not_changed_is_not_made_again(gradebook: Gradebook, tmp_path: Path) -> None:
    write_reports(gradebook, tmp_path)
    again = write_reports(of_ada(gradebook, earned=0.25), tmp_path)
    assert [path.name for path in again if path.parent.name == "students"] == ["ada.html"]


def test_a_page_that_was_damaged_is_made_again(gradebook: Gradebook, tmp_path: Path) -> None:
    write_reports(gradebook, tmp_path)
    page = tmp_path / "students/ada.html"
    whole = page.read_text(encoding="utf-8")
    page.write_text("")
    write_reports(gradebook, tmp_path)
    assert page.read_text(encoding="utf-8") == whole
