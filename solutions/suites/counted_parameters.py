"""How many parameters a model has, added up from its own parts, and models to count them on.

What counts is judged without what ties: where a model can't be built as it is, because `__init__`
is unsolved, it starts as the one that it is made of.
"""

import random
from collections.abc import Callable, Iterator
from functools import partial

import torch
from tied_models import SIZES, VOCAB, WIDTH, is_shared, judge, table_of

from course.checks.living_models import Build
from grader.testing import (
    Handle,
    SubmissionNames,
    assert_equal,
    elements,
    entered,
    in_some_way,
    tensors,
    tried,
    values,
)
from grader.testing.failure import fail

FAR_SIDE = """
def with_sound_start(model, base):
    class Model(model):
        def __init__(self, *sizes, tie_weights=True, **options):
            base.__init__(self, *sizes, tie_weights=False, **options)
            if tie_weights:
                self.lm_head.weight = self.embedding.token_embedding.embedding.weight

    return Model


def with_sound_count(model):
    model.count_parameters = lambda trainable_only=False: sum(
        one.numel() for one in model.parameters() if one.requires_grad or not trainable_only
    )
    return model
"""
"""Runs beside the submission."""

TABLE = VOCAB * WIDTH


def judge_counting(
    submission: SubmissionNames, rng: random.Random, verdict: Callable[[Build], None]
) -> None:
    """Pass a verdict on how a model counts; how it starts is another question."""

    def start() -> None:
        for tied in (True, False):
            model = submission.TinyTransformerLM(**{**SIZES, "tie_weights": tied})
            elements(model.blocks)  # what they are, is an earlier assignment's question
            for part in (model.embedding, model.lm_head):
                elements(part.parameters())

    if tried(start) is None or not submission.defines("FullModel"):
        judge(submission, rng, verdict)
        return
    sound = far_side(submission)["with_sound_start"]
    model = sound(submission.TinyTransformerLM, submission.FullModel)
    verdict(lambda **changes: submission.placed(model(**{**SIZES, **changes})))


def in_either_count(
    submission: SubmissionNames, build: Build, verdict: Callable[[Build], None]
) -> None:
    """Pass a verdict on what calls `count_parameters`, be that right or not."""
    sound = far_side(submission)["with_sound_count"]
    in_some_way(partial(verdict, way) for way in (build, lambda **changes: sound(build(**changes))))


def far_side(submission: SubmissionNames) -> Handle:
    """What is defined over there."""
    scope = submission.send({})
    submission.module("builtins").exec(FAR_SIDE, scope)
    return scope


def grow(submission: SubmissionNames, model: Handle, rng: random.Random, *, tied: bool) -> None:
    """Give each part a parameter that no formula knows: whoever asks the modules counts it.

    A tied head is left as it is: that it counts 0 then, is what the docstring says.
    """
    nn = submission.module("torch.nn")
    block = rng.choice(elements(model.blocks))
    for part in (model.embedding, block, model.ln_f, *(() if tied else (model.lm_head,))):
        part.added = submission.placed(nn.Parameter(torch.zeros(rng.randrange(3, 30))))


def stages(
    submission: SubmissionNames, build: Build, changes: dict[str, object], rng: random.Random
) -> Iterator[tuple[Handle, dict[str, int], str]]:
    """A model in which parts are told apart in several ways: with what it has, and when.

    On the device `meta`, all parameters are in one place, which is none. Where another device is
    graded on, models are moved there, and nothing can be moved from `meta`.
    """
    model = build(**changes)
    counts = own_counts(model, rng)
    yield model, counts, ""
    if submission.device == "cpu":
        with entered(submission.module("torch").device("meta")):
            elsewhere = build(**changes)
        yield elsewhere, counts, " on the device meta"
    grow(submission, model, rng, tied=changes["tie_weights"] is True)
    counts = own_counts(model, rng)
    yield model, counts, " after a change of layers"
    model.lm_head.weight.data.copy_(table_of(model).data)
    yield model, counts, " with a table and a head of equal numbers"


def own_counts(model: Handle, rng: random.Random) -> dict[str, int]:
    """The number of elements in each of the model's own parts; a shared table is the embedding's.

    Whether the head shares the table is tried out, so that tying is not judged here once more.
    """
    shared = is_shared(model, rng)
    return {
        "embedding": TABLE + count_of(model.embedding.parameters(), tables=False),
        "transformer_blocks": count_of(model.blocks.parameters()),
        "ln_f": count_of(model.ln_f.parameters()),
        "lm_head": (0 if shared else TABLE) + count_of_head(model),
    }


def count_of_head(model: Handle) -> int:
    """Elements of the head's parameters beside the table: not those that are the embedding's too.

    A head that looks the table up where it lives may hold the whole embedding as a part of its own.
    """
    head = elements(model.lm_head.parameters())
    before = tensors(head)
    for parameter in elements(model.embedding.parameters()):
        parameter.data.add_(1)
    kept = zip(before, tensors(head), strict=True)
    return sum(
        old.numel() for old, new in kept if old.shape != (VOCAB, WIDTH) and torch.equal(old, new)
    )


def count_of(parameters: Handle, *, tables: bool = True, frozen: bool = False) -> int:
    """Add up the elements of parameters: not those of shape (V, d_model), or frozen ones only."""
    handles = elements(parameters)
    trained = values(parameter.requires_grad for parameter in handles)
    count = 0
    for value, is_trained in zip(tensors(handles), trained, strict=True):
        is_table = tuple(value.shape) == (VOCAB, WIDTH)
        is_frozen = is_trained is False
        if (tables or not is_table) and (is_frozen or not frozen):
            count += value.numel()
    return count


def assert_trainable(model: Handle, count: float) -> None:
    """Demand that the trainable parameters are those of all, `count`, that are not frozen."""
    expected = count - count_of(model.parameters(), frozen=True)
    actual = model.count_parameters(trainable_only=True).value()
    assert_equal(actual, expected, "the count of trainable parameters")


def assert_plausible(model: Handle, count: float) -> None:
    """Demand that a count of all parameters, right or not, has something to do with the model."""
    least = count_of(model.parameters())
    if not least <= count <= 2 * least:
        fail("the count of all parameters is far off", expected=least, actual=count)
