"""The class with trouble in it holds what it says that it holds."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.classroom import Work
from benchmarks.troubled import (
    CALM_ANSWERS,
    IN_AN_ANSWER,
    TROUBLES,
    deserves,
    one_of_each,
    with_trouble,
)

PLAIN = [
    Work(f"student{number:04}", ("reference", "wrong")[number % 2], (f"# {number}", "x = 1"))
    for number in range(300)
]


def test_every_hundred_students_have_their_share_of_trouble() -> None:
    kinds = Counter(work.kind.split(" in ")[0] for work in with_trouble(PLAIN))
    assert {name: kinds[name] for name in TROUBLES} == {"loop": 15, "hog": 6, "crash": 3}
    assert len({work.student for work in with_trouble(PLAIN)}) == len(PLAIN)


def test_no_two_files_are_alike() -> None:
    assert len({work.cells for work in with_trouble(PLAIN)}) == len(PLAIN)


@pytest.mark.parametrize("which", CALM_ANSWERS)
def test_the_calm_twins_are_of_the_same_kinds_and_harmless(which: str) -> None:
    twins = one_of_each(with_trouble(PLAIN, calm=CALM_ANSWERS[which]))
    assert {work.kind for work in twins} == {work.kind for work in with_trouble(PLAIN)}
    assert not any("while True" in cell for work in twins for cell in work.cells)


def test_trouble_in_an_answer_is_python() -> None:
    for work in with_trouble(PLAIN):
        for cell in work.cells:
            compile(cell, work.kind, "exec")
    assert "{body}" in IN_AN_ANSWER


def test_deserved_is_what_lies_between_the_least_and_the_most() -> None:
    least, most = {"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 2.0}
    assert all(deserves({"a": points, "b": 2.0}, least, most) for points in (1.0, 2.0, 3.0))
    assert not any(deserves({"a": points, "b": 2.0}, least, most) for points in (0.5, 3.5))
    assert not deserves({"a": 1.0, "b": 2.5}, least, most)
    assert not deserves({"a": 1.0}, least, most)
