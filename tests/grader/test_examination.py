"""Whose code raised: the check's, which may be the submission's doing, or the way to the worker."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import pytest

from grader.examination import LINK_FOLDER, _raised_in, forget_values, in_order
from grader.model import Check
from grader.worker.batch import decode_batch


def link_that_breaks() -> None:
    decode_batch(b"\x01")  # no batch: a number


def check_that_breaks() -> None:
    None.shape  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize(("broken", "link"), [(link_that_breaks, True), (check_that_breaks, False)])
def test_the_link_is_told_from_the_check(broken: Callable[[], None], link: bool) -> None:
    with pytest.raises((TypeError, AttributeError)) as caught:
        broken()
    assert _raised_in(caught.value).is_relative_to(LINK_FOLDER) is link


def test_public_checks_come_first_and_none_before_what_it_requires() -> None:
    def a_check(name: str, *, public: bool, requires: tuple[str, ...] = ()) -> Check:
        return Check(id=name, question="q", title="t", points=1.0, public=public, requires=requires)

    checks = [
        a_check("hidden", public=False),
        a_check("late", public=True, requires=("hidden",)),
        a_check("second", public=True, requires=("first",)),
        a_check("first", public=True),
    ]
    order = [check.id for check, _ in in_order(checks, [None] * 4)]  # type: ignore[list-item]
    assert order == ["first", "second", "hidden", "late"]


def test_what_frames_hold_is_let_go_of() -> None:
    class Large:
        pass

    gone: list[weakref.ref[Large]] = []

    def fails() -> None:
        large = Large()
        gone.append(weakref.ref(large))
        raise ValueError

    try:
        fails()
    except ValueError as error:
        assert gone[0]() is not None
        forget_values(error)
        assert gone[0]() is None
