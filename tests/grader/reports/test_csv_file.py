from __future__ import annotations

import csv
import io

import msgspec

from grader.reports.csv_file import encode


def rows(gradebook) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(encode(gradebook).decode("utf-8"), newline="")))


def test_a_row_for_every_score_and_a_column_for_every_question(gradebook):
    text = encode(gradebook).decode()
    assert text.split("\r\n")[0] == (
        "student,assignment,state,earned,possible,percent,changes,"
        "embeddings.shapes,embeddings.scale,embeddings.extra,isolation"
    )
    assert text.split("\r\n")[1:] == [
        "ada,embeddings,graded,6,5,120,,3,2,1,",
        "bo,embeddings,graded,3,5,60,,3,0,0,",
        "chen,embeddings,ungraded,,5,,,,,,",
        "dmitri,embeddings,missing,0,5,0,,0,0,0,",
        "",
    ]


def test_names_can_not_break_rows_or_become_formulas(gradebook, make_score):
    names = ["=cmd|' /C calc'!A0", 'a "quoted", name', "two\r\nlines", "＋1"]
    scores = tuple(make_score(name) for name in names)
    table = rows(msgspec.structs.replace(gradebook, scores=scores))
    assert [row["student"] for row in table] == [
        "'=cmd|' /C calc'!A0",
        'a "quoted", name',
        "two lines",
        "'＋1",
    ]


def test_numbers_are_plain(gradebook):
    row = rows(gradebook)[1]
    assert float(row["earned"]) / float(row["possible"]) == float(row["percent"]) / 100


def test_another_assignments_questions_are_empty(gradebook, assignment):
    other = msgspec.structs.replace(assignment, id="blocks")
    both = msgspec.structs.replace(gradebook, assignments=(*gradebook.assignments, other))
    assert [rows(both)[0][f"blocks.{name}"] for name in ("shapes", "scale")] == ["", ""]
