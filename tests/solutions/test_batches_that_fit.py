"""Hidden checks of the largest batch: whatever form an answer has, what it forgives decides."""

from __future__ import annotations

import importlib
import math
import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from grader.testing.failure import CheckFailed
from grader.testing.handles import SubmissionNames
from grader.testing.local import LocalLink

SUITES = Path(__file__).parents[2] / "solutions/suites"
CHECKS = ("test_sequences_that_fit", "test_exact_fit", "test_nothing_fits")


TOLERANCE = 1e-9


def count_up(memory: float, fixed: float, each: float, reserve: float, more: float) -> int:
    batch = 0
    while fixed + (batch + 1 - more) * each <= memory * (1 - reserve):
        batch += 1
    return batch


def count_down(memory: float, fixed: float, each: float, reserve: float, more: float) -> int:
    batch, room = 0, memory - memory * reserve - fixed
    while room >= each * (1 - more):
        batch, room = batch + 1, room - each
    return batch


def share_free(memory: float, fixed: float, each: float, reserve: float, more: float) -> int:
    fits = [n for n in range(400) if 1 - (fixed + (n - more) * each) / memory >= reserve]
    return max(fits, default=0)


def exactly(memory: float, fixed: float, each: float, reserve: float, more: float) -> int:
    m, f, e, r, t = (Fraction(number) for number in (memory, fixed, each, reserve, more))
    return max(0, math.floor((m * (1 - r) - f) / e + t))


FORMS: dict[str, Callable[[float, float, float, float, float], int]] = {
    "divide and floor": lambda m, f, e, r, t: max(0, math.floor((m * (1 - r) - f) / e + t)),
    "divide whole": lambda m, f, e, r, t: max(0, int((m * (1 - r) - f + t * e) // e)),
    "subtract the reserve": lambda m, f, e, r, t: max(0, int((m - m * r - f) / e + t)),
    "subtract what is fixed first": lambda m, f, e, r, t: max(0, int((m - f - r * m) / e + t)),
    "count up": count_up,
    "count down": count_down,
    "compare shares": share_free,
    "exactly": exactly,
}


@pytest.fixture
def question(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SUITES))
    monkeypatch.syspath_prepend(str(SUITES / "memory_estimation"))
    return importlib.import_module("test_2_compute").TestLargestBatch()


def ask(
    question: Any, check: str, form: Callable[..., int], seed: int, more: float = TOLERANCE
) -> None:
    def largest_batch(
        memory: float, fixed: float, per_sequence: float, reserve: float = 0.1
    ) -> int:
        return form(memory, fixed, per_sequence, reserve, more)

    submission = SubmissionNames(LocalLink({"largest_batch": largest_batch}))
    getattr(question, check)(submission, random.Random(seed))


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_every_form_is_right(question: Any, form: Callable[..., int], check: str) -> None:
    for seed in range(100):
        ask(question, check, form, seed)


@pytest.mark.parametrize("more", [-TOLERANCE, 0, 2e-6, 1e-3, 0.5])
@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_one_that_forgives_less_or_far_more_is_not(
    question: Any, form: Callable[..., int], more: float
) -> None:
    for seed in range(5):
        with pytest.raises(CheckFailed):
            ask(question, "test_exact_fit", form, seed, more)
