"""Logits that are scores: products of vectors with the rows of a weight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from grader.testing import assert_shape, differing
from grader.testing.failure import fail


def assert_scored(logits: Tensor, vectors: tuple[Any, ...], weights: Sequence[Any]) -> None:
    """Demand that logits are products of known vectors with the rows of a weight.

    Whether the vectors are normalised or added up, a factor, a bias or a softmax at the end, all
    that is another question.

    Args:
        logits: (B, T, V).
        vectors: (B, T, d_model) each.
        weights: (V, d_model) each; one will do.
    """
    scores = logits.double().flatten(0, 1)
    total = scores.sum(dim=1)
    if bool((scores > 0).all()) and torch.allclose(total, torch.ones_like(total), atol=1e-4):
        scores = scores.log()
    scores = scores[1:] - scores[:1]  # (B * T - 1, V), without what is the same everywhere
    scores -= scores.mean(dim=1, keepdim=True)
    known = []
    for vector in vectors:
        assert_shape(vector, (*logits.shape[:2], vectors[0].size(-1)), "what a block gets or gives")
        x = vector.double().flatten(0, 1)
        known += [x[1:], x[:1].expand_as(x[1:])]
    known.append(torch.ones_like(known[0]))
    x = torch.stack(known, dim=1)  # (B * T - 1, 3 or 5, d_model)
    for weight in weights:
        if type(weight) is Tensor and tuple(weight.shape) == (logits.size(-1), x.size(-1)):
            rows = weight.double() - weight.double().mean(dim=0)
            base = (x @ rows.T).mT  # (B * T - 1, V, 3 or 5)
            found = base @ (torch.linalg.pinv(base) @ scores.unsqueeze(2))
            # a third of what elsewhere counts as a difference
            if not differing(found.squeeze(2), scores, rtol=3e-4, atol=3e-5).any():
                return
    fail(
        "the logits should be the products of what the last block gives with the rows of"
        " lm_head.weight, and are not"
    )
