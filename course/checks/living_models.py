"""Signs of life: a model whose logits come from its tokens, by way of its blocks and its head.

What a model says of itself, its shapes, its parameters, how it starts, means nothing where it
computes nothing. Whoever has made a mistake shows these signs all the same.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
from torch import Tensor

from course.checks.drawn_modules import normal
from course.checks.scored_logits import assert_scored
from grader.testing import (
    CheckFailed,
    Handle,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_shape,
    attribute,
    differing,
    elements,
    entered,
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

NOTHING_DROPPED = "course.checks.nothing_dropped"

_found: WeakKeyDictionary[object, dict[object, AssertionError | None]] = WeakKeyDictionary()
"""What each submission, by the link to it, lacked in which way of building its models."""

_restless: WeakKeyDictionary[object, set[object]] = WeakKeyDictionary()
"""In which ways its models compute once nothing is dropped, and only then."""

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


def assert_alive(
    submission: SubmissionNames,
    way: Build,
    rng: random.Random,
    *,
    scored: bool = False,
    **sizes: Any,
) -> None:
    """Demand that a model computes. A submission that has shown whether is not asked again.

    Its logits depend on the tokens and on what its blocks compute, and on nothing else than what
    its embedding and its blocks give. Or they are what its own parts give, one after the other. How
    the parts are put together, what lies between them, is another question; so is dropout that is
    left on in eval mode: see `undisturbed`.

    Right models show differences of at least 20 times the tolerance in 1,100 runs, the smallest in
    a thousand 26 times, in a hundred 34: by such a tail, one that shows none is rarer than 1e-9.

    Args:
        submission: whose model it is.
        way: builds one, of a submission and sizes.
        rng: decides the tokens.
        scored: whether the logits must be products of the vectors with the rows of the weight that
            the head shows: where what is shown is the question.
        sizes: arguments of the model; V is larger than d_model + 1.
    """
    found = _found.setdefault(link_of(submission.TinyTransformerLM), {})
    case = (way, *sizes.items())
    if case not in found:
        model = way(submission, **sizes)
        try:
            find_life(submission, model, rng, sizes, scored=scored)
            found[case] = None
        except Restless as error:
            with entered(submission.module(NOTHING_DROPPED).NothingDropped()):
                again = partial(find_life, submission, model, rng, sizes, scored=scored)
                calmed = tried(again) is None
            found[case] = None if calmed else error
            if calmed:
                _restless.setdefault(link_of(submission.TinyTransformerLM), set()).add(case)
        except AssertionError as error:
            found[case] = error
    failure = found[case]
    if failure is not None:
        raise failure


class Restless(CheckFailed):
    """The same tokens give other logits each time."""


@contextlib.contextmanager
def undisturbed(submission: SubmissionNames, way: Build, **sizes: Any) -> Iterator[None]:
    """While inside, nothing is dropped of a model that was found alive on this condition alone.

    Args:
        submission: as `assert_alive` was told.
        way: likewise.
        sizes: likewise.
    """
    restless = _restless.get(link_of(submission.TinyTransformerLM), ())
    if (way, *sizes.items()) not in restless:
        yield
        return
    with entered(submission.module(NOTHING_DROPPED).NothingDropped()):
        yield


def find_life(
    submission: SubmissionNames,
    model: Handle,
    rng: random.Random,
    sizes: Mapping[str, Any],
    *,
    scored: bool,
) -> None:
    """Demand that a model computes: it is as it was built."""
    tokens, place = pairs_of_rows(rng, sizes["vocab_size"])
    vectors = normal(rng, 4, LENGTH, sizes["d_model"])
    trial = Trial(submission, model, sizes, tokens, place, vectors, scored)
    for module in (model, *elements(model.blocks)):  # the model may not know its blocks
        module.eval()
    # First with a mask: one that is made at the first call, and kept, is another question.
    everything = torch.ones(LENGTH, LENGTH, dtype=torch.bool)
    told: list[dict[str, Tensor]] = [{"mask": everything}, {}]
    by_parts_replaced = (partial(trial.by_parts_replaced, mask) for mask in told)
    in_some_way((*by_parts_replaced, partial(trial.by_parts_in_order, everything)))


@dataclass(frozen=True)
class Trial:
    """A model in eval mode, and what it is tried with.

    Attributes:
        tokens, place: see `pairs_of_rows`.
        vectors: (4, LENGTH, d_model), drawn here.
        scored: see `assert_alive`.
    """

    submission: SubmissionNames
    model: Handle
    sizes: Mapping[str, Any]
    tokens: Tensor
    place: int
    vectors: Tensor
    scored: bool

    def by_parts_replaced(self, told: dict[str, Tensor]) -> None:
        """Let other parts stand in for its own; `told` is what it is called with besides tokens."""
        model, tokens, place = self.model, self.tokens, self.place
        embedding, busy, still, seen = stand_ins(self.submission, self.sizes)
        blocks = elements(model.blocks)
        results = [model(tokens, **told)]
        with own_forwards_afterwards([model.embedding, *blocks]):
            model.embedding.forward = embedding.forward
            for other in (busy, still):
                for block in blocks:
                    block.forward = other.forward
                results.append(model(tokens, **told))
            if seen.called.value() is not True:
                fail("the model calls none of its blocks")
            results += self.by_fixed_parts(embedding(tokens).detach(), blocks, told)
        results.append(model(tokens.flip(0), **told))
        last = seen.call_args.args
        vectors = (last[1][0], last[2], embedding(tokens))
        *fetched, read, left, embedded = values((*results, *vectors))
        shape = (*tokens.shape, self.sizes["vocab_size"])
        logits = [logits_in(value, shape) for value in fetched]
        first, mixed, unmixed, fixed, of_others, shuffled, second = logits
        assert_calm(model, tokens, told, (first, second.flip(0)))
        assert_shape(read, tuple(self.vectors.shape), "what a block gets")
        for result in (read, first):
            assert_depends_on_tokens(result, place)
        assert_depends_on_tokens(mixed, place, on_others=True)
        assert_rows_differ(mixed, unmixed, "what the logits are when the blocks compute nothing")
        what = "the logits where the embedding and the blocks give the same"
        assert_close(of_others, fixed, what, **TOLERANCE)
        assert_rows_differ(shuffled, fixed, "the logits where the blocks give something else")
        if self.scored:
            weights = values(
                (model.lm_head.weight, model.embedding.token_embedding.embedding.weight)
            )
            assert_scored(mixed, (left, read), weights)
            assert_scored(unmixed, (embedded,), weights)

    def by_fixed_parts(
        self, embedded: Handle, blocks: list[Handle], told: dict[str, Tensor]
    ) -> list[Handle]:
        """What the model makes of parts that always give the same, whatever they are given.

        The blocks give the same for two batches of tokens; then, for the second one, each vector
        shuffled: its mean and its length are as before.
        """
        mock = self.submission.module("unittest.mock")
        self.model.embedding.forward = mock.Mock(return_value=embedded)
        results = []
        others, shuffled = self.tokens.flip(0), self.vectors.flip(2)
        cases = ((self.vectors, self.tokens), (self.vectors, others), (shuffled, others))
        for vectors, tokens in cases:
            pair = (self.submission.send(vectors).to(embedded), None)
            for block in blocks:
                block.forward = mock.Mock(return_value=pair)
            results.append(self.model(tokens, **told))
        return results

    def by_parts_in_order(self, mask: Tensor) -> None:
        """Compare it with its own parts, called one after the other."""
        model, tokens = self.model, self.tokens
        for block in elements(model.blocks):
            for parameter in elements(block.parameters()):
                # or it is nothing
                self.submission.module("torch.nn.init").normal_(parameter, 0.0, 0.5)
        shape = (*tokens.shape, self.sizes["vocab_size"])
        logits = logits_in(model(tokens, mask=mask).value(), shape)
        x = last_vectors(model, tokens.flip(0), mask).flip(0)
        normed = F.layer_norm(x, (self.sizes["d_model"],))
        expected = normed @ model.lm_head.weight.tensor().T
        assert_close(logits, expected, "the logits", rtol=1e-2, atol=1e-3)
        assert_depends_on_tokens(logits, self.place, on_others=True)


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


def assert_rows_differ(after: Tensor, before: Tensor, what: str) -> None:
    """Demand a difference in every sequence."""
    for one, other in zip(before, after, strict=True):
        assert_differs(other, one, what, **TOLERANCE)


def assert_calm(
    model: Handle, tokens: Tensor, told: dict[str, Tensor], calls: tuple[Tensor, Tensor]
) -> None:
    """Demand that the same sequences, in whatever order, have the same logits.

    Raises:
        Restless: they have others in the same order.
    """
    if not differing(*calls, **TOLERANCE).any():
        return
    shape = tuple(calls[0].shape)
    again = [logits_in(model(tokens, **told).value(), shape) for _ in range(2)]
    if differing(*again, **TOLERANCE).any():
        raise Restless(
            "two calls in eval mode give different logits for the same tokens: something random is"
            " left on, or a part is made anew in `forward`"
        )
    assert_close(*calls, "the logits of a second call", **TOLERANCE)


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
