"""Whether attention attends and a network transforms: what no check's points are given without.

A check that compares a block with itself is passed by something that computes nothing, too: by what
never changes, or always does. So these look for the work itself, and forgive every mistake that
other checks are about. A submission that was seen to work is not asked again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from random import Random
from weakref import WeakKeyDictionary

from torch import Tensor

from course.checks.assembled_blocks import NETWORK, block_maker, heads_maker, part
from course.checks.drawn_modules import (
    Parameters,
    assert_real,
    built,
    normal,
    put,
    shuffled,
    unevenness,
)
from course.checks.working_attention import Attention, assert_attends
from grader.testing import Handle, SubmissionNames, assert_close, assert_shape, in_some_way
from grader.testing.failure import fail
from grader.testing.handles import link_of
from grader.testing.links import Link

D_MODEL, D_FF = 24, 29
"""d_ff is no multiple or divisor of another size: it tells the network's maps."""

N_TOKENS = 5

_seen: WeakKeyDictionary[Link, set[str]] = WeakKeyDictionary()
"""What each submission was seen to do."""


def once(test: Callable[[SubmissionNames, Random], None]) -> Callable[..., None]:
    """Try a submission until it passes, and no more: what it has done it can do."""

    @functools.wraps(test)
    def ask(submission: SubmissionNames, rng: Random) -> None:
        own = Random(rng.random())  # a check draws the same, whether this is asked or not
        seen = _seen.setdefault(link_of(submission.send(None)), set())
        if test.__name__ not in seen:
            test(submission, own)
            seen.add(test.__name__)

    return ask


def attention_of_block(
    submission: SubmissionNames,
    rng: Random,
    n_heads: int,
    d_model: int = D_MODEL,
    *,
    return_attention: bool = True,
) -> Attention:
    """A block whose network adds nothing, asked for its weights or not."""
    sizes = {"d_model": d_model, "n_heads": n_heads, "d_ff": D_FF}
    matrices, module = built(block_maker(submission), submission, rng, **sizes)
    put([pair for pair in matrices if D_FF in pair[1].shape], 0.0)
    own = [pair for pair in matrices if D_FF not in pair[1].shape]
    asked = {"return_attention": True} if return_attention else {}
    return Attention(lambda x: module(x, **asked), own, d_model)


@once
def assert_block_attends(submission: SubmissionNames, rng: Random) -> None:
    """Demand that a block's attention is attention."""

    def block(n_heads: int, returned: bool) -> Attention:
        return attention_of_block(submission, rng, n_heads, return_attention=returned)

    assert_attends(block, rng)


@once
def assert_heads_attend(submission: SubmissionNames, rng: Random) -> None:
    """Demand that multi-head attention by itself is attention."""

    def heads(n_heads: int, _: bool) -> Attention:
        make, sizes = heads_maker(submission), {"d_model": D_MODEL, "n_heads": n_heads}
        matrices, module = built(make, submission, rng, n_inputs=3, **sizes)
        return Attention(lambda x: module(query=x, key=x, value=x), matrices, D_MODEL)

    assert_attends(heads, rng)


@once
def assert_block_transforms(submission: SubmissionNames, rng: Random) -> None:
    """Demand that a block's feed-forward network is one."""
    sizes = {"d_model": D_MODEL, "n_heads": 1, "d_ff": D_FF}
    matrices, module = built(block_maker(submission), submission, rng, **sizes)
    assert_transforms(module, matrices, rng)


@once
def assert_network_transforms(submission: SubmissionNames, rng: Random) -> None:
    """Demand that the feed-forward network by itself is one."""
    sizes = {"d_model": D_MODEL, "d_ff": D_FF}
    matrices, module = built(part(submission, NETWORK), submission, rng, **sizes)
    assert_transforms(module, matrices, rng)


def assert_block_works(submission: SubmissionNames, rng: Random) -> None:
    """Demand that both sublayers of a block do something."""
    assert_block_attends(submission, rng)
    assert_block_transforms(submission, rng)


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
        out = value[0] if isinstance(value, (tuple, list)) and value else value
        assert_shape(out, x.shape, "the output")
        assert_real(out, "the output")
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
