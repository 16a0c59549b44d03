"""A norm over there with gains and shifts drawn here, however it keeps them."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import layer_norm

from course.checks.drawn_modules import normal
from grader.testing import Handle, SubmissionNames, assert_close, assert_shape, parameters
from grader.testing.failure import fail


class DrawnNorm(NamedTuple):
    """A norm, its parameters, and what they mean.

    Attributes:
        module: the norm.
        places: for each parameter, which of gains (0 to d_model - 1) and shifts (d_model to
            2 d_model - 1) its elements are, in its own shape.
        own: handles of the parameters.
        gain, shift: what was drawn, (d_model,) each.
    """

    module: Handle
    own: list[Handle]
    places: list[Tensor]
    gain: Tensor
    shift: Tensor

    def collected(self, found: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Gains and shifts, or what belongs to them, out of one tensor for each parameter."""
        both = torch.empty(2 * len(self.gain))
        for value, places in zip(found, self.places, strict=True):
            both[places] = value
        return both[: len(self.gain)], both[len(self.gain) :]


def drawn_norm(
    submission: SubmissionNames, rng: Random, d_model: int, **options: float
) -> DrawnNorm:
    """Build the submission's LayerNorm, and draw its gains and shifts.

    What starts at 1 is a gain and what starts at 0 a shift, each in its order.

    Raises:
        CheckFailed: there are not d_model of each.
    """
    module = submission.placed(submission.LayerNorm(d_model, **options))
    found = parameters(module, torch.zeros(1, d_model))
    ones = sum(int((value == 1).sum()) for _, value in found)
    zeros = sum(int((value == 0).sum()) for _, value in found)
    total = sum(value.numel() for _, value in found)
    if (ones, zeros, total) != (d_model, d_model, 2 * d_model):
        fail(
            "the parameters do not start as they should",
            expected=f"{d_model} ones and {d_model} zeros",
            actual=f"{ones} ones, {zeros} zeros and {total - ones - zeros} others",
        )
    gain, shift = normal(rng, 2, d_model).unbind()
    both, places, seen = torch.cat([gain, shift]), [], [0, d_model]
    for parameter, value in found:
        where = torch.empty(value.shape, dtype=torch.int64)
        for kind, start in enumerate((1.0, 0.0)):
            chosen = value == start
            count = int(chosen.sum())
            where[chosen] = torch.arange(seen[kind], seen[kind] + count)
            seen[kind] += count
        parameter.detach().copy_(both[where])
        places.append(where)
    return DrawnNorm(module, [parameter for parameter, _ in found], places, gain, shift)


def assert_normalised(out: Tensor, x: Tensor) -> None:
    """Demand vectors of mean 0 and variance 1, made of x (B, T, d_model)."""
    assert_shape(out, x.shape, "the vectors")
    means, spreads = out.mean(dim=-1), out.var(dim=-1, correction=0)
    assert_close(means, torch.zeros_like(means), "the mean of each vector", atol=1e-4)
    assert_close(spreads, torch.ones_like(spreads), "the variance of each vector", atol=1e-3)
    assert_close(out, layer_norm(x, x.shape[-1:]), "the vectors", atol=1e-3)
