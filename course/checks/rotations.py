"""What `rope` does to vectors, as a matrix for each position, whatever it takes for pairs."""

from __future__ import annotations

import torch
from torch import Tensor

from grader.testing import SubmissionNames, assert_close, assert_shape


def rotations(submission: SubmissionNames, positions: Tensor, d_k: int, **options: float) -> Tensor:
    """The matrix (d_k, d_k) with which each position's vectors are multiplied, (T, d_k, d_k)."""
    units = torch.eye(d_k).unsqueeze(1).expand(d_k, len(positions), d_k)  # one at all positions
    found: Tensor = submission.rope(units.contiguous(), positions, **options).tensor()
    assert_shape(found, units.shape, "the rotated vectors")
    return found.transpose(0, 1)


def assert_keeps_lengths(submission: SubmissionNames, x: Tensor, positions: Tensor) -> Tensor:
    """Demand vectors of the length that they had, and return them."""
    turned: Tensor = submission.rope(x, positions).tensor()
    assert_shape(turned, x.shape, "the rotated vectors")
    assert_close(turned.norm(dim=-1), x.norm(dim=-1), "the length of rotated vectors", atol=1e-3)
    return turned
