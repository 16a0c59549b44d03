"""`results.json` against the documented schema of Gradescope."""

from __future__ import annotations

import json

import pytest
from jsonschema import validate

from grader.model import CellError, Ending, EndingKind, Status
from grader.reports.choices import Hidden
from grader.reports.feedback import compose
from grader.reports.gradescope import encode

SECRET = "hidden-input-4711"
VISIBILITY = {"enum": ["visible", "hidden", "after_due_date", "after_published"]}
TEXT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
# what the documentation of Gradescope's autograders names, and nothing else
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["score", "tests"],
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": TEXT,
        "test_output_format": TEXT,
        "test_name_format": TEXT,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "leaderboard": {"type": "array"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "name_format": TEXT,
                    "number": {"type": "string"},
                    "output": {"type": "string"},
                    "output_format": TEXT,
                    "tags": {"type": "array"},
                    "visibility": VISIBILITY,
                    "extra_data": {"type": "object"},
                },
            },
        },
    },
}  # fmt: skip
MIXED = (Status.PASSED, Status.FAILED, Status.PASSED)


def results(score, assignment, hidden=Hidden.TITLES):
    document = json.loads(encode(score, compose(score, assignment, None, hidden)))
    validate(document, SCHEMA)
    return document


@pytest.mark.parametrize("hidden", Hidden)
def test_the_tests_add_up_to_the_score(make_score, assignment, hidden):
    found = results(make_score(statuses=MIXED), assignment, hidden)
    assert sum(test["score"] for test in found["tests"]) == found["score"] == 4


def test_hidden_checks_wait_until_grades_are_published(make_score, assignment):
    found = results(make_score(statuses=MIXED), assignment)
    assert [test["visibility"] for test in found["tests"]] == [
        "visible", "after_published", "after_published",
    ]  # fmt: skip


def test_a_failed_check_says_why_and_shows_no_hidden_value(make_score, assignment):
    found = results(make_score(statuses=MIXED, message="too large"), assignment)
    assert found["tests"][1]["output"] == "failed\ntoo large\nHint: Multiply once."
    assert SECRET not in json.dumps(found)


def test_hidden_checks_that_are_not_named_are_one_test(make_score, assignment):
    found = results(make_score(statuses=MIXED), assignment, Hidden.NONE)
    assert "Token vectors" not in json.dumps(found)
    assert [test["max_score"] for test in found["tests"]] == [3, 3]


def test_what_stopped_the_notebook_is_said(make_score, assignment):
    found = results(
        make_score(
            ending=Ending(kind=EndingKind.MEMORY, message="cell 2 took 9 GiB"),
            cell_errors=(CellError(cell=2, error="MemoryError", message="", line=4),),
        ),
        assignment,
    )
    assert "Your code was stopped: cell 2 took 9 GiB" in found["output"]
    assert "Cell 2, line 4: MemoryError" in found["output"]
