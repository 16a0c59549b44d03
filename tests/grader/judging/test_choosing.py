"""Some of a suite's checks, as a person means them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.judging.choosing import chosen_checks, narrowed, with_required
from grader.model import Assignment, Check, Question, Suite


def check(name: str, question: str, *requires: str) -> Check:
    return Check(name, question, f"Title of {name}", 1.0, public=False, requires=requires)


CHECKS = (
    check("test_one", "first"),
    check("test_two[a]", "first", "test_one"),
    check("test_two[b]", "first", "test_one"),
    check("test_three", "second", "test_two"),
    check("test_apart", "second"),
)
QUESTIONS = (Question("first", "First", 3.0), Question("second", "Second", 2.0, bonus=True))
SUITE = Suite(Assignment("adding", "Adding", QUESTIONS), CHECKS, ("f.py",), "digest")
OTHER = Suite(
    Assignment("other", "Other", (Question("q", "Q", 1.0),)), (check("test_x", "q"),), (), ""
)


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("test_one", ["test_one"]),
        ("test_two", ["test_two[a]", "test_two[b]"]),
        ("test_two[b]", ["test_two[b]"]),
        ("test_t*", ["test_two[a]", "test_two[b]", "test_three"]),
        ("*[b]", ["test_two[b]"]),
        ("second", ["test_three", "test_apart"]),
        ("*", [one.id for one in CHECKS]),
        ("test_two[ab]", []),
    ],
)
def test_a_pattern_means_checks_functions_and_questions(pattern: str, meant: list[str]) -> None:
    assert list(chosen_checks(SUITE, [pattern])) == meant


@given(st.sets(st.sampled_from([one.id for one in CHECKS])))
def test_what_checks_require_comes_with_them_in_order(names: set[str]) -> None:
    found = with_required(CHECKS, names)
    ids = [one.id for one in found]
    assert names <= set(ids)
    assert ids == [one.id for one in CHECKS if one.id in ids]
    for one in found:
        for function in one.requires:
            wanted = {c.id for c in CHECKS if c.id.partition("[")[0] == function}
            assert wanted <= set(ids)
    if "test_apart" not in names:
        assert "test_apart" not in ids


def test_a_narrowed_suite_is_worth_its_checks_and_says_so() -> None:
    found = narrowed({"adding": SUITE, "other": OTHER}, ["test_two[a]", "test_apart"])
    assert list(found) == ["adding"]
    assert found["adding"].assignment == Assignment(
        "adding",
        "Adding (2 of 5 checks)",
        (Question("first", "First", 1.0), Question("second", "Second", 1.0, bonus=True)),
    )
    assert [one.id for one in found["adding"].checks] == ["test_two[a]", "test_apart"]
    assert (
        narrowed({"adding": SUITE}, ["*"]) == narrowed({"adding": SUITE}, []) == {"adding": SUITE}
    )


def test_what_no_check_is_called_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no check is called `test_tree`") as caught:
        narrowed({"adding": SUITE, "other": OTHER}, ["test_one", "test_tree"])
    assert caught.value.hint == "did you mean `test_three`?"
