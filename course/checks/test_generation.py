"""Public checks of assignment 06: the shape of what comes back, and that the prompt stays in it."""

from __future__ import annotations

import math
import random

from course.checks.writers import Writer, assert_asks_the_model, token_ids
from grader.testing import (
    Handle,
    SubmissionNames,
    assert_close,
    assert_equal,
    assert_shape,
    check,
    elements,
    tensors,
)
from grader.testing.failure import fail


class TestShapes:
    """Prompt and continuation"""

    VOCAB = 13

    @check(points=0.75, hint="Each step appends one token to every sequence.")
    def test_shape(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Prompts (B, T) become texts (B, T + max_new_tokens)"""
        writer = Writer(submission)
        model = writer.model(vocab_size=self.VOCAB, max_len=64)
        # One of them is so long that each token is likely to occur: none of them ends a text.
        for batch, length, new in [(3, 5, 1), (1, 1, 60), (4, 2, rng.randrange(5, 9))]:
            text = writer.write(model, token_ids(rng, batch, length, self.VOCAB), new)
            what = f"the text of {new} tokens after a prompt {(batch, length)}"
            assert_shape(text, (batch, length + new), what)
            assert_equal(str(text.dtype), "torch.int64", f"the dtype of {what}")
        assert_asks_the_model(writer, rng, [(3, 5, 1), (4, 2, 6)])

    @check(points=0.5, hint="What comes back starts with the prompt.")
    def test_prompt_kept(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The prompt is the beginning of the text"""
        writer = Writer(submission)
        model = writer.model(vocab_size=self.VOCAB, max_len=16)
        for batch, length, new in [(2, 6, 3), (5, 3, 7)]:
            prompt = token_ids(rng, batch, length, self.VOCAB)
            text = writer.write(model, prompt, new)
            assert_shape(text, (batch, length + new), "the text")
            assert_equal(text[:, :length].tolist(), prompt.tolist(), "the beginning of the text")
        assert_asks_the_model(writer, rng, [(2, 6, 3), (5, 3, 7)])

    @check(points=0.5, hint="The model sees the last max_len tokens; the text keeps all of them.")
    def test_long_text(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A text longer than max_len comes back whole"""
        writer = Writer(submission)
        model = writer.model(vocab_size=self.VOCAB, max_len=4)
        for length, new in [(3, 6), (7, 2)]:
            prompt = token_ids(rng, 2, length, self.VOCAB)
            text = writer.write(model, prompt, new)
            assert_shape(text, (2, length + new), "the text")
            assert_equal(text[:, :length].tolist(), prompt.tolist(), "the beginning of the text")
        assert_asks_the_model(writer, rng, [(2, 3, 6), (2, 7, 2)], max_len=4)

    @check(points=0.5, hint="Look at the logits of the last position, for each new token.")
    def test_certain_token(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A model that is certain of a token writes that token"""
        writer = Writer(submission)
        for token in rng.sample(range(self.VOCAB), 3):
            model = writer.sure_model(dict.fromkeys(range(self.VOCAB), token), max_len=16)
            text = writer.write(model, token_ids(rng, 3, 4, self.VOCAB), 5)
            if text.dim() != 2 or text.size(1) < 5:
                assert_shape(text, (3, 9), "the text")
            assert_equal(text[:, -5:].tolist(), [[token] * 5] * 3, "the new tokens")

    @check(points=0.25, hint="Give new tokens the prompt's dtype before you append them.")
    def test_dtype(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The text has the dtype of the prompt, int32 or int64"""
        import torch

        writer = Writer(submission)
        model = writer.model(vocab_size=self.VOCAB, max_len=16)
        prompt = token_ids(rng, 2, 5, self.VOCAB)
        for dtype in (torch.int32, torch.int64):
            text = writer.write(model, prompt.to(dtype), 2)
            assert_equal(str(text.dtype), str(dtype), "the dtype of the text")
        assert_asks_the_model(writer, rng, [(2, 5, 1), (2, 5, 2)])

    @check(points=0.5, hint="A loop that runs no times leaves the text as it is.")
    def test_nothing_new(self, submission: SubmissionNames, rng: random.Random) -> None:
        """max_new_tokens=0 gives the prompt"""
        writer = Writer(submission)
        model = writer.model(vocab_size=self.VOCAB, max_len=16)
        prompt = token_ids(rng, 2, 5, self.VOCAB)
        text = writer.write(model, prompt, 0)
        assert_equal(text.tolist(), prompt.tolist(), "the text")
        assert_asks_the_model(writer, rng, [(2, 5, 1), (2, 5, 2)])


# ---------------------------------------------------------------- practice: one part at a time


class TestPosition:
    """The last token decides"""

    practice = True

    @check(points=0, hint="Take the logits of the last position: [:, -1].")
    def test_position_of_the_logits(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A model that knows one successor of each token writes the last token's, and so on"""
        import torch

        size = 7
        follows = rng.sample(range(size), size)
        model = Writer(submission).sure_model(dict(enumerate(follows)), max_len=16)
        prompt = torch.tensor([rng.sample(range(size), 5) for _ in range(4)])
        expected = []
        for token in prompt[:, -1].tolist():
            one = follows[token]
            expected.append([one, follows[one], follows[follows[one]]])
        text = Writer(submission).write(model, prompt, 3)
        assert_shape(text, (4, 8), "the text")
        assert_equal(text[:, 5:].tolist(), expected, "the new tokens")


class TestDraws:
    """One token for each row"""

    practice = True

    @check(points=0, hint="torch.multinomial gives (B, 1).")
    def test_draws_shape(self, submission: SubmissionNames) -> None:
        """Logits (B, V) become token ids (B,)"""
        import torch

        drawn = submission.sample_next(torch.zeros(5, 7)).tensor()
        assert_shape(drawn, (5,), "the drawn tokens")
        assert_equal(str(drawn.dtype), "torch.int64", "the dtype of the drawn tokens")

    @check(points=0, hint="Divide the logits by the temperature; 0 is a case of its own.")
    def test_draws_when_cold(self, submission: SubmissionNames, rng: random.Random) -> None:
        """At temperature 0, and near it, each row gets its most probable token"""
        import torch

        logits = torch.stack([torch.tensor(rng.sample(range(6), 6)).float() for _ in range(8)])
        for temperature in (0.0, 1e-3):
            drawn = submission.sample_next(logits, temperature=temperature).tensor()
            expected = logits.argmax(dim=-1).tolist()
            assert_shape(drawn, (8,), f"the tokens at temperature {temperature:g}")
            assert_equal(drawn.tolist(), expected, f"the tokens at temperature {temperature:g}")

    @check(points=0, hint="A hot distribution is flat; a cold one is not.")
    def test_draws_when_hot(self, submission: SubmissionNames) -> None:
        """At temperature 1000 the tokens come about equally often, at 0.5 they don't"""
        import torch

        logits = torch.tensor([3.0, 2.0, 1.0, 0.0]).expand(2000, 4)
        # Each is more than 5.5 standard deviations from what is expected, 500 and 1,730.
        for temperature, least, most in ((1000.0, 390, 610), (0.5, 1640, 1815)):
            drawn = submission.sample_next(logits, temperature=temperature).tensor()
            count = int((drawn == 0).sum())
            if not least <= count <= most:
                fail(
                    f"at temperature {temperature:g} the best of four tokens comes too often or "
                    "too rarely in 2000 draws",
                    expected=f"{least} to {most} times",
                    actual=count,
                )


class TestLimits:
    """What is left out"""

    practice = True
    PROBABILITIES = ((0.5, 0.3, 0.15, 0.05), (0.1, 0.2, 0.3, 0.4))

    @check(points=0, hint="Set the others to minus infinity.")
    def test_limits_top_k(self, submission: SubmissionNames) -> None:
        """keep_top_k(logits, 2) leaves two tokens in each row"""
        self.compare(submission.keep_top_k, 2, [[0, 1], [2, 3]])

    @check(points=0, hint="Go through the tokens from the best on, until p is reached.")
    def test_limits_top_p(self, submission: SubmissionNames) -> None:
        """keep_top_p(logits, 0.75) leaves 0.5 and 0.3 in one row, 0.4, 0.3 and 0.2 in the other"""
        self.compare(submission.keep_top_p, 0.75, [[0, 1], [1, 2, 3]])

    @check(points=0, hint="Compare with the best probability of the row.")
    def test_limits_min_p(self, submission: SubmissionNames) -> None:
        """keep_min_p(logits, 0.4) leaves 0.5 and 0.3 in one row, 0.4, 0.3 and 0.2 in the other"""
        self.compare(submission.keep_min_p, 0.4, [[0, 1], [1, 2, 3]])

    def compare(self, keep: Handle, limit: float, expected: list[list[int]]) -> None:
        """Compare which tokens of each row are left, and that they are left alone."""
        import torch

        logits = torch.tensor(self.PROBABILITIES).log()
        kept = keep(logits, limit).tensor()
        assert_shape(kept, (2, 4), "the new logits")
        left = [row.isfinite().nonzero().flatten().tolist() for row in kept]
        assert_equal(left, expected, "the tokens that are left in each row")
        assert_close(kept[kept.isfinite()], logits[kept.isfinite()], "the logits that are left")


class TestTools:
    """What a training consists of"""

    practice = True

    @check(points=0, hint="Cut pieces of one token more, and leave out the last or the first.")
    def test_tools_batch(self, submission: SubmissionNames) -> None:
        """In a text that counts, each target is its input plus one"""
        import torch

        parts = elements(submission.get_batch(torch.arange(50), 3, 4))
        inputs, targets = tensors(parts)
        assert_shape(inputs, (3, 4), "the inputs")
        assert_equal(targets.tolist(), (inputs + 1).tolist(), "the targets")

    @check(points=0, hint="logsumexp(z) - z[y], averaged over the targets that count.")
    def test_tools_loss(self, submission: SubmissionNames) -> None:
        """Equal logits for 7 tokens have the loss ln 7, whatever is ignored"""
        import torch

        for targets in ([[1, 2, 3]], [[1, -100, -100]]):
            loss = submission.cross_entropy(torch.zeros(1, 3, 7), torch.tensor(targets)).tensor()
            assert_close(float(loss), math.log(7), "the loss")

    @check(
        points=0, hint="In step 1, m / (1 - b1) and v / (1 - b2) are the gradient and its square."
    )
    def test_tools_step(self, submission: SubmissionNames) -> None:
        """The first step of AdamW is as long as the rate, whatever the gradient is"""
        import torch

        parameter = submission.module("torch.nn").Parameter(torch.tensor([0.0, 0.0]))
        parameter.grad = submission.send(torch.tensor([5.0, -0.01]))
        submission.adamw_step([parameter], {}, 0.1)
        moved = parameter.detach().tensor()
        assert_close(moved, torch.tensor([-0.1, 0.1]), "the parameter after a step")


class TestLooks:
    """What a head looks at"""

    practice = True

    @check(points=0, hint="weights[layer][:, head, t, t - period + 1], for all t from period on.")
    def test_looks_ahead(self, submission: SubmissionNames) -> None:
        """A head that always looks where the last like token's successor is scores 1"""
        import torch

        period, seq_len = 4, 9
        head = torch.zeros(seq_len, seq_len)
        for query in range(period, seq_len):
            head[query, query - period + 1] = 1.0
        weights = torch.stack([head, head.flip(1)]).unsqueeze(0)  # (1, 2, T, T)
        scores = submission.induction_scores([weights], period).tensor()
        assert_shape(scores, (1, 2), "the scores")
        assert_close(float(scores[0, 0]), 1.0, "the score of that head")
