"""The order of checks, and what is let go of when one has failed."""

from __future__ import annotations

import weakref

from grader.judging.examination import forget_values, in_order
from grader.model import Check


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


def test_checks_that_are_wanted_first_come_after_what_they_require() -> None:
    def a_check(name: str, *requires: str) -> Check:
        return Check(id=name, question="q", title="t", points=1.0, public=True, requires=requires)

    checks = [a_check("a"), a_check("b[1]"), a_check("b[2]", "a"), a_check("c", "b"), a_check("d")]
    items = [None] * len(checks)
    order = [check.id for check, _ in in_order(checks, items, ["d", "c"])]  # type: ignore[arg-type]
    assert order == ["d", "a", "b[1]", "b[2]", "c"]


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
