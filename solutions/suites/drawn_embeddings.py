"""What the checks of embeddings have in common: embeddings with drawn numbers, and what they give.

They know `TransformerEmbedding` and its token table, no more. With the token table zeroed, the
output is the position alone; the difference of two outputs at the same place is the token alone.
"""

import random

import torch
from torch import Tensor

from grader.testing import (
    Handle,
    assert_close,
    assert_differs,
    assert_shape,
    elements,
    tensors,
)

VOCAB = 23


def generator(rng: random.Random) -> torch.Generator:
    """A torch generator seeded by a check's own."""
    return torch.Generator().manual_seed(rng.randrange(2**31))


def token_ids(rng: random.Random, batch: int, length: int) -> Tensor:
    """Random ids (batch, length) below VOCAB; the first two sequences differ from the start on."""
    ids = torch.randint(VOCAB, (batch, length), generator=generator(rng))
    ids[1, 0] = (ids[0, 0] + 1) % VOCAB
    return ids


def token_table(embedding: Handle) -> Handle:
    """The token table (vocab_size, d_model), at its pinned place."""
    return embedding.token_embedding.embedding.weight


def token_rows(embedding: Handle, d_model: int) -> Tensor:
    """The token table by value, with at least VOCAB rows; their number is a public check's."""
    rows: Tensor = token_table(embedding).tensor()
    assert_shape(rows[:VOCAB] if rows.dim() else rows, (VOCAB, d_model), "the token table")
    return rows


def redraw(embedding: Handle, rng: random.Random) -> None:
    """Give every parameter fresh numbers from N(0, 1), so that nothing hides in small ones.

    They are drawn here and looked at afterwards: whether they arrived is no matter of trust.
    """
    parameters = elements(embedding.parameters())
    drawn = [torch.randn(old.shape, generator=generator(rng)) for old in tensors(parameters)]
    for parameter, new in zip(parameters, drawn, strict=True):
        parameter.data.copy_(new)
    for new, kept in zip(drawn, tensors(parameters), strict=True):
        assert_close(kept.float(), new, "a parameter that was given other numbers")


def embed(embedding: Handle, tokens: Tensor, d_model: int) -> Tensor:
    """The output (B, T, d_model), of that shape for certain."""
    out: Tensor = embedding(tokens).tensor()
    assert_shape(out, (*tokens.shape, d_model), "the output")
    return out


def embed_unlike(embedding: Handle, tokens: Tensor, d_model: int) -> Tensor:
    """The output, for certain not the same for two different sequences."""
    out = embed(embedding, tokens, d_model)
    assert_differs(out[0], out[1], "the output from one sequence to another")
    return out


def positions(embedding: Handle, rng: random.Random, shape: tuple[int, int], width: int) -> Tensor:
    """What each position adds (B, T, width): the output with the token table zeroed."""
    token_table(embedding).data.zero_()
    return embed(embedding, token_ids(rng, *shape), width)
