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
)
from grader.testing.failure import fail

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

    def table_model(self, logits: Tensor, **arguments: object) -> Handle:
        """A model that scores what comes next by a table (V, V): row t wherever token t stands.

        Each token's vector is so long that beside it nothing counts that comes from other tokens,
        and its block adds an even longer one. So the table stands in no part of the model: a whole
        forward pass leads to it.
        """
        import torch
        from torch.nn import functional

        width, hidden = 32, 64
        sizes = {"vocab_size": len(logits), "d_model": width, "d_ff": hidden, "dropout": 0.0}
        model = self.model(**{**arguments, **sizes})
        rows, added = (size * torch.randn(len(logits), width) for size in (1e5, 1e7))
        first = torch.randn(hidden, width) / width**0.5
        features = functional.gelu(functional.layer_norm(rows, (width,)) @ first.T)
        normed = functional.layer_norm(rows + added, (width,))
        head = (logits.max() - logits.min()) * torch.randn(len(logits), width)
        head += (normed.pinverse() @ (logits - normed @ head.T)).T
        layer = model.blocks[0].layer
        for parameter, value in (
            (model.embedding.token_embedding["embedding"].weight, rows / width**0.5),
            (layer.linear1.weight, first),
            (layer.linear1.bias, torch.zeros(hidden)),
            (layer.linear2.weight, (features.pinverse() @ added).T),
            (layer.linear2.bias, torch.zeros(width)),
            (model.lm_head.weight, head),
        ):
            parameter.data.copy_(value)
        return model

    def indifferent_model(self, logits: Tensor, **arguments: object) -> Handle:
        """A model that gives the same logits (V,) whatever the text is."""
        return self.table_model(logits.expand(len(logits), -1), **arguments)

    def sure_model(
        self, follows: dict[int, int], lead: float = 60.0, **arguments: object
    ) -> Handle:
        """A model that is sure of one token after each of V tokens: its logit has this lead."""
        import torch

        logits = torch.zeros(len(follows), len(follows))
        for token, following in follows.items():
            logits[token, following] = lead
        return self.table_model(logits, **arguments)

    def write(self, model: Handle, prompt: Tensor | Handle, new: int, **options: object) -> Tensor:
        """Fetch what is generated from a prompt (B, T)."""
        text: Tensor = self.generate(model, prompt, max_new_tokens=new, **options).tensor()
        return text


def token_ids(rng: random.Random, batch: int, length: int, vocab_size: int) -> Tensor:
    """Random ids (batch, length)."""
    import torch

    return torch.tensor([rng.choices(range(vocab_size), k=length) for _ in range(batch)])


def ends_of_text(rng: random.Random, vocab_size: int) -> dict[int, int]:
    """What follows each token: another one for half of them, and after that one itself for ever."""
    tokens = rng.sample(range(vocab_size), vocab_size)
    half = vocab_size // 2
    ends = dict(zip(tokens[:half], tokens[half : 2 * half], strict=True))
    return {token: ends.get(token, token) for token in tokens}


def assert_asks_the_model(
    writer: Writer, rng: random.Random, sizes: list[tuple[int, int, int]], max_len: int = 64
) -> None:
    """Demand the tokens that a model is sure of after prompts (B, T), each of one token repeated.

    Whatever place of the text somebody looks at, and however far they see, these tokens follow.
    """
    import torch

    follows = ends_of_text(rng, 13)
    model = writer.sure_model(follows, max_len=max_len)
    starts = [token for token, following in follows.items() if following != token]
    for start, (batch, length, new) in zip(rng.sample(starts, len(sizes)), sizes, strict=True):
        prompt = torch.full((batch, length), start)
        text = writer.write(model, prompt, new)
        expected = torch.full((batch, new), follows[start])
        assert_shape(text, (batch, length + new), "the text")
        if not torch.equal(text[:, :length], prompt):
            fail("the prompt is not the beginning of the text")
        if text[:, length:].tolist() != expected.tolist():
            fail(
                "the new tokens are not those that the model is sure of",
                expected=expected.tolist(),
                actual=text[:, length:].tolist(),
            )


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

    @check(points=0.75, hint="What comes back starts with the prompt.")
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
