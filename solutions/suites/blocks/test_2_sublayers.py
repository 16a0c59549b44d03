"""Hidden checks of the assignment `blocks`, second part: the two sublayers and their order.

All of them look at `TransformerBlock` from outside: what changes when inputs or parameters do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import torch
from drawn_blocks import (
    BATCH,
    D_FF,
    D_MODEL,
    HEADS,
    LENGTH,
    VISIBLY,
    added,
    count,
    new_block,
    of_feed_forward,
    output,
    output_handle,
    output_of,
    silence,
    sublayers,
)
from fitting_gradients import assert_gradients_fit, assert_input_gradient
from torch import Tensor

from course.checks.assembled_blocks import (
    BLOCK,
    HEADS_PART,
    NETWORK,
    assert_own,
    heads_maker,
    part,
)
from course.checks.drawn_modules import generator, is_matrix, normal
from course.checks.working_blocks import (
    assert_block_attends,
    assert_block_transforms,
    assert_block_works,
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
    parameters,
    values,
)
from grader.testing.failure import fail


class TestResidual:
    """The input is carried past both sublayers"""

    @check(points=1, hint="Add each sublayer's output to what went in before the LayerNorm.")
    def test_zero_parameters_change_nothing(self, submission: SubmissionNames, rng: Random) -> None:
        """A block whose parameters are all zero gives back its input"""
        assert_own(submission, BLOCK)
        assert_identity_when_zero(submission, new_block(submission, rng), rng)

    @check(points=1, hint="Drop parts of what a sublayer adds, never of the sum.")
    def test_zero_parameters_change_nothing_in_training(
        self, submission: SubmissionNames, rng: Random
    ) -> None:
        """The same holds in training: dropout does not touch what is carried past"""
        assert_own(submission, BLOCK)
        block = new_block(submission, rng, dropout=0.5)
        block.train()
        assert_identity_when_zero(submission, block, rng)


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


class TestPreNorm:
    """Each sublayer reads a normalised input"""

    @check(points=0.75, hint="LayerNorm belongs before attention, inside the branch.")
    def test_attention_reads_a_normalised_input(
        self, submission: SubmissionNames, rng: Random
    ) -> None:
        """What attention adds depends neither on a token's mean nor on its size"""
        assert_own(submission, BLOCK)
        assert_block_attends(submission, rng)
        _, attention, _, neither = sublayers(submission, rng)
        assert_added_is_normalised(attention, neither, rng)

    @check(points=0.75, hint="LayerNorm belongs before the feed-forward network, in the branch.")
    def test_feed_forward_reads_a_normalised_input(
        self, submission: SubmissionNames, rng: Random
    ) -> None:
        """What the feed-forward network adds depends neither on a token's mean nor on its size"""
        assert_own(submission, BLOCK)
        assert_block_transforms(submission, rng)
        _, _, feed_forward, neither = sublayers(submission, rng)
        assert_added_is_normalised(feed_forward, neither, rng)

    @check(points=0.5, hint="LayerNorm divides by the standard deviation of all d_model numbers.")
    def test_spread_is_that_of_layer_norm(self, submission: SubmissionNames, rng: Random) -> None:
        """A normalised input has a variance of 1, as nn.LayerNorm counts it: over d_model"""
        assert_own(submission, BLOCK)
        assert_block_works(submission, rng)
        block, neither, biases, token, writing = feed_forward_in_one_direction(submission, rng)

        def written(x: Tensor, bias: float) -> float:
            for parameter in biases:
                parameter.detach().fill_(bias)
            given = x.expand(1, 1, D_MODEL)
            return float(added(block, neither, given)[0, 0] @ writing / D_MODEL)

        if not biases:  # that costs elsewhere
            return
        # so large that an epsilon has no say
        read = written(10 * writing, 0.0)
        if abs(read) < VISIBLY:
            fail("the network adds nothing")
        # what it reads has the length sqrt(d_model), or, divided by the other count, 2 % less
        lengths = {over: D_MODEL * math.sqrt(over / D_MODEL) for over in (D_MODEL, D_MODEL - 1)}
        off = {
            over: abs(read - written(10 * token, length / D_FF)) for over, length in lengths.items()
        }
        if off[D_MODEL] > off[D_MODEL - 1]:
            fail("a normalised input has another variance than 1")


def assert_added_is_normalised(block: Handle, neither: Handle, rng: Random) -> None:
    """Demand that what a block adds survives any change of the tokens' means and sizes."""
    # so large that a norm's epsilon has no say, be it 1e-5 or 1e-3
    x = 10 * normal(rng, BATCH, LENGTH, D_MODEL)
    sizes = 3 + torch.rand(BATCH, LENGTH, 1, generator=generator(rng))
    means = 10 * (2 + normal(rng, BATCH, LENGTH, 1))
    before, after = added(block, neither, x), added(block, neither, x * sizes + means)
    assert_close(after, before, "what is added", atol=1e-4)
    assert_differs(before[:, 0], before[:, 1], "what is added to another token", atol=VISIBLY)


class TestSequence:
    """First attention, then feed-forward"""

    @check(points=1, hint="The second sublayer reads the sum that the first one left.")
    def test_second_sublayer_reads_the_first(
        self, submission: SubmissionNames, rng: Random
    ) -> None:
        """The sublayers work one after the other, not side by side"""
        assert_own(submission, BLOCK)
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
        assert_own(submission, BLOCK)
        assert_block_works(submission, rng)
        x = normal(rng, BATCH, LENGTH, D_MODEL)
        both, attention, feed_forward, neither = sublayers(submission, rng)
        gathered = output(attention, x)
        by_feed_forward = added(feed_forward, neither, gathered)
        whole = output(both, x)
        assert_close(whole, gathered + by_feed_forward, "the block's output", atol=1e-4)
        assert_differs(gathered, x, "what attention reads", atol=VISIBLY)
        assert_differs(whole, gathered, "what the feed-forward network reads", atol=VISIBLY)


def feed_forward_in_one_direction(
    submission: SubmissionNames, rng: Random
) -> tuple[Handle, Handle, list[Handle], Tensor, Tensor]:
    """A block in which only one direction of the vectors is read, and written, by its network.

    Two directions, normalised and at right angles: the token lies in one, both maps of the
    feed-forward network in the other. So for that token the first map sees nothing, its bias alone
    is activated, and the second map writes the result where it can be told from the token, even
    if the sum is normalised afterwards.

    Returns:
        The block; the same with nothing added; the first map's biases; both directions.
    """
    drawn = normal(rng, D_MODEL, 2)
    directions, _ = torch.linalg.qr(drawn - drawn.mean(dim=0))
    token, writing = (directions * math.sqrt(D_MODEL)).unbind(dim=1)
    _, _, block, neither = sublayers(submission, rng)
    chosen = of_feed_forward(parameters(block))
    if all(is_matrix(value) for _, value in chosen):  # the default is no question here
        _, _, block, neither = sublayers(submission, rng, bias=True)
        chosen = of_feed_forward(parameters(block))
    biases = []
    for parameter, value in chosen:
        if is_matrix(value):
            shape = [size if size == D_MODEL else 1 for size in value.shape]
            parameter.detach().copy_(writing.reshape(shape).expand(value.shape) / D_FF)
        else:
            biases.append(parameter)
    return block, neither, biases, token, writing


class TestGelu:
    """The activation is the exact GELU"""

    @check(points=1, hint="Use the error function, not its approximation by tanh.")
    def test_activation_values(self, submission: SubmissionNames, rng: Random) -> None:
        """The activation has the values of GELU, on both sides of zero"""
        assert_own(submission, NETWORK)
        assert_block_transforms(submission, rng)
        readings = activation_readings(submission, rng)
        for low, high in (
            (-3.2, -2.4), (-1.5, -1.1), (-0.9, -0.1), (0.1, 0.9), (1.1, 1.5), (2.4, 3.2)
        ):  # fmt: skip
            pairs = readings(rng.uniform(low, high))
            actual, exact = min(pairs, key=lambda pair: abs(pair[0] - pair[1]))
            assert_close(actual, exact, "the activation", rtol=0, atol=6e-5)


def activation_readings(
    submission: SubmissionNames, rng: Random
) -> Callable[[float], list[tuple[float, float]]]:
    """A function from a number to what the activation makes of it, with what GELU would.

    It gives several pairs: what was carried past the network may wrongly be scaled with what is
    written, or alone, or have been left out, and any of these is forgiven.
    """
    block, _, biases, token, writing = feed_forward_in_one_direction(submission, rng)

    def read(x: Tensor, size: float = 1.0) -> list[float]:
        out = output(block, x.expand(1, 1, D_MODEL))[0, 0]
        carried = (out @ token / (x @ token)).item()
        written = (out @ writing / D_MODEL).item() - carried * (x @ writing / D_MODEL).item()
        ways = [written, written / carried] if abs(carried) > 0.01 else [written]
        return [way / size for way in ways]

    def by_bias(point: float) -> list[tuple[float, float]]:
        for bias in biases:
            bias.detach().fill_(point)
        return [(actual, gelu(point)) for actual in read(token)]

    if biases:
        return by_bias

    # That biases are missing costs elsewhere: the first map reads the point from the input.
    maps = of_feed_forward(parameters(block))

    def by_weights(point: float) -> list[float]:
        size = point * math.sqrt(2) * D_FF / D_MODEL
        for parameter, pattern in maps:
            parameter.detach().copy_(size * pattern)
        return read(math.sqrt(0.5) * (token + writing), size)

    # far from zero GELU changes nothing, so that this is how large an input of 1 is to the map
    scales = [actual / 8 for actual in by_weights(8.0)]
    return lambda point: [
        (actual, gelu(scale * point))
        for actual, scale in zip(by_weights(point), scales, strict=False)
    ]


def gelu(number: float) -> float:
    """GELU of a number, as exact as doubles are."""
    return number * (1 + math.erf(number / math.sqrt(2))) / 2


class TestParameters:
    """The block has the parameters that it should, and uses them"""

    @check(
        points=0.5, hint="Count on paper: four maps of attention, two of the network, two norms."
    )
    def test_parameter_count(self, submission: SubmissionNames, rng: Random) -> None:
        """The number of parameters is right for two sizes"""
        assert_own(submission, HEADS_PART, NETWORK, BLOCK)
        assert_block_works(submission, rng)
        for d_model, n_heads, d_ff in ((D_MODEL, HEADS, D_FF), (16, 2, 40)):
            block = new_block(submission, rng, d_model=d_model, n_heads=n_heads, d_ff=d_ff)
            biases = 4 * d_model + d_ff + d_model
            expected = 4 * d_model**2 + 2 * d_model * d_ff + biases + 4 * d_model
            assert_equal(count(block), expected, "the number of parameters")
        for make, sizes, n_inputs in (
            (lambda: heads_maker(submission), {"d_model": D_MODEL, "n_heads": HEADS}, 3),
            (lambda: part(submission, NETWORK), {"d_model": D_MODEL, "d_ff": D_FF}, 1),
        ):
            assert_bias_by_default(make, sizes, n_inputs * [torch.zeros(1, 1, D_MODEL)])

    @check(points=0.25, hint="Pass `bias` on to every part that could have one.")
    def test_bias_switch(self, submission: SubmissionNames, rng: Random) -> None:
        """With bias=False the linear maps have no biases"""
        assert_own(submission, HEADS_PART, NETWORK, BLOCK)
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
        assert_own(submission, HEADS_PART, NETWORK, BLOCK)
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


def assert_bias_by_default(
    make: Callable[[], Handle], sizes: dict[str, int], inputs: list[Tensor]
) -> None:
    """Demand that a part has a bias unless told. One that is called in another way is not asked."""
    try:
        modules = [make()(**sizes), make()(**sizes, bias=True)]
        by_default, told = (
            sum(value.numel() for _, value in parameters(module, *inputs)) for module in modules
        )
    except StudentError:
        return
    assert_equal(by_default, told, "the number of a part's parameters by default")
