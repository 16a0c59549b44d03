"""Hidden checks of assignment 06, second part: limits, a cache, and a text learned by heart."""

import random

import pytest
import torch
from cached_habits import assert_same_habits
from drawn_tokens import (
    assert_ends,
    assert_keeps,
    assert_limited,
    assert_together,
    keeps_min_p,
    keeps_top_k,
    keeps_top_p,
)
from kept_states import ROOM, CacheJudge, judge_cache, some_prompts
from sure_texts import MODEL, most_probable
from torch import Tensor

from course.checks.writers import PARTS, token_ids
from course.parts import TinyTransformerLM
from grader.testing import (
    Handle,
    SubmissionNames,
    assert_close,
    assert_equal,
    attribute,
    check,
    in_some_way,
    values,
)
from grader.testing.failure import fail


class TestTopK:
    """Bonus: top-k"""

    bonus = True

    @check(points=0.6, timeout_s=30, hint="Each sequence has its own k most probable tokens.")
    def test_top_k(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Of the k most probable tokens one is drawn, with their probabilities scaled up"""
        assert_limited(submission, rng, keeps_top_k, rng.randrange(3, 6))

    @check(points=0.4, timeout_s=30, hint="What if k is 1, or more than there are tokens?")
    def test_top_k_ends(self, submission: SubmissionNames, rng: random.Random) -> None:
        """One token is always the best, a large k changes nothing, and no k is less than 1"""
        assert_ends(submission, rng, "top_k", 1, rng.randrange(7, 20), beyond=(0, -1))
        assert_keeps(submission, rng, keeps_top_k, rng.randrange(2, 5))


class TestTopP:
    """Bonus: top-p"""

    bonus = True

    @pytest.mark.parametrize("temperature", [1.0, 2.0])
    @check(
        points=0.6,
        timeout_s=30,
        hint="Temperature first; the token that reaches p still belongs to it.",
    )
    def test_top_p(
        self, submission: SubmissionNames, rng: random.Random, temperature: float
    ) -> None:
        """Of the fewest tokens with probability p one is drawn, at temperature"""
        assert_limited(submission, rng, keeps_top_p, rng.uniform(0.6, 0.8), temperature)

    @check(points=0.4, timeout_s=30, hint="What if p is tiny, or 1?")
    def test_top_p_ends(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A tiny p leaves the best, p = 1 all, other p are refused; beside top-k, both count"""
        assert_ends(submission, rng, "top_p", rng.uniform(1e-4, 1e-2), 1.0, (0.0, -0.5, 1.5))
        assert_together(submission, rng, {"top_k": 2, "top_p": 0.7})
        assert_keeps(submission, rng, keeps_top_p, rng.uniform(0.6, 0.8))


class TestMinP:
    """Bonus: min-p"""

    bonus = True

    @pytest.mark.parametrize("temperature", [1.0, 2.0])
    @check(
        points=0.6,
        timeout_s=30,
        hint="Temperature first; then compare with the most probable token's.",
    )
    def test_min_p(
        self, submission: SubmissionNames, rng: random.Random, temperature: float
    ) -> None:
        """Tokens far less probable than the best are not drawn, at temperature"""
        assert_limited(submission, rng, keeps_min_p, rng.uniform(0.2, 0.4), temperature)

    @check(points=0.4, timeout_s=30, hint="What if the fraction is 0, or 1?")
    def test_min_p_ends(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Fraction 1 leaves the best token, 0 all, others are refused; beside top-k, both count"""
        assert_ends(submission, rng, "min_p", 1.0, 0.0, (-0.5, 1.5))
        assert_together(submission, rng, {"top_k": 2, "min_p": 0.5})
        assert_keeps(submission, rng, keeps_min_p, rng.uniform(0.25, 0.4))


class TestCache:
    """Bonus: keys and values kept"""

    bonus = True

    @check(
        points=1.1,
        timeout_s=30,
        hint="A token's key and value stay what they are: compute them once.",
    )
    def test_less_work(self, submission: SubmissionNames, rng: random.Random) -> None:
        """use_cache=True writes the same text with much less work"""
        (prompt,) = some_prompts(rng, 4)
        new = ROOM - prompt.size(1)

        def verdict(judge: CacheJudge) -> None:
            judge.assert_less_work(prompt, new)
            judge.assert_kept(prompt, new)

        judge_cache(submission, rng, verdict)

    @check(
        points=0.6,
        requires=["test_less_work"],
        hint="When the window moves, every token moves to another position.",
    )
    def test_beyond_window(self, submission: SubmissionNames, rng: random.Random) -> None:
        """use_cache=True writes the same text when it outgrows max_len"""
        prompts = some_prompts(rng, ROOM - 3, ROOM, ROOM + 3)
        judge_cache(submission, rng, lambda judge: judge.assert_same_text(prompts, 7))

    @check(
        points=0.3,
        requires=["test_less_work"],
        hint="The cache decides how logits are computed, and nothing else.",
    )
    def test_same_habits(self, submission: SubmissionNames, rng: random.Random) -> None:
        """use_cache=True changes neither what is drawn, nor what is refused, nor what is left"""
        (prompt,) = some_prompts(rng, 4)

        def verdict(judge: CacheJudge) -> None:
            # Rounding decides one draw in a million: two models are enough.
            in_some_way([lambda: assert_same_habits(judge, prompt, 6)] * 2)

        judge_cache(submission, rng, verdict)


TEXT_MODEL = {
    **MODEL,
    "n_layers": 1,
    "vocab_size": 16,
    "d_model": 32,
    "d_ff": 64,
    "max_len": 32,
    "dropout": 0.0,
}


class TestMilestone:
    """Bonus: a text learned by heart"""

    bonus = True

    GIVEN = 8

    @check(
        points=1.5,
        timeout_s=60,
        hint="Judge your training by the text that comes out, not by the loss.",
    )
    def test_repeats(self, submission: SubmissionNames, rng: random.Random) -> None:
        """After overfit(model, tokens) the model repeats the text from its first tokens"""
        size = TEXT_MODEL["vocab_size"]
        words = [rng.choices(range(1, size), k=rng.randrange(2, 6)) for _ in range(9)]
        text = [token for word in rng.choices(words, k=30) for token in [*word, 0]]
        tokens = torch.tensor(text[: TEXT_MODEL["max_len"]])
        # A short course, which is enough for so short a text; then the notebook's own default,
        # once more from another start: no course of training is sure.
        in_some_way(
            lambda schedule=schedule: self.assert_learned(submission, tokens, *schedule)
            for schedule in [(120, 1e-2), (), ()]
        )

    @check(points=0.5, hint="Train in training mode, and note the loss before each step.")
    def test_training(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The losses of the steps come back, and the modules' modes are what they were"""
        sizes = {**TEXT_MODEL, "max_len": 16}
        model, tokens = TinyTransformerLM(**sizes).eval(), token_ids(rng, 1, 17, 16)[0]
        with torch.no_grad():
            model.lm_head.weight.mul_(20)  # or the loss would be ln V whatever the targets are
            logits = model(tokens[:-1].unsqueeze(0))[0][0]
        expected = torch.nn.functional.cross_entropy(logits, tokens[1:])
        for dropout in (0.0, 0.5):
            theirs = submission.module("course.parts").TinyTransformerLM(
                **{**sizes, "dropout": dropout}
            )
            theirs.load_state_dict(dict(model.state_dict()))
            submission.placed(theirs).eval()
            theirs.blocks.train(not dropout)  # what is to be dropped, is when all of it trains
            # At rate 0 nothing is learned: the losses differ by what training mode drops.
            losses = submission.overfit(theirs, tokens, 3, 0.0).value()
            if type(losses) is not list or {type(loss) for loss in losses} != {float}:
                fail("the losses are no list of numbers")
            assert_equal(len(losses), 3, "the number of losses")
            if not dropout:
                assert_close(torch.tensor(losses), expected.expand(3), "the losses at rate 0")
                learning = submission.overfit(theirs, tokens, 3, 1e-2).value()
                assert_close(torch.tensor(learning[0]), expected, "the loss before the first step")
                if learning[-1] == learning[0]:
                    fail("no step changes the loss")
                self.make_sure_of(theirs, token=3)
                losses = submission.overfit(theirs, torch.full((6,), 3), 3, 0.0).value()
                assert_equal(len(losses), 3, "the number of losses of a text that is known")
            elif len(set(losses)) == 1:  # float32 hardly has the same number by chance
                fail("in training, nothing is dropped")
            modes = values([part.training for part in (theirs, theirs.ln_f, theirs.blocks)])
            expected_modes = [False, False, not dropout]
            assert_equal(modes, expected_modes, "the modes of model, norm and blocks")

    @staticmethod
    def make_sure_of(model: Handle, token: int) -> None:
        """Let a model expect one token, whatever it reads."""
        model.ln_f.weight.data.zero_()
        model.ln_f.bias.data.fill_(1.0)
        model.lm_head.weight.data.zero_()
        model.lm_head.weight.data[token].fill_(1.0)

    def assert_learned(self, submission: SubmissionNames, tokens: Tensor, *schedule: float) -> None:
        """Demand that a new model repeats a text (T,) after overfit(model, tokens, *schedule)."""
        model = submission.module("course.parts").TinyTransformerLM(**TEXT_MODEL)
        submission.placed(model)
        submission.overfit(model, tokens, *schedule)
        learned = TinyTransformerLM(**TEXT_MODEL).eval()
        for name in PARTS:
            state = attribute(model, name).state_dict().value()
            try:
                getattr(learned, name).load_state_dict(state)
            except (RuntimeError, TypeError, AttributeError):
                fail("the model no longer has the parameters that it had")
        given = tokens[: self.GIVEN].unsqueeze(0)
        rest = tokens[self.GIVEN :]
        written, _ = most_probable(learned, given, len(rest), TEXT_MODEL["max_len"])
        match = float((written[0] == rest).double().mean())
        if match < 0.95:
            fail(
                "too little of the text comes back", expected="at least 95 %", actual=f"{match:.0%}"
            )
