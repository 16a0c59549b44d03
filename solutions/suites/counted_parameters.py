"""How many parameters a model has, added up from its own parts."""

import random

import torch
from tied_models import VOCAB, WIDTH, is_shared

from grader.testing import Handle, assert_equal, elements, tensors, values
from grader.testing.failure import fail

TABLE = VOCAB * WIDTH


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
