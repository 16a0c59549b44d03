"""What weight_tying's checks have in common: small models that tie, run in a way that works.

Where work of an earlier assignment can spoil the picture, a model with the course's parts is judged
instead; it is always the student's code that ties.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from sound_parts import sound_forward
from torch import Tensor

from course.checks.drawn_modules import normal
from course.checks.living_models import (
    TOLERANCE,
    Build,
    assert_alive,
    built,
    built_of_course_parts,
    undisturbed,
)
from grader.testing import (
    Handle,
    StudentError,
    SubmissionNames,
    assert_close,
    assert_shape,
    in_some_way,
    tried,
)
from grader.testing.failure import fail

VOCAB, WIDTH, HEADS, LAYERS, INNER = 29, 12, 3, 2, 20
SIZES = {
    "vocab_size": VOCAB,
    "d_model": WIDTH,
    "n_heads": HEADS,
    "n_layers": LAYERS,
    "d_ff": INNER,
    "max_len": 10,
    "dropout": 0.0,
    "tie_weights": True,
}
USED = 13
"""Ids below this one appear in inputs; the others do not."""


# ---------------------------------------------------------------- models and inputs


def filled_with_course_parts(submission: SubmissionNames, **arguments: object) -> Handle:
    """A model whose blocks and final norm are replaced by the course's after it was built."""
    model = built_of_course_parts(submission, **arguments)
    parts, nn = submission.module("course.parts"), submission.module("torch.nn")
    blocks = [parts.TransformerBlock(WIDTH, HEADS, INNER, dropout=0.0) for _ in range(LAYERS)]
    model.blocks = nn.ModuleList(blocks)
    model.ln_f = nn.LayerNorm(WIDTH)
    return submission.placed(model)


WAYS = (built, built_of_course_parts, filled_with_course_parts)
SOUND_WAYS = tuple(map(partial, WAYS))
"""The same, while forward passes are sound: there, a model may be alive that is not here."""


def judge(
    submission: SubmissionNames, rng: random.Random, verdict: Callable[[Build], None]
) -> None:
    """Pass a verdict on models that compute: it gets what builds them.

    They are small and tied unless told.
    """

    def build(way: Build, **changes: object) -> Handle:
        return way(submission, **{**SIZES, **changes})

    def attempt(way: Build) -> None:
        assert_alive(submission, way, rng, scored=True, **SIZES)
        with undisturbed(submission, way, **SIZES):
            verdict(partial(build, way))

    def hold(ways: Sequence[Build]) -> None:
        in_some_way(partial(attempt, way) for way in ways)

    failure = tried(lambda: hold(WAYS))
    if failure is None:
        return
    if not submission.defines("FullModel"):
        raise failure
    # The model below may be a student's own, with a forward pass that a gradient doesn't survive.
    with sound_forward(submission.FullModel, submission.module("course.parts").FullModel):
        again = tried(lambda: hold(SOUND_WAYS))
    if again is not None:
        raise failure


def table_of(model: Handle) -> Handle:
    """The token table (V, d_model), at its pinned place."""
    return model.embedding.token_embedding.embedding.weight


def token_ids(rng: random.Random, batch: int, length: int) -> Tensor:
    """Random ids (batch, length) below USED."""
    return torch.tensor([rng.choices(range(USED), k=length) for _ in range(batch)])


def overwrite(weight: Handle, rng: random.Random) -> Tensor:
    """Fill a weight (V, d_model) with fresh numbers, in place; they come back."""
    before = weight.tensor()
    assert_shape(before, (VOCAB, WIDTH), "a weight that should be shared")
    drawn = normal(rng, VOCAB, WIDTH).to(before.dtype)
    weight.data.copy_(drawn)
    return drawn


def is_shared(model: Handle, rng: random.Random) -> bool:
    """Whether fresh numbers in the token table show in the head's weight."""
    drawn = overwrite(table_of(model), rng)
    head = model.lm_head.weight.tensor()
    return head.shape == drawn.shape and head.dtype == drawn.dtype and torch.equal(head, drawn)


def assert_tied(model: Handle, rng: random.Random, when: str) -> None:
    """Demand that head and table are one, both in what they hold and in what the head computes."""
    if not is_shared(model, rng):
        fail(f"a change of the token table does not reach the head's weight {when}")
    drawn = overwrite(model.lm_head.weight, rng)
    assert_close(table_of(model).tensor(), drawn, f"the token table {when}")
    x = normal(rng, 2, 3, WIDTH).to(drawn.dtype)
    scores = model.lm_head(x).tensor()
    assert_shape(scores, (2, 3, VOCAB), f"the output of lm_head {when}")
    # Differences: a bias in the head was an earlier assignment's mistake.
    actual, expected = scores.diff(dim=1), x.diff(dim=1) @ drawn.T
    assert_close(actual, expected, f"what lm_head makes of a difference {when}", **TOLERANCE)


# ---------------------------------------------------------------- running the model


@dataclass(frozen=True)
class Runner:
    """Runs a model in one way that works: how a mask is made and read is an earlier assignment."""

    model: Handle
    keywords: dict[str, Any]

    def logits(self, tokens: Tensor) -> Handle:
        """The logits (B, T, V), on the far side, also if they come without a second result."""
        result = self.model(tokens, **self.keywords)
        return result if type(result.value()) is Tensor else result[0]


def runner(model: Handle, tokens: Tensor) -> Runner:
    """Find a mask under which the model gives finite logits.

    Raises:
        grader.testing.CheckFailed, StudentError: there is none; what happened with the first.
    """
    length = tokens.size(1)
    allow_all = torch.ones(length, length, dtype=torch.bool)
    failure: Exception | None = None
    for keywords in ({"mask": allow_all}, {"mask": torch.zeros(length, length)}, {}):
        candidate = Runner(model, keywords)
        try:
            logits = candidate.logits(tokens).tensor()
            assert_shape(logits, (*tokens.shape, VOCAB), "the logits")
            if not torch.isfinite(logits).all():
                fail("the logits contain NaN or infinity")
            return candidate
        except (AssertionError, StudentError) as error:
            failure = failure or error
    assert failure is not None
    raise failure


def relative(logits: Tensor) -> Tensor:
    """What logits (B, T, V) say beyond a constant for each position: probabilities say the same."""
    assert_shape(logits, (*logits.shape[:2], VOCAB), "the logits")
    total = logits.sum(dim=-1)
    if bool((logits > 0).all()) and torch.allclose(total, torch.ones_like(total)):
        logits = logits.log()  # a softmax in the model was an earlier assignment's mistake
    return logits - logits[..., :USED].mean(dim=-1, keepdim=True)


def rescale(model: Handle, rng: random.Random) -> None:
    """Give the table numbers of a size that shows in the logits and in the embedding alike."""
    table_of(model).data.copy_(normal(rng, VOCAB, WIDTH) * 0.3)
