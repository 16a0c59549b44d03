"""What full_model's checks have in common: small models that a verdict is passed on.

What the model must compute is composed from the student's own embedding, blocks, norm and head, so
that their mistakes cancel. Where own parts can spoil the picture, the same model is judged once
more with the course's parts in it: a mistake in an earlier assignment costs nothing here.
"""

import contextlib
import random
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from course.checks.living_models import (
    TOLERANCE,
    Build,
    assert_alive,
    buildable,
    built,
    built_of_course_parts,
    logits_in,
    undisturbed,
)
from grader.testing import (
    Handle,
    StudentError,
    SubmissionNames,
    assert_differs,
    assert_equal,
    assert_shape,
    elements,
    in_some_way,
    tensors,
    tried,
)
from grader.testing.failure import fail

VOCAB, WIDTH, HEADS, LAYERS, INNER, LONGEST = 23, 16, 4, 3, 24, 12
SIZES = {
    "vocab_size": VOCAB,
    "d_model": WIDTH,
    "n_heads": HEADS,
    "n_layers": LAYERS,
    "d_ff": INNER,
    "max_len": LONGEST,
    "dropout": 0.0,
}


# ---------------------------------------------------------------- models and inputs


def filled_with_course_parts(submission: SubmissionNames, **arguments: object) -> Handle:
    """A model whose embedding and blocks are replaced by the course's after it was built."""
    model = built_of_course_parts(submission, **arguments)
    parts = submission.module("course.parts")
    put = submission.module("operator").setitem
    rate = arguments["dropout"]
    model.embedding = parts.TransformerEmbedding(VOCAB, WIDTH, LONGEST, dropout=rate)
    for number in range(LAYERS):
        block = parts.TransformerBlock(WIDTH, HEADS, INNER, dropout=rate)
        put(model.blocks, number, block)
    return submission.placed(model)


class Assembled:
    """A model whose own parts are called one after the other, in place of its `forward`.

    Who has not written that yet, and says so, has built the parts all the same.
    """

    def __init__(self, model: Handle) -> None:
        self.model = model

    def __getattr__(self, name: str) -> Handle:
        part: Handle = getattr(self.model, name)
        return part

    def __call__(self, tokens: Tensor, mask: Tensor | None = None) -> Handle:
        """The logits alone."""
        x = self.model.embedding(tokens)
        for block in elements(self.model.blocks):
            x = block(x, mask=causal(tokens.size(1)) if mask is None else mask)[0]
        return self.model.lm_head(self.model.ln_f(x))


def assembled(
    way: Build, submission: SubmissionNames, *order: object, **arguments: object
) -> Assembled:
    """A model without a `forward` as its parts make it; one with a `forward` is refused."""
    model = way(submission, *order, **arguments)
    error = tried(lambda: demand_result(model))
    if not (isinstance(error, StudentError) and "NotImplementedError" in error.kinds):
        fail("the model has a forward of its own")
    return Assembled(model)


def demand_result(model: Handle) -> None:
    """Call a model; what returns nothing has no `forward` yet.

    Raises:
        StudentError: it has none, or fails.
    """
    if model(torch.zeros(1, 1, dtype=torch.int64)).value() is None:
        raise StudentError(("NotImplementedError",), "forward returns nothing")


def judge(
    submission: SubmissionNames,
    rng: random.Random,
    verdict: Callable[[Handle], None],
    **changes: object,
) -> None:
    """Pass a verdict on a small model in eval mode, its parameters drawn anew, if it is alive.

    Args:
        submission: whose model it is.
        rng: decides what is drawn.
        verdict: gets the model.
        changes: arguments of the model that are others than usual.
    """
    sizes = buildable(submission, SIZES)

    def attempt(way: Build) -> None:
        assert_alive(submission, way, rng, **sizes)
        with undisturbed(submission, way, **sizes):
            model = way(submission, **{**sizes, **changes})
            redraw(submission, parameters_of(model))
            settled(model)
            verdict(model)

    ways = (built, built_of_course_parts, filled_with_course_parts)
    in_some_way(partial(attempt, way) for way in ways)


def judge_construction(
    submission: SubmissionNames,
    rng: random.Random,
    verdict: Callable[[Build], None],
    *,
    forward: bool = False,
    dropping: bool = False,
) -> None:
    """Pass a verdict on models as they are built: it gets what builds them, small unless told.

    What is None is left to the model's own default. Where a `forward` is not asked for, models that
    have none yet are judged as their parts make them. Where `dropping` is the question, what is
    left on in eval mode is left on.
    """
    sizes = buildable(submission, SIZES)

    def build(way: Build, *order: object, **changes: object) -> Handle:
        told = {} if order else {**sizes, **changes}
        kept = {name: size for name, size in told.items() if size is not None}
        return way(submission, *order, **kept)

    def attempt(way: Build) -> None:
        assert_alive(submission, way, rng, **sizes)
        with contextlib.nullcontext() if dropping else undisturbed(submission, way, **sizes):
            verdict(partial(build, way))

    ways: list[Build] = [built, built_of_course_parts]
    if not forward:
        ways += ASSEMBLED
    in_some_way(partial(attempt, way) for way in ways)


ASSEMBLED = [partial(assembled, way) for way in (built, built_of_course_parts)]


def ties(build: Build) -> list[bool]:
    """Which of tied and untied models can be built; whether both can be is another question.

    Raises:
        StudentError: neither.
    """
    errors = {
        tied: tried(lambda tied=tied: build(tie_weights=tied).done()) for tied in (True, False)
    }  # type: ignore[misc]
    found = [tied for tied, error in errors.items() if error is None]
    if not found and errors[True] is not None:
        raise errors[True]
    return found


def parameters_of(model: Handle) -> list[Handle]:
    """All parameters, also those of blocks that the model has forgotten to register."""
    parts = [model, *elements(model.blocks)]
    return [parameter for part in parts for parameter in elements(part.parameters())]


def redraw(submission: SubmissionNames, parameters: list[Handle]) -> None:
    """Draw every parameter from N(0, 0.5), so that no norm is neutral and nothing is too small.

    Whether that has happened is looked at: the drawing is done by the submission's own torch.
    """
    normal = submission.module("torch.nn.init").normal_
    for parameter in parameters:
        normal(parameter, 0.0, 0.5)
    for drawn in tensors(parameters):
        if drawn.numel() >= WIDTH and not drawn.abs().median() > 0.02:
            fail("a parameter does not take the numbers that it is given")


def settled(model: Handle) -> Handle:
    """The model in eval mode, with every block of it."""
    model.eval()
    for block in elements(model.blocks):
        block.eval()
    return model


def token_ids(rng: random.Random, batch: int, length: int, vocab_size: int = VOCAB) -> Tensor:
    """Random ids (batch, length)."""
    return torch.tensor([rng.choices(range(vocab_size), k=length) for _ in range(batch)])


def causal(length: int) -> Tensor:
    """True where row t may attend to column s: s <= t."""
    return torch.ones(length, length, dtype=torch.bool).tril()


# ---------------------------------------------------------------- results


def logits_of(result: Handle, tokens: Tensor, vocab_size: int = VOCAB) -> Tensor:
    """Fetch the logits (B, T, V), also if they come without a second result."""
    return logits_in(result.value(), (*tokens.shape, vocab_size))


def ways_to_mask(length: int) -> list[tuple[dict[str, Tensor], Tensor | None]]:
    """What the model is told about masks, with the mask that its blocks should then get.

    One will do where masks are not the question.
    """
    everything = torch.ones(length, length, dtype=torch.bool)
    return [({}, causal(length)), ({"mask": everything}, everything), ({}, None)]


def states_of(model: Handle, tokens: Tensor, **mask: Tensor) -> list[Tensor]:
    """Fetch the hidden states, each (B, T, d_model), of sequences that differ.

    Two of five random tokens or more are the same once in 6 million times. What else the model
    returns is another question.
    """
    value = model(tokens, return_hidden_states=True, **mask).value()
    states = value[1] if isinstance(value, (tuple, list)) and len(value) > 1 else None
    if not isinstance(states, (tuple, list)):
        fail("there is no list of hidden states")
    assert_equal(len(states), LAYERS + 1, "the number of hidden states")
    for number, state in enumerate(states):
        assert_shape(state, (*tokens.shape, WIDTH), f"hidden state {number}")
        what = f"hidden state {number} from sequence to sequence"
        assert_differs(state[0], state[1], what, **TOLERANCE)
    return list(states)


def values_of(part: Handle) -> Tensor:
    """All parameters of a part as one long vector."""
    fetched = tensors(elements(part.parameters()))
    if not fetched:
        fail("a part of the model has no parameters")
    return torch.cat([value.flatten().double() for value in fetched])
