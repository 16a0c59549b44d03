"""Bare parameters and functions: no nn.Embedding, no nn.Dropout, waves computed in each forward."""

import torch
import torch.nn.functional as F
from torch import nn


class Table(nn.Module):
    def __init__(self, rows, width, padding_idx=None):
        super().__init__()
        start = torch.normal(0.0, 0.02, (rows, width))
        if padding_idx is not None:
            start[padding_idx] = 0
        self.weight = nn.Parameter(start)
        self.padding_idx = padding_idx


class Tokens(nn.Module):
    def __init__(self, rows, width, padding_idx):
        super().__init__()
        self.embedding = Table(rows, width, padding_idx)


def waves(length, width, like):
    """(T, d_model), each column from its own number: cosine is sine a quarter turn ahead."""
    column = torch.arange(width, device=like.device)
    frequency = torch.pow(10000.0, -(column // 2 * 2).float() / width)
    turn = (column % 2).float() * (torch.pi / 2)
    place = torch.arange(length, device=like.device).float()
    return torch.sin(torch.outer(place, frequency) + turn).to(like.dtype)


class TransformerEmbedding(nn.Module):
    def __init__(
        self,
        vocab_size,
        d_model,
        max_len=1024,
        positional="sinusoidal",
        dropout=0.1,
        padding_idx=None,
    ):
        super().__init__()
        if positional not in ("sinusoidal", "learned"):
            raise ValueError(positional)
        self.token_embedding = Tokens(vocab_size, d_model, padding_idx)
        if positional == "learned":
            # one flat vector: how it is laid out is nobody's business
            self.places = nn.Parameter(torch.randn(d_model * max_len) * 0.02)
        else:
            self.places = None
        self.max_len, self.p = max_len, dropout

    def forward(self, tokens):
        length = tokens.shape[-1]
        assert length <= self.max_len, "too long"
        table = self.token_embedding.embedding
        width = table.weight.shape[1]
        x = F.embedding(tokens, table.weight * width**0.5, padding_idx=table.padding_idx)
        if self.places is None:
            x = x + waves(length, width, x)
        else:
            # column by column, transposed
            x = x + self.places.view(width, -1)[:, :length].t()
        if self.training and self.p > 0:
            keep = torch.empty_like(x).bernoulli_(1 - self.p)
            x = x * keep / (1 - self.p)
        return x
