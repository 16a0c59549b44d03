"""Handles: nothing that decides is asked of the submission."""

from __future__ import annotations

import itertools
import operator
import random
from typing import Any

import numpy as np
import pytest

from grader.testing import attribute, elements, entered, raises, settle, values
from grader.testing.failure import CheckFailed
from grader.testing.handles import (
    Handle,
    HandleMisuse,
    SubmissionNames,
    take,
)
from grader.testing.links import NotDefined, StudentError
from grader.testing.local import LocalLink


class Liar:
    """Says whatever pleases."""

    value = "an attribute that a handle has too"

    def __eq__(self, other: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return 42

    def __repr__(self) -> str:
        return "graded: 100 %"


@pytest.fixture
def submission() -> SubmissionNames:
    return SubmissionNames(
        LocalLink({"liar": Liar(), "numbers": [1, 2], "double": lambda x: 2 * x})
    )


@pytest.mark.parametrize(
    "question",
    [
        lambda h: h == 1,
        lambda h: h != 1,
        lambda h: h < 1,
        bool,
        len,
        iter,
        hash,
        int,
        float,
        abs,
        lambda h: 1 in h,
        lambda h: h + 1,
        lambda h: 1 + h,
        lambda h: 2 @ h,
        operator.neg,
        operator.index,
        lambda h: {h: 1},
    ],
)
def test_a_handle_refuses_to_decide(submission: SubmissionNames, question: object) -> None:
    with pytest.raises(HandleMisuse, match="fetch it"):
        question(submission.liar)  # type: ignore[operator]


def test_repr_is_local(submission: SubmissionNames) -> None:
    assert repr(submission.liar) == "<submission's liar>"
    assert repr(submission.double(3)) == "<submission's double(…)>"


def test_values_are_fetched(submission: SubmissionNames) -> None:
    assert submission.double(21).value() == 42
    assert submission.double(x=submission.numbers).value() == [1, 2, 1, 2]
    assert submission.numbers[-1].value() == 2


def test_a_fetched_list_is_a_copy(submission: SubmissionNames) -> None:
    submission.numbers.value().append(3)
    assert submission.numbers.value() == [1, 2]


def test_elements_are_handles(submission: SubmissionNames) -> None:
    assert [handle.value() for handle in elements(submission.numbers)] == [1, 2]


def test_attributes_can_be_set(submission: SubmissionNames) -> None:
    submission.liar.mood = 7
    assert submission.liar.mood.value() == 7


def test_an_attribute_that_a_handle_uses_itself(submission: SubmissionNames) -> None:
    assert attribute(submission.liar, "value").value().startswith("an attribute")


def test_what_is_not_plain_data_can_not_be_fetched(submission: SubmissionNames) -> None:
    with pytest.raises(CheckFailed, match="Liar is not plain data"):
        submission.liar.value()


def test_a_missing_name_is_told(submission: SubmissionNames) -> None:
    with pytest.raises(NotDefined, match="nothing_here"):
        submission.nothing_here.done()
    assert not submission.defines("nothing_here")
    assert submission.defines("numbers")


def test_exceptions_over_there_come_back_with_their_bases(submission: SubmissionNames) -> None:
    with pytest.raises(StudentError) as caught:
        submission.numbers[9].done()
    assert caught.value.kinds[:2] == ("IndexError", "LookupError")


def test_dunder_attributes_are_not_forwarded(submission: SubmissionNames) -> None:
    with pytest.raises(AttributeError):
        _ = submission.liar.__class_getitem__
    assert type(submission.liar) is Handle


class Journal(list[str]):
    """Keeps what was asked, in order."""

    def note(self, word: str) -> None:
        self.append(word)

    def fail(self) -> None:
        raise ValueError("no")


@pytest.fixture
def journal() -> tuple[SubmissionNames, LocalLink]:
    link = LocalLink({"journal": Journal()})
    return SubmissionNames(link), link


def test_an_error_arrives_with_the_next_value(journal: tuple[SubmissionNames, LocalLink]) -> None:
    names, _ = journal
    names.journal.fail()
    with pytest.raises(StudentError, match="no"):
        names.journal.value()


def test_what_follows_an_error_is_left_out(journal: tuple[SubmissionNames, LocalLink]) -> None:
    names, _ = journal
    names.journal.note("before")
    names.journal.fail()
    names.journal.note("after")
    with pytest.raises(StudentError):
        settle()
    names.journal.note("later")
    assert [h.value() for h in elements(names.journal)] == ["before", "later"]


def test_what_an_error_left_out_can_not_be_used(
    journal: tuple[SubmissionNames, LocalLink],
) -> None:
    names, _ = journal
    names.journal.fail()
    never = names.journal.copy
    with pytest.raises(StudentError, match="no"):
        settle()
    with pytest.raises(StudentError, match="an earlier step"):
        never.done()


def test_a_seed_is_set_after_an_error_too(journal: tuple[SubmissionNames, LocalLink]) -> None:
    names, link = journal
    names.journal.fail()
    names.seed(5)
    expected = random.Random(5).random()
    with pytest.raises(StudentError):
        settle()
    assert random.random() == expected
    link.abandon()


def test_raises_waits_for_what_happens_inside(journal: tuple[SubmissionNames, LocalLink]) -> None:
    names, _ = journal
    with raises("ValueError"):
        names.journal.fail()
    with pytest.raises(CheckFailed, match="raised nothing"), raises("ValueError"):
        names.journal.note("fine")


def test_what_is_not_defined_raises_nothing_that_counts(
    journal: tuple[SubmissionNames, LocalLink],
) -> None:
    names, _ = journal
    with pytest.raises(NotDefined), raises("NameError", "ValueError"):
        names.nothing_here(1)


def test_an_abandoned_error_does_not_arrive(journal: tuple[SubmissionNames, LocalLink]) -> None:
    names, link = journal
    names.journal.fail()
    link.abandon()
    settle()
    assert len(names.journal.copy().value()) == 0


def test_a_context_is_left_after_an_error_inside() -> None:
    class Door:
        open = False

        def __enter__(self) -> None:
            self.open = True

        def __exit__(self, *_: object) -> None:
            self.open = False

        def jam(self) -> None:
            raise RuntimeError("jammed")

    door = Door()
    names = SubmissionNames(LocalLink({"door": door}))
    with pytest.raises(StudentError, match="jammed"), entered(names.door):  # noqa: PT012
        assert door.open
        names.door.jam()
    settle()
    assert not door.open


def test_many_values_come_in_one_trip() -> None:
    trips = 0

    class Counting(LocalLink):
        def _exchange(self) -> Any:
            nonlocal trips
            trips += 1
            return super()._exchange()

    names = SubmissionNames(Counting({"numbers": [3, 1, 4]}))
    handles = elements(names.numbers)
    assert values(handles) == [3, 1, 4]
    assert trips == 2
    assert values([]) == []


def test_the_first_values_of_what_has_no_end() -> None:
    names = SubmissionNames(LocalLink({"count": itertools.count, "list": list}))
    assert take(names.count(5), 3) == [5, 6, 7]
    assert take(names.list([1]), 3) == [1]
    with pytest.raises(CheckFailed, match=r"not ended after 10,000 values: take the first ones"):
        names.count().value()


def test_an_array_is_a_tensor_where_one_is_asked_for() -> None:
    names = SubmissionNames(LocalLink({"ones": np.ones, "words": lambda: np.array(["a"])}))
    assert names.ones(2).tensor().tolist() == [1.0, 1.0]
    assert type(names.ones(2).value()) is np.ndarray
    with pytest.raises(CheckFailed, match="not a tensor"):
        names.words().tensor()
