"""Whether a block's gradients tell how its output changes, measured by changing what goes in."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import torch
from drawn_blocks import BATCH, D_MODEL, LENGTH, output, output_handle
from torch import Tensor

from course.checks.drawn_modules import Parameters, normal
from grader.testing import Handle, SubmissionNames, assert_shape
from grader.testing.failure import fail


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
