"""What computes is seen to work, however it is written; what only looks like it is not."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import solutions.tiny_transformer as reference
from course.checks import working_blocks
from grader.testing.handles import SubmissionNames
from grader.testing.local import LocalLink


def submission(**names: Any) -> SubmissionNames:
    return SubmissionNames(LocalLink({**vars(reference), **names}))


def block_of(forward: Callable[..., Any]) -> type[nn.Module]:
    """The reference's block with its parts, put together in another way."""
    return type("Edited", (reference.TransformerBlock,), {"forward": forward})


def with_attention(attend: Callable[..., tuple[Tensor, Tensor]]) -> type[nn.Module]:
    """The reference's block with other attention: takes itself, a normalised input, a mask."""

    def forward(self: Any, x: Tensor, mask: Any = None, return_attention: bool = False) -> Any:
        found, weights = attend(self, self.ln_1(x), mask)
        x = x + found
        return x + self.feedforward(self.ln_2(x)), weights if return_attention else None

    return block_of(forward)


def with_network(transform: Callable[..., Tensor]) -> type[nn.Module]:
    """The reference's block with another network: takes itself and a normalised input."""

    def forward(self: Any, x: Tensor, mask: Any = None, return_attention: bool = False) -> Any:
        normed = self.ln_1(x)
        found, weights = self.attention(normed, normed, normed, mask)
        x = x + found
        return x + transform(self, self.ln_2(x)), weights if return_attention else None

    return block_of(forward)


def uniform(self: Any, x: Tensor, _: Any) -> tuple[Tensor, Tensor]:
    heads = self.attention
    weights = torch.full((x.size(0), heads.n_heads, x.size(1), x.size(1)), 1 / x.size(1))
    return heads.out_proj(weights.mean(1) @ heads.v_proj(x)), weights


def claimed(self: Any, x: Tensor, mask: Any) -> tuple[Tensor, Tensor]:
    _, weights = self.attention(x, x, x, mask)
    return uniform(self, x, mask)[0], weights


def without_maps(self: Any, x: Tensor, _: Any) -> tuple[Tensor, Tensor]:
    weights = (x @ x.mT / x.size(-1) ** 0.5).softmax(-1)
    heads = self.attention
    maps = heads.q_proj, heads.k_proj, heads.v_proj, heads.out_proj
    found = weights @ sum(one(x) for one in maps)
    return found, weights.unsqueeze(1).repeat(1, heads.n_heads, 1, 1)


def drawn(self: Any, x: Tensor, _: Any) -> tuple[Tensor, Tensor]:
    heads = self.attention
    weights = torch.randn(x.size(0), heads.n_heads, x.size(1), x.size(1)).softmax(-1)
    return heads.out_proj(weights.mean(1) @ heads.v_proj(x)), weights


def beside_a_constant(self: Any, x: Tensor, mask: Any) -> tuple[Tensor, Tensor]:
    found, weights = self.attention(x, x, x, mask)
    return 1e7 + found, weights


@pytest.mark.parametrize("attend", [uniform, claimed, without_maps, drawn, beside_a_constant])
def test_attention_that_does_not_attend_is_seen(attend: Callable[..., Any]) -> None:
    names = submission(TransformerBlock=with_attention(attend))
    with pytest.raises(AssertionError):
        working_blocks.assert_block_attends(names, Random(0))


def by_column(self: Any, x: Tensor) -> Tensor:
    network = self.feedforward
    return x * network.widen.weight[0] * network.narrow.weight[:, 0]


def summed(self: Any, x: Tensor) -> Tensor:
    network = self.feedforward
    return x * network.widen.weight.sum() * network.narrow.weight.sum()


def one_map(self: Any, x: Tensor) -> Tensor:
    return self.feedforward.narrow.weight.sum() + x @ self.feedforward.widen.weight[: x.size(-1)]


def nothing(self: Any, x: Tensor) -> Tensor:
    return torch.zeros_like(x)


@pytest.mark.parametrize("transform", [by_column, summed, one_map, nothing])
def test_a_network_that_does_not_transform_is_seen(transform: Callable[..., Any]) -> None:
    names = submission(TransformerBlock=with_network(transform))
    with pytest.raises(AssertionError):
        working_blocks.assert_block_transforms(names, Random(0))


@pytest.mark.parametrize("seed", range(3))
def test_the_reference_works_whatever_is_drawn(seed: int) -> None:
    names, rng = submission(), Random(seed)
    working_blocks.assert_block_works(names, rng)
    working_blocks.assert_heads_attend(names, rng)
    working_blocks.assert_network_transforms(names, rng)


def test_mistakes_that_other_checks_are_about_are_forgiven() -> None:
    def no_scale_no_activation(self: Any, x: Tensor, mask: Any) -> tuple[Tensor, Tensor]:
        found, weights = self.attention(5 * x, x, x, mask)
        return found, weights

    block = with_attention(no_scale_no_activation)
    working_blocks.assert_block_attends(submission(TransformerBlock=block), Random(0))
    linear = with_network(lambda self, x: self.feedforward.narrow(self.feedforward.widen(x)))
    working_blocks.assert_block_works(submission(TransformerBlock=linear), Random(0))


def test_parts_are_tried_without_a_block() -> None:
    names = SubmissionNames(LocalLink({"MultiHeadAttention": reference.MultiHeadAttention}))
    working_blocks.assert_heads_attend(names, Random(0))


def test_a_submission_that_was_seen_to_work_is_not_asked_again() -> None:
    names, built = submission(), []

    class Counting(reference.TransformerBlock):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            built.append(self)

    names = submission(TransformerBlock=Counting)
    rng = Random(0)
    working_blocks.assert_block_attends(names, rng)
    once, state = len(built), rng.getstate()
    working_blocks.assert_block_attends(names, rng)
    assert len(built) == once
    again = Random(0)  # a check draws the same, whether it was the first or not
    working_blocks.assert_block_attends(submission(), again)
    assert again.getstate() == state
