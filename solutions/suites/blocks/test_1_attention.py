"""Hidden checks of the assignment `blocks`, first part: who attends to whom, and how much.

All of them look at `TransformerBlock` from outside: what changes when inputs, masks or parameters
do.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
import torch
from drawn_blocks import (
    BATCH,
    D_MODEL,
    HEADS,
    LENGTH,
    VISIBLY,
    NoWeights,
    added,
    drawn_anew,
    new_block,
    of_feed_forward,
    output,
    output_and_weights,
    silence,
    sublayers,
    weights_of,
)
from torch import Tensor

from course.checks.assembled_blocks import (
    ATTENTION,
    BLOCK,
    HEADS_PART,
    assert_own,
    part,
)
from course.checks.drawn_modules import generator, normal
from course.checks.working_attention import LEAST, recovered_weights
from course.checks.working_blocks import assert_block_attends, attention_of_block
from grader.testing import (
    Handle,
    StudentError,
    SubmissionNames,
    assert_close,
    assert_differs,
    check,
    differing,
    parameters,
    tried,
)
from grader.testing.failure import CheckFailed, fail

Attend = Callable[..., tuple[Any, Any]]
"""Takes x and perhaps a mask, gives what attention makes of them and its weights."""


class TestCausality:
    """A mask hides the future"""

    @check(
        points=1, hint="Where a bool mask is False, the score has to be -inf before the softmax."
    )
    def test_future_is_invisible(self, submission: SubmissionNames, rng: Random) -> None:
        """With a causal mask a token influences itself and what comes later, nothing before"""
        assert_own(submission, ATTENTION)
        mask = torch.ones(LENGTH, LENGTH, dtype=torch.bool).tril()
        assert_influence(submission, rng, mask, allowed=mask)
        assert_large_scores_stay_hidden(submission, rng, mask)

    @check(points=0.5, hint="A float mask is added to the scores: 0 allows, -inf forbids.")
    def test_additive_mask_hides_the_future(self, submission: SubmissionNames, rng: Random) -> None:
        """A float mask of 0 and -inf works as well"""
        assert_own(submission, ATTENTION)
        allowed = torch.ones(LENGTH, LENGTH, dtype=torch.bool).tril()
        mask = torch.zeros(LENGTH, LENGTH).masked_fill(~allowed, -math.inf)
        assert_influence(submission, rng, mask, allowed)

    @check(points=0.5, hint="A block that gets no mask hides nothing, not even the future.")
    def test_no_mask_hides_nothing(self, submission: SubmissionNames, rng: Random) -> None:
        """Without a mask every token influences every position"""
        assert_own(submission, BLOCK)
        everything = torch.ones(LENGTH, LENGTH, dtype=torch.bool)
        assert_influence(submission, rng, None, allowed=everything)

    @pytest.mark.parametrize(
        "shape",
        [
            pytest.param((1, 1, LENGTH, LENGTH), id="one for all"),
            # as many sequences as heads: which of the two a mask is for is told by its place alone
            pytest.param((HEADS, 1, LENGTH, LENGTH), id="one for each sequence"),
            pytest.param((BATCH, HEADS, LENGTH, LENGTH), id="one for each head"),
            pytest.param((BATCH, 1, 1, LENGTH), id="padding"),
        ],
    )
    @check(points=0.5, hint="A mask broadcasts to (B, n_heads, T, T).")
    def test_masks_broadcast(
        self, submission: SubmissionNames, rng: Random, shape: tuple[int, ...]
    ) -> None:
        """Masks with four dimensions say who may attend to whom"""
        assert_own(submission, ATTENTION, HEADS_PART)
        mask = torch.rand(shape, generator=generator(rng)) < 0.4
        if shape[2] == 1:
            mask[..., 0] = True
        else:
            mask |= torch.eye(LENGTH, dtype=torch.bool)  # nobody is left without a key
        batch = BATCH if shape[0] == 1 else shape[0]
        some_head_allows = mask.expand(batch, HEADS, LENGTH, LENGTH).any(dim=1)
        assert_influence(submission, rng, mask, some_head_allows, batch)


def assert_influence(
    submission: SubmissionNames,
    rng: Random,
    mask: Tensor | None,
    allowed: Tensor,
    batch: int = BATCH,
) -> None:
    """Demand that changing a token changes the outputs that may see it, and no others.

    Args:
        submission: whose block is tried, with HEADS heads and matrices so small that the
            softmax leaves every key a visible share, whatever the scores are divided by.
        rng: draws the tokens and what they are changed to.
        mask: what the block is given.
        allowed: (T, T) or (B, T, T), True where a position (row) may attend to another (column);
            past attention, each position sees its own token in any case.
        batch: the number of sequences B.
    """
    assert_block_attends(submission, rng)
    block = new_block(submission, rng, gain=0.5)
    x = normal(rng, batch, LENGTH, D_MODEL)
    before = output(block, x, mask)
    must = allowed.expand(batch, LENGTH, LENGTH)
    may = must | torch.eye(LENGTH, dtype=torch.bool)
    for place in range(LENGTH):
        changed = x.clone()
        changed[:, place] = normal(rng, batch, D_MODEL)
        after = output(block, changed, mask)
        if not bool((before.isfinite() & after.isfinite()).all()):
            fail("the block's output is not finite")
        moved = differing(after, before).any(dim=-1)  # (B, T)
        if bool((moved & ~may[:, :, place]).any()):
            fail("a token influences a position that may not attend to it")
        if bool((must[:, :, place] & ~moved).any()):
            fail("a token does not influence a position that may attend to it")


def assert_large_scores_stay_hidden(submission: SubmissionNames, rng: Random, mask: Tensor) -> None:
    """Demand that no score is so large that it outweighs being forbidden: -inf, not -100.

    The scores have a standard deviation of 900.
    """
    block = new_block(submission, rng, gain=30)
    x = normal(rng, BATCH, LENGTH, D_MODEL)
    changed = x.clone()
    changed[:, -1] = normal(rng, BATCH, D_MODEL)
    before, after = output(block, x, mask), output(block, changed, mask)
    moved = differing(after, before, rtol=1e-3, atol=1.0).any(dim=-1)
    if bool(moved[:, :-1].any()):
        fail("a token influences a position that may not attend to it, by a large score")


class TestLocality:
    """A mask decides who attends to whom"""

    @check(points=0.75, hint="Heads are split and merged without mixing positions.")
    def test_self_only_mask_keeps_tokens_apart(
        self, submission: SubmissionNames, rng: Random
    ) -> None:
        """When each token may attend to itself alone, no token influences another"""
        assert_own(submission, HEADS_PART)
        itself = torch.eye(LENGTH, dtype=torch.bool)
        assert_influence(submission, rng, itself, allowed=itself)
        assert_tokens_meet(
            submission, rng, new_block(submission, rng), normal(rng, BATCH, LENGTH, D_MODEL)
        )

    @check(points=0.75, hint="Forbidden scores must not count in the softmax's denominator.")
    def test_self_only_mask_equals_tokens_alone(
        self, submission: SubmissionNames, rng: Random
    ) -> None:
        """A token that may attend to itself alone gives what it gives as a sequence of its own"""
        assert_own(submission, ATTENTION)
        block, x = new_block(submission, rng), normal(rng, BATCH, LENGTH, D_MODEL)
        together = output(block, x, torch.eye(LENGTH, dtype=torch.bool))
        for position in range(LENGTH):
            alone = output(block, x[:, position : position + 1])
            assert_close(together[:, position : position + 1], alone, "a token's output")
        assert_tokens_meet(submission, rng, block, x)

    @check(points=0.75, hint="Rows of the mask are queries, columns are keys.")
    def test_rows_attend_to_columns(self, submission: SubmissionNames, rng: Random) -> None:
        """When each token may attend to the next one alone, the next one's influence arrives"""
        assert_own(submission, ATTENTION)
        following = torch.eye(LENGTH, dtype=torch.bool).roll(1, dims=1)
        assert_influence(submission, rng, following, allowed=following)


class TestIndependence:
    """Order and neighbours in the batch do not matter"""

    @check(points=1, hint="Attention by itself knows no order; positions come with the embedding.")
    def test_permuted_tokens_give_permuted_outputs(
        self, submission: SubmissionNames, rng: Random
    ) -> None:
        """Without a mask, tokens in another order give the same outputs in that order"""
        assert_own(submission, HEADS_PART)
        block, x = new_block(submission, rng), normal(rng, BATCH, LENGTH, D_MODEL)
        order = list(range(LENGTH))
        while order == sorted(order):
            rng.shuffle(order)
        straight = output(block, x)
        assert_close(output(block, x[:, order]), straight[:, order], "the permuted output")
        assert_tokens_meet(submission, rng, block, x)

    @check(points=1, hint="Look for a reshape or a softmax that runs across the batch.")
    def test_sequences_do_not_meet(self, submission: SubmissionNames, rng: Random) -> None:
        """A sequence gives the same alone as in a batch of others"""
        assert_own(submission, HEADS_PART)
        block, x = new_block(submission, rng), normal(rng, 3, LENGTH, D_MODEL)
        together = output(block, x)
        for row in range(3):
            alone = output(block, x[row : row + 1])
            assert_close(together[row : row + 1], alone, "a sequence's output")
        assert_tokens_meet(submission, rng, block, x)


def assert_tokens_meet(submission: SubmissionNames, rng: Random, block: Handle, x: Tensor) -> None:
    """Demand that without a mask a sequence's last token gives another output than alone."""
    assert_block_attends(submission, rng)
    together, alone = output(block, x), output(block, x[:, -1:])
    assert_differs(together[:, -1:], alone, "a token's output in company")
    assert_differs(together[0], together[1], "the output of another sequence")


class TestScoreScale:
    """Scores are scaled, weights are what they make"""

    @check(points=1.5, hint="Divide by the square root of the length of one head's vectors.")
    def test_scores_have_unit_spread(self, submission: SubmissionNames, rng: Random) -> None:
        """With random weights of unit gain the scores have a standard deviation of about 1"""
        assert_own(submission, ATTENTION)
        assert_block_attends(submission, rng)
        length = 60
        # sqrt(d_k) = sqrt(12) is no whole number, and far from the roots of 180, 15 and 60. So many
        # heads leave the spread a standard deviation of 0.009 (150 draws): bounds at 10 of them.
        d_model, n_heads = 180, 15
        block = new_block(submission, rng, d_model=d_model, n_heads=n_heads)
        try:
            weights = weights_of(block, normal(rng, BATCH, length, d_model), n_heads)
            assert_unit_spread(weights, 0.91, 1.09)
        except (NoWeights, StudentError):  # that costs elsewhere; outputs tell as much
            # one head's spread has a standard deviation of 0.034 with d_k = 25
            d_model, n_heads = 75, 3
            block = new_block(submission, rng, d_model=d_model, n_heads=n_heads)
            x, head = normal(rng, BATCH, length, d_model), rng.randrange(n_heads)
            assert_unit_spread(weights_from_outputs(block, x, n_heads, head), 0.8, 1.25)
        one_head = attention_of_block(submission, rng, 1, 75, return_attention=False)
        used = None
        with contextlib.suppress(CheckFailed, StudentError):
            # where outputs tell as well: what comes back need not be what was used
            used = recovered_weights(one_head, normal(rng, BATCH, length // 2, 75))
        if used is not None:
            assert_unit_spread(used * (used > 10 * LEAST), 0.8, 1.25)

    @check(points=0.75, hint="Return the weights after mask and softmax, as the values see them.")
    def test_returned_weights_are_the_used_ones(
        self, submission: SubmissionNames, rng: Random
    ) -> None:
        """The weights that come back are the ones that average the values, with a mask too"""
        assert_own(submission, ATTENTION)
        assert_block_attends(submission, rng)
        x = normal(rng, BATCH, LENGTH, D_MODEL)
        attend = one_head_of_block(submission, rng)
        try:
            assert_weights_average(attend, x)
        except (CheckFailed, StudentError):  # the block may do other things wrong around attention
            if not submission.defines("MultiHeadAttention"):
                raise
            attend = attention_alone(submission, rng)
            assert_weights_average(attend, x)
        mask = torch.ones(LENGTH, LENGTH, dtype=torch.bool).tril()
        if tried(lambda: assert_finite(attend(x, mask)[0])) is None:  # that costs elsewhere
            assert_weights_average(attend, x, mask)


def weights_from_outputs(block: Handle, x: Tensor, n_heads: int, head: int) -> Tensor:
    """One head's weights (B, T, T), by way of masks alone.

    When all other heads look at key 0, and this one at key 0 and one more, the output lies between
    those for either key alone; where it lies tells how the weight is shared.
    """
    silence(of_feed_forward(parameters(block)))
    length = x.size(1)

    def looking_at(*keys: int) -> Any:
        mask = torch.zeros(1, n_heads, length, length, dtype=torch.bool)
        mask[..., 0] = True
        mask[:, head] = False
        mask[:, head, :, list(keys)] = True
        return output(block, x, mask).double()

    start = looking_at(0)
    scores = [torch.zeros(x.shape[:2], dtype=torch.float64)]
    for key in range(1, length):
        way, went = looking_at(key) - start, looking_at(0, key) - start
        share = (went * way).sum(dim=-1) / way.square().sum(dim=-1).clamp_min(1e-12)
        scores.append(share.clamp(1e-7, 1 - 1e-7).logit())
    return torch.stack(scores, dim=-1).softmax(dim=-1)


def assert_unit_spread(weights: Tensor, low: float, high: float) -> None:
    """Demand scores whose standard deviation is about 1."""
    spread = spread_of_scores(weights)
    if not low < spread < high:
        fail("the scores are not scaled as they should be", expected=1.0, actual=spread)


def spread_of_scores(weights: Tensor) -> float:
    """The scores' standard deviation over the keys; those that got no weight do not count."""
    seen = weights > 0
    scores = weights.double().clamp_min(1e-38).log()
    n_seen = seen.sum(dim=-1, keepdim=True)
    mean = (scores * seen).sum(dim=-1, keepdim=True) / n_seen.clamp_min(1)
    squares = ((scores - mean) * seen).square().sum()
    return float((squares / (n_seen - 1).clamp_min(0).sum().clamp_min(1)).sqrt())


def one_head_of_block(submission: SubmissionNames, rng: Random) -> Attend:
    """What a single head adds in a block, and its weights."""
    _, attention, _, neither = sublayers(submission, rng, n_heads=1)

    def attend(x: Tensor, mask: Tensor | None = None) -> tuple[Any, Any]:
        return added(attention, neither, x, mask), weights_of(attention, x, 1, mask)

    return attend


def attention_alone(submission: SubmissionNames, rng: Random) -> Attend:
    """What a single head gives by itself, and its weights."""
    heads = part(submission, HEADS_PART)(d_model=D_MODEL, n_heads=1, dropout=0.0)
    drawn_anew(heads, submission, rng, n_inputs=3)

    def attend(x: Tensor, mask: Tensor | None = None) -> tuple[Any, Any]:
        return output_and_weights(heads(x, x, x, *([] if mask is None else [mask])), x, 1)

    return attend


def assert_finite(out: Any) -> None:
    """Demand numbers, neither infinite nor NaN."""
    if not bool(out.isfinite().all()):
        fail("the output is not finite")


def assert_weights_average(attend: Attend, x: Tensor, mask: Tensor | None = None) -> None:
    """Demand that the output of one head is the average of the values with the weights returned.

    A value is what arrives at the output of a sequence of one token.
    """
    out, weights = attend(x, mask)
    values = torch.cat([attend(x[:, t : t + 1])[0] for t in range(LENGTH)], dim=1)
    assert_close(out, weights[:, 0] @ values, "the average of the values", atol=1e-4)
    assert_differs(values[:, 0], values[:, 1], "the value of another token", atol=VISIBLY)
