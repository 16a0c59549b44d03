"""Modules over there, with matrices that are drawn here."""

from __future__ import annotations

import math
from random import Random

import torch
from torch import Tensor

from grader.testing import Handle, SubmissionNames, parameters
from grader.testing.failure import fail

Parameters = list[tuple[Handle, Tensor]]
"""Handles on a module's parameters, each with a value of the same shape."""


def generator(rng: Random) -> torch.Generator:
    """Make a generator for torch out of a check's own."""
    return torch.Generator().manual_seed(rng.randrange(2**31))


def normal(rng: Random, *shape: int) -> Tensor:
    """Draw from the standard normal distribution."""
    return torch.randn(*shape, generator=generator(rng))


def is_matrix(value: Tensor, least: int = 8) -> bool:
    """Whether it maps vectors: neither a bias nor a gain, nor a few of these side by side."""
    return sum(size > 1 for size in value.shape) >= 2 and value.numel() >= least * max(value.shape)


def built(
    make: Handle, submission: SubmissionNames, rng: Random, n_inputs: int = 1, **sizes: int
) -> tuple[Parameters, Handle]:
    """A module in eval mode with matrices drawn anew, no bias and no dropout; and its matrices.

    It takes `n_inputs` sequences of vectors.
    """
    module = make(**sizes, dropout=0.0)
    submission.placed(module).eval()
    d_model = sizes["d_model"]
    matrices = []
    for parameter, value in parameters(module, *n_inputs * [torch.zeros(1, 1, d_model)]):
        if is_matrix(value):
            drawn = normal(rng, *value.shape) / math.sqrt(d_model)
            parameter.detach().copy_(drawn)
            matrices.append((parameter, drawn))
        elif not bool((value == 1).all()):  # gains of norms stay
            parameter.detach().zero_()
    return matrices, module


def put(pairs: Parameters, factor: float = 1.0) -> None:
    """Give parameters their values, or a multiple."""
    for parameter, value in pairs:
        parameter.detach().copy_(value * factor)


def drawn_anew(pairs: Parameters, rng: Random) -> Parameters:
    """The same parameters with other values of the same size."""
    return [(parameter, normal(rng, *value.shape) * value.std()) for parameter, value in pairs]


def shuffled(value: Tensor, rng: Random) -> Tensor:
    """The same numbers in other places: no sum and no norm tells the difference."""
    return value.flatten()[rng.sample(range(value.numel()), value.numel())].reshape(value.shape)


def size(tensor: Tensor) -> float:
    """Root mean square."""
    return float(tensor.double().square().mean().sqrt())


def unevenness(change: Tensor) -> float:
    """How much (B, T, d_model) differs from token to token."""
    vectors = change.double().flatten(0, 1)
    return size(vectors - vectors.mean(dim=0))


def assert_real(tensor: Tensor, what: str) -> None:
    """Demand finite real numbers."""
    if not tensor.is_floating_point():
        fail(f"{what} has the wrong dtype", expected="torch.float32", actual=tensor.dtype)
    if not bool(tensor.isfinite().all()):
        fail(f"{what} is not finite")
