"""What the public checks of blocks have in common: parts, or a block in their place, and masks.

A notebook that has no part of its own under a part's name, or one that is called differently, is
judged on the same property of its block.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

import torch
from torch import Tensor

from course.checks.assembled_blocks import NETWORK, block_maker, heads_maker
from course.checks.assembled_blocks import part as own_part
from course.checks.drawn_modules import normal
from course.checks.working_blocks import (
    assert_block_attends,
    assert_block_transforms,
    assert_network_transforms,
)
from grader.testing import (
    Handle,
    NotDefined,
    StudentError,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_equal,
    assert_shape,
    elements,
    parameters,
)
from grader.testing.failure import CheckFailed, fail

BATCH, HEADS, LENGTH, D_K, D_FF = 2, 3, 5, 4, 20
D_MODEL = HEADS * D_K
D_V = 7


def queries_keys_values(rng: Random) -> dict[str, Tensor]:
    """Query and key of each head, (B, n_heads, T, d_k), and its value, (B, n_heads, T, d_v)."""
    lengths = {"query": D_K, "key": D_K, "value": D_V}
    return {name: normal(rng, BATCH, HEADS, LENGTH, size) for name, size in lengths.items()}


def causal(length: int) -> Tensor:
    """True where position t (row) may attend to position s (column): s <= t."""
    return torch.ones(length, length, dtype=torch.bool).tril()


def assert_causal_mask(submission: SubmissionNames, rng: Random) -> None:
    """Demand a bool triangle of any size."""
    for length in (1, 2, rng.randrange(3, 9)):
        mask = submission.causal_mask(length).tensor()
        assert_shape(mask, (length, length), "the mask")
        if mask.dtype != torch.bool:
            fail("the mask has the wrong dtype", expected=torch.bool, actual=mask.dtype)
        assert_equal(mask.tolist(), causal(length).tolist(), f"the mask for T = {length}")


def assert_dropped(used: Tensor, weights: Tensor, rate: float) -> None:
    """Demand that about so many weights are dropped, and the others scaled up.

    Of 3,750, right code is off by 0.1 with a probability below 2 exp(-2 * 3750 * 0.01) = 1e-32
    (Hoeffding).
    """
    dropped = used.abs() < 1e-12
    share = float(dropped.double().mean())
    if abs(share - rate) > 0.1:
        fail("the share of weights that are dropped is wrong", expected=rate, actual=share)
    if torch.equal(dropped, dropped[..., :1, :].expand_as(dropped)):
        fail("all queries lose the same keys: values are dropped, not weights")
    scaled = weights / (1 - rate)
    assert_close(used[~dropped], scaled[~dropped], "the weights that are kept", atol=1e-4)


def build(
    make: Handle, submission: SubmissionNames, rng: Random, n_inputs: int = 1, **sizes: int
) -> Handle:
    """A module in eval mode whose matrices are drawn anew: one may start with zeros, rightly.

    It takes `n_inputs` sequences of vectors.
    """
    module = make(**sizes, dropout=0.0)
    submission.placed(module)
    for parameter, value in parameters(module, *n_inputs * [torch.zeros(1, 1, D_MODEL)]):
        if sum(size > 1 for size in value.shape) >= 2:
            parameter.detach().copy_(normal(rng, *value.shape) / math.sqrt(D_MODEL))
    module.eval()
    return module


def new_heads(submission: SubmissionNames, rng: Random) -> Handle:
    """Build the student's multi-head attention."""
    make = heads_maker(submission)
    return build(make, submission, rng, n_inputs=3, d_model=D_MODEL, n_heads=HEADS)


def new_block(submission: SubmissionNames, rng: Random) -> Handle:
    """Build the student's block."""
    make = block_maker(submission)
    return build(make, submission, rng, d_model=D_MODEL, n_heads=HEADS, d_ff=D_FF)


def assert_keys_make_weights(heads: Handle, query: Tensor, keys: Tensor, values: Tensor) -> None:
    """Demand that queries come first, keys second, and that values have no say in the weights."""
    before, alike = part_pair(heads(query=query, key=keys, value=keys))
    out, weights = part_pair(heads(query, keys, values))
    assert_differs(out, before, "the output for other values")
    assert_close(weights, alike, "the weights for other values")


def run_block(
    submission: SubmissionNames, rng: Random, x: Tensor, mask: Tensor | None = None
) -> tuple[Any, Any]:
    """The output and the weights of a new block."""
    result = new_block(submission, rng)(x, mask=mask, return_attention=True)
    return pair(result, "the block's result")


def added_to_single_tokens(submission: SubmissionNames, rng: Random) -> Any:
    """What attention adds in a new block to many sequences of one token each."""
    assert_block_attends(submission, rng)
    tokens = normal(rng, 4 * D_MODEL, 1, D_MODEL)
    block = new_block(submission, rng)
    for parameter in elements(block.parameters()):
        if D_FF in tuple(parameter.shape.value()):
            parameter.detach().zero_()  # the network adds nothing
    return first(block(tokens)) - tokens


def assert_all_heads_arrive(out: Tensor) -> None:
    """Demand outputs that differ in more directions than all heads but one could fill."""
    found = out.flatten(1) - out.flatten(1).mean(dim=0)
    sizes = torch.linalg.svdvals(found)  # in how many directions the outputs differ
    directions = int((sizes > 1e-3 * sizes[0]).sum())
    if directions <= D_MODEL - D_K:  # one head's worth is missing
        fail("some heads' findings get lost, or are mixed up", expected="a place for each")


def assert_order_of_arguments(submission: SubmissionNames, x: Tensor) -> None:
    """Demand that arguments without names mean what the stub's signature says."""
    make, named = block_maker(submission), {"d_model": D_MODEL, "n_heads": HEADS, "d_ff": D_FF}
    counts = []
    for block in (make(D_MODEL, HEADS, D_FF, 0.0, True), make(**named, dropout=0.0, bias=True)):
        submission.placed(block)
        counts.append(sum(value.numel() for _, value in parameters(block, x)))
    assert_equal(counts[0], counts[1], "the number of parameters without names of arguments")
    block = submission.placed(make(D_MODEL, HEADS, D_FF, 0.5, True)).eval()
    assert_shape(first(block(x, causal(LENGTH), False)), x.shape, "the output")


def block_weights(submission: SubmissionNames, rng: Random, mask: Tensor | None = None) -> Any:
    """The weights of a new block on a random input."""
    assert_block_attends(submission, rng)
    _, weights = run_block(submission, rng, normal(rng, BATCH, LENGTH, D_MODEL), mask)
    return weights


def position_wise(submission: SubmissionNames, rng: Random, x: Tensor) -> Any:
    """What the feed-forward network makes of x, or a block in which nobody attends to others."""

    def part() -> Any:
        make = own_part(submission, NETWORK)
        out = build(make, submission, rng, d_model=D_MODEL, d_ff=D_FF)(x).tensor()
        assert_network_transforms(submission, rng)
        return out

    def block() -> Any:
        assert_block_transforms(submission, rng)
        alone = torch.eye(x.size(1), dtype=torch.bool)
        return first(new_block(submission, rng)(x, mask=alone))

    return part_or_block(part, block)


def assert_transformed(out: Any, x: Tensor) -> None:
    """Demand an output of the input's shape that is neither the input nor the same everywhere."""
    assert_shape(out, x.shape, "the output")
    assert_differs(out, x, "the input, on its way through,")
    assert_differs(out[:, 0], out[:, 1], "the output, from one position to the next,")


class NotAPair(CheckFailed):
    """A result that is not (output, weights)."""


def part_pair(result: Handle) -> tuple[Any, Any]:
    """Fetch a part's (output, weights).

    Raises:
        NotAPair: it is something else, or there are no weights.
    """
    out, weights = pair(result)
    if weights is None:
        raise NotAPair("there are no weights", expected="(output, weights)", actual="(…, None)")
    return out, weights


def pair(result: Handle, what: str = "the result") -> tuple[Any, Any]:
    """Fetch (output, weights).

    Raises:
        NotAPair: it is something else.
    """
    value = result.value()
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise NotAPair(
            f"{what} is not a pair", expected="(output, weights)", actual=type(value).__name__
        )
    return value[0], value[1]


def first(result: Handle) -> Any:
    """The block's output, also of a block that returns nothing else: other checks look at that."""
    value = result.value()
    return value[0] if isinstance(value, (tuple, list)) and value else value


def part_or_block(part: Callable[[], Any], block: Callable[[], Any]) -> Any:
    """The part's result, or the block's where no such part is there or it is called differently."""
    try:
        return part()
    except NotAPair as error:
        reason: Exception = error
    except StudentError as error:
        if not isinstance(error, NotDefined) and not {"NotImplementedError", "TypeError"} & set(
            error.kinds
        ):
            raise
        reason = error
    try:
        return block()
    except StudentError:
        raise reason from None


def assert_weights(weights: Any) -> None:
    """Demand (B, n_heads, T, T), rows that add up to 1 and nothing negative."""
    assert_shape(weights, (BATCH, HEADS, LENGTH, LENGTH), "the attention weights")
    sums = weights.sum(dim=-1)
    assert_close(sums, torch.ones(BATCH, HEADS, LENGTH), "the sum of each row of weights")
    if bool((weights < 0).any()):
        fail("some attention weights are negative")
