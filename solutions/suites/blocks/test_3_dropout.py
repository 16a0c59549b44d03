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

    @check(points=0.25, hint="Drop attention weights, activations, and what is added.")
    def test_dropout_has_three_places(self, submission: SubmissionNames, rng: Random) -> None:
        """Attention weights, activations, and each sublayer's output are dropped in training"""
        assert_own(submission, *PARTS, BLOCK)
        assert_block_works(submission, rng)
        _, attention, network, neither = sublayers(submission, rng, dropout=RATE, n_heads=1)
        # where the input itself is changed on its way past, other checks fail
        if not is_carried(neither, normal(rng, BATCH, LENGTH, D_MODEL)):
            return
        x = normal(rng, 1, LENGTH, D_MODEL).expand(COPIES, -1, -1)
        for block in (attention, network):
            assert_drops_within_and_after(block, x)
        alone = normal(rng, COPIES, 1, D_MODEL)  # a position that looks at itself alone
        dropped = (output(attention.train(), alone) == alone).all(dim=-1)
        assert_share(dropped, "of the attention weights, the share that is dropped")

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


RATE, COPIES = 0.5, 2000
"""How often an element is dropped, and of how many sequences."""


def is_carried(neither: Handle, x: Tensor) -> bool:
    """Whether a block that adds nothing gives back its input in training."""
    carried = not bool(differing(output(neither.train(), x), x).any())
    neither.eval()
    return carried


def assert_share(dropped: Tensor, what: str, expected: float = RATE, within: float = 0.1) -> None:
    """Demand that about so many are dropped.

    Of 2,000 or more, right code is off by 0.1 with a probability below 2 exp(-2 * 2000 * 0.01)
    = 1e-17 (Hoeffding).
    """
    share = float(dropped.double().mean())
    if abs(share - expected) > within:
        fail(f"{what}, is wrong", expected=expected, actual=round(share, 2))


def assert_drops_within_and_after(block: Handle, x: Tensor) -> None:
    """Demand dropout on what a sublayer adds, another inside, and no change of the mean.

    Args:
        block: one with a single sublayer at work.
        x: COPIES times the same sequence.
    """
    settled = (output(block, x[:1]) - x[:1]).double()
    trained = (output(block.train(), x) - x).double()
    block.eval()
    assert_share(trained == 0, "of what a sublayer adds, the share that is dropped")
    kept = trained != 0
    scaled = (settled / (1 - RATE)).expand_as(trained)
    unchanged = ((trained - scaled).abs() < 1e-3 * scaled.abs() + 1e-5) & kept
    if int(unchanged.sum()) > 0.5 * int(kept.sum()):
        fail("inside of a sublayer nothing is dropped")
    # Each element's variance is about three times its square: of COPIES, the mean square error is
    # about 0.0015. Dropping before the activation makes it 0.04 or more.
    error = (trained.mean(dim=0) - settled[0]).square().mean() / settled.square().mean()
    if not error < 0.012:
        fail("what a sublayer adds in training has another mean than in eval mode")


def assert_default_rates(submission: SubmissionNames, rng: Random) -> None:
    """Demand that who names no rate gets 0.1, in a block and in its parts."""
    sizes = {"d_model": D_MODEL, "n_heads": HEADS, "d_ff": D_FF}
    x = normal(rng, 1, LENGTH, D_MODEL).expand(COPIES, -1, -1)
    cases = {
        BLOCK: ((block_maker(submission), sizes), 1),
        HEADS_PART: ((heads_maker(submission), {"d_model": D_MODEL, "n_heads": HEADS}), 3),
        NETWORK: ((submission.FeedForward, {"d_model": D_MODEL, "d_ff": D_FF}), 1),
    }
    for name, ((make, told), n_inputs) in cases.items():
        try:
            ratio = noise_of_default(submission, make, told, n_inputs, x, rng)
        except (StudentError, CheckFailed):
            if name == BLOCK:
                raise
            continue  # a part that is called in another way, or that is none
        # the variance for a rate of 0.2 is 2.25 times, for 0.05 it is 0.47 times that for 0.1
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
    modules = [make(**sizes), make(**sizes, dropout=0.1, bias=True)]
    for module in modules:
        drawn_anew(module, submission, rng, n_inputs)
    copy_parameters(*(parameters(module) for module in reversed(modules)))
    for module in modules:
        result = module.train()(*[x] * n_inputs)
        variances.append(float(output_of(result, x).double().var(dim=0).mean()))
    return variances[0] / max(variances[1], 1e-12)
