"""Waves grown on demand up to max_len, learned rows one by one, everything through ModuleDict."""

import itertools

import torch
from torch import nn


class Shifted(nn.Module):
    """Adds the rows of a table; `rows` is a method so that tables may come from anywhere."""

    def forward(self, x):
        rows = self.rows(x)
        return torch.stack([sequence + rows for sequence in x.unbind(0)])


class Grown(Shifted):
    def __init__(self, width):
        super().__init__()
        self.width = width
        self.register_buffer("known", torch.zeros(0, width), persistent=False)

    def rows(self, x):
        need, have = x.shape[1], self.known.shape[0]
        if need > have:
            places = torch.arange(have, need, dtype=torch.float32, device=x.device)
            columns = []
            for column in range(self.width):
                angle = places * 10000.0 ** (-2 * (column // 2) / self.width)
                columns.append((torch.sin, torch.cos)[column % 2](angle))
            grown = torch.stack(columns, dim=1)
            self.known = torch.cat([self.known, grown.to(self.known)])
        return self.known[:need].to(x)


class Rows(Shifted):
    def __init__(self, width, max_len):
        super().__init__()
        rows = (nn.Parameter(torch.randn(width).mul_(0.02)) for _ in range(max_len))
        self.vectors = nn.ParameterList(rows)

    def rows(self, x):
        return torch.stack(list(itertools.islice(self.vectors, x.shape[1])))


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
        if positional == "sinusoidal":
            positions = Grown(d_model)
        elif positional == "learned":
            positions = Rows(d_model, max_len)
        else:
            raise ValueError(f"no such positions: {positional}")
        start = torch.zeros(vocab_size, d_model).normal_(0, 0.02)
        if padding_idx is not None:
            start[padding_idx] = 0.0
        table = nn.Embedding.from_pretrained(start, freeze=False, padding_idx=padding_idx)
        self.token_embedding = nn.ModuleDict({"embedding": table})
        self.parts = nn.ModuleList([positions, nn.Dropout(dropout)])
        self.max_len = max_len
        self.d_model = d_model

    def forward(self, tokens):
        if tokens.shape[1] > self.max_len:
            raise ValueError(f"{tokens.shape[1]} > {self.max_len}")
        x = self.token_embedding["embedding"](tokens) * self.d_model**0.5
        for part in self.parts:
            x = part(x)
        return x
