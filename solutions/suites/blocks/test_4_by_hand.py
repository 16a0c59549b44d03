"""Hidden checks of the assignment `blocks`, fourth part: softmax and LayerNorm by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import torch
from torch import Tensor
from torch.nn.functional import layer_norm

from course.checks.drawn_modules import normal
from course.checks.drawn_norms import drawn_norm
from course.checks.exact_functions import assert_same_gradients, assert_same_values
from grader.testing import SubmissionNames, assert_close, check, tensors

HUGE = (
    (3e38, -3e38, 1e30, -1e30),
    (3e38, -3e38, -1e30, -math.inf),
    (-1e30, -3e38, -math.inf, -math.inf),
)
"""Scores as large as floats are, in lines; the largest leaves nothing to the others."""


def along(dim: int) -> Callable[[Tensor], Tensor]:
    """Torch's softmax along a dimension."""
    return lambda scores: scores.softmax(dim)


def partly_hidden(rng: Random, size: int, dims: int) -> Tensor:
    """Scores of which many are -inf; in each line along each dimension, at least one is not."""
    scores = normal(rng, *dims * (size,))
    places = torch.stack(torch.meshgrid(*dims * (torch.arange(size),), indexing="ij"))
    may_be_hidden = places.sum(dim=0) % size != 0  # that is once in each line
    return scores.masked_fill(may_be_hidden & (normal(rng, *scores.shape) > 0), -math.inf)


class TestSoftmaxValues:
    """Softmax, number by number"""

    @check(points=0.5, hint="What you subtract is the largest along dim, and so is what you sum.")
    def test_softmax_values(self, submission: SubmissionNames, rng: Random) -> None:
        """Shares are right along every dimension, for scores as large as floats are, or -inf"""
        softmax = submission.softmax
        scores = partly_hidden(rng, 5, 3)
        for dim in (0, 1, 2, -1, -2):
            for factor in (1, 300):  # lines that lie far below others
                assert_same_values(
                    submission,
                    lambda one, dim=dim: softmax(one, dim=dim),
                    along(dim),
                    [factor * scores],
                )
        # 0 or 1 each time: nothing of it is rounded, be it added up in one way or another
        huge = torch.tensor([rng.sample(numbers, 4) for numbers in HUGE])
        assert_same_values(submission, softmax, along(-1), [huge.view(1, 3, 1, 4)])
        assert_same_values(submission, softmax, along(-1), [normal(rng, 3, 4).double()])
        # 1 beside zeros: every dtype has them
        assert_same_values(submission, softmax, along(-1), [200 * torch.eye(3).bfloat16()])

    @check(
        points=0.5,
        hint="Torch differentiates all of it, if nothing is detached, or overwritten in place.",
    )
    def test_softmax_gradients(self, submission: SubmissionNames, rng: Random) -> None:
        """Gradients are those of a softmax, also beside a score of -inf"""
        scores = partly_hidden(rng, 4, 2)
        for dim in (0, 1):
            assert_same_gradients(
                submission,
                lambda one, dim=dim: submission.softmax(one, dim),
                along(dim),
                [scores],
                rng,
            )


class TestNormValues:
    """LayerNorm, number by number"""

    D_MODEL = 7

    @check(points=0.5, hint="eps goes inside the root; the variance divides by d_model.")
    def test_norm_values(self, submission: SubmissionNames, rng: Random) -> None:
        """Vectors are right for any gains, shifts and eps, also where all numbers are equal"""
        for options, size in (({"eps": 0.3}, 1.0), ({}, 0.003)):  # so small that 1e-5 has a say
            norm = drawn_norm(submission, rng, self.D_MODEL, **options)
            eps = options.get("eps", 1e-5)

            def exact(x: Tensor, norm: object = norm, eps: float = eps) -> Tensor:
                return layer_norm(x, (self.D_MODEL,), norm.gain, norm.shift, eps)

            for shape in ((self.D_MODEL,), (4, self.D_MODEL), (2, 3, 4, self.D_MODEL)):
                x = size * (normal(rng, *shape) + normal(rng, 1))
                assert_same_values(submission, norm.module, exact, [x])
            same = torch.full((2, self.D_MODEL), 2.0)
            assert_same_values(submission, norm.module, exact, [same])

    @check(points=0.5, hint="Gains and shifts are nn.Parameters; nothing is detached on the way.")
    def test_norm_gradients(self, submission: SubmissionNames, rng: Random) -> None:
        """Vectors, gains and shifts get the gradients of a LayerNorm"""
        norm = drawn_norm(submission, rng, self.D_MODEL)
        gain, shift = norm.gain.clone().requires_grad_(), norm.shift.clone().requires_grad_()

        def exact(x: Tensor) -> Tensor:
            return layer_norm(x, (self.D_MODEL,), gain, shift)

        x = normal(rng, 3, 4, self.D_MODEL)
        assert_same_gradients(submission, norm.module, exact, [x], rng)
        own_gain, own_shift = norm.collected(tensors(one.grad for one in norm.own))
        assert_close(own_gain, gain.grad, "the gradient of the gains", atol=1e-4)
        assert_close(own_shift, shift.grad, "the gradient of the shifts", atol=1e-4)
