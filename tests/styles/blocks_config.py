"""A frozen configuration, inherited residual wiring, keyword-only parts, inherited nn.Linear."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import nn


@dataclass(frozen=True)
class Config:
    d_model: int
    n_heads: int
    d_ff: int
    dropout: float = 0.1
    bias: bool = True
    d_head: int = field(init=False)

    def __post_init__(self):
        d_head, rest = divmod(self.d_model, self.n_heads)
        if rest:
            raise ValueError(f"{self.n_heads} heads do not divide {self.d_model}")
        object.__setattr__(self, "d_head", d_head)


class FeedForward(nn.Sequential):
    def __init__(self, config: Config):
        super().__init__(
            nn.Linear(config.d_model, config.d_ff, config.bias),
            nn.GELU(approximate="none"),
            nn.Dropout(config.dropout),
            nn.Linear(config.d_ff, config.d_model, config.bias),
        )


class MultiHeadAttention(nn.Linear):
    """Is the last map of attention itself; queries and keys are scaled by d_k ** -1/4 each."""

    def __init__(self, config: Config):
        super().__init__(config.d_model, config.d_model, config.bias)
        self.into = nn.ModuleDict(
            {name: nn.Linear(config.d_model, config.d_model, config.bias) for name in "qkv"}
        )
        self.config = config

    def split(self, name, x):
        heads = self.into[name](x).view(*x.shape[:2], self.config.n_heads, self.config.d_head)
        return heads.movedim(2, 1)

    def forward(self, x, mask):
        quarter = math.pow(self.config.d_head, -0.25)
        q, k, v = self.split("q", x) * quarter, self.split("k", x) * quarter, self.split("v", x)
        logits = torch.matmul(q, k.transpose(2, 3))
        if mask is not None:
            forbidden = ~mask if mask.dtype == torch.bool else torch.isneginf(mask)
            logits = logits.masked_fill(forbidden, -math.inf)
        weights = F.softmax(logits, dim=3)
        y = torch.matmul(F.dropout(weights, self.config.dropout, self.training), v)
        return super().forward(y.movedim(1, 2).flatten(2)), weights


class PreNorm(nn.LayerNorm):
    """x + dropout(inner(norm(x)))"""

    def __init__(self, config: Config, inner: nn.Module):
        super().__init__(config.d_model, bias=config.bias)
        self.inner = inner
        self.after = nn.Dropout(config.dropout)

    def forward(self, x, *rest):
        found = self.inner(super().forward(x), *rest)
        y, extra = found if isinstance(found, tuple) else (found, None)
        return x + self.after(y), extra


class TransformerBlock(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, dropout=0.1, bias=True):
        super().__init__()
        config = Config(d_model, n_heads, d_ff, dropout, bias)
        self.attention = PreNorm(config, MultiHeadAttention(config))
        self.mlp = PreNorm(config, FeedForward(config))

    def forward(self, x, mask=None, return_attention=False):
        x, weights = self.attention(x, mask)
        x, _ = self.mlp(x)
        return x, (weights if return_attention else None)
