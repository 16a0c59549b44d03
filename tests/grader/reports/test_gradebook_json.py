from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import msgspec
from hypothesis import given
from hypothesis import strategies as st

from grader.gradebook import RunInfo
from grader.model import Status
from grader.reports.gradebook_json import decode, encode, schema

PUBLISHED = Path(__file__).parents[3] / "docs" / "results.schema.json"


def test_the_published_schema_is_that_of_the_types():
    assert PUBLISHED.read_bytes() == schema(), "run `make schema` and commit the result"


def test_a_real_file_is_valid_and_a_damaged_one_is_not(gradebook):
    document = json.loads(encode(gradebook))
    validator = jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_bytes()))
    validator.validate(document)
    document["scores"][0]["state"] = "perfect"
    assert not validator.is_valid(document)


def test_the_keys_are_the_documented_ones(gradebook):
    document = json.loads(encode(gradebook))
    assert {
        "schema_version",
        "course",
        "assignments",
        "scores",
        "problems",
        "isolation",
        "run",
    } <= set(document)
    assert {"id", "title", "points", "questions"} <= set(document["assignments"][0])
    question = document["assignments"][0]["questions"][0]
    assert {"id", "title", "points", "checks"} <= set(question)
    assert {"id", "title", "points", "public"} <= set(question["checks"][0])
    score = document["scores"][1]
    assert {"student", "assignment", "state", "earned", "possible", "ending", "questions"} <= set(
        score
    )
    assert score["questions"] == {"shapes": 3.0, "scale": 0.0, "extra": 0.0}
    assert {"check", "question", "status", "earned", "possible", "message"} <= set(
        score["outcomes"][0]
    )


def test_it_can_be_read_back(gradebook):
    without_output = msgspec.structs.replace(
        gradebook,
        scores=tuple(msgspec.structs.replace(score, output="") for score in gradebook.scores),
    )
    assert decode(encode(gradebook)) == without_output


def test_two_runs_differ_under_run_alone(gradebook, make_score):
    other = msgspec.structs.replace(gradebook, run=RunInfo(started_at="later", seconds=9.0, jobs=7))
    one, two = json.loads(encode(gradebook)), json.loads(encode(other))
    assert one.pop("run") != two.pop("run")
    assert one == two


@given(text=st.text(st.characters(), max_size=20))
def test_any_text_can_be_written(text):
    from grader.gradebook import SCHEMA_VERSION, Gradebook
    from grader.model import Problem

    gradebook = Gradebook(
        schema_version=SCHEMA_VERSION,
        course=text,
        assignments=(),
        scores=(),
        problems=(Problem(kind=text, message=text, student=text),),
        isolation=None,
        run=RunInfo(versions={text: text}),
    )
    document = json.loads(encode(gradebook))
    expected = text.encode("utf-8", "replace").decode()
    assert document["problems"][0]["message"] == expected


def test_statuses_are_words(gradebook):
    document = json.loads(encode(gradebook))
    words = [outcome["status"] for outcome in document["scores"][1]["outcomes"]]
    assert words == [Status.PASSED.value, "failed", "skipped"]
