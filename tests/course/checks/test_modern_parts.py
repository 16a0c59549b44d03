"""First looks at the parts of a modern block tell right from wrong."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
import torch
from torch import Tensor

from course.checks.modern_parts import assert_rotated
from grader.testing.failure import CheckFailed
from grader.testing.handles import SubmissionNames
from grader.testing.local import LocalLink
from solutions.tiny_transformer import rope

WRONG: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "turns nothing": lambda x, positions: x,
    "turns by places": lambda x, positions: rope(x, torch.arange(x.size(-2))),
    "turns by sorted positions": lambda x, positions: rope(x, positions.sort().values),
    "counts from 1": lambda x, positions: rope(x, positions + 1),
    "grows": lambda x, positions: rope(x, positions) * 1.1,
}


def ask(turn: Callable[[Tensor, Tensor], Tensor], seed: int) -> None:
    assert_rotated(SubmissionNames(LocalLink({"rope": turn})), Random(seed))


@pytest.mark.parametrize("seed", range(20))
def test_rotations_pass(seed: int) -> None:
    ask(rope, seed)


@pytest.mark.parametrize("wrong", WRONG)
def test_what_does_not_turn_by_its_position_fails(wrong: str) -> None:
    for seed in range(20):
        with pytest.raises(CheckFailed):
            ask(WRONG[wrong], seed)
