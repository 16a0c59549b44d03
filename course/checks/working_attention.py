"""Whether attention attends: weights come from tokens by way of maps, the output from weights.

What other checks are about is forgiven: how scores are scaled, which way the softmax runs, what is
returned, whether the future is hidden, in what layout the maps are kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any

import torch
from torch import Tensor

from course.checks.drawn_modules import (
    Parameters,
    assert_real,
    drawn_anew,
    normal,
    put,
    shuffled,
    size,
    unevenness,
)
from grader.testing import Handle, assert_close, assert_shape, in_some_way, values
from grader.testing.failure import CheckFailed, fail

LENGTH, BATCH = 8, 3

SHARPNESS, GENTLENESS = 1.0, 0.05
"""Standard deviations of the scores at which attention is tried, whatever they are divided by."""

LEAST = 1e-6
"""Smaller weights can't be told from none by looking at outputs."""


@dataclass(frozen=True)
class Attention:
    """Attention with its maps, by itself or in a block whose network adds nothing.

    Attributes:
        run: takes (B, T, d_model), gives the output and the weights that it says it has used.
        matrices: its maps, in whatever layout.
        d_model: the length of its vectors.
        along_batch: sequences are taken for positions; another check's business.
    """

    run: Callable[[Tensor], Handle]
    matrices: Parameters
    d_model: int
    along_batch: bool = False

    def results(self, inputs: Sequence[Tensor]) -> list[tuple[Tensor, Any]]:
        """Output and weights for each input, all in one trip."""

        def turn(x: Tensor) -> Tensor:
            return x.transpose(0, 1) if self.along_batch else x

        found = []
        for x, value in zip(inputs, values(self.run(turn(x).clone()) for x in inputs), strict=True):
            out, weights = (
                value if isinstance(value, (tuple, list)) and len(value) == 2 else (value, 0)
            )
            if type(out) is not Tensor:
                fail("the output is not a tensor", actual=type(out).__name__)
            assert_shape(out, turn(x).shape, "the output")
            assert_real(out, "the output")
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
    assert_real(weights, "the attention weights")
    if weights.dim() == 3:
        weights = weights.unsqueeze(1)
    batch, length, _ = x.shape
    assert_shape(weights, (batch, weights.size(1), length, length), "the attention weights")
    return weights.double()


def recovered_weights(attention: Attention, x: Tensor) -> Tensor:
    """Weights found from outputs alone: what arrives is an average of what tokens give alone."""
    tokens = x.flatten(0, 1).unsqueeze(1)  # (B * T, 1, d_model)
    out, alone = attention.outputs([x, tokens])
    put(attention.matrices, 0.0)
    idle_out, idle_alone = attention.outputs([x, tokens])
    put(attention.matrices)
    found, given = (out - idle_out).double(), (alone - idle_alone).double().reshape(x.shape)
    weights: Tensor = torch.linalg.lstsq(given.mT, found.mT).solution.mT
    fits = size(found - weights @ given) < 0.01 * size(found)
    sums = weights.sum(dim=-1)
    if not fits or bool((weights < -0.01).any()) or bool(((sums - 1).abs() > 0.01).any()):
        fail("what attention adds is no average of what single tokens give")
    return weights.clamp_min(LEAST).unsqueeze(1)


def assert_attends(make: Callable[[int, bool], Attention], rng: Random) -> None:
    """Demand weights that are made of the tokens by way of the maps, and an output made with them.

    Args:
        make: builds attention with so many heads, and whether it is asked for its weights.
        rng: draws everything.
    """
    returned = partial(assert_attends_by, returned_weights, rng=rng)
    recovered = partial(assert_attends_by, recovered_weights, rng=rng)
    in_some_way(
        [
            lambda: returned(make(1, True)),
            # weights that are hardly any can't be found from outputs
            lambda: recovered(make(1, False).multiplied(0.6)),
            # these cost in other checks: a softmax over heads, sequences taken for positions
            lambda: returned(make(3, True)),
            lambda: returned(replace(make(1, True), along_batch=True)),
        ]
    )


def assert_attends_by(find: Weights, attention: Attention, rng: Random) -> None:
    """The same, with weights that are found in this way."""
    if not attention.matrices:
        fail("attention has no maps")
    put(attention.matrices)
    x, other = (normal(rng, BATCH, LENGTH, attention.d_model) for _ in range(2))
    rough = size(pattern(find(attention, x)))
    if not rough > 0.02:
        fail("attention weights do not depend on how well queries and keys match")
    # A score is a product of two maps: it grows with the square of what both are multiplied by.
    # Small ones show in the weights as they are, whatever is made of them.
    gentle = attention.multiplied(math.sqrt(GENTLENESS / rough))
    put(gentle.matrices)
    once = pattern(find(gentle, x))
    double = gentle.multiplied(math.sqrt(2))
    put(double.matrices)
    if not size(pattern(find(double, x)) - 2 * once) < 0.1 * size(2 * once):
        fail("attention weights are not made of products of queries and keys")
    watched = gentle.multiplied(math.sqrt(SHARPNESS / size(once)))
    put(watched.matrices)
    weights = find(watched, x)
    sharp = pattern(weights)
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


def assert_weights_follow_products(
    weights: Tensor, vectors: dict[str, Tensor], queries: slice = slice(None)
) -> None:
    """Demand more weight where a query fits a key better; how much more is another check's.

    Args:
        weights: (B, n_heads, T, T).
        vectors: the `query` and the `key` of each head.
        queries: those that may attend to every key.
    """
    products = (vectors["query"] @ vectors["key"].mT)[:, :, queries]
    scores = weights[:, :, queries].clamp_min(1e-38).log()
    products, scores = (part - part.mean(dim=-1, keepdim=True) for part in (products, scores))
    if not torch.cosine_similarity(products.flatten(), scores.flatten(), dim=0) > 0.99:
        fail("the weights do not follow from how well each query fits each key")
