"""What the checks of blocks have in common: blocks with drawn matrices, run and taken apart.

Nothing here knows more of `TransformerBlock` than its arguments: parameters are told apart by their
shapes alone. Matrices are drawn anew before anything is measured, because a block may start as the
identity, and its initial size is free.
"""

from __future__ import annotations

import math
from random import Random
from typing import Any

import block_stand_ins  # noqa: F401  # from now on they stand in
import torch
from torch import Tensor

from course.checks.assembled_blocks import block_maker
from course.checks.drawn_modules import Parameters, is_matrix, normal
from grader.testing import Handle, SubmissionNames, assert_shape, parameters
from grader.testing.failure import CheckFailed, fail

BATCH, HEADS, LENGTH, D_K = 2, 3, 6, 8
D_MODEL = HEADS * D_K
D_FF = 29
"""No multiple or divisor of another size: it tells the feed-forward network's parameters."""
VISIBLY = 0.01
"""A change that random matrices of unit gain do not stay below."""


# ---------------------------------------------------------------- building and calling


def new_block(
    submission: SubmissionNames,
    rng: Random,
    *,
    d_model: int = D_MODEL,
    n_heads: int = HEADS,
    d_ff: int = D_FF,
    gain: float = 1.0,
    **options: Any,
) -> Handle:
    """A block in eval mode whose matrices multiply the size of what passes by `gain`.

    It has no dropout unless asked for: dropout at the wrong time is one question's business.
    """
    options = {"dropout": 0.0, **options}
    make = block_maker(submission)
    block = make(d_model=d_model, n_heads=n_heads, d_ff=d_ff, **options)
    return drawn_anew(block, submission, rng, 1, d_model, gain)


def drawn_anew(
    module: Handle,
    submission: SubmissionNames,
    rng: Random,
    n_inputs: int = 1,
    d_model: int = D_MODEL,
    gain: float = 1.0,
) -> Handle:
    """Put a module that takes so many sequences into eval mode, and draw its matrices."""
    submission.placed(module).eval()
    std = gain / math.sqrt(d_model)
    for parameter, value in parameters(module, *n_inputs * [torch.zeros(1, 1, d_model)]):
        if is_matrix(value):
            parameter.detach().copy_(std * normal(rng, *value.shape))
    return module


def output(block: Handle, x: Tensor, mask: Tensor | None = None) -> Any:
    """Run the block; its output has the shape and dtype of x."""
    return output_of(block(x) if mask is None else block(x, mask=mask), x)


def seeded_output(
    submission: SubmissionNames, seed: int, block: Handle, x: Tensor, mask: Tensor
) -> Any:
    """Run the block after seeding what random numbers it may draw."""
    submission.seed(seed)
    return output(block, x, mask)


def output_of(result: Handle, x: Tensor) -> Any:
    """Fetch the output, also of a block that returns nothing else: public checks look at that."""
    value = result.value()
    out = value[0] if isinstance(value, (tuple, list)) and value else value
    assert_shape(out, x.shape, "the block's output")
    if out.dtype != x.dtype:
        fail("the block's output has the wrong dtype", expected=x.dtype, actual=out.dtype)
    return out


def output_handle(result: Handle) -> Handle:
    """The output where it is, with its autograd graph."""
    return result if type(result.value()) is Tensor else result[0]


class NoWeights(CheckFailed):
    """What came back is not an output with attention weights of the right shape."""


def weights_of(block: Handle, x: Tensor, n_heads: int, mask: Tensor | None = None) -> Any:
    """Run the block; its weights are (B, n_heads, T, T)."""
    masked = {} if mask is None else {"mask": mask}
    return output_and_weights(block(x, return_attention=True, **masked), x, n_heads)[1]


def output_and_weights(result: Handle, x: Tensor, n_heads: int) -> tuple[Any, Any]:
    """Fetch (B, T, d_model) and (B, n_heads, T, T), or (B, T, T) of a single head.

    Raises:
        NoWeights: it is something else.
    """
    try:
        return _output_and_weights(result, x, n_heads)
    except CheckFailed as error:
        raise NoWeights(error.message) from error


def _output_and_weights(result: Handle, x: Tensor, n_heads: int) -> tuple[Any, Any]:
    value = result.value()
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        fail("the result is not a pair", actual=type(value).__name__)
    out, weights = value
    assert_shape(out, x.shape, "the output")
    if n_heads == 1 and type(weights) is Tensor and weights.dim() == 3:
        weights = weights.unsqueeze(1)
    batch, length, _ = x.shape
    assert_shape(weights, (batch, n_heads, length, length), "the attention weights")
    if out.dtype != x.dtype or weights.dtype != x.dtype:
        fail("the result has the wrong dtype", expected=x.dtype, actual=(out.dtype, weights.dtype))
    if not bool((weights >= 0).all()):
        fail("some attention weights are negative or not a number")
    return out, weights


# ---------------------------------------------------------------- parameters, by shape alone


def of_feed_forward(pairs: Parameters) -> Parameters:
    """The two maps of the feed-forward network and the first one's bias: d_ff is theirs alone."""
    return [pair for pair in pairs if D_FF in pair[1].shape]


def of_attention(pairs: Parameters) -> Parameters:
    """The maps of attention, in whatever layout."""
    return [pair for pair in pairs if is_matrix(pair[1]) and D_FF not in pair[1].shape]


def silence(pairs: Parameters) -> None:
    """Set parameters to zero."""
    for parameter, _ in pairs:
        parameter.detach().zero_()


def copy_parameters(target: Parameters, source: Parameters) -> None:
    """Give a block the parameters of another one of the same sizes."""
    for (parameter, _), (other, _) in zip(target, source, strict=True):
        parameter.detach().copy_(other.detach())


def count(block: Handle) -> int:
    """Count the elements of all parameters."""
    return sum(value.numel() for _, value in parameters(block))


def sublayers(
    submission: SubmissionNames, rng: Random, **options: Any
) -> tuple[Handle, Handle, Handle, Handle]:
    """Four blocks with the same parameters: both sublayers at work, one of them, or neither.

    They have no biases, so that a silent sublayer adds nothing: every vector is zero but those of
    ones, the gains of LayerNorm.
    """
    blocks = [new_block(submission, rng, **options) for _ in range(4)]
    both, attention, feed_forward, neither = map(parameters, blocks)
    silence([p for p in both if not is_matrix(p[1]) and not bool((p[1] == 1).all())])
    for others in (attention, feed_forward, neither):
        copy_parameters(others, both)
    silence([*of_feed_forward(attention), *of_feed_forward(neither)])
    silence([*of_attention(feed_forward), *of_attention(neither)])
    return blocks[0], blocks[1], blocks[2], blocks[3]


def added(block: Handle, neither: Handle, x: Tensor, mask: Tensor | None = None) -> Any:
    """What sublayers add to what the block carries past them, be that x or, wrongly, another."""
    return output(block, x, mask) - output(neither, x, mask)
