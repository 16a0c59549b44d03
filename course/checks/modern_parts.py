"""First looks at the parts of a modern block: what is quickly seen, not all that is asked for."""

from __future__ import annotations

from random import Random

import torch
from torch.nn import functional

from course.checks.drawn_modules import normal
from course.checks.parts_or_blocks import (
    D_FF,
    D_K,
    D_MODEL,
    D_V,
    HEADS,
    LENGTH,
    assert_transformed,
    causal,
    queries_keys_values,
)
from course.checks.rotations import assert_keeps_lengths
from grader.testing import SubmissionNames, assert_close, assert_differs, assert_shape


def assert_rms_norm(submission: SubmissionNames, rng: Random) -> None:
    """Demand that vectors are divided by their root mean square."""
    x = 5 * normal(rng, 2, 3, D_MODEL)
    found = submission.rms_norm(x, torch.ones(D_MODEL)).tensor()
    assert_close(found, functional.rms_norm(x, (D_MODEL,)), "the vectors")


def assert_gated(submission: SubmissionNames, rng: Random) -> None:
    """Demand a gate that multiplies by what it reads, far above zero, and closes far below."""
    x, up, down = normal(rng, 4, 2), normal(rng, 2, D_FF), normal(rng, D_FF, 2)
    x[:, 0] = 1  # so that the gate reads the same for each vector
    for score, expected in ((50.0, 50 * x @ up @ down), (-50.0, torch.zeros(4, 2))):
        gate = torch.zeros(2, D_FF)
        gate[0] = score
        found = submission.swiglu(x, gate, up, down).tensor()
        assert_close(found, expected, f"the output when gates read {score:g}", atol=1e-2)


def assert_rotated(submission: SubmissionNames, rng: Random) -> None:
    """Demand that lengths are kept, and that position 0 alone turns nothing."""
    x = normal(rng, 2, 3, LENGTH, D_K)
    positions = torch.tensor([1, *rng.sample(range(2, 20), LENGTH - 2), 0])  # in no order
    turned = assert_keeps_lengths(submission, x, positions)
    assert_close(turned[..., -1, :], x[..., -1, :], "vectors at position 0, which comes last,")
    assert_differs(turned[..., 0, :], x[..., 0, :], "vectors at position 1, which comes first,")


def assert_grouped(submission: SubmissionNames, rng: Random) -> None:
    """Demand plain attention where every query has keys of its own, and shapes that fit else."""
    query, key, value = queries_keys_values(rng).values()
    found = submission.grouped_attention(query, key, value).tensor()
    plain = functional.scaled_dot_product_attention(query, key, value)
    assert_close(found, plain, "the averaged values")
    shared = submission.grouped_attention(normal(rng, 2, 2 * HEADS, 3, D_K), key, value).tensor()
    assert_shape(shared, (2, 2 * HEADS, 3, D_V), "the averaged values")


def assert_modern(submission: SubmissionNames, rng: Random) -> None:
    """Demand a block that keeps the shape, and whose mask hides the future."""
    block = submission.placed(submission.ModernBlock(16, 4, 2, 20))
    x = normal(rng, 2, LENGTH, 16)
    before = block(x, causal(LENGTH)).tensor()
    assert_transformed(before, x)
    x[:, -1] = normal(rng, 2, 16)
    after = block(x, causal(LENGTH)).tensor()
    assert_close(after[:, :-1], before[:, :-1], "the output before a change")
