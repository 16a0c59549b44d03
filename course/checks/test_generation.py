"""Public checks of assignment 06: the shape of what comes back, and that the prompt stays in it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from grader.testing import (
    Handle,
    StudentError,
    SubmissionNames,
    assert_close,
    assert_equal,
    assert_shape,
    check,
    fail,
)

if TYPE_CHECKING:
    from torch import Tensor

SIZES: dict[str, Any] = {"d_model": 8, "n_heads": 2, "n_layers": 1, "d_ff": 12}
PARTS = ("embedding", "blocks", "ln_f", "lm_head")


class Writer:
    """The notebook's `generate`, and the course's own model to run it on.

    It is the function of that name or, in a notebook that holds the whole model, the model's
    method: run on the course's model or, if it needs more of its own class, on a model of that
    class that has the course's embedding, blocks, norm and head.
    """

    def __init__(self, submission: SubmissionNames) -> None:
        self.submission = submission
        self._staff = submission.module("course.parts").TinyTransformerLM
        ways = list(self._ways()) or [(self._staff, submission.generate)]
        if len(ways) > 1:  # or there is nothing to choose
            ways = [next((way for way in ways if self._works(*way)), ways[0])]
        self._build, self.generate = ways[0]

    def _ways(self) -> Iterator[tuple[Callable[..., Handle], Handle]]:
        if self.submission.defines("generate"):
            yield self._staff, self.submission.generate
        if self.submission.defines("TinyTransformerLM"):
            try:
                method = self.submission.TinyTransformerLM.generate.done()
            except StudentError:
                return
            yield self._staff, method
            yield self._build_own, method

    def _build_own(self, **arguments: object) -> Handle:
        own, staff = self.submission.TinyTransformerLM(**arguments), self._staff(**arguments)
        for name in PARTS:
            setattr(own, name, getattr(staff, name))
        return own

    def _works(self, build: Callable[..., Handle], generate: Handle) -> bool:
        import torch

        start = torch.zeros(1, 1, dtype=torch.int64)
        try:
            model = self.submission.placed(build(**SIZES, vocab_size=3, max_len=4))
            generate(model, start, max_new_tokens=1).done()
        except StudentError:
            return False
        return True

    def model(self, **arguments: object) -> Handle:
        """A model on the device that is graded on, in eval mode, in which nothing is tied."""
        model = self._build(**{**SIZES, "tie_weights": False, **arguments})
        self.submission.placed(model).eval()
        return model

    def indifferent_model(self, logits: Tensor, **arguments: object) -> Handle:
        """A model that gives the same logits (V,) whatever the text is.

        Its last block adds a vector beside which nothing counts that comes from the text. So the
        logits are what a whole forward pass leads to, and stand in no part of the model.
        """
        import torch

        model = self.model(vocab_size=len(logits), dropout=0.0, **arguments)
        loud = 1e5 * torch.randn(SIZES["d_model"])
        normed = torch.nn.functional.layer_norm(loud, loud.shape)
        # Large in all directions, so that no row of the head gives away what it is about.
        head = (logits.max() - logits.min()) * torch.randn(len(logits), SIZES["d_model"])
        head += (logits - head @ normed).outer(normed) / normed.square().sum()
        model.blocks[-1].layer.linear2.bias.data.copy_(loud)
        model.lm_head.weight.data.copy_(head)
        return model

    def certain_model(self, token: int, vocab_size: int, **arguments: object) -> Handle:
        """A model that is certain of one token, whatever the text is."""
        import torch

        logits = torch.zeros(vocab_size)
        logits[token] = 60.0
        return self.indifferent_model(logits, **arguments)

    def write(self, model: Handle, prompt: Tensor | Handle, new: int, **options: object) -> Tensor:
        """Fetch what is generated from a prompt (B, T)."""
        text: Tensor = self.generate(model, prompt, max_new_tokens=new, **options).tensor()
        return text


def token_ids(rng: random.Random, batch: int, length: int, vocab_size: int) -> Tensor:
    """Random ids (batch, length)."""
    import torch

    return torch.tensor([rng.choices(range(vocab_size), k=length) for _ in range(batch)])


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
        self.assert_asks_the_model(writer, rng, [(3, 5, 1), (4, 2, 6)])

    @check(points=0.75, hint="What comes back starts with the prompt.")
    def test_prompt_kept(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The prompt is the beginning of the text"""
        self.assert_asks_the_model(Writer(submission), rng, [(2, 6, 3), (5, 3, 7)], max_len=16)

    @check(points=0.5, hint="The model sees the last max_len tokens; the text keeps all of them.")
    def test_long_text(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A text longer than max_len comes back whole"""
        self.assert_asks_the_model(Writer(submission), rng, [(2, 3, 6), (2, 7, 2)], max_len=4)

    @check(points=0.5, hint="Look at the logits of the last position, for each new token.")
    def test_certain_token(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A model that is certain of a token writes that token"""
        writer = Writer(submission)
        for token in rng.sample(range(self.VOCAB), 3):
            model = writer.certain_model(token, self.VOCAB, max_len=16)
            text = writer.write(model, token_ids(rng, 3, 4, self.VOCAB), 5)
            if text.dim() != 2 or text.size(1) < 5:
                assert_shape(text, (3, 9), "the text")
            assert_equal(text[:, -5:].tolist(), [[token] * 5] * 3, "the new tokens")

    @check(points=0.5, hint="A loop that runs no times leaves the text as it is.")
    def test_nothing_new(self, submission: SubmissionNames, rng: random.Random) -> None:
        """max_new_tokens=0 gives the prompt"""
        writer = Writer(submission)
        model = writer.model(vocab_size=self.VOCAB, max_len=16)
        prompt = token_ids(rng, 2, 5, self.VOCAB)
        text = writer.write(model, prompt, 0)
        assert_equal(text.tolist(), prompt.tolist(), "the text")
        self.assert_asks_the_model(writer, rng, [(2, 5, 1), (2, 5, 2)], max_len=16)

    def assert_asks_the_model(
        self,
        writer: Writer,
        rng: random.Random,
        sizes: list[tuple[int, int, int]],
        max_len: int = 64,
    ) -> None:
        """Demand the prompt and then tokens that a model is certain of, each time another one."""
        for token, (batch, length, new) in zip(
            rng.sample(range(self.VOCAB), len(sizes)), sizes, strict=True
        ):
            model = writer.certain_model(token, self.VOCAB, max_len=max_len)
            prompt = token_ids(rng, batch, length, self.VOCAB)
            text = writer.write(model, prompt, new)
            assert_shape(text, (batch, length + new), "the text")
            assert_equal(text[:, :length].tolist(), prompt.tolist(), "the beginning of the text")
            if text[:, length:].tolist() != [[token] * new] * batch:
                fail(
                    f"a model is certain of token {token}, and other tokens follow the prompt",
                    expected=[[token] * new] * batch,
                    actual=text[:, length:].tolist(),
                )


# ---------------------------------------------------------------- practice: one part at a time


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
            assert_equal(drawn.tolist(), expected, f"the tokens at temperature {temperature:g}")

    @check(points=0, hint="A hot distribution is flat; a cold one is not.")
    def test_draws_when_hot(self, submission: SubmissionNames) -> None:
        """At temperature 1000 the tokens come about equally often, at 0.5 they don't"""
        import torch

        logits = torch.tensor([3.0, 2.0, 1.0, 0.0]).expand(2000, 4)
        for temperature, least, most in ((1000.0, 400, 600), (0.5, 1650, 1800)):
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
