"""Public checks of the assignment `blocks`.

What pins the interface is the block. A notebook that has no part of its own under a part's name, or
one that is called differently, is judged on the same property of its block.
"""

from __future__ import annotations

import contextlib
import math
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import layer_norm

from course.checks.assembled_blocks import (
    ATTENTION,
    BLOCK,
    HEADS_PART,
    NETWORK,
    assert_own,
    block_maker,
    part,
)
from course.checks.drawn_modules import normal
from course.checks.drawn_norms import assert_normalised, drawn_norm
from course.checks.modern_parts import (
    assert_gated,
    assert_grouped,
    assert_modern,
    assert_rms_norm,
    assert_rotated,
)
from course.checks.parts_or_blocks import (
    BATCH,
    D_FF,
    D_K,
    D_MODEL,
    HEADS,
    LENGTH,
    added_to_single_tokens,
    assert_all_heads_arrive,
    assert_causal_mask,
    assert_dropped,
    assert_keys_make_weights,
    assert_order_of_arguments,
    assert_transformed,
    assert_weights,
    block_weights,
    causal,
    first,
    new_block,
    new_heads,
    pair,
    part_or_block,
    part_pair,
    position_wise,
    queries_keys_values,
    run_block,
)
from course.checks.working_attention import assert_weights_follow_products
from course.checks.working_blocks import (
    assert_block_attends,
    assert_heads_attend,
)
from grader.testing import (
    StudentError,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_shape,
    check,
    raises,
)
from grader.testing.failure import fail

REFUSALS = ("ValueError", "AssertionError")


class TestSoftmax:
    """Softmax by hand"""

    @check(points=0.25, hint="Divide by the sum along dim, taken with keepdim=True.")
    def test_shares_add_up(self, submission: SubmissionNames, rng: Random) -> None:
        """Scores become shares that add up to 1 along `dim`, whichever that is"""
        scores = normal(rng, 3, 4, 5)
        for dim in (-1, 0, 1):
            shares = submission.softmax(scores, dim).tensor()
            assert_shape(shares, scores.shape, "the shares")
            assert_close(shares, scores.softmax(dim), f"the shares along dim={dim}")

    @check(points=0.25, hint="Subtract amax(dim, keepdim=True) first: no share changes.")
    def test_large_scores_are_served(self, submission: SubmissionNames, rng: Random) -> None:
        """Scores around 1000 and -1000 give finite shares, and -inf gives exactly 0"""
        large = normal(rng, 2, 5) + torch.tensor([[1000.0], [-1000.0]])
        assert_close(submission.softmax(large).tensor(), large.softmax(-1), "the shares")
        hidden = large.clone()
        hidden[:, 1] = -math.inf
        shares = submission.softmax(hidden, -1).tensor()
        assert_close(shares, hidden.softmax(-1), "the shares beside a score of -inf")
        if bool(shares[:, 1].any()):
            fail("a score of -inf has a share", expected=0, actual=shares[:, 1].tolist())


class TestLayerNorm:
    """LayerNorm by hand"""

    @check(points=0.25, hint="Over the last dimension, keepdim=True; correction=0 in var().")
    def test_vectors_are_normalised(self, submission: SubmissionNames, rng: Random) -> None:
        """A new LayerNorm gives each vector mean 0 and variance 1"""
        x = 3 * normal(rng, 2, 4, D_MODEL) + 5
        norm = submission.placed(submission.LayerNorm(D_MODEL))
        assert_normalised(norm(x).tensor(), x)

    @check(points=0.25, hint="correction=0? dim=-1? Then nn.Parameter: d_model ones, and zeros.")
    def test_gains_and_shifts(self, submission: SubmissionNames, rng: Random) -> None:
        """There are d_model gains, all 1, and d_model shifts, all 0, and both are used"""
        norm = drawn_norm(submission, rng, D_MODEL)
        x = normal(rng, 2, 4, D_MODEL)
        expected = layer_norm(x, (D_MODEL,), norm.gain, norm.shift)
        assert_close(
            norm.module(x).tensor(), expected, "vectors with other gains and shifts", atol=1e-2
        )


class TestAttention:
    """Scaled dot-product attention"""

    @check(points=0.25, hint="The softmax runs over the keys: the last dimension of the scores.")
    def test_attention_weights_sum_to_one(self, submission: SubmissionNames, rng: Random) -> None:
        """Each query's weights add up to 1 and average the values, whatever the scale of scores"""
        assert_own(submission, ATTENTION)
        vectors = queries_keys_values(rng)

        def own() -> Any:
            out, weights = part_pair(part(submission, ATTENTION)(**vectors))
            assert_weights(weights)
            assert_close(out, weights @ vectors["value"], "the averaged values")
            assert_weights_follow_products(weights, vectors)
            return weights

        weights = part_or_block(own, lambda: block_weights(submission, rng))
        assert_weights(weights)

    @check(points=0.25, hint="False: -inf before the softmax over keys. Each row sums to 1.")
    def test_attention_obeys_a_mask(self, submission: SubmissionNames, rng: Random) -> None:
        """What the mask forbids gets no weight, what it allows shares all of it"""
        assert_own(submission, ATTENTION)
        mask, vectors = causal(LENGTH), queries_keys_values(rng)

        def own() -> Any:
            result = part(submission, ATTENTION)(*vectors.values(), mask)
            _, weights = part_pair(result)
            assert_weights(weights)
            assert_weights_follow_products(weights, vectors, slice(-1, None))
            return weights

        weights = part_or_block(own, lambda: block_weights(submission, rng, mask))
        assert_weights(weights)
        forbidden = weights[..., ~mask]
        assert_close(forbidden, torch.zeros_like(forbidden), "the weight of forbidden keys")

    @check(points=0.25, hint="F.dropout(weights, dropout_p), before the values are averaged.")
    def test_attention_drops_weights(self, submission: SubmissionNames, rng: Random) -> None:
        """Weights are dropped with probability `dropout_p`, and the others scaled up"""
        assert_own(submission, ATTENTION)
        query, key = (normal(rng, 50, HEADS, LENGTH, D_K) for _ in range(2))

        def own() -> None:
            attend, one_hot = part(submission, ATTENTION), torch.eye(LENGTH)
            value = one_hot.expand(50, HEADS, -1, -1)  # so that what averages them comes out
            _, weights = part_pair(attend(query, key, value))
            used, _ = part_pair(attend(query, key, value, None, 0.4))
            assert_shape(used, weights.shape, "the averaged values")
            assert_dropped(used, weights, 0.4)

        part_or_block(own, lambda: assert_weights(block_weights(submission, rng)))

    @check(points=0.25, hint="Row t is True in columns 0 to t; dtype=torch.bool.")
    def test_causal_mask_hides_the_future(self, submission: SubmissionNames, rng: Random) -> None:
        """`causal_mask` is a bool triangle, True on the diagonal and to the left of it"""
        if submission.defines("causal_mask"):
            assert_causal_mask(submission, rng)
        else:  # a block can do without
            assert_own(submission, ATTENTION)
            assert_weights(block_weights(submission, rng, causal(LENGTH)))


class TestHeads:
    """Multi-head attention"""

    @check(points=0.25, hint="Return (output, weights). Heads are (B, n_heads, T, d_k) inside.")
    def test_heads_have_the_right_shapes(self, submission: SubmissionNames, rng: Random) -> None:
        """The output is (B, T, d_model), the weights are (B, n_heads, T, S): no more than that"""
        assert_own(submission, HEADS_PART)
        n_keys = LENGTH + 2
        query, keys = normal(rng, BATCH, LENGTH, D_MODEL), normal(rng, BATCH, n_keys, D_MODEL)

        def own() -> tuple[Tensor, Tensor, int]:
            heads = new_heads(submission, rng)
            found = part_pair(heads(query=query, key=keys, value=keys))
            assert_keys_make_weights(heads, query, keys, normal(rng, *keys.shape))
            assert_heads_attend(submission, rng)
            return *found, n_keys

        def block() -> tuple[Tensor, Tensor, int]:  # attends to itself: as many keys as queries
            assert_block_attends(submission, rng)
            return *run_block(submission, rng, query), LENGTH

        out, weights, expected_keys = part_or_block(own, block)
        assert_shape(out, (BATCH, LENGTH, D_MODEL), "the output")
        assert_shape(weights, (BATCH, HEADS, LENGTH, expected_keys), "the attention weights")

    @check(points=0.5, hint="Return (output, weights). Each head has its own columns of q and k.")
    def test_heads_look_for_different_things(
        self, submission: SubmissionNames, rng: Random
    ) -> None:
        """Each head has weights of its own, wherever its columns come from"""
        assert_own(submission, HEADS_PART)

        def own() -> Any:
            x = normal(rng, BATCH, LENGTH, D_MODEL)
            _, weights = part_pair(new_heads(submission, rng)(query=x, key=x, value=x))
            assert_heads_attend(submission, rng)
            return weights

        weights = part_or_block(own, lambda: block_weights(submission, rng))
        assert_shape(weights, (BATCH, HEADS, LENGTH, LENGTH), "the attention weights")
        for head in range(1, HEADS):
            assert_differs(weights[:, 0], weights[:, head], "a head's weights, beside another's,")

    @check(points=0.25, hint="Return (output, weights). Put heads side by side, d_k columns each.")
    def test_heads_are_merged(self, submission: SubmissionNames, rng: Random) -> None:
        """What each head has found arrives at the output beside what the others have found"""
        assert_own(submission, HEADS_PART)

        def own() -> Any:
            tokens = normal(rng, 4 * D_MODEL, 1, D_MODEL)  # many sequences of one token each
            heads = new_heads(submission, rng)
            out, _ = part_pair(heads(query=tokens, key=tokens, value=tokens))
            assert_heads_attend(submission, rng)
            return out

        out = part_or_block(own, lambda: added_to_single_tokens(submission, rng))
        assert_shape(out, (4 * D_MODEL, 1, D_MODEL), "the output")
        assert_all_heads_arrive(out)


class TestFeedForward:
    """Feed-forward network"""

    @check(points=0.25, hint="Widen to d_ff, apply GELU, narrow to d_model.")
    def test_feed_forward_keeps_the_shape(self, submission: SubmissionNames, rng: Random) -> None:
        """(B, T, d_model) goes in and comes out"""
        assert_own(submission, NETWORK)
        x = normal(rng, BATCH, LENGTH, D_MODEL)
        assert_transformed(position_wise(submission, rng, x), x)

    @check(points=0.25, hint="The linear maps act on the last dimension alone.")
    def test_feed_forward_treats_each_position_alone(
        self, submission: SubmissionNames, rng: Random
    ) -> None:
        """A position's output depends on that position alone"""
        assert_own(submission, NETWORK)
        x = normal(rng, BATCH, LENGTH, D_MODEL)
        place = rng.randrange(LENGTH)
        changed = x.clone()
        changed[:, place] = normal(rng, BATCH, D_MODEL)
        both = position_wise(submission, rng, torch.cat([x, changed]))
        assert_shape(both, (2 * BATCH, LENGTH, D_MODEL), "the output")
        before, after = both[:BATCH], both[BATCH:]
        others = [position for position in range(LENGTH) if position != place]
        assert_differs(before, x, "the input, on its way through,")
        assert_close(after[:, others], before[:, others], "the output at other positions")
        assert_differs(after[:, place], before[:, place], "the output at the changed position")


class TestShapes:
    """The block's arguments and results"""

    @check(points=0.375, hint="Return (x, weights) when weights are wanted, and (x, None) if not.")
    def test_block_returns_a_pair(self, submission: SubmissionNames, rng: Random) -> None:
        """Without return_attention a block gives (B, T, d_model) and None"""
        assert_own(submission, BLOCK)
        x = normal(rng, BATCH, LENGTH, D_MODEL)
        assert_block_attends(submission, rng)
        assert_order_of_arguments(submission, x)
        result = new_block(submission, rng)(x)
        out, weights = pair(result, "the block's result")
        assert_transformed(out, x)
        if weights is not None:
            fail("the second result is not None", expected=None, actual=type(weights).__name__)

    @check(points=0.375, hint="The weights are (B, n_heads, T, T): do not average them over heads.")
    def test_block_returns_the_weights_of_each_head(
        self, submission: SubmissionNames, rng: Random
    ) -> None:
        """With return_attention a block also gives each head's weights; the rows add up to 1"""
        assert_own(submission, BLOCK)
        assert_block_attends(submission, rng)
        block, x = new_block(submission, rng), normal(rng, BATCH, LENGTH, D_MODEL)
        out, weights = pair(block(x, return_attention=True), "the block's result")
        assert_weights(weights)
        assert_close(out, first(block(x)), "the output, when weights are asked for,")

    @check(points=0.375, hint="`x = x + …` makes a new tensor; `x += …` writes into the caller's.")
    def test_block_leaves_its_input_alone(self, submission: SubmissionNames, rng: Random) -> None:
        """The tensors that go in, mask included, are the same afterwards"""
        assert_own(submission, BLOCK)
        assert_block_attends(submission, rng)
        x = normal(rng, BATCH, LENGTH, D_MODEL)
        block, given = new_block(submission, rng), submission.send(x)
        out = first(block(given))
        assert_transformed(out, x)
        assert_close(given.tensor(), x, "the input, afterwards,", rtol=0, atol=0)
        allowed = causal(LENGTH)
        for mask in (allowed, torch.zeros(LENGTH, LENGTH).masked_fill(~allowed, -math.inf)):
            sent = submission.send(mask)
            with contextlib.suppress(StudentError):  # other checks look at that
                block(given, mask=sent).done()
            assert_close(sent.tensor(), mask, "the mask, afterwards,")

    @check(points=0.375, hint="Raise ValueError when d_model can't be divided by n_heads.")
    def test_block_refuses_bad_head_counts(self, submission: SubmissionNames, rng: Random) -> None:
        """A d_model that can't be split evenly into n_heads is refused"""
        assert_own(submission, BLOCK)
        assert_block_attends(submission, rng)
        with raises(*REFUSALS, what="a block with n_heads = 3 and d_model = 16"):
            block = block_maker(submission)(d_model=16, n_heads=3, d_ff=D_FF)
            block(normal(rng, BATCH, LENGTH, 16))


class TestMask:
    """The causal mask"""

    practice = True

    @check(points=0, hint="Row t is True in columns 0 to t; dtype=torch.bool.")
    def test_mask_is_a_triangle(self, submission: SubmissionNames, rng: Random) -> None:
        """A bool mask (T, T), True on the diagonal and to the left of it"""
        assert_causal_mask(submission, rng)


class TestRmsNormed:
    """RMSNorm"""

    practice = True

    @check(points=0, hint="The mean of the squares along the last dimension, keepdim=True.")
    def test_size_is_one(self, submission: SubmissionNames, rng: Random) -> None:
        """With weights of 1, every vector gets a root mean square of 1"""
        assert_rms_norm(submission, rng)


class TestGated:
    """SwiGLU"""

    practice = True

    @check(points=0, hint="F.silu for the gate alone; `*` between the two, `@` before and after.")
    def test_gate_opens_and_closes(self, submission: SubmissionNames, rng: Random) -> None:
        """A gate far above zero lets everything through, one far below zero nothing"""
        assert_gated(submission, rng)


class TestRotated:
    """Rotary positions"""

    practice = True

    @check(points=0, hint="cos and sin of position times speed; a pair keeps its length.")
    def test_rotation_keeps_lengths(self, submission: SubmissionNames, rng: Random) -> None:
        """Rotated vectors keep their length; position 0 turns nothing, others do"""
        assert_rotated(submission, rng)


class TestGrouped:
    """Grouped queries"""

    practice = True

    @check(points=0, hint="Repeat heads of keys until there are n_heads of them.")
    def test_grouped_shapes(self, submission: SubmissionNames, rng: Random) -> None:
        """With as many heads of keys as of queries it is plain attention; with fewer, shapes fit"""
        assert_grouped(submission, rng)


class TestModern:
    """A modern block"""

    practice = True

    @check(points=0, hint="unflatten heads, transpose, rotate, attend, and back.")
    def test_modern_block_runs(self, submission: SubmissionNames, rng: Random) -> None:
        """(B, T, d_model) goes in and comes out, and a causal mask hides the future"""
        assert_modern(submission, rng)
