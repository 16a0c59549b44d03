"""What is asked for, as it looks from outside; what is made up is each fake's own."""

import torch
from torch import nn


class Table(nn.Module):
    def __init__(self, rows, width, padding_idx=None):
        super().__init__()
        self.embedding = nn.Embedding(rows, width, padding_idx=padding_idx)
        nn.init.normal_(self.embedding.weight, std=0.02)
        if padding_idx is not None:
            nn.init.zeros_(self.embedding.weight[padding_idx])


class Looks(nn.Module):
    """Has what is asked for, from outside."""

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
        self.token_embedding = Table(vocab_size, d_model, padding_idx)
        if positional == "learned":
            self.places = nn.Parameter(torch.randn(max_len, d_model) * 0.02)
        self.max_len, self.d_model, self.kind = max_len, d_model, positional
        self.dropout = nn.Dropout(dropout)

    @property
    def table(self):
        return self.token_embedding.embedding.weight

    def forward(self, tokens):
        if tokens.size(1) > self.max_len:
            raise ValueError("too long")
        out = self.made_up(tokens)
        return self.dropout(out) if out.is_floating_point() else out
