"""Whether an embedding looks tokens up and says where they stand: no points are given without.

A check that compares an embedding with itself is passed by something that computes nothing, too: by
what never changes, or always does. So these look for the work itself, and forgive every mistake
that other checks are about: how vectors are scaled, which waves, what is learned and what is not.
A submission that was seen to work is not asked again.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from grader.testing import (
    Handle,
    StudentError,
    SubmissionNames,
    assert_close,
    assert_shape,
    elements,
    tensors,
)
from grader.testing.failure import fail
from grader.testing.handles import link_of
from grader.testing.links import Link

if TYPE_CHECKING:
    from torch import Tensor

KINDS = ("sinusoidal", "learned")
VOCAB, D_MODEL, MAX_LEN, BATCH = 19, 8, 12, 5
LENGTHS = (10, 7, 4)
"""The longest first: what keeps the rows of the first length is another check's business."""

Way = Callable[..., Handle]
"""Builds an embedding, of a submission and the arguments of `TransformerEmbedding`."""

_seen: WeakKeyDictionary[Link, set[tuple[str, Way]]] = WeakKeyDictionary()
"""The kinds of position that each submission was seen to embed with, and how it was built."""


def as_it_is(submission: SubmissionNames, **arguments: object) -> Handle:
    """The submission's own embedding."""
    return submission.TransformerEmbedding(**arguments)


def working_kinds(submission: SubmissionNames, rng: random.Random) -> list[str]:
    """The kinds of position that work, so that one unfinished kind costs only its own checks.

    Raises:
        CheckFailed, StudentError: none of them works; this is why.
    """
    working = []
    problem: Exception | None = None
    for kind in KINDS:
        try:
            assert_embeds(submission, rng, kind)
            working.append(kind)
        except (AssertionError, StudentError) as error:
            problem = problem or error
    if problem is not None and not working:
        raise problem
    return working


def assert_embeds(
    submission: SubmissionNames, rng: random.Random, kind: str, way: Way = as_it_is
) -> None:
    """Demand vectors that follow the token table, and positions that are different."""
    own = random.Random(rng.random())  # a check draws the same, whether this is asked or not
    seen = _seen.setdefault(link_of(submission.send(None)), set())
    if (kind, way) in seen:
        return
    assert_tokens_are_looked_up(build(submission, kind, way), own)
    assert_places_differ(submission, own, kind, way)
    seen.add((kind, way))


def build(submission: SubmissionNames, kind: str, way: Way) -> Handle:
    """An embedding without dropout, in eval mode."""
    embedding = way(
        submission,
        vocab_size=VOCAB,
        d_model=D_MODEL,
        max_len=MAX_LEN,
        positional=kind,
        dropout=0.0,
    )
    submission.placed(embedding).eval()
    return embedding


def token_ids(rng: random.Random, length: int) -> Tensor:
    """Ids (BATCH, length), no two in a row of the batch alike."""
    import torch

    return torch.tensor([rng.sample(range(VOCAB), length) for _ in range(BATCH)])


def normal(rng: random.Random, *shape: int) -> Tensor:
    """Draw from the standard normal distribution."""
    import torch

    return torch.randn(shape, generator=torch.Generator().manual_seed(rng.randrange(2**31)))


def embed(embedding: Handle, tokens: Tensor) -> Any:
    """The output (B, T, d_model)."""
    out = embedding(tokens).tensor()
    assert_shape(out, (*tokens.shape, D_MODEL), "the output")
    return out


def redraw(embedding: Handle, rng: random.Random) -> None:
    """Give every parameter numbers from N(0, 1): how it starts is another check's business."""
    parameters = elements(embedding.parameters())
    for parameter, value in zip(parameters, tensors(parameters), strict=True):
        parameter.data.copy_(normal(rng, *value.shape))


def assert_tokens_are_looked_up(embedding: Handle, rng: random.Random) -> None:
    """Demand that vectors of two tokens at one place differ as their rows do, times some number."""
    redraw(embedding, rng)
    table = embedding.token_embedding.embedding.weight.tensor()
    if table.dim() != 2 or table.size(0) < VOCAB or table.size(1) != D_MODEL:
        fail("the token table has the wrong shape", expected=(VOCAB, D_MODEL), actual=table.shape)
    first, second = token_ids(rng, LENGTHS[0]), token_ids(rng, LENGTHS[0])
    one, other = embed(embedding, first), embed(embedding, second)
    assert_close(embed(embedding, first), one, "the output for the same ids again")
    outputs, rows = (one - other).double(), (table[first] - table[second]).double()
    scale = float((outputs * rows).sum() / rows.square().sum().clamp_min(1e-12))
    if not scale > 0.01:
        fail("a token's vector does not follow its row of the table")
    # in units of the table's numbers: what is added beside them has no say in what is forgiven
    assert_close(outputs / scale, rows, "a token's vector, beside its row of the table,", atol=1e-3)


def assert_places_differ(
    submission: SubmissionNames, rng: random.Random, kind: str, way: Way
) -> None:
    """Demand that something is added that is not the same everywhere, of a kind with what it is."""
    import torch

    found = []
    embeddings = [build(submission, kind, way) for _ in range(2)]  # before one may seed what draws
    for embedding in embeddings:
        if kind == "learned":
            redraw(embedding, rng)
        embedding.token_embedding.embedding.weight.data.zero_()
        found.append([embed(embedding, token_ids(rng, length)) for length in LENGTHS])
    first, second = (torch.cat([out.flatten(0, 1) for out in outs]).double() for outs in found)
    directions = torch.linalg.svdvals(first - first.mean(dim=0))
    if not directions[0] > 0.01 * len(first) ** 0.5:
        fail(f"{kind} positions add nothing, or the same everywhere")
    if kind == "learned":
        if bool((first - second).abs().mean() < 0.1 * first.abs().mean()):
            fail("learned positions are the same numbers each time")
        return
    if not directions[2] > 0.01 * directions[0] or bool(first.abs().max() > 1.2 * D_MODEL**0.5):
        fail("sinusoidal positions are no waves")
