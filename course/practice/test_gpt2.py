"""Checks of the notebook about GPT-2: two models are the same if they compute the same."""

from __future__ import annotations

import random

import pytest

from course import gpt2
from grader.testing import SubmissionNames, assert_close, check


class TestWeights:
    """GPT-2's weights in your model"""

    practice = True

    @pytest.mark.parametrize("length", [1, 2, 11])
    @check(
        points=0,
        hint="One token needs no attention: if it is right and two are not, look at c_attn.",
    )
    def test_logits(self, submission: SubmissionNames, rng: random.Random, length: int) -> None:
        """The model computes the same logits"""
        import torch

        theirs = gpt2.random_weights(
            vocab_size=31, d_model=24, n_layers=2, max_len=11, seed=rng.randrange(2**31)
        )
        tokens = torch.tensor([rng.sample(range(31), length) for _ in range(3)])
        out = submission.model_with(theirs, n_heads=3).eval()(tokens)
        expected = gpt2.logits(theirs, tokens, 3, approximate="none")
        assert_close(out[0].tensor(), expected, "the logits", atol=1e-3, rtol=1e-3)
