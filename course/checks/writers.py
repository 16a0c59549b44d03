"""The notebook's `generate`, and models of which it is known what they write."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from grader.testing import CheckFailed, Handle, StudentError, SubmissionNames, assert_shape
from grader.testing.failure import fail

if TYPE_CHECKING:
    from torch import Tensor


SIZES: dict[str, Any] = {"d_model": 8, "n_heads": 2, "n_layers": 1, "d_ff": 12}
PARTS = ("embedding", "blocks", "ln_f", "lm_head")

Generate = Callable[..., Handle]
"""Writes a text over there, as the notebook's `generate` does."""

Way = tuple[Callable[..., Handle], Generate]
"""What builds a model, and what writes with it."""


class Writer:
    """The notebook's `generate`, and the course's own model to run it on.

    It is the function of that name, or the method of a class: run on the course's model or, if it
    needs more of its own class, on a model of that class that has the course's embedding, blocks,
    norm and head. If it fails only because `sample_next` does, the most probable token is taken
    instead.
    """

    def __init__(self, submission: SubmissionNames) -> None:
        self.submission = submission
        self._staff = submission.module("course.parts").TinyTransformerLM
        first: Way | None = None
        for way in self._ways():
            first = first or way
            if self._works(*way):
                break
        else:
            way = first or (self._staff, submission.generate)
        self._build, self.generate = way

    def _ways(self) -> Iterator[Way]:
        own = []
        for way in self._own_ways():
            own.append(way)
            yield way
        stand_ins = self.submission.module("course.checks.stand_ins")
        for build, generate in own:
            yield build, stand_ins.with_most_probable(generate, "sample_next")

    def _own_ways(self) -> Iterator[Way]:
        if self.submission.defines("generate"):
            yield self._staff, self.submission.generate
        for owner in self._classes():
            try:
                method = owner.generate.done()
            except StudentError:
                continue
            yield self._staff, method
            yield partial(self._build_own, owner), method

    def _classes(self) -> Iterator[Handle]:
        """Classes that may have the method: those so called, and the one that a function is of."""
        for name in ("TinyTransformerLM", "LanguageModel"):
            if self.submission.defines(name):
                yield getattr(self.submission, name)
        if self.submission.defines("generate"):
            stand_ins = self.submission.module("course.checks.stand_ins")
            yield stand_ins.class_of(self.submission.generate)

    def _build_own(self, owner: Handle, **arguments: object) -> Handle:
        own, staff = owner(**arguments), self._staff(**arguments)
        for name in PARTS:
            setattr(own, name, getattr(staff, name))
        return own

    @property
    def takes_any_model(self) -> bool:
        """Whether `generate` is no method that needs the rest of its class."""
        return self._build is self._staff

    def _works(self, build: Callable[..., Handle], generate: Generate) -> bool:
        import torch

        start = torch.zeros(2, 1, dtype=torch.int64)
        try:
            model = self.submission.placed(build(**SIZES, vocab_size=3, max_len=4))
            text = generate(model, start, max_new_tokens=1).tensor()
        except (StudentError, CheckFailed):
            return False
        return bool(text.dim() == 2 and text.size(0) == len(start))

    def model(self, **arguments: object) -> Handle:
        """A model on the device that is graded on, in eval mode, in which nothing is tied."""
        model = self._build(**{**SIZES, "tie_weights": False, **arguments})
        self.submission.placed(model).eval()
        return model

    def table_model(self, logits: Tensor, **arguments: object) -> Handle:
        """A model that scores what comes next by a table (V, V): row t wherever token t stands.

        It is drawn here, until it does what the table says, and sent over.
        """
        from course.checks.table_models import SIZES as TABLE_SIZES
        from course.checks.table_models import drawn_table_model

        drawn = drawn_table_model(logits, **arguments)
        theirs = self.model(**{**arguments, **TABLE_SIZES, "vocab_size": len(logits)})
        for name in PARTS:
            getattr(theirs, name).load_state_dict(dict(getattr(drawn, name).state_dict()))
        return theirs

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
