"""What a worker says that was raised: exact types and lengths, or it breaks the protocol."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from grader.judging.reported import reported
from grader.testing.failure import CheckFailed
from grader.testing.links import NotDefined, StudentError
from grader.testing.objects import MAX_KINDS, MAX_MESSAGE, MAX_NAME, describe_error

ERROR = {"kinds": ["ValueError"], "message": "no", "cell": 1, "line": 2}


class Loud:
    """Something that must never be put into words."""

    def __str__(self) -> str:
        raise AssertionError("put into words")

    __repr__ = __str__


anything = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
    | st.lists(st.text(), max_size=3) | st.just(torch.zeros(3)) | st.builds(Loud)
)  # fmt: skip


def of_error(**changed: Any) -> Exception | None:
    return reported({"id": 1, "ok": False, "error": {**ERROR, **changed}}, ())


def test_what_was_raised_is_reported() -> None:
    error = of_error()
    assert isinstance(error, StudentError)
    assert (error.kinds, error.message) == (("ValueError",), "no")
    assert (error.cell, error.line, error.source_line) == (1, 2, "")


@given(st.sampled_from(sorted(ERROR)), anything)
@example("kinds", ["x" * MAX_NAME])
@example("kinds", ["x" * (MAX_NAME + 1)])
@example("message", "x" * (MAX_MESSAGE + 1))
def test_every_field_is_of_its_type_or_the_reply_is_malformed(field: str, value: Any) -> None:
    error = of_error(**{field: value})
    fits = {
        "kinds": type(value) is list and bool(value) and all(len(one) <= MAX_NAME for one in value),
        "message": type(value) is str and len(value) <= MAX_MESSAGE,
        "cell": value is None or (type(value) is int and 0 <= value <= 1 << 20),
        "line": value is None or (type(value) is int and 0 <= value <= 1 << 24),
    }[field]
    assert (error is not None) is fits


@pytest.mark.parametrize(
    "changed",
    [
        {"message": "x" * (MAX_MESSAGE + 1)},
        {"kinds": ["x" * (MAX_NAME + 1)]},
        {"kinds": ["x"] * (MAX_KINDS + 1)},
        {"kinds": [Loud()]},
        {"kinds": []},
        {"cell": True},
        {"source_line": "x"},
    ],
)
def test_too_much_is_malformed(changed: dict[str, Any]) -> None:
    assert of_error(**changed) is None


@given(anything | st.just("f"))
def test_only_what_was_asked_for_can_be_undefined(name: Any) -> None:
    error = reported({"id": 1, "ok": False, "undefined": name}, ["f", "g"])
    if type(name) is str and name == "f":
        assert isinstance(error, NotDefined)
    else:
        assert error is None


@given(anything)
def test_a_reason_is_a_short_text(reason: Any) -> None:
    error = reported({"id": 1, "ok": False, "unsendable": reason}, ())
    assert isinstance(error, CheckFailed) is (type(reason) is str)
    assert reported({"id": 1, "ok": False, "unsendable": "x" * (MAX_MESSAGE + 1)}, ()) is None


@pytest.mark.parametrize("ok", [None, 0, "", torch.zeros(1), Loud()])
def test_a_reply_says_plainly_that_it_failed(ok: Any) -> None:
    assert reported({"id": 1, "ok": ok, "error": ERROR}, ()) is None
    assert reported({"id": 1, "ok": False, "error": ERROR, "more": 1}, ()) is None


def test_whatever_honest_code_raises_has_the_right_form() -> None:
    long = type("E" * 900, (ValueError,), {})("m" * 9_000)
    for error in (long, SyntaxError("no", ("<cell 3>", 7, 1, "x" * 900)), KeyError(1), OSError()):
        told = describe_error(error)
        del told["source_line"]
        assert isinstance(reported({"id": 1, "ok": False, "error": told}, ()), StudentError)
