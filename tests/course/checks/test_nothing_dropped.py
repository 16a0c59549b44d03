"""Inside, nothing is dropped, however it is asked for; outside, everything is as before."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.checks.nothing_dropped import NothingDropped

X = torch.rand(2, 4, 6) + 1.0  # (B, T, d_model)

WAYS: dict[str, Callable[[Tensor], Tensor]] = {
    "a function": lambda x: F.dropout(x, 0.5),
    "by its name": lambda x: F.dropout(input=x, p=0.5),
    "torch's own": lambda x: torch.dropout(x, 0.5, True),
    "a module made on the spot": lambda x: nn.Dropout(0.5)(x),
    "whole channels": lambda x: F.dropout1d(x, 0.5),
    "alpha": lambda x: F.alpha_dropout(x, 0.5, True),
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_dropped_inside(way: str) -> None:
    torch.manual_seed(0)
    with NothingDropped():
        assert torch.equal(WAYS[way](X.clone()), X)
    assert not torch.equal(WAYS[way](X.clone()), X)


@pytest.mark.parametrize("by_name", [False, True])
def test_attention_drops_nothing_inside(by_name: bool) -> None:
    def attend(rate: float) -> Tensor:
        if by_name:
            return F.scaled_dot_product_attention(X, X, X, dropout_p=rate)
        return F.scaled_dot_product_attention(X, X, X, None, rate)

    torch.manual_seed(0)
    expected = attend(0.0)
    assert not torch.allclose(attend(0.5), expected)
    with NothingDropped():
        assert torch.allclose(attend(0.5), expected)


def test_other_functions_are_left_alone() -> None:
    with NothingDropped():
        assert torch.equal(F.relu(X - 1.5), (X - 1.5).clamp_min(0))
