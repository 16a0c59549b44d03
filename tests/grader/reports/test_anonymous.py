"""Nobody can be recognised in anonymous reports: not by a name, a path, a file or a line of code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from generated import gradebook as generated

from grader.gradebook import (
    AppliedRule,
    Asked,
    Attempt,
    Gradebook,
    KeptScore,
    Marked,
    Origin,
    Regrade,
    Score,
    ScoredOutcome,
    Total,
)
from grader.model import CellError, Ending, Moment, Problem, Status
from grader.reports.anonymous import anonymous
from grader.reports.choices import Format
from grader.reports.writing import write_reports

# words that no text of a course holds
PEOPLE = {
    "quaxby_zorn": "Quaxilda Zornfeld",
    "m9988776": "Wüxli O'Brzk",
    "vexley.p@example.org": "Peregrin Vexley",
}
SECRETS = (
    "kwark", "quaxby", "zorn", "quaxilda", "9988776", "wüxli", "brzk", "vexley", "peregrin", "/home/", "plooms",
    "myfile", "2026-03-0", "deadbeef", "my_own_line", "broke her arm", "instructor7", "host77", "printed it",
)  # fmt: skip
SAYS = (
    "FileNotFoundError: '/home/plooms/data.csv' of Quaxilda ZORNFELD, quaxby_zorn.txt, C:\\Users\\plooms\\x, "
    "modelOfVexley, peregrins_list, kwark1 and kwark2@example.org, M9988776, wu\u0308xli (code cell 7, line 3: my_own_line = 1)"
)
PSEUDONYMS = {name: f"P-{9 - number}" for number, name in enumerate(PEOPLE)}


def outcome(one: ScoredOutcome) -> ScoredOutcome:
    return msgspec.structs.replace(
        one,
        status=Status.ERROR,
        message=SAYS,
        detail=SAYS,
        asked=(SAYS,),
        expected=SAYS,
        actual=SAYS,
    )


def told(score: Score, student: str) -> Score:
    """A score that says whose it is wherever it can."""
    at = Moment.fromisoformat("2026-03-02T10:00:00+00:00")
    return msgspec.structs.replace(
        score,
        student=student,
        ending=Ending(kind=score.ending.kind, message=SAYS, hint=SAYS),
        outcomes=tuple(map(outcome, score.outcomes)),
        cell_errors=(CellError(cell=3, error="Error", message=SAYS, line=2, source_line="my_own_line"),),
        output="printed it",
        file="myfile.ipynb",
        digest="deadbeef" * 8,
        applied=(
            AppliedRule("adjustment", 1.0, "she broke her arm"),
            AppliedRule("extension", 0.0, "Quaxilda has longer"),
        ),
        submitted_at=at,
        time_from="myfile",
        due=at,
        attempts=(Attempt(number=1, file="myfile.ipynb", digest="deadbeef", counts=True),),
        marks=(
            Marked(
                question=next(iter(score.questions), ""), possible=1.0, answer="deadbeef", earned=0.5,
                comment="she broke her arm", by="instructor7", at="2026-03-03", waits=SAYS,
            ),
        ),
    )  # fmt: skip


@pytest.fixture
def book() -> Gradebook:
    """A class that names its students in every field that could."""
    made = generated(len(PEOPLE), assignments=2, questions=2, checks=2)
    names = dict(zip(dict.fromkeys(one.student for one in made.scores), PEOPLE, strict=True))
    first = next(iter(PEOPLE))
    run = msgspec.structs.replace(
        made.run,
        started_at="2026-01-05T10:00:00+00:00",
        host="host77",
        seconds_per_submission={first: 1.0},
        asked=Asked(paths=("/home/plooms",), roster="/home/plooms/roster.csv"),
        origins=(Origin(student=first, assignment="embeddings", path="/home/plooms/x"),),
    )
    kept = KeptScore(
        student=first, assignment="embeddings", digest="deadbeef", earned=1, reason=SAYS
    )
    return msgspec.structs.replace(
        made,
        scores=tuple(told(one, names[one.student]) for one in made.scores),
        problems=(
            Problem(kind="late", message=SAYS, where="/home/plooms/myfile", hint=SAYS, student=first),
            Problem(kind="unowned", message="myfile", where="/home/plooms/myfile"),
        ),
        totals=tuple(Total(student=one, earned=1, possible=2) for one in PEOPLE),
        names=PEOPLE,
        ids={one: (one, f"kwark{number}@example.org", "77") for number, one in enumerate(PEOPLE)},
        run=run,
        regrades=(
            Regrade(at="2026-03-03", by="instructor7", because=SAYS, assignments=("embeddings",), changes={},
                    former="gradebook-before.json", gained=1, lost=0, same=0, kept=(kept,)),
        ),
    )  # fmt: skip


def test_no_byte_of_any_file_names_anybody(book: Gradebook, tmp_path: Path) -> None:
    write_reports(book, tmp_path / "named", list(Format))
    write_reports(anonymous(book, PSEUDONYMS), tmp_path / "anonymous", list(Format))
    named, hidden = (
        b"".join(
            str(path.relative_to(tmp_path)).encode() + path.read_bytes()
            for path in sorted((tmp_path / folder).rglob("*"))
            if path.is_file()
        ).decode()
        for folder in ("named", "anonymous")
    )
    for secret in SECRETS:
        spelt = [secret, msgspec.json.encode(secret).decode()[1:-1]]
        assert not any(one.casefold() in hidden.casefold() for one in spelt), secret
    seen = [one for one in SECRETS if one.casefold() in named.casefold()]
    assert len(seen) >= len(SECRETS) - 2, "or this test could not fail"
    assert "P-9" in hidden
    assert "Anonymous" in hidden
    assert (tmp_path / "anonymous/checks/embeddings").is_dir()


def test_everything_that_a_gradebook_holds_was_thought_about() -> None:
    """A field that is new is left out until somebody has put it on one of these lists."""
    kept = {
        Score: "student assignment state earned possible ending questions outcomes cell_errors applied outdated "
        "marks pythons",
        Ending: "kind message problem hint",
        Marked: "question possible bonus earned rubric adjusted waits",
        ScoredOutcome: "check question status earned possible message detail asked check_line cell line expected "
        "actual differs",
        Gradebook: "schema_version course assignments scores problems isolation run complete course_title totals "
        "only_checks anonymous",
        Total: "student earned possible dropped known",
    }  # fmt: skip
    left_out = {
        Score: "output file digest submitted_at time_from due attempts",
        Ending: "",
        Marked: "answer comment by at",
        ScoredOutcome: "",
        Gradebook: "names ids regrades",
        Total: "",
    }
    for kind in kept:
        known = {*kept[kind].split(), *left_out[kind].split()}
        assert known == set(kind.__struct_fields__), kind


def test_scores_are_the_same_and_in_the_order_of_pseudonyms(book: Gradebook) -> None:
    found = anonymous(book, PSEUDONYMS)
    assert [one.student for one in found.scores] == sorted(
        PSEUDONYMS[one.student] for one in book.scores
    )
    assert {(one.student, one.assignment): points(one) for one in found.scores} == {
        (PSEUDONYMS[one.student], one.assignment): points(one) for one in book.scores
    }


def points(score: Score) -> tuple[Any, ...]:
    return score.state, score.earned, score.possible, score.questions


def test_what_names_nobody_is_left_as_it_was(book: Gradebook) -> None:
    said = "the sum: not as expected, 3 of 12 values differ, first at (0, 1); expected 1.5, got NaN"
    score = msgspec.structs.replace(book.scores[0], ending=Ending(message=said))
    found = anonymous(msgspec.structs.replace(book, scores=(score,)), PSEUDONYMS)
    assert found.scores[0].ending.message == said
