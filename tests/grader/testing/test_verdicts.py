"""Verdicts: theirs told apart, and nothing hidden in what a student reads."""

from __future__ import annotations

import pytest

from grader.model import CellError, Check, Ending, EndingKind, Status
from grader.testing.failure import CheckFailed
from grader.testing.links import NotDefined, StudentError, WorkerStopped
from grader.testing.verdicts import explain_missing, outcome_of

SECRET = "41.7"


def a_check(*, public: bool) -> Check:
    return Check(id="test_x", question="q", title="t", points=1.0, public=public)


def test_no_exception_is_a_pass() -> None:
    outcome = outcome_of(a_check(public=False), None, 0.1)
    assert (outcome.status, outcome.message, outcome.detail) == (Status.PASSED, "", "")


@pytest.mark.parametrize(
    "error",
    [
        CheckFailed(f"differs by {SECRET}", expected=float(SECRET), actual=0.0),
        AssertionError(f"assert {SECRET} == 0"),
        StudentError(
            ("ValueError", "Exception"), f"got {SECRET}", cell=3, line=2, source_line="raise x"
        ),
        StudentError((f"Leak{SECRET}", "Exception"), ""),
        StudentError((SECRET,), SECRET),
    ],
)
def test_a_hidden_check_tells_the_student_no_value(error: Exception) -> None:
    outcome = outcome_of(a_check(public=False), error, 0.1)
    assert outcome.status in (Status.FAILED, Status.ERROR)
    assert SECRET not in outcome.message
    assert SECRET in outcome.detail


def test_a_public_check_tells_expected_and_actual() -> None:
    error = CheckFailed("the sum is off", expected=3, actual=4)
    assert (
        outcome_of(a_check(public=True), error, 0.1).message == "the sum is off; expected 3, got 4"
    )


def test_what_a_check_quotes_is_cut() -> None:
    outcome = outcome_of(a_check(public=True), AssertionError("got " + "x" * 900_000), 0.1)
    assert len(outcome.message) < 4000
    assert len(outcome.detail) < 4000


def test_an_error_names_the_students_own_line() -> None:
    error = StudentError(
        ("ValueError", "Exception"), "bad", cell=3, line=2, source_line="  raise x"
    )
    hidden = outcome_of(a_check(public=False), error, 0.1)
    public = outcome_of(a_check(public=True), error, 0.1)
    assert hidden.message == "your code raised ValueError (code cell 3, line 2: raise x)"
    assert public.message == "ValueError: bad (code cell 3, line 2: raise x)"
    assert hidden.status is Status.ERROR


def test_an_unfinished_stub_is_failed_not_broken() -> None:
    error = StudentError(("NotImplementedError", "RuntimeError"), "", cell=2, line=4)
    outcome = outcome_of(a_check(public=False), error, 0.1)
    assert outcome.status is Status.FAILED
    assert outcome.message == "not implemented yet (code cell 2, line 4)"


def test_a_stopped_worker_is_a_timeout_only_if_time_ran_out() -> None:
    error = WorkerStopped("stopped after 1 s")
    late = outcome_of(
        a_check(public=False), error, 1, ending=Ending(kind=EndingKind.TIME, message="")
    )
    gone = outcome_of(
        a_check(public=False), error, 1, ending=Ending(kind=EndingKind.EXITED, message="")
    )
    assert late.status is Status.TIMEOUT
    assert gone.status is Status.ERROR
    assert late.message == "stopped after 1 s"


def test_a_missing_name_is_explained_by_the_cell_that_would_define_it() -> None:
    errors = (
        CellError(cell=2, error="KeyError", message="'x'", line=1),
        CellError(cell=5, error="SyntaxError", message="invalid syntax", line=3),
    )
    sources = ((2, "data['x']"), (5, "import torch\nclass Embedding(\n  pass"))
    assert explain_missing("Embedding", errors, sources) == (
        "`Embedding` is not defined: code cell 5, line 3: SyntaxError: invalid syntax"
    )
    assert "code cell 2" in explain_missing("Other", errors, sources)
    assert (
        explain_missing("Other", (), sources) == "`Other` is not defined anywhere in the notebook"
    )


def test_a_name_that_is_not_defined_is_an_error() -> None:
    assert outcome_of(a_check(public=False), NotDefined("f"), 0.1).status is Status.ERROR
