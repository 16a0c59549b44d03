"""Hidden checks of assignment 06, fourth part: what is seen inside a model, on given numbers."""

import random

import torch
from sent_models import sent
from sure_texts import MODEL, drawn_model

from course.checks.drawn_modules import normal
from grader.testing import SubmissionNames, assert_close, check


class TestInduction:
    """Bonus: induction heads"""

    bonus = True

    @check(points=1, hint="The query at t has its last like at t - period; what came after that?")
    def test_scores(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The mean weight at key t - period + 1, for every head of every layer"""
        layers, batch, heads, seq_len = 3, 2, 4, 11
        weights = (2 * normal(rng, layers, batch, heads, seq_len, seq_len)).softmax(dim=-1)
        for period in (rng.randrange(3, 7), 1, seq_len - 1):
            scores = submission.induction_scores(list(weights), period).tensor()
            queries = torch.arange(period, seq_len)
            picked = weights[..., queries, queries - period + 1]  # (L, B, H, queries)
            expected = picked.mean(dim=-1).mean(dim=1)
            assert_close(scores, expected, f"the scores (n_layers, n_heads) for period {period}")


class TestLens:
    """Bonus: the logit lens"""

    bonus = True

    @check(points=1, hint="What does the model do with the last block's output?")
    def test_lens(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Each state is scored as the last one is: by the final norm and the head"""
        model = drawn_model(rng)
        theirs = sent(submission, model)
        states = [size * normal(rng, 2, 5, MODEL["d_model"]) for size in (0.3, 1.0, 4.0, 2.0)]
        with torch.no_grad():
            expected = torch.stack([model.lm_head(model.ln_f(state)) for state in states])
        found = submission.logit_lens(theirs, states).detach().tensor()
        assert_close(found, expected, "the logits (number of states, B, T, V)")
