"""Everything from scratch with bare parameters, einsum and tuples; float mask; no nn layers."""

import collections
import math

import torch
import torch.nn.functional as F
from torch import nn

Sizes = collections.namedtuple("Sizes", "d_model n_heads n_layers d_ff max_len dropout")
PRESETS = {
    "tiny": Sizes(128, 4, 4, 512, 512, 0.1),
    "small": Sizes(256, 8, 6, 1024, 1024, 0.1),
    "medium": Sizes(512, 8, 8, 2048, 1024, 0.1),
    "large": Sizes(768, 12, 12, 3072, 2048, 0.1),
}


def get_model_config(size):
    try:
        return PRESETS[size]._asdict()
    except KeyError as error:
        raise ValueError(f"choose one of {sorted(PRESETS)}") from error


class Table(nn.Module):
    def __init__(self, rows, width):
        super().__init__()
        self.weight = nn.Parameter(0.02 * torch.randn(rows, width))


class Lookup(nn.Module):
    def __init__(self, rows, width, padding_idx):
        super().__init__()
        self.embedding = Table(rows, width)
        self.padding_idx = padding_idx
        if padding_idx is not None:
            self.embedding.weight.data[padding_idx] = 0

    def forward(self, tokens):
        table = self.embedding.weight
        return F.embedding(tokens, table, self.padding_idx) * table.shape[1] ** 0.5


class Embedding(nn.Module):
    def __init__(self, vocab_size, width, max_len, positional, rate, padding_idx):
        super().__init__()
        self.token_embedding = Lookup(vocab_size, width, padding_idx)
        self.max_len, self.width, self.rate = max_len, width, rate
        self.places = None
        if positional == "learned":
            self.places = nn.Parameter(0.02 * torch.randn(max_len, width))
        elif positional != "sinusoidal":
            raise ValueError(positional)

    def forward(self, tokens):
        length = tokens.shape[-1]
        if length > self.max_len:
            raise IndexError("too long")
        if self.places is not None:
            pattern = self.places[:length]
        else:
            place = torch.arange(length, device=tokens.device, dtype=torch.float64)[:, None]
            column = torch.arange(self.width, device=tokens.device)[None]
            angle = place * torch.exp(-math.log(1e4) * (column - column % 2) / self.width)
            pattern = torch.where(column % 2 == 0, angle.sin(), angle.cos())
        x = self.token_embedding(tokens)
        return F.dropout(x + pattern.to(x), self.rate, self.training)


class Block(nn.Module):
    def __init__(self, width, heads, inner, rate):
        super().__init__()
        if width % heads:
            raise AssertionError("heads do not fit")
        part, spread = width // heads, width**-0.5
        self.rate = rate
        self.gains = nn.Parameter(torch.ones(2, width))
        self.shifts = nn.Parameter(torch.zeros(2, width))
        self.into = nn.Parameter(spread * torch.randn(3, heads, width, part))
        self.into_bias = nn.Parameter(torch.zeros(3, heads, 1, part))
        self.back = nn.Parameter(spread * torch.randn(heads, part, width))
        self.back_bias = nn.Parameter(torch.zeros(width))
        self.up = nn.Parameter(spread * torch.randn(width, inner))
        self.up_bias = nn.Parameter(torch.zeros(inner))
        self.down = nn.Parameter(inner**-0.5 * torch.randn(inner, width))
        self.down_bias = nn.Parameter(torch.zeros(width))

    def drop(self, x):
        return F.dropout(x, self.rate, self.training)

    def norm(self, number, x):
        centred = x - x.mean(-1, keepdim=True)
        scale = centred.square().mean(-1, keepdim=True).add(1e-5).rsqrt()
        return centred * scale * self.gains[number] + self.shifts[number]

    def forward(self, x, mask=None, return_attention=False):
        q, k, v = (
            torch.einsum("btd,phdk->pbhtk", self.norm(0, x), self.into) + (self.into_bias[:, None])
        )
        scores = torch.einsum("bhtk,bhsk->bhts", q, k) / q.shape[-1] ** 0.5
        if mask is not None:
            scores = (
                scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
            )
        weights = F.softmax(scores, dim=-1)
        mixed = torch.einsum("bhts,bhsk,hkd->btd", self.drop(weights), v, self.back)
        x = x + self.drop(mixed + self.back_bias)
        hidden = F.gelu(self.norm(1, x) @ self.up + self.up_bias)
        x = x + self.drop(self.drop(hidden) @ self.down + self.down_bias)
        return (x, weights) if return_attention else (x, None)


class Head(nn.Module):
    def __init__(self, weight):
        super().__init__()
        self.weight = weight

    def forward(self, x):
        return torch.einsum("...d,vd->...v", x, self.weight)


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gain, self.shift = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))

    def forward(self, x):
        variance, mean = torch.var_mean(x, dim=-1, keepdim=True, unbiased=False)
        return (x - mean) / (variance + 1e-6).sqrt() * self.gain + self.shift


class TinyTransformerLM(nn.Module):
    def __init__(
        self, vocab_size, d_model, n_heads, n_layers, d_ff, max_len=1024, dropout=0.1,
        positional="sinusoidal", tie_weights=True, padding_idx=None,
    ):  # fmt: skip
        super().__init__()
        self.__dict__.update(
            vocab_size=vocab_size, d_model=d_model, n_heads=n_heads, n_layers=n_layers, d_ff=d_ff,
            max_len=max_len,
        )  # fmt: skip
        self.embedding = Embedding(vocab_size, d_model, max_len, positional, dropout, padding_idx)
        self.blocks = nn.Sequential(
            *(Block(d_model, n_heads, d_ff, dropout) for _ in range(n_layers))
        )
        self.ln_f = Norm(d_model)
        table = self.embedding.token_embedding.embedding.weight
        own = None if tie_weights else nn.Parameter(0.02 * torch.randn(vocab_size, d_model))
        self.lm_head = Head(table if own is None else own)

    def forward(self, tokens, mask=None, return_hidden_states=False):
        if mask is None:
            length = tokens.shape[1]
            mask = torch.full((length, length), -math.inf, device=tokens.device).triu(1)
        states = (self.embedding(tokens),)
        for block in self.blocks:
            states = (*states, block(states[-1], mask=mask)[0])
        logits = self.lm_head(self.ln_f(states[-1]))
        return logits, (states if return_hidden_states else None)
