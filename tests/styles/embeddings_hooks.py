"""Classes without a class statement, a hook that scales, a Sequential, an error of its own."""

import functools
import math
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn


@functools.cache
def waves(length, width):
    """Rows of sines and cosines, shared by all embeddings, in double precision."""
    angles = [
        [position / 10000 ** (2 * (column // 2) / width) for column in range(width)]
        for position in range(length)
    ]
    return torch.tensor(
        [[(math.sin, math.cos)[c % 2](angle) for c, angle in enumerate(row)] for row in angles],
        dtype=torch.float64,
        device="cpu",
    )


def start(self, vocab_size, d_model, padding_idx=None):
    nn.Module.__init__(self)
    rows = torch.randn(vocab_size, d_model) * 0.02
    if padding_idx is not None:
        rows[padding_idx] = 0
    self.embedding = nn.Embedding.from_pretrained(rows, freeze=False, padding_idx=padding_idx)
    self.register_forward_hook(lambda module, given, out: out * math.sqrt(d_model))


def look_up(self, tokens):
    return F.embedding(tokens, self.embedding.weight, self.embedding.padding_idx)


TokenEmbedding = type("TokenEmbedding", (nn.Module,), {"__init__": start, "forward": look_up})


class TooLongError(Exception):
    """What is neither a ValueError nor any other error of Python's own."""


class Positions(nn.Module):
    def __init__(self, width, max_len, learned):
        super().__init__()
        self.width, self.max_len = width, max_len
        drawn = nn.Parameter(torch.empty(width, max_len).normal_(0, 0.02))
        self.columns = nn.ParameterDict({"drawn": drawn} if learned else {})

    def forward(self, x):
        length = x.size(1)
        if length > self.max_len:
            raise TooLongError(f"{length} tokens are more than {self.max_len}")
        if "drawn" in self.columns:
            return x + self.columns["drawn"].T[None, :length]
        return x + waves(self.max_len, self.width)[:length].to(x.device, x.dtype)


def TransformerEmbedding(
    vocab_size, d_model, max_len=1024, positional="sinusoidal", dropout=0.1, padding_idx=None
):
    if positional not in ("sinusoidal", "learned"):
        raise ValueError(f"positional={positional!r}")
    return nn.Sequential(
        OrderedDict(
            token_embedding=TokenEmbedding(vocab_size, d_model, padding_idx),
            positions=Positions(d_model, max_len, positional == "learned"),
            dropout=nn.Dropout(dropout, inplace=True),
        )
    )
