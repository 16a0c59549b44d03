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


def softmax(scores, dim=-1):
    return F.softmax(scores, dim=dim)


class LayerNorm(nn.Module):
    """Gains and shifts are columns of one parameter; torch's function does the rest."""

    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.affine = nn.Parameter(torch.tensor([[1.0, 0.0]]).repeat(d_model, 1))

    def forward(self, x):
        gain, shift = self.affine.unbind(dim=1)
        return F.layer_norm(x, gain.shape, gain, shift, self.eps)


def rms_norm(x, weight, eps=1e-6):
    return torch.div(x, torch.sqrt(torch.mean(x**2, -1, keepdim=True) + eps)).mul(weight)


def swiglu(x, w_gate, w_up, w_down):
    return F.linear(F.silu(F.linear(x, w_gate.mT)) * F.linear(x, w_up.mT), w_down.mT)


def rope(x, positions, base=10000.0):
    """A pair is a complex number; turning it is a multiplication."""
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2).contiguous())
    speeds = torch.pow(base, -torch.arange(pairs.size(-1)) / pairs.size(-1))
    angles = torch.outer(positions.float(), speeds)
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).reshape(x.shape)


def grouped_attention(q, k, v, mask=None):
    ratio = q.size(1) / k.size(1)
    if ratio != int(ratio):
        raise ValueError(f"{q.size(1)} and {k.size(1)} heads")
    serves = torch.arange(q.size(1)) // int(ratio)
    return F.scaled_dot_product_attention(q, k[:, serves], v[:, serves], mask)


class Gated(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.gate, self.up = nn.Linear(d_model, d_ff, False), nn.Linear(d_model, d_ff, False)
        self.down = nn.Linear(d_ff, d_model, False)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class ModernBlock(nn.Module):
    def __init__(self, d_model, n_heads, n_kv_heads, d_ff):
        super().__init__()
        config = Config(d_model, n_heads, d_ff)
        if n_heads % n_kv_heads:
            raise ValueError(f"{n_kv_heads} heads do not divide {n_heads}")
        self.d_head = config.d_head
        self.query = nn.Linear(d_model, d_model, False)
        self.key_value = nn.Linear(d_model, 2 * n_kv_heads * self.d_head, False)
        self.last = nn.Linear(d_model, d_model, False)
        self.norms = nn.ParameterList(torch.ones(d_model) for _ in range(2))
        self.network = Gated(d_model, d_ff)

    def heads(self, x):
        return x.view(*x.shape[:2], -1, self.d_head).movedim(2, 1)

    def forward(self, x, mask=None):
        y = rms_norm(x, self.norms[0])
        key, value = self.key_value(y).chunk(2, -1)
        places = torch.arange(x.size(1))
        q, k = rope(self.heads(self.query(y)), places), rope(self.heads(key), places)
        found = grouped_attention(q, k, self.heads(value), mask)
        x = x + self.last(found.movedim(1, 2).flatten(2))
        return x + self.network(rms_norm(x, self.norms[1]))
