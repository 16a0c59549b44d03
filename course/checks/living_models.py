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
import torch.nn.functional as F
from torch import Tensor

from grader.testing import (
    Handle,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_shape,
    attribute,
    differing,
    elements,
    in_some_way,
    settle,
    standing_in,
    tried,
    values,
)
from grader.testing.failure import fail
from grader.testing.handles import link_of

TOLERANCE = {"rtol": 1e-3, "atol": 1e-4}
LENGTH = 5


EARLIER = ("TransformerEmbedding", "TransformerBlock")

Build = Callable[..., Handle]

_found: WeakKeyDictionary[object, dict[object, AssertionError | None]] = WeakKeyDictionary()
"""What each submission, by the link to it, lacked in which way of building its models."""

_tied: WeakKeyDictionary[object, dict[object, dict[str, Any]]] = WeakKeyDictionary()
"""With which arguments a model of each submission can be built."""


def built(submission: SubmissionNames, *order: object, **arguments: object) -> Handle:
    """The model as the student builds it, on the device that is graded on."""
    model = submission.TinyTransformerLM(*order, **arguments)
    return submission.placed(model)


def built_of_course_parts(
    submission: SubmissionNames, *order: object, **arguments: object
) -> Handle:
    """The same, where the model's code takes the course's embedding and blocks for its own.

    A mistake in an earlier assignment costs points there and nowhere else, so a check of the model
    is tried in both ways, and one is enough.
    """
    parts = submission.module("course.parts")
    stand_ins = {name: getattr(parts, name) for name in EARLIER}
    with standing_in(submission.TinyTransformerLM, **stand_ins):
        return built(submission, *order, **arguments)


def buildable(submission: SubmissionNames, sizes: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a small model, untied if a tied one can't be built: tying has its own check."""
    found = _tied.setdefault(link_of(submission.TinyTransformerLM), {})
    case = tuple(sizes.items())
    if case not in found:
        untied = {**sizes, "tie_weights": False}
        works = [can_be_built(submission, told) for told in (sizes, untied)]
        found[case] = dict(untied if works == [False, True] else sizes)
    return dict(found[case])


def can_be_built(submission: SubmissionNames, arguments: Mapping[str, Any]) -> bool:
    """Whether a model can, of its own parts or the course's."""
    ways = (partial(way, submission, **arguments) for way in (built, built_of_course_parts))
    return any(tried(lambda way=way: way().done()) is None for way in ways)  # type: ignore[misc]


def assert_alive(submission: SubmissionNames, way: Build, rng: random.Random, **sizes: Any) -> None:
    """Demand that a model computes. A submission that has shown whether is not asked again.

    Its logits depend on the tokens and on what its blocks compute, and only through the blocks on
    tokens elsewhere; they are products of the vectors with the rows of the head's weight. Or they
    are what its own parts give, one after the other.

    Right models show differences of at least 20 times the tolerance in 1,100 runs, the smallest in
    a thousand 26 times, in a hundred 34: by such a tail, one that shows none is rarer than 1e-9.

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
    """Demand that a model computes: it is as it was built."""
    size, width = sizes["vocab_size"], sizes["d_model"]
    tokens, place = pairs_of_rows(rng, size)
    everything = torch.ones(LENGTH, LENGTH, dtype=torch.bool)
    blocks = elements(model.blocks)
    for module in (model, *blocks):  # the model may not know its blocks
        module.eval()

    def by_parts_replaced(told: dict[str, Tensor]) -> None:
        embedding, busy, still, seen = stand_ins(submission, sizes)
        own = model(tokens, **told)
        with own_forwards_afterwards([model.embedding, *blocks]):
            model.embedding.forward = embedding.forward
            results = [own]
            for other in (busy, still):
                for block in blocks:
                    block.forward = other.forward
                results.append(model(tokens, **told))
            if seen.called.value() is not True:
                fail("the model calls none of its blocks")
        results.append(model(tokens.flip(0), **told))
        last = seen.call_args.args
        vectors = (last[2], last[1][0], embedding(tokens))
        table = model.embedding.token_embedding.embedding.weight
        *fetched, left, entered, embedded, head, rows = values(
            (*results, *vectors, model.lm_head.weight, table)
        )
        first, mixed, unmixed, second = (logits_in(value, (4, LENGTH, size)) for value in fetched)
        assert_close(second.flip(0), first, "the logits of a second call", **TOLERANCE)
        assert_depends_on_tokens(first, place)
        assert_depends_on_tokens(mixed, place, on_others=True)
        for before, after in zip(unmixed, mixed, strict=True):
            what = "what the logits are when the blocks compute nothing"
            assert_differs(after, before, what, **TOLERANCE)
        assert_scored(mixed, (left, entered), (head, rows))
        assert_scored(unmixed, (embedded,), (head, rows))

    def by_parts_in_order() -> None:
        for block in blocks:
            for parameter in elements(block.parameters()):
                submission.module("torch.nn.init").normal_(parameter, 0.0, 0.5)  # or it is nothing
        logits = logits_in(model(tokens, mask=everything).value(), (4, LENGTH, size))
        x = last_vectors(model, tokens.flip(0), everything).flip(0)
        normed = F.layer_norm(x, (width,))
        expected = normed @ model.lm_head.weight.tensor().T
        assert_close(logits, expected, "the logits", rtol=1e-2, atol=1e-3)
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


def stand_ins(submission: SubmissionNames, sizes: Mapping[str, Any]) -> list[Handle]:
    """The course's embedding and block, an idle block, and what sees the calls of the first."""
    parts, nn = submission.module("course.parts"), submission.module("torch.nn")
    embedding = parts.TransformerEmbedding(sizes["vocab_size"], sizes["d_model"], dropout=0.0)
    nn.init.normal_(embedding.token_embedding.embedding.weight)  # tokens stand out of positions
    inner = [sizes[name] for name in ("d_model", "n_heads", "d_ff")]
    busy, still = (parts.TransformerBlock(*inner, dropout=0.0) for _ in range(2))
    numbers = nn.utils.parameters_to_vector(still.parameters())
    nn.utils.vector_to_parameters(numbers.mul(0), still.parameters())
    seen = submission.module("unittest.mock").Mock(return_value=None)
    busy.layer.register_forward_hook(seen)  # called with the module, its inputs, its output
    return [*map(submission.placed, (embedding, busy, still)), seen]


@contextlib.contextmanager
def own_forwards_afterwards(modules: list[Handle]) -> Iterator[None]:
    """Give modules that are told another `forward` inside their own one back."""
    try:
        yield
    finally:
        try:
            settle()  # what raises in there must not keep the methods from being put back
        finally:
            for module in modules:
                attribute(module, "__dict__").pop("forward", None)


def logits_in(result: Any, shape: tuple[int, ...]) -> Tensor:
    """The logits (B, T, V) in what a model returned, also if they come alone."""
    logits: Tensor = result[0] if isinstance(result, (tuple, list)) and result else result
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


def assert_scored(logits: Tensor, vectors: tuple[Any, ...], weights: tuple[Any, ...]) -> None:
    """Demand that logits are products of known vectors with the rows of a weight.

    Whether the vectors are normalised or added up, a factor, a bias or a softmax at the end, all
    that is another question.

    Args:
        logits: (B, T, V).
        vectors: (B, T, d_model) each.
        weights: (V, d_model) each; one will do.
    """
    scores = logits.double().flatten(0, 1)
    total = scores.sum(dim=1)
    if bool((scores > 0).all()) and torch.allclose(total, torch.ones_like(total), atol=1e-4):
        scores = scores.log()
    scores = scores[1:] - scores[:1]  # (B * T - 1, V), without what is the same everywhere
    scores -= scores.mean(dim=1, keepdim=True)
    known = []
    for vector in vectors:
        assert_shape(vector, (*logits.shape[:2], vectors[0].size(-1)), "what a block gets or gives")
        x = vector.double().flatten(0, 1)
        known += [x[1:], x[:1].expand_as(x[1:])]
    known.append(torch.ones_like(known[0]))
    x = torch.stack(known, dim=1)  # (B * T - 1, 3 or 5, d_model)
    for weight in weights:
        if type(weight) is Tensor and tuple(weight.shape) == (logits.size(-1), x.size(-1)):
            rows = weight.double() - weight.double().mean(dim=0)
            base = (x @ rows.T).mT  # (B * T - 1, V, 3 or 5)
            found = base @ (torch.linalg.pinv(base) @ scores.unsqueeze(2))
            # a third of what elsewhere counts as a difference
            if not differing(found.squeeze(2), scores, rtol=3e-4, atol=3e-5).any():
                return
    fail(
        "the logits should be the products of what the last block gives with the rows of"
        " lm_head.weight, and are not"
    )


def composed(model: Handle, tokens: Tensor, mask: Tensor | None) -> Tensor:
    """The logits that the model's own parts give, one after the other."""
    logits: Tensor = model.lm_head(model.ln_f(last_vectors(model, tokens, mask))).tensor()
    return logits


def last_vectors(model: Handle, tokens: Tensor, mask: Tensor | None) -> Tensor:
    """What the model's own embedding and blocks give, one after the other: (B, T, d_model).

    Each gets the sequences in another order: nothing of an earlier call fits.
    """
    x: Tensor = model.embedding(tokens).tensor()
    blocks = elements(model.blocks)
    for block in blocks:
        x = block(x.roll(1, 0), mask=mask)[0].tensor()
    return x.roll(-len(blocks), 0)
