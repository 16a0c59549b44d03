"""Hidden checks of the assignment `blocks`, third part: dropout, its places, rates and times.

All of them look at `TransformerBlock` from outside, but for the rate that parts have by default.
"""

from __future__ import annotations

from random import Random

import torch
from drawn_blocks import (
    BATCH,
    D_FF,
    D_MODEL,
    HEADS,
    LENGTH,
    copy_parameters,
    drawn_anew,
    new_block,
    output,
    output_of,
    seeded_output,
    sublayers,
)
from torch import Tensor

from course.checks.assembled_blocks import (
    ATTENTION,
    BLOCK,
    HEADS_PART,
    NETWORK,
    PARTS,
    assert_own,
    block_maker,
    heads_maker,
    part,
)
from course.checks.drawn_modules import normal
from course.checks.working_blocks import assert_block_attends, assert_block_works
from grader.testing import (
    Handle,
    StudentError,
    SubmissionNames,
    assert_close,
    assert_differs,
    check,
    differing,
    parameters,
)
from grader.testing.failure import CheckFailed, fail


class TestDropout:
    """Dropout in training, and only there"""

    @check(points=0.25, hint="Outside of nn.Dropout, ask `self.training` before dropping anything.")
    def test_nothing_is_dropped_in_eval(self, submission: SubmissionNames, rng: Random) -> None:
        """In eval mode the dropout rate makes no difference"""
        assert_own(submission, HEADS_PART, NETWORK, BLOCK)
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
        assert_own(submission, *PARTS, BLOCK)
        assert_block_works(submission, rng)
        x = normal(rng, BATCH, LENGTH, D_MODEL)
        _, *blocks, neither = sublayers(submission, rng, dropout=RATE)
        neither.train()
        # where the input itself is changed on its way past, other checks fail
        carried = not bool(differing(output(neither, x), x).any())
        for block in blocks:
            block.train()
            assert_differs(output(block, x), output(block, x), "the output")
            block.eval()
            if carried:
                assert_mean_is_kept(block, x)

    @check(points=0.25, hint="The rate is the argument `dropout`, everywhere.")
    def test_rate_zero_drops_nothing(self, submission: SubmissionNames, rng: Random) -> None:
        """With dropout=0 training and eval mode give the same, by default they do not"""
        assert_own(submission, HEADS_PART, NETWORK, BLOCK)
        assert_block_attends(submission, rng)
        block, x = new_block(submission, rng, dropout=0), normal(rng, BATCH, LENGTH, D_MODEL)
        evaluated = output(block, x)
        block.train()
        assert_close(output(block, x), evaluated, "the output in training")
        assert_differs(evaluated, x, "the input, on its way through,")
        sizes = {"d_model": D_MODEL, "n_heads": HEADS, "d_ff": D_FF}
        block = block_maker(submission)(**sizes)
        drawn_anew(block, submission, rng).train()
        assert_differs(output(block, x), output(block, x), "the output in training")
        assert_default_rates(submission, rng)

    @check(points=0.25, hint="Drop weights after the softmax: 0 times -inf is not a number.")
    def test_training_with_a_mask(self, submission: SubmissionNames, rng: Random) -> None:
        """In training a mask still hides what it hides, and nothing becomes NaN"""
        assert_own(submission, ATTENTION, HEADS_PART)
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


RATE, COPIES = 0.5, 1000
"""How often an element is dropped, and how many copies of a sequence are looked at."""


def assert_mean_is_kept(block: Handle, x: Tensor) -> None:
    """Demand that what a sublayer adds in training is on average what it adds in eval mode.

    So nothing is dropped but where all that follows is linear: after the softmax, after GELU. The
    copies' two halves have deviations whose product has the square of the mean's error for its
    mean: chance alone averages out to 0, with a standard deviation of 0.0005 of the square of what
    is added (60 seeds). The bound is at nine of them. Dropping before the activation makes it
    0.018; its logarithm has a standard deviation of 0.24, and the bound is at five of those.

    Args:
        block: one with a single sublayer at work.
        x: (B, T, d_model).
    """
    settled = (output(block, x) - x).double()
    copies = x.repeat_interleave(COPIES, dim=0)
    trained = (output(block.train(), copies) - copies).double()
    halves = trained.unflatten(0, (len(x), 2, COPIES // 2)).mean(dim=2)
    deviations = halves - settled.unsqueeze(1)
    error = float(deviations.prod(dim=1).mean() / settled.square().mean())
    if not error < 0.005:
        fail("what a sublayer adds in training has another mean")


def assert_default_rates(submission: SubmissionNames, rng: Random) -> None:
    """Demand that who names no rate gets 0.1, in a block and in its parts."""
    sizes = {"d_model": D_MODEL, "n_heads": HEADS, "d_ff": D_FF}
    x = normal(rng, 1, LENGTH, D_MODEL).expand(400, -1, -1)
    cases = {
        BLOCK: (lambda: block_maker(submission), ("d_model", "n_heads", "d_ff"), 1),
        HEADS_PART: (lambda: heads_maker(submission), ("d_model", "n_heads"), 3),
        NETWORK: (lambda: part(submission, NETWORK), ("d_model", "d_ff"), 1),
    }
    for name, (make, told, n_inputs) in cases.items():
        try:
            own = {size: sizes[size] for size in told}
            ratio = noise_of_default(submission, make(), own, n_inputs, x, rng)
        except (StudentError, CheckFailed):
            if name == BLOCK:
                raise
            continue  # a part that is called in another way, or that is none
        # The variance for a rate of 0.2 is 2.25 times, for 0.05 it is 0.47 times that for 0.1.
        # Right code's ratio has a standard deviation of 0.045 (60 seeds): bounds at 6 and 8.
        if not 0.7 < ratio < 1.4:
            fail(f"the default rate of {name} is not 0.1")


def noise_of_default(
    submission: SubmissionNames,
    make: Handle,
    sizes: dict[str, int],
    n_inputs: int,
    x: Tensor,
    rng: Random,
) -> float:
    """The variance of a module's output in training by default, in units of that for 0.1."""
    variances = []
    modules = [make(**sizes, bias=True), make(**sizes, dropout=0.1, bias=True)]
    for module in modules:
        drawn_anew(module, submission, rng, n_inputs)
    copy_parameters(*(parameters(module) for module in reversed(modules)))
    for module in modules:
        result = module.train()(*[x] * n_inputs)
        variances.append(float(output_of(result, x).double().var(dim=0).mean()))
    if variances[1] < 1e-12:
        return 1.0  # nothing is ever dropped, and that costs elsewhere
    return variances[0] / variances[1]
