"""Signs of life: a model whose logits come from its tokens, by way of its blocks and its head.

What a model says of itself, its shapes, its parameters, how it starts, means nothing where it
computes nothing. Whoever has made a mistake shows these signs all the same.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from grader.handles import link_of
from grader.testing import (
    Handle,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_shape,
    attribute,
    elements,
    fail,
    in_some_way,
    standing_in,
    values,
)

TOLERANCE = {"rtol": 1e-3, "atol": 1e-4}
LENGTH = 5


EARLIER = ("TransformerEmbedding", "TransformerBlock")

Build = Callable[..., Handle]

_found: WeakKeyDictionary[object, dict[object, AssertionError | None]] = WeakKeyDictionary()
"""What each submission, by the link to it, lacked in which way of building its models."""


def built(submission: SubmissionNames, **arguments: object) -> Handle:
    """The model as the student builds it, on the device that is graded on."""
    model = submission.TinyTransformerLM(**arguments)
    return submission.placed(model)


def built_of_course_parts(submission: SubmissionNames, **arguments: object) -> Handle:
    """The same, where the model's code takes the course's embedding and blocks for its own.

    A mistake in an earlier assignment costs points there and nowhere else, so a check of the model
    is tried in both ways, and one is enough.
    """
    parts = submission.module("course.parts")
    stand_ins = {name: getattr(parts, name) for name in EARLIER}
    with standing_in(submission.TinyTransformerLM, **stand_ins):
        return built(submission, **arguments)


def assert_alive(submission: SubmissionNames, way: Build, rng: random.Random, **sizes: Any) -> None:
    """Demand that a model computes. A submission that has shown whether is not asked again.

    Its logits depend on the tokens, on what its embedding and its blocks compute, and are products
    with the rows of the head's weight. Or they are what its own parts give, one after the other.

    Args:
        submission: whose model it is.
        way: builds one, of a submission and sizes.
        rng: decides the tokens.
        sizes: arguments of the model; V is larger than d_model + 1.
    """
    found = _found.setdefault(link_of(submission.TinyTransformerLM), {})
    case = (way, *sizes.items())
    if case not in found:
        model = way(submission, **sizes)
        model.eval()
        for block in elements(model.blocks):  # the model may not know them
            block.eval()
        try:
            find_life(submission, model, rng, sizes)
            found[case] = None
        except AssertionError as error:
            found[case] = error
    failure = found[case]
    if failure is not None:
        raise failure


def find_life(
    submission: SubmissionNames, model: Handle, rng: random.Random, sizes: Mapping[str, Any]
) -> None:
    """Demand that a model in eval mode computes, by one sign or the other."""
    size, width = sizes["vocab_size"], sizes["d_model"]
    tokens, place = pairs_of_rows(rng, size)
    everything = torch.ones(LENGTH, LENGTH, dtype=torch.bool)

    def by_parts_replaced(keywords: dict[str, Tensor]) -> None:
        parts = submission.module("course.parts")
        block = parts.TransformerBlock(width, sizes["n_heads"], sizes["d_ff"], dropout=0.0)
        embedding = parts.TransformerEmbedding(size, width, dropout=0.0)
        own = model(tokens, **keywords)
        with computing_as(elements(model.blocks), submission.placed(block)):
            other_blocks = model(tokens, **keywords)
            with computing_as([model.embedding], submission.placed(embedding)):
                other_embedding = model(tokens, **keywords)
        again = model(tokens.flip(0), **keywords)
        table = model.embedding.token_embedding.embedding.weight
        results = (own, other_blocks, other_embedding, again, model.lm_head.weight, table)
        *fetched, head, rows = values(results)
        first, blocks, embedded, second = (logits_in(value, (4, LENGTH, size)) for value in fetched)
        assert_close(second.flip(0), first, "the logits of a second call", **TOLERANCE)
        for logits in (first, blocks, embedded):
            assert_scored(logits, (head, rows))
        assert_depends_on_tokens(first, place)
        assert_depends_on_tokens(blocks, place, on_others=True)
        what = "what the logits are when {} computes something else"
        for row in range(len(tokens)):
            assert_differs(blocks[row], first[row], what.format("every block"), **TOLERANCE)
            assert_differs(embedded[row], blocks[row], what.format("the embedding"), **TOLERANCE)

    def by_parts_in_order() -> None:
        logits = logits_in(model(tokens, mask=everything).value(), (4, LENGTH, size))
        expected = composed(model, tokens.flip(0), everything).flip(0)
        assert_close(logits, expected, "the logits", **TOLERANCE)
        assert_depends_on_tokens(logits, place, on_others=True)

    # First with a mask: one that is made at the first call, and kept, is another question.
    with_mask, without = (partial(by_parts_replaced, told) for told in ({"mask": everything}, {}))
    in_some_way((with_mask, without, by_parts_in_order))


def pairs_of_rows(rng: random.Random, vocab_size: int) -> tuple[Tensor, int]:
    """Token ids (4, LENGTH), and where the last two rows differ from the first two."""
    tokens = torch.tensor([rng.choices(range(vocab_size), k=LENGTH) for _ in range(2)])
    changed, place = tokens.clone(), rng.randrange(1, LENGTH - 1)
    changed[:, place] = (changed[:, place] + rng.randrange(1, vocab_size)) % vocab_size
    return torch.cat([tokens, changed]), place


@contextlib.contextmanager
def computing_as(modules: list[Handle], other: Handle) -> Iterator[None]:
    """Let modules compute what another one computes, while inside."""
    for module in modules:
        module.forward = other.forward
    try:
        yield
    finally:
        for module in modules:
            attribute(module, "__dict__").pop("forward", None)


def logits_in(result: Any, shape: tuple[int, ...]) -> Tensor:
    """The logits (B, T, V) in what a model returned, also if they come alone."""
    logits: Tensor = result[0] if type(result) in (tuple, list) and result else result
    assert_shape(logits, shape, "the logits")
    if not torch.isfinite(logits).all():
        fail("the logits contain NaN or infinity")
    return logits


def assert_depends_on_tokens(logits: Tensor, place: int, *, on_others: bool = False) -> None:
    """Demand that a token matters where it stands; elsewhere, too, if it is asked for.

    Args:
        logits: (4, T, V), of the rows that `pairs_of_rows` makes.
        place: where their tokens differ.
        on_others: whether some position must have looked at another one.
    """
    for before, after in zip(logits[:2], logits[2:], strict=True):
        assert_differs(after[place], before[place], "the logits where a token changes", **TOLERANCE)
        if on_others:
            others = torch.arange(LENGTH) != place
            what = "the logits beside a token that changes"
            assert_differs(after[others], before[others], what, **TOLERANCE)


def assert_scored(logits: Tensor, weights: tuple[Any, ...]) -> None:
    """Demand that logits (B, T, V) are products of vectors with the rows of a weight (V, d_model).

    A bias, or a softmax at the end, is another question.
    """
    scores = logits.double().flatten(0, 1)
    total = scores.sum(dim=1)
    if bool((scores > 0).all()) and torch.allclose(total, torch.ones_like(total), atol=1e-4):
        scores = scores.log()
    scores = scores[1:] - scores[:1]
    scores -= scores.mean(dim=1, keepdim=True)
    for weight in weights:
        if type(weight) is Tensor and weight.dim() == 2 and len(weight) == logits.size(-1):
            rows = weight.double() - weight.double().mean(dim=0)
            vectors = torch.linalg.lstsq(rows, scores.T, driver="gelsd").solution
            if bool((rows @ vectors - scores.T).norm() <= 0.01 * scores.norm()):
                return
    fail("the logits are not the products of vectors with the rows of lm_head.weight")


def composed(model: Handle, tokens: Tensor, mask: Tensor | None) -> Tensor:
    """The logits that the model's own parts give, one after the other."""
    x = model.embedding(tokens)
    for block in elements(model.blocks):
        x = block(x, mask=mask)[0]
    logits: Tensor = model.lm_head(model.ln_f(x)).tensor()
    return logits
