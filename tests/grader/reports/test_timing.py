"""When something was handed in, how often, and what a total leaves out: in every report."""

from __future__ import annotations

import msgspec
import pytest
from generated import gradebook as generated

from grader.gradebook import AppliedRule, Attempt, Gradebook, Score
from grader.reports import feedback_markdown, gradebook_json
from grader.reports.csv_file import encode
from grader.reports.feedback import compose
from grader.reports.gradescope import encode as gradescope
from grader.reports.html.class_report import class_report
from grader.reports.html.feedback_page import feedback_page
from grader.reports.html.student_page import student_page
from grader.reports.inspection import print_student
from grader.reports.students import by_student
from grader.reports.timing import attempts, handed_in
from grader.scoring.policies import course_total
from grader.serialization import to_builtins
from grader.times import parse_time

LATE = AppliedRule(rule="late", difference=-1, reason="2 hours late")


def late(score: Score) -> Score:
    work = [
        Attempt(number=1, file="<b>old</b>.ipynb", digest="1", counts=False, earned=1),
        Attempt(
            number=2,
            file="new.ipynb",
            digest="2",
            counts=True,
            submitted_at=parse_time("2026-03-28T00:59:00Z"),
        ),
    ]
    return msgspec.structs.replace(
        score,
        applied=(LATE,),
        submitted_at=parse_time("2026-03-28T00:59:00+00:00"),
        time_from="times.csv",
        due=parse_time("2026-03-27T23:59:00+01:00[Europe/Berlin]"),
        attempts=tuple(work),
    )


@pytest.fixture
def book() -> Gradebook:
    made = generated(1, assignments=3)
    scores = [late(made.scores[0]), *made.scores[1:]]
    total = course_total(made.scores[0].student, scores, 1)
    return msgspec.structs.replace(made, scores=tuple(scores), totals=(total,))


def test_times_are_told_by_the_clocks_of_the_due_date(book: Gradebook) -> None:
    score = book.scores[0]
    told = "handed in 2026-03-28 01:59 CET, due 2026-03-27 23:59 CET"
    assert handed_in(score) == told
    assert "(from times.csv)" in handed_in(score, source=True)
    assert list(attempts(score)) == [
        "attempt 1: <b>old</b>.ipynb, 1 point, does not count",
        "attempt 2: new.ipynb, handed in 2026-03-28 01:59 CET, counts",
    ]


@pytest.mark.parametrize("text", ["soon", "2026-03-28", "\x00"])
def test_a_gradebook_whose_times_somebody_has_spoilt_is_none(book: Gradebook, text: str) -> None:
    content = to_builtins(book)
    content["scores"][0]["submitted_at"] = text
    with pytest.raises(msgspec.ValidationError, match=r"scores\[0\].submitted_at"):
        gradebook_json.decode(msgspec.json.encode(content))


def test_a_gradebook_keeps_its_moments_with_their_zones(book: Gradebook) -> None:
    content = gradebook_json.encode(book)
    assert b'"due": "2026-03-27T23:59:00+01:00[Europe/Berlin]"' in content
    score = gradebook_json.decode(content).scores[0]
    assert handed_in(score) == handed_in(book.scores[0])


def test_a_late_student_finds_it_in_every_format(book: Gradebook) -> None:
    score, assignment = book.scores[0], book.assignments[0]
    feedback = compose(score, assignment, book.isolation)
    texts = {
        "markdown": feedback_markdown.render(score, assignment, book.isolation),
        "html": feedback_page(feedback),
        "gradescope": gradescope(score, feedback).decode(),
    }
    for name, text in texts.items():
        assert "2 hours late" in text, name
    for name in ("markdown", "html"):
        assert "Handed in 2026-03-28 01:59 CET" in texts[name].replace("&nbsp;", " "), name
        assert "Attempt 2: new.ipynb" in texts[name], name
        assert "<b>old" not in texts[name], name
    assert encode(book).decode().splitlines()[1].split(",")[6] == "-1"


def test_an_instructor_reads_who_told_the_time_and_what_was_dropped(
    book: Gradebook, capsys: pytest.CaptureFixture[str]
) -> None:
    (student,) = by_student(book)
    (total,) = book.totals
    (dropped,) = total.dropped
    title = {one.id: one.title for one in book.assignments}[dropped]
    page = student_page(student, student, book, by_student(book)[student])
    print_student(book, book.scores)
    for text in (page, capsys.readouterr().out):
        assert "(from times.csv)" in text
        assert f"without the lowest: {title}" in text
    assert f"without the lowest: {title}" in class_report(book, {student: student})
