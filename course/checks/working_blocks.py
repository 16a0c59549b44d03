"""Whether attention attends and a network transforms: what no check's points are given without.

A check that compares a block with itself is passed by something that computes nothing, too: by what
never changes, or always does. So these look for the work itself, and forgive every mistake that
other checks are about: how scores are scaled, which way the softmax runs, which norm comes when,
what activation, what layout. A submission that was seen to work is not asked again.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from grader.handles import link_of
from grader.links import Link
from grader.testing import (
    CheckFailed,
    Handle,
    SubmissionNames,
    assert_close,
    assert_shape,
    fail,
    in_some_way,
    parameters,
    values,
)

Parameters = list[tuple[Handle, Tensor]]
"""Handles on a module's parameters, each with a value of the same shape."""

D_MODEL, D_FF, LENGTH, BATCH = 24, 29, 8, 3
N_TOKENS = 5

SHARPNESS = 1.0
"""Standard deviation of the scores at which attention is watched, whatever they are divided by."""


# ---------------------------------------------------------------- drawing and building


def normal(rng: Random, *shape: int) -> Tensor:
    """Draw from the standard normal distribution."""
    generator = torch.Generator().manual_seed(rng.randrange(2**31))
    return torch.randn(*shape, generator=generator)


def is_matrix(value: Tensor, least: int = 8) -> bool:
    """Whether it maps vectors: neither a bias nor a gain, nor a few of these side by side."""
    return sum(size > 1 for size in value.shape) >= 2 and value.numel() >= least * max(value.shape)


def built(
    make: Handle, submission: SubmissionNames, rng: Random, n_inputs: int = 1, **sizes: int
) -> tuple[Parameters, Handle]:
    """A module in eval mode with matrices drawn anew, no bias and no dropout; and its matrices.

    It takes `n_inputs` sequences of vectors.
    """
    module = make(**sizes, dropout=0.0)
    submission.placed(module).eval()
    d_model = sizes["d_model"]
    matrices = []
    for parameter, value in parameters(module, *n_inputs * [torch.zeros(1, 1, d_model)]):
        if is_matrix(value):
            drawn = normal(rng, *value.shape) / math.sqrt(d_model)
            parameter.detach().copy_(drawn)
            matrices.append((parameter, drawn))
        elif not bool((value == 1).all()):  # gains of norms stay
            parameter.detach().zero_()
    return matrices, module


def put(pairs: Parameters, factor: float = 1.0) -> None:
    """Give parameters their values, or a multiple."""
    for parameter, value in pairs:
        parameter.detach().copy_(value * factor)


def drawn_anew(pairs: Parameters, rng: Random) -> Parameters:
    """The same parameters with other values of the same size."""
    return [(parameter, normal(rng, *value.shape) * value.std()) for parameter, value in pairs]


def shuffled(value: Tensor, rng: Random) -> Tensor:
    """The same numbers in other places: no sum and no norm tells the difference."""
    return value.flatten()[rng.sample(range(value.numel()), value.numel())].reshape(value.shape)


def size(tensor: Tensor) -> float:
    """Root mean square."""
    return float(tensor.double().square().mean().sqrt())


# ---------------------------------------------------------------- once for each submission

_seen: WeakKeyDictionary[Link, set[str]] = WeakKeyDictionary()
"""What each submission was seen to do."""


def once(test: Callable[[SubmissionNames, Random], None]) -> Callable[..., None]:
    """Try a submission until it passes, and no more: what it has done it can do."""

    @functools.wraps(test)
    def ask(submission: SubmissionNames, rng: Random) -> None:
        own = Random(rng.random())  # a check draws the same, whether this is asked or not
        seen = _seen.setdefault(link_of(submission.TransformerBlock), set())
        if test.__name__ not in seen:
            test(submission, own)
            seen.add(test.__name__)

    return ask


@once
def assert_block_attends(submission: SubmissionNames, rng: Random) -> None:
    """Demand that a block's attention is attention."""

    def block(n_heads: int) -> Attention:
        sizes = {"d_model": D_MODEL, "n_heads": n_heads, "d_ff": D_FF}
        matrices, module = built(submission.TransformerBlock, submission, rng, **sizes)
        network = [pair for pair in matrices if D_FF in pair[1].shape]
        put(network, 0.0)
        own = [pair for pair in matrices if D_FF not in pair[1].shape]
        return Attention(lambda x: module(x, return_attention=True), own)

    assert_attends(block, rng)


@once
def assert_heads_attend(submission: SubmissionNames, rng: Random) -> None:
    """Demand that multi-head attention by itself is attention."""

    def heads(n_heads: int) -> Attention:
        make, sizes = submission.MultiHeadAttention, {"d_model": D_MODEL, "n_heads": n_heads}
        matrices, module = built(make, submission, rng, n_inputs=3, **sizes)
        return Attention(lambda x: module(query=x, key=x, value=x), matrices)

    assert_attends(heads, rng)


@once
def assert_block_transforms(submission: SubmissionNames, rng: Random) -> None:
    """Demand that a block's feed-forward network is one."""
    sizes = {"d_model": D_MODEL, "n_heads": 1, "d_ff": D_FF}
    matrices, module = built(submission.TransformerBlock, submission, rng, **sizes)
    assert_transforms(module, matrices, rng)


@once
def assert_network_transforms(submission: SubmissionNames, rng: Random) -> None:
    """Demand that the feed-forward network by itself is one."""
    sizes = {"d_model": D_MODEL, "d_ff": D_FF}
    matrices, module = built(submission.FeedForward, submission, rng, **sizes)
    assert_transforms(module, matrices, rng)


def assert_block_works(submission: SubmissionNames, rng: Random) -> None:
    """Demand that both sublayers of a block do something."""
    assert_block_attends(submission, rng)
    assert_block_transforms(submission, rng)


# ---------------------------------------------------------------- attention


@dataclass(frozen=True)
class Attention:
    """Attention with its maps, by itself or in a block whose network adds nothing.

    Attributes:
        run: takes (B, T, d_model), gives the output and the weights that it says it has used.
        matrices: its maps, in whatever layout.
        along_batch: sequences are taken for positions; another check's business.
    """

    run: Callable[[Tensor], Handle]
    matrices: Parameters
    along_batch: bool = False

    def results(self, inputs: Sequence[Tensor]) -> list[tuple[Tensor, Any]]:
        """Output and weights for each input, all in one trip."""

        def turn(x: Tensor) -> Tensor:
            return x.transpose(0, 1) if self.along_batch else x

        found = []
        for x, value in zip(inputs, values(self.run(turn(x).clone()) for x in inputs), strict=True):
            out, weights = value if type(value) in (tuple, list) and len(value) == 2 else (value, 0)
            if type(out) is not Tensor:
                fail("the output is not a tensor", actual=type(out).__name__)
            assert_shape(out, turn(x).shape, "the output")
            if not bool(out.isfinite().all()):
                fail("the output is not finite")
            found.append((turn(out), weights))
        return found

    def multiplied(self, factor: float) -> Attention:
        """The same with maps so many times as large."""
        return replace(self, matrices=[(map_, value * factor) for map_, value in self.matrices])

    def outputs(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """The output for each input."""
        return [out for out, _ in self.results(inputs)]


Weights = Callable[[Attention, Tensor], Tensor]
"""Finds the weights (B, n, T, T) with which attention averages x (B, T, d_model)."""


def returned_weights(attention: Attention, x: Tensor) -> Tensor:
    """The weights that come back."""
    ((_, weights),) = attention.results([x])
    if type(weights) is not Tensor:
        fail("there are no attention weights", actual=type(weights).__name__)
    if weights.dim() == 3:
        weights = weights.unsqueeze(1)
    batch, length, _ = x.shape
    assert_shape(weights, (batch, weights.size(1), length, length), "the attention weights")
    return weights.double()


def recovered_weights(attention: Attention, x: Tensor) -> Tensor:
    """Weights found from outputs alone: what arrives is an average of what tokens give alone."""
    length = x.size(1)
    alone = [x[:, place : place + 1] for place in range(length)]
    out, *single = attention.outputs([x, *alone])
    put(attention.matrices, 0.0)
    idle, *idle_single = attention.outputs([x, *alone])
    put(attention.matrices)
    found = (out - idle).double()
    given = (torch.cat(single, dim=1) - torch.cat(idle_single, dim=1)).double()
    weights: Tensor = torch.linalg.lstsq(given.mT, found.mT).solution.mT
    if size(found - weights @ given) > 0.01 * size(found) or bool((weights < -0.01).any()):
        fail("what attention adds is no average of what single tokens give")
    return weights.clamp_min(1e-6).unsqueeze(1)


def assert_attends(make: Callable[[int], Attention], rng: Random) -> None:
    """Demand weights that are made of the tokens by way of the maps, and an output made with them.

    Args:
        make: builds attention with so many heads.
        rng: draws everything.
    """
    several, one = 3, 1
    in_some_way(
        [
            lambda: assert_attends_by(returned_weights, make(one), rng),
            # weights that are hardly any can't be found from outputs
            lambda: assert_attends_by(recovered_weights, make(one).multiplied(0.6), rng),
            # these cost in other checks: a softmax over heads, sequences taken for positions
            lambda: assert_attends_by(returned_weights, make(several), rng),
            lambda: assert_attends_by(returned_weights, replace(make(one), along_batch=True), rng),
        ]
    )


def assert_attends_by(find: Weights, attention: Attention, rng: Random) -> None:
    """The same, with weights that are found in this way."""
    if not attention.matrices:
        fail("attention has no maps")
    put(attention.matrices)
    x, other = normal(rng, BATCH, LENGTH, D_MODEL), normal(rng, BATCH, LENGTH, D_MODEL)
    first = pattern(find(attention, x))
    if not size(first) > 0.02:
        fail("attention weights do not depend on how well queries and keys match")
    # a score is a product of two maps: it grows with the square of what both are multiplied by
    factor = SHARPNESS / size(first)
    watched = attention.multiplied(math.sqrt(factor))
    put(watched.matrices)
    weights = find(watched, x)
    sharp = pattern(weights)
    if not size(sharp - factor * first) < 0.05 * size(sharp):
        fail("attention weights are not what a softmax makes of products of queries and keys")
    if correlation(sharp, pattern(find(watched, other))) > 0.9:
        fail("attention weights do not depend on the tokens")
    anew = replace(watched, matrices=drawn_anew(watched.matrices, rng))
    put(anew.matrices)
    if correlation(sharp, pattern(find(anew, x))) > 0.9:
        fail("attention weights do not depend on the maps of queries and keys")
    assert_weights_are_used(watched, anew, weights, x, 0.2 * normal(rng, *x.shape))
    put(watched.matrices)
    assert_maps_matter(watched, x, rng)


def assert_weights_are_used(
    watched: Attention, anew: Attention, weights: Tensor, x: Tensor, step: Tensor
) -> None:
    """Demand that a token's influence on another position grows with its weight there.

    Args:
        watched: attention whose maps have their values.
        anew: the same with other maps.
        weights: the ones that `watched` uses for x.
        x: (B, T, d_model).
        step: what is added to a token to see what it influences.
    """
    put(watched.matrices)
    found = influences(watched, x, step)
    if weights.size(1) == 1:
        if correlation(found, pattern(weights)) < 0.4:
            fail("the output is not made with the attention weights")
        return
    # a softmax over heads leaves nothing to compare with: influences depend on the maps as well
    put(anew.matrices)
    if size(found) < 0.1 or correlation(found, influences(anew, x, step)) > 0.9:
        fail("the output is not made with the attention weights")


def influences(attention: Attention, x: Tensor, step: Tensor) -> Tensor:
    """What is special about how much each earlier token moves each later position's output."""
    half = x.size(1) // 2
    moved = [x + step * (torch.arange(x.size(1)) == place).unsqueeze(1) for place in range(half)]
    before, again, *after = (out[:, half:].double() for out in attention.outputs([x, x, *moved]))
    assert_close(again, before, "the output for the same input again")
    moves = torch.stack([(out - before).norm(dim=-1) for out in after], dim=-1)
    visible = 1e-4 * before.norm(dim=-1, keepdim=True)
    if float((moves > visible).double().mean()) < 0.1:
        fail("tokens do not influence other positions")
    return special(moves.maximum(0.01 * visible).log().unsqueeze(1))


def assert_maps_matter(attention: Attention, x: Tensor, rng: Random) -> None:
    """Demand that at least half of the numbers in attention's maps do something, each in its place.

    Which map is missing, or is another one's, is for the check of parameters to say.
    """
    (before,) = attention.outputs([x])
    idle = 0
    for number, (parameter, value) in enumerate(attention.matrices):
        put([(parameter, shuffled(value, rng))])
        (after,) = attention.outputs([x])
        put([attention.matrices[number]])
        if unevenness(after - before) < 1e-3 * unevenness(before):
            idle += value.numel()
    if 2 * idle >= sum(value.numel() for _, value in attention.matrices):
        fail("most of attention's maps do nothing")


def pattern(weights: Tensor) -> Tensor:
    """What is special about each pair (position, earlier position), in units of a score.

    Args:
        weights: (B, n, T, T), after a softmax or, where some are negative, scores.

    Returns:
        (B, n, T / 2, T / 2), later positions and earlier ones, for a block may hide the future.
    """
    length = weights.size(-1)
    pairs = weights.double()[..., length // 2 :, : length // 2]
    if not bool((pairs < 0).any()):
        pairs = pairs.clamp_min(1e-38).log()
    if pairs.size(1) > 1:
        pairs = pairs - pairs.mean(dim=1, keepdim=True)
    return special(pairs)


def special(pairs: Tensor) -> Tensor:
    """What is left without the means of rows and columns: such as the sums a softmax divides by."""
    pairs = pairs - pairs.mean(dim=-1, keepdim=True)
    return pairs - pairs.mean(dim=-2, keepdim=True)


def correlation(first: Tensor, second: Tensor) -> float:
    """The cosine between two patterns."""
    if first.shape != second.shape:
        raise CheckFailed("the attention weights change their shape")
    return float(torch.cosine_similarity(first.flatten(), second.flatten(), dim=0))


def unevenness(change: Tensor) -> float:
    """How much (B, T, d_model) differs from token to token."""
    vectors = change.double().flatten(0, 1)
    return size(vectors - vectors.mean(dim=0))


# ---------------------------------------------------------------- the feed-forward network


def assert_transforms(module: Handle, matrices: Parameters, rng: Random) -> None:
    """Demand two maps, one after the other, each of which matters by way of the other alone."""
    tokens = normal(rng, N_TOKENS, D_MODEL)
    # whether tokens of a batch meet is another check's business
    in_some_way(
        lambda x=x: assert_maps_are_chained(module, matrices, x, rng)  # type: ignore[misc]
        for x in (tokens.unsqueeze(0), tokens.unsqueeze(1))
    )


def assert_maps_are_chained(module: Handle, matrices: Parameters, x: Tensor, rng: Random) -> None:
    """The same, for tokens in this place."""
    chain = [pair for pair in matrices if D_FF in pair[1].shape]
    if len(chain) < 2:
        fail("the feed-forward network has no two maps")

    def output() -> Tensor:
        value = module(x.clone()).value()
        out = value[0] if type(value) in (tuple, list) and value else value
        assert_shape(out, x.shape, "the output")
        if not bool(out.isfinite().all()):
            fail("the output is not finite")
        vectors: Tensor = out.flatten(0, 1)
        return vectors

    def unlike(first: Tensor, second: Tensor) -> float:
        return unevenness((second - first).unsqueeze(0))

    before = output()
    assert_close(output(), before, "the output for the same input again")
    least = 1e-3 * unevenness(before.unsqueeze(0))
    spread = 0
    for pair in chain:
        other = [(handle, value) for handle, value in chain if handle is not pair[0]]
        put([(pair[0], shuffled(pair[1], rng))])
        shuffled_map = output()
        put(other, 0.0)
        alone = output()
        put([pair])
        unshuffled = output()
        put(other)
        effect = unlike(before, shuffled_map)
        if not effect > least:
            fail("a map of the feed-forward network does nothing")
        if unlike(unshuffled, alone) > 0.01 * effect:
            fail("the maps of the feed-forward network do not work one after the other")
        put([(pair[0], with_one_column_changed(pair[1], rng))])
        moved = (output() - before).abs().amax(dim=0)  # (d_model,)
        put([pair])
        spread = max(spread, int((moved > 1e-2 * moved.max()).sum()))
    if 2 * spread < D_MODEL:
        fail("the feed-forward network does not map vectors, only numbers one by one")


def with_one_column_changed(value: Tensor, rng: Random) -> Tensor:
    """A map with other numbers for one of the d_model numbers of a vector."""
    changed = value.clone()
    column = changed.select(list(value.shape).index(D_MODEL), rng.randrange(D_MODEL))
    column.copy_(normal(rng, *column.shape) * value.std())
    return changed
