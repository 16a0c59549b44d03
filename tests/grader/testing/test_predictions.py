"""Predictions: said in words how far off they are, whatever somebody writes into the dict."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.testing.notebook import check
from grader.testing.predictions import Prediction, compare_predictions, predicted_in, spoken


def said(predicted: object, measured: object, **tolerances: float) -> Prediction:
    (one,) = compare_predictions({"x": predicted}, {"x": measured}, **tolerances)
    return one


@pytest.mark.parametrize(("predicted", "seen"), [(0.91, True), (1.09, True), (0.89, False), (1.11, False)])  # fmt: skip
def test_within_the_tolerance_is_well_seen(predicted: float, seen: bool) -> None:
    one = said(predicted, 1.0)
    assert one.seen is seen
    assert ("well seen" in one.words) is seen


def test_a_difference_may_be_allowed_where_a_share_means_nothing() -> None:
    assert said(0.02, 0.0).seen is False
    assert said(0.02, 0.0, or_by=0.02).seen is True
    assert said(0, 0.0).seen is True


@pytest.mark.parametrize(
    ("predicted", "measured", "words"),
    [
        (0.02, 0.16, "8 times too small"),
        (12_000, 400, "30 times too large"),
        (1.2, 1.0, "20% too large"),
        (0.6, 1.0, "40% too small"),
        (-3, 2, "5 too low"),
        (1, 0, "1 too high"),
        (-8, -2, "4 times too low"),
        (-1, -2, "2 times too high"),
    ],
)
def test_how_far_off_is_said(predicted: float, measured: float, words: str) -> None:
    assert words in said(predicted, measured).words


@pytest.mark.parametrize("nothing", [None, ...])
def test_what_is_left_empty_is_told_without_a_verdict(nothing: object) -> None:
    one = said(nothing, 0.16)
    assert one.seen is None
    assert one.words == "nothing predicted; it is 0.16"


@pytest.mark.parametrize("wrong", ["8", True, [1, 2], float("nan"), math.inf, object(), b"1", 1j])
def test_what_is_no_number_is_named(wrong: object) -> None:
    one = said(wrong, 1.0)
    assert one.seen is None
    assert "is no number" in one.words


def test_a_tensor_of_one_is_a_number() -> None:
    torch = pytest.importorskip("torch")
    assert said(torch.tensor([2.0], requires_grad=True), torch.tensor(2)).seen is True
    assert said(torch.zeros(2), 1.0).seen is None
    assert said(1.0, torch.zeros(2)).words == "the code gives no number here"


def test_a_changed_name_is_told_and_loses_nothing() -> None:
    first, second = compare_predictions({"y": 1}, {"x": 1})
    assert first.words == "nothing predicted; it is 1"
    assert "leave the names as they were" in second.words


@example(-9.598954010248734e-306, -1726.0)
@example(5e-324, 1e308)
@given(
    st.one_of(st.none(), st.floats(), st.integers(), st.text(), st.booleans()),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_whatever_is_predicted_gets_one_line_and_no_exception(
    predicted: object, is_: float
) -> None:
    one = said(predicted, is_)
    assert "\n" not in one.words
    assert len(one.words) < 300
    assert one.seen is not True or abs(predicted - is_) <= 0.1 * abs(is_)  # type: ignore[operator]


@pytest.mark.parametrize(("number", "words"), [(7, "7"), (0.1234, "0.123"), (12345.6, "12,346"), (1e300, "1e+300")])  # fmt: skip
def test_numbers_are_written_as_they_are_said(number: float, words: str) -> None:
    assert spoken(number) == words


def test_the_dict_is_found_by_the_name_of_the_question() -> None:
    assert predicted_in({"PREDICTED_FIRST_LOSS": {}}, "prediction first loss") == "PREDICTED_FIRST_LOSS"  # fmt: skip
    for names in ({}, {"PREDICTED_SCALE": 3}):
        with pytest.raises(LookupError, match="Run the cell with PREDICTED_SCALE first"):
            predicted_in(names, "prediction scale")


PREDICTED_COUNTS = {"different": 4, "most": None}


def test_a_notebook_of_a_lesson_in_one_file_compares_as_well(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    check("prediction counts", {"different": 5, "most": 2}, within=0.2)
    check("prediction words", {"different": 5})
    assert capsys.readouterr().out.splitlines() == [
        "✓ different: well seen: you said 4, it is 5",
        "– most: nothing predicted; it is 2",
        "Run the cell with PREDICTED_WORDS first: it is a dict of your predictions.",
    ]
    monkeypatch.setenv("GRADER_GRADING", "1")
    check("prediction counts", {"different": 5})
    assert capsys.readouterr().out == ""
