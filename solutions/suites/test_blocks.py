"""Hidden checks of the assignment `blocks`.

All of them look at `TransformerBlock` from outside: what changes when inputs, masks or parameters
do. Parameters are told apart by their shapes alone. Matrices are drawn anew before anything is
measured, because a block may start as the identity, and its initial size is free.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from course.checks.drawn_modules import Parameters, is_matrix, normal
from course.checks.working_attention import LEAST, recovered_weights
from course.checks.working_blocks import (
    assert_block_attends,
    assert_block_transforms,
    assert_block_works,
    attention_of_block,
)
from grader.testing import (
    Handle,
    StudentError,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_equal,
    assert_shape,
    check,
    differing,
    parameters,
    tried,
    values,
)
from grader.testing.failure import CheckFailed, fail

Attend = Callable[..., tuple[Any, Any]]
"""Takes x and perhaps a mask, gives what attention makes of them and its weights."""

BATCH, HEADS, LENGTH, D_K = 2, 3, 6, 8
D_MODEL = HEADS * D_K
D_FF = 29
"""No multiple or divisor of another size: it tells the feed-forward network's parameters."""

VISIBLY = 0.01
"""A change that random matrices of unit gain do not stay below."""


class TestCausality:
    """A mask hides the future"""

    @check(
        points=1, hint="Where a bool mask is False, the score has to be -inf before the softmax."
    )
    def test_future_is_invisible(self, submission: SubmissionNames, rng: Random) -> None:
        """With a causal mask a token influences itself and what comes later, nothing before"""
        mask = torch.ones(LENGTH, LENGTH, dtype=torch.bool).tril()
        assert_influence(submission, rng, mask, allowed=mask)

    @check(points=0.5, hint="A float mask is added to the scores: 0 allows, -inf forbids.")
    def test_additive_mask_hides_the_future(self, submission: SubmissionNames, rng: Random) -> None:
        """A float mask of 0 and -inf works as well"""
        allowed = torch.ones(LENGTH, LENGTH, dtype=torch.bool).tril()
        mask = torch.zeros(LENGTH, LENGTH).masked_fill(~allowed, -math.inf)
        assert_influence(submission, rng, mask, allowed)

    @check(points=0.5, hint="A block that gets no mask hides nothing, not even the future.")
    def test_no_mask_hides_nothing(self, submission: SubmissionNames, rng: Random) -> None:
        """Without a mask every token influences every position"""
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
    @check(points=1, hint="A mask broadcasts to (B, n_heads, T, T).")
    def test_masks_broadcast(
        self, submission: SubmissionNames, rng: Random, shape: tuple[int, ...]
    ) -> None:
        """Masks with four dimensions say who may attend to whom"""
        mask = torch.rand(shape, generator=generator(rng)) < 0.4
        if shape[2] == 1:
            mask[..., 0] = True
        else:
            mask |= torch.eye(LENGTH, dtype=torch.bool)  # nobody is left without a key
        batch = BATCH if shape[0] == 1 else shape[0]
        some_head_allows = mask.expand(batch, HEADS, LENGTH, LENGTH).any(dim=1)
        assert_influence(submission, rng, mask, some_head_allows, batch)


class TestLocality:
    """A mask decides who attends to whom"""

    @check(points=1, hint="Heads are split and merged without mixing positions.")
    def test_self_only_mask_keeps_tokens_apart(
        self, submission: SubmissionNames, rng: Random
    ) -> None:
        """When each token may attend to itself alone, no token influences another"""
        itself = torch.eye(LENGTH, dtype=torch.bool)
        assert_influence(submission, rng, itself, allowed=itself)
        assert_tokens_meet(
            submission, rng, new_block(submission, rng), normal(rng, BATCH, LENGTH, D_MODEL)
        )

    @check(points=1, hint="Forbidden scores must not count in the softmax's denominator.")
    def test_self_only_mask_equals_tokens_alone(
        self, submission: SubmissionNames, rng: Random
    ) -> None:
        """A token that may attend to itself alone gives what it gives as a sequence of its own"""
        block, x = new_block(submission, rng), normal(rng, BATCH, LENGTH, D_MODEL)
        together = output(block, x, torch.eye(LENGTH, dtype=torch.bool))
        for position in range(LENGTH):
            alone = output(block, x[:, position : position + 1])
            assert_close(together[:, position : position + 1], alone, "a token's output")
        assert_tokens_meet(submission, rng, block, x)

    @check(points=1, hint="Rows of the mask are queries, columns are keys.")
    def test_rows_attend_to_columns(self, submission: SubmissionNames, rng: Random) -> None:
        """When each token may attend to the next one alone, the next one's influence arrives"""
        following = torch.eye(LENGTH, dtype=torch.bool).roll(1, dims=1)
        assert_influence(submission, rng, following, allowed=following)


class TestIndependence:
    """Order and neighbours in the batch do not matter"""

    @check(points=1, hint="Attention by itself knows no order; positions come with the embedding.")
    def test_permuted_tokens_give_permuted_outputs(
        self, submission: SubmissionNames, rng: Random
    ) -> None:
        """Without a mask, tokens in another order give the same outputs in that order"""
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
        block, x = new_block(submission, rng), normal(rng, 3, LENGTH, D_MODEL)
        together = output(block, x)
        for row in range(3):
            alone = output(block, x[row : row + 1])
            assert_close(together[row : row + 1], alone, "a sequence's output")
        assert_tokens_meet(submission, rng, block, x)


class TestScoreScale:
    """Scores are scaled, weights are what they make"""

    @check(points=2, hint="Divide by the square root of the length of one head's vectors.")
    def test_scores_have_unit_spread(self, submission: SubmissionNames, rng: Random) -> None:
        """With random weights of unit gain the scores have a standard deviation of about 1"""
        # d_k = 25, and neither 75 nor 3 nor 60 has a square root that could be taken for its
        d_model, n_heads, length = 75, 3, 60
        assert_block_attends(submission, rng)
        block = new_block(submission, rng, d_model=d_model, n_heads=n_heads)
        x = normal(rng, BATCH, length, d_model)
        try:
            weights = weights_of(block, x, n_heads)
        except (CheckFailed, StudentError):  # that costs elsewhere; outputs tell as much
            weights = weights_from_outputs(block, x, n_heads, head=rng.randrange(n_heads))
        found = [weights]
        one_head = attention_of_block(submission, rng, 1, d_model, return_attention=False)
        with contextlib.suppress(CheckFailed, StudentError):
            # where outputs tell as well: what comes back need not be what was used
            used = recovered_weights(one_head, normal(rng, BATCH, length // 2, d_model))
            found.append(used * (used > 10 * LEAST))
        for spread in map(spread_of_scores, found):
            if not 0.8 < spread < 1.25:
                fail("the scores are not scaled as they should be", expected=1.0, actual=spread)

    @check(points=1, hint="Return the weights after mask and softmax, as the values see them.")
    def test_returned_weights_are_the_used_ones(
        self, submission: SubmissionNames, rng: Random
    ) -> None:
        """The weights that come back are the ones that average the values, with a mask too"""
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


class TestResidual:
    """The input is carried past both sublayers"""

    @check(points=1, hint="Add each sublayer's output to what went in before the LayerNorm.")
    def test_zero_parameters_change_nothing(self, submission: SubmissionNames, rng: Random) -> None:
        """A block whose parameters are all zero gives back its input"""
        assert_identity_when_zero(submission, new_block(submission, rng), rng)

    @check(points=1, hint="Drop parts of what a sublayer adds, never of the sum.")
    def test_zero_parameters_change_nothing_in_training(
        self, submission: SubmissionNames, rng: Random
    ) -> None:
        """The same holds in training: dropout does not touch what is carried past"""
        block = new_block(submission, rng, dropout=0.5)
        block.train()
        assert_identity_when_zero(submission, block, rng)


class TestPreNorm:
    """Each sublayer reads a normalised input"""

    @check(points=1, hint="LayerNorm belongs before attention, inside the branch.")
    def test_attention_reads_a_normalised_input(
        self, submission: SubmissionNames, rng: Random
    ) -> None:
        """What attention adds depends neither on a token's mean nor on its size"""
        assert_block_attends(submission, rng)
        _, attention, _, neither = sublayers(submission, rng)
        assert_added_is_normalised(attention, neither, rng)

    @check(points=1, hint="LayerNorm belongs before the feed-forward network, inside the branch.")
    def test_feed_forward_reads_a_normalised_input(
        self, submission: SubmissionNames, rng: Random
    ) -> None:
        """What the feed-forward network adds depends neither on a token's mean nor on its size"""
        assert_block_transforms(submission, rng)
        _, _, feed_forward, neither = sublayers(submission, rng)
        assert_added_is_normalised(feed_forward, neither, rng)


class TestSequence:
    """First attention, then feed-forward"""

    @check(points=1, hint="The second sublayer reads the sum that the first one left.")
    def test_second_sublayer_reads_the_first(
        self, submission: SubmissionNames, rng: Random
    ) -> None:
        """The sublayers work one after the other, not side by side"""
        assert_block_works(submission, rng)
        x = normal(rng, BATCH, LENGTH, D_MODEL)
        both, attention, feed_forward, neither = sublayers(submission, rng)
        side_by_side = added(attention, neither, x) + added(feed_forward, neither, x)
        assert_differs(
            added(both, neither, x), side_by_side, "the sum of the sublayers", atol=VISIBLY
        )

    @check(points=1, hint="Gather from the other positions first, then transform.")
    def test_attention_comes_first(self, submission: SubmissionNames, rng: Random) -> None:
        """The feed-forward network transforms what attention has gathered"""
        assert_block_works(submission, rng)
        x = normal(rng, BATCH, LENGTH, D_MODEL)
        both, attention, feed_forward, neither = sublayers(submission, rng)
        gathered = output(attention, x)
        by_feed_forward = added(feed_forward, neither, gathered)
        whole = output(both, x)
        assert_close(whole, gathered + by_feed_forward, "the block's output", atol=1e-4)
        assert_differs(gathered, x, "what attention reads", atol=VISIBLY)
        assert_differs(whole, gathered, "what the feed-forward network reads", atol=VISIBLY)


class TestGelu:
    """The activation is the exact GELU"""

    @check(points=1, hint="Use the error function, not its approximation by tanh.")
    def test_activation_values(self, submission: SubmissionNames, rng: Random) -> None:
        """The activation has the values of GELU, on both sides of zero"""
        # Two directions, normalised and at right angles: the token lies in one, both maps of the
        # feed-forward network in the other. So the first map sees nothing, its bias alone is
        # activated, and the second map writes the result where it can be told from the token,
        # even if the sum is normalised afterwards.
        assert_block_transforms(submission, rng)
        drawn = normal(rng, D_MODEL, 2)
        directions, _ = torch.linalg.qr(drawn - drawn.mean(dim=0))
        token, writing = (directions * math.sqrt(D_MODEL)).unbind(dim=1)
        _, _, block, _ = sublayers(submission, rng)
        chosen = of_feed_forward(parameters(block))
        if all(is_matrix(value) for _, value in chosen):  # the default is no question here
            _, _, block, _ = sublayers(submission, rng, bias=True)
            chosen = of_feed_forward(parameters(block))
        biases = []
        for parameter, value in chosen:
            if is_matrix(value):
                shape = [size if size == D_MODEL else 1 for size in value.shape]
                parameter.detach().copy_(writing.reshape(shape).expand(value.shape) / D_FF)
            else:
                biases.append(parameter)
        if not biases:
            fail("the feed-forward network has no bias of length d_ff")
        for low, high in ((-3.2, -2.4), (-1.5, -1.1), (-0.9, 0), (0, 0.9), (1.1, 1.5), (2.4, 3.2)):
            point = rng.uniform(low, high)
            for bias in biases:
                bias.detach().fill_(point)
            out = output(block, token.expand(1, 1, D_MODEL))[0, 0]
            written, carried = (out @ writing / D_MODEL).item(), (out @ token / D_MODEL).item()
            exact = F.gelu(torch.tensor(point, dtype=torch.float64)).item()
            # what was carried past may be scaled with it, or alone, or have been left out
            readings = [written, written / carried] if abs(carried) > 0.01 else [written]
            actual = min(readings, key=lambda reading: abs(reading - exact))
            assert_close(actual, exact, "the activation", rtol=0, atol=6e-5)


class TestParameters:
    """The block has the parameters that it should, and uses them"""

    @check(
        points=0.5, hint="Count on paper: four maps of attention, two of the network, two norms."
    )
    def test_parameter_count(self, submission: SubmissionNames, rng: Random) -> None:
        """The number of parameters is right for two sizes"""
        assert_block_works(submission, rng)
        for d_model, n_heads, d_ff in ((D_MODEL, HEADS, D_FF), (16, 2, 40)):
            block = new_block(submission, rng, d_model=d_model, n_heads=n_heads, d_ff=d_ff)
            biases = 4 * d_model + d_ff + d_model
            expected = 4 * d_model**2 + 2 * d_model * d_ff + biases + 4 * d_model
            assert_equal(count(block), expected, "the number of parameters")

    @check(points=0.25, hint="Pass `bias` on to every part that could have one.")
    def test_bias_switch(self, submission: SubmissionNames, rng: Random) -> None:
        """With bias=False the linear maps have no biases"""
        assert_block_works(submission, rng)
        block = new_block(submission, rng, bias=False)
        matrices = 4 * D_MODEL**2 + 2 * D_MODEL * D_FF
        # LayerNorm's own bias may go or stay
        with_either_norm = {matrices + 2 * D_MODEL, matrices + 4 * D_MODEL}
        if count(block) not in with_either_norm:
            expected = " or ".join(map(str, sorted(with_either_norm)))
            fail("the number of parameters is wrong", expected=expected, actual=count(block))
        output(block, normal(rng, BATCH, LENGTH, D_MODEL))

    @check(points=0.25, hint="Nothing between input and output may leave the autograd graph.")
    def test_gradients_reach_the_parameters(self, submission: SubmissionNames, rng: Random) -> None:
        """A backward pass gives every parameter a gradient, and the input the right one"""
        assert_block_attends(submission, rng)
        # so many tokens that no unit is idle on all of them, whatever the activation
        block, x = new_block(submission, rng), normal(rng, 10 * BATCH, LENGTH, D_MODEL)
        result = block(x)
        output_of(result, x)
        upstream = normal(rng, *x.shape)
        output_handle(result).backward(upstream)
        still = 0
        own = parameters(block)
        gradients = values(parameter.grad for parameter, _ in own)
        for (_, value), gradient in zip(own, gradients, strict=True):
            if gradient is None:
                still += value.numel()
            else:
                assert_shape(gradient, value.shape, "a gradient")
                still += int((gradient.abs() < 1e-7).sum())
        if still > 1.5 * D_MODEL:  # the keys' bias cancels in the softmax: it has no gradient
            fail("some parameters get no gradient", expected="at most the keys' bias", actual=still)
        assert_gradients_fit(block, own, gradients, x, upstream, rng)
        assert_input_gradient(submission, block, rng)


class TestDropout:
    """Dropout in training, and only there"""

    @check(points=0.25, hint="Outside of nn.Dropout, ask `self.training` before dropping anything.")
    def test_nothing_is_dropped_in_eval(self, submission: SubmissionNames, rng: Random) -> None:
        """In eval mode the dropout rate makes no difference"""
        assert_block_attends(submission, rng)
        x = normal(rng, BATCH, LENGTH, D_MODEL)
        block, plain = (
            new_block(submission, rng, dropout=0.5),
            new_block(submission, rng, dropout=0),
        )
        copy_parameters(parameters(plain), parameters(block))
        assert_close(output(block, x), output(plain, x), "the output in eval mode")
        block.train()
        assert_differs(output(block, x), output(plain, x), "the output in training")

    @check(points=0.25, hint="Both sublayers drop something, and scale up what they keep.")
    def test_both_sublayers_drop(self, submission: SubmissionNames, rng: Random) -> None:
        """In training each sublayer's contribution varies from call to call, around one mean"""
        assert_block_works(submission, rng)
        x = normal(rng, BATCH, LENGTH, D_MODEL)
        _, *blocks, neither = sublayers(submission, rng, dropout=0.5)
        neither.train()
        # where the input itself is changed on its way past, other checks fail
        carried = not bool(differing(output(neither, x), x).any())
        for block in blocks:
            block.train()
            assert_differs(output(block, x), output(block, x), "the output")
            block.eval()
            if carried:
                assert_mean_is_kept(block, x[:1].expand(500, -1, -1))

    @check(points=0.25, hint="The rate is the argument `dropout`, everywhere.")
    def test_rate_zero_drops_nothing(self, submission: SubmissionNames, rng: Random) -> None:
        """With dropout=0 training and eval mode give the same, by default they do not"""
        assert_block_attends(submission, rng)
        block, x = new_block(submission, rng, dropout=0), normal(rng, BATCH, LENGTH, D_MODEL)
        evaluated = output(block, x)
        block.train()
        assert_close(output(block, x), evaluated, "the output in training")
        assert_differs(evaluated, x, "the input, on its way through,")
        sizes = {"d_model": D_MODEL, "n_heads": HEADS, "d_ff": D_FF}
        block = submission.TransformerBlock(**sizes)
        drawn_anew(block, submission, rng).train()
        assert_differs(output(block, x), output(block, x), "the output in training")

    @check(points=0.25, hint="Drop weights after the softmax: 0 times -inf is not a number.")
    def test_training_with_a_mask(self, submission: SubmissionNames, rng: Random) -> None:
        """In training a mask still hides what it hides, and nothing becomes NaN"""
        assert_block_attends(submission, rng)
        block, x = new_block(submission, rng, dropout=0.5), normal(rng, BATCH, LENGTH, D_MODEL)
        changed = x.clone()
        changed[:, LENGTH // 2 :] = normal(rng, BATCH, LENGTH - LENGTH // 2, D_MODEL)
        mask = torch.ones(LENGTH, LENGTH, dtype=torch.bool).tril()
        # whatever the mask does wrong in eval mode, other checks see
        in_eval = output(block, x, mask)
        hidden = ~differing(output(block, changed, mask), in_eval).any(dim=-1)  # (B, T)
        block.train()
        for _ in range(3):
            seed = rng.randrange(2**31)
            before, again, after = (
                seeded_output(submission, seed, block, given, mask) for given in (x, x, changed)
            )
            if bool((in_eval.isfinite() & ~before.isfinite()).any()):
                fail("the output in training is not finite")
            moved = differing(after, before).any(dim=-1)
            # a generator of the block's own drops other elements each time, whatever the seed
            comparable = not bool(differing(before, again).any())
            if comparable and bool((moved & hidden).any()):
                fail("in training a token influences a position that may not attend to it")
            if not bool(moved.any()):
                fail("in training a token influences nothing")


# ---------------------------------------------------------------- drawing at random


def generator(rng: Random) -> torch.Generator:
    """Make a generator for torch out of the check's own."""
    return torch.Generator().manual_seed(rng.randrange(2**31))


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
    block = submission.TransformerBlock(d_model=d_model, n_heads=n_heads, d_ff=d_ff, **options)
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
    out = value[0] if type(value) in (tuple, list) and value else value
    assert_shape(out, x.shape, "the block's output")
    if out.dtype != x.dtype:
        fail("the block's output has the wrong dtype", expected=x.dtype, actual=out.dtype)
    return out


def output_handle(result: Handle) -> Handle:
    """The output where it is, with its autograd graph."""
    return result if type(result.value()) is Tensor else result[0]


def weights_of(block: Handle, x: Tensor, n_heads: int, mask: Tensor | None = None) -> Any:
    """Run the block; its weights are (B, n_heads, T, T)."""
    masked = {} if mask is None else {"mask": mask}
    return output_and_weights(block(x, return_attention=True, **masked), x, n_heads)[1]


def output_and_weights(result: Handle, x: Tensor, n_heads: int) -> tuple[Any, Any]:
    """Fetch (B, T, d_model) and (B, n_heads, T, T), or (B, T, T) of a single head."""
    value = result.value()
    if type(value) not in (tuple, list) or len(value) != 2:
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


def spread_of_scores(weights: Tensor) -> float:
    """The scores' standard deviation over the keys; those that got no weight do not count."""
    seen = weights > 0
    scores = weights.double().clamp_min(1e-38).log()
    n_seen = seen.sum(dim=-1, keepdim=True)
    mean = (scores * seen).sum(dim=-1, keepdim=True) / n_seen.clamp_min(1)
    squares = ((scores - mean) * seen).square().sum()
    return float((squares / (n_seen - 1).clamp_min(0).sum().clamp_min(1)).sqrt())


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


# ---------------------------------------------------------------- what checks have in common


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


def assert_gradients_fit(
    block: Handle,
    own: Parameters,
    gradients: list[Any],
    x: Tensor,
    upstream: Tensor,
    rng: Random,
) -> None:
    """Demand that the parameters' gradients tell how the output changes with all of them.

    Args:
        block: whose parameters are moved, and put back.
        own: its parameters, with their values.
        gradients: their gradients when `upstream` comes back; None where there is none.
        x: what goes in.
        upstream: the gradient of the output.
        rng: draws directions.
    """
    step, expected, actual = 0.001, [], []
    for _ in range(3):
        ways = [normal(rng, *value.shape) for _, value in own]
        slopes = []
        for sign in (1, -1):
            for (parameter, value), way in zip(own, ways, strict=True):
                parameter.detach().copy_(value + sign * step * way)
            slopes.append((output(block, x).double() * upstream).sum())
        expected.append(float(slopes[0] - slopes[1]) / (2 * step))
        told = (
            float((gradient * way).sum())
            for gradient, way in zip(gradients, ways, strict=True)
            if gradient is not None
        )
        actual.append(sum(told))
    for parameter, value in own:
        parameter.detach().copy_(value)
    # the size that such products have, also where these few are small by chance
    typical = math.sqrt(sum(float(g.square().sum()) for g in gradients if g is not None))
    if not math.dist(actual, expected) < 0.1 * max(math.hypot(*expected), typical):
        fail("the parameters do not get the gradients that they should")


def assert_input_gradient(submission: SubmissionNames, block: Handle, rng: Random) -> None:
    """Demand that the input's gradient tells how the output changes, whatever that is.

    An input may lie where another activation than GELU has a corner: a second one will not.
    """
    if not any(input_gradient_fits(submission, block, rng) for _ in range(2)):
        fail("the input does not get the gradient that it should")


def input_gradient_fits(submission: SubmissionNames, block: Handle, rng: Random) -> bool:
    """Compare the gradient of a random input with finite differences in random directions."""
    x, upstream = normal(rng, BATCH, LENGTH, D_MODEL), normal(rng, BATCH, LENGTH, D_MODEL)
    given = submission.send(x)
    given.requires_grad_()
    output_handle(block(given.clone())).backward(upstream)
    gradient = given.grad.tensor()
    assert_shape(gradient, x.shape, "the input's gradient")
    directions, step = [normal(rng, *x.shape) for _ in range(6)], 0.001
    slopes = [
        (output(block, x + step * way) - output(block, x - step * way)) / (2 * step)
        for way in directions
    ]
    expected = torch.stack([(slope * upstream).sum() for slope in slopes])
    actual = torch.stack([(gradient * way).sum() for way in directions])
    # the size that such products have, also where these few are small by chance
    typical = gradient.norm() * len(directions) ** 0.5
    return bool((actual - expected).norm() < 0.05 * max(expected.norm(), typical))


def assert_tokens_meet(submission: SubmissionNames, rng: Random, block: Handle, x: Tensor) -> None:
    """Demand that without a mask a sequence's last token gives another output than alone."""
    assert_block_attends(submission, rng)
    together, alone = output(block, x), output(block, x[:, -1:])
    assert_differs(together[:, -1:], alone, "a token's output in company")
    assert_differs(together[0], together[1], "the output of another sequence")


def assert_identity_when_zero(submission: SubmissionNames, block: Handle, rng: Random) -> None:
    """Demand that a working block gives back its input once its parameters are zero.

    Nor do they jump there: a block that looks whether anything is left to do is none.
    """
    assert_block_attends(submission, rng)
    x = normal(rng, BATCH, LENGTH, D_MODEL)
    assert_differs(output(block, x), x, "the input, on its way through,")
    for parameter, value in parameters(block):
        parameter.detach().copy_(0.01 * value)
    assert_close(output(block, x), x, "the output of a block of small numbers", atol=0.1)
    silence(parameters(block))
    assert_close(output(block, x), x, "the output of a block of zeros")


def assert_added_is_normalised(block: Handle, neither: Handle, rng: Random) -> None:
    """Demand that what a block adds survives any change of the tokens' means and sizes."""
    # so large that a norm's epsilon has no say, be it 1e-5 or 1e-3
    x = 10 * normal(rng, BATCH, LENGTH, D_MODEL)
    sizes = 3 + torch.rand(BATCH, LENGTH, 1, generator=generator(rng))
    means = 10 * (2 + normal(rng, BATCH, LENGTH, 1))
    before, after = added(block, neither, x), added(block, neither, x * sizes + means)
    assert_close(after, before, "what is added", atol=1e-4)
    assert_differs(before[:, 0], before[:, 1], "what is added to another token", atol=VISIBLY)


def one_head_of_block(submission: SubmissionNames, rng: Random) -> Attend:
    """What a single head adds in a block, and its weights."""
    _, attention, _, neither = sublayers(submission, rng, n_heads=1)

    def attend(x: Tensor, mask: Tensor | None = None) -> tuple[Any, Any]:
        return added(attention, neither, x, mask), weights_of(attention, x, 1, mask)

    return attend


def attention_alone(submission: SubmissionNames, rng: Random) -> Attend:
    """What a single head gives by itself, and its weights."""
    heads = submission.MultiHeadAttention(d_model=D_MODEL, n_heads=1, dropout=0.0)
    drawn_anew(heads, submission, rng, n_inputs=3)

    def attend(x: Tensor, mask: Tensor | None = None) -> tuple[Any, Any]:
        return output_and_weights(heads(x, x, x, *([] if mask is None else [mask])), x, 1)

    return attend


def assert_finite(out: Any) -> None:
    """Demand numbers, neither infinite nor NaN."""
    if not bool(out.isfinite().all()):
        fail("the output is not finite")


def assert_mean_is_kept(block: Handle, x: Tensor) -> None:
    """Demand that what a sublayer adds in training is on average what it adds in eval mode.

    Args:
        block: one with a single sublayer at work.
        x: many times the same sequence.
    """
    settled = (output(block, x) - x).mean(dim=0)
    block.train()
    trained = (output(block, x) - x).mean(dim=0)
    factor = float((trained * settled).sum() / settled.square().sum())
    if not 0.8 < factor < 1.25:
        fail("what a sublayer adds in training has another mean", expected=1.0, actual=factor)


def assert_weights_average(attend: Attend, x: Tensor, mask: Tensor | None = None) -> None:
    """Demand that the output of one head is the average of the values with the weights returned.

    A value is what arrives at the output of a sequence of one token.
    """
    out, weights = attend(x, mask)
    values = torch.cat([attend(x[:, t : t + 1])[0] for t in range(LENGTH)], dim=1)
    assert_close(out, weights[:, 0] @ values, "the average of the values", atol=1e-4)
    assert_differs(values[:, 0], values[:, 1], "the value of another token", atol=VISIBLY)
