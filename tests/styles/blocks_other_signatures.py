"""Parts that are called in their own way, and dropout from a generator of its own."""

import math

import torch
from torch import Tensor, nn


@torch.jit.script
def share(scores: Tensor, mask: Tensor) -> Tensor:
    scores = scores + mask
    return torch.exp(scores - torch.logsumexp(scores, dim=-1, keepdim=True))


def scaled_dot_product_attention(q, k, v, dropout, mask):
    weights = dropout(share(q @ k.transpose(-2, -1) / math.sqrt(q.size(-1)), mask))
    return weights @ v, weights


class Dropout(nn.Module):
    def __init__(self, rate):
        super().__init__()
        self.rate, self.generator = rate, torch.Generator().manual_seed(0)

    def forward(self, x):
        if not self.training or self.rate == 0:
            return x
        kept = torch.rand(x.shape, generator=self.generator).to(x.device) >= self.rate
        return torch.where(kept, x / (1 - self.rate), 0)


class MultiHeadAttention(nn.Module):
    """Self-attention: the mask comes second, and weights only when asked for."""

    def __init__(self, d_model, n_heads, dropout=0.1, bias=True):
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"{n_heads} heads for d_model = {d_model}")
        self.n_heads = n_heads
        self.maps = nn.ModuleList(nn.Conv1d(d_model, d_model, 1, bias=bias) for _ in range(4))
        self.dropout = Dropout(dropout)

    def forward(self, x, mask=None, return_attention=False):
        batch, length, _ = x.shape
        if mask is None:
            mask = x.new_zeros(length, length)
        elif mask.dtype == torch.bool:
            mask = torch.where(mask, 0.0, -math.inf)
        *first, last = self.maps
        q, k, v = (
            conv(x.mT).view(batch, self.n_heads, -1, length).transpose(2, 3) for conv in first
        )
        found, weights = scaled_dot_product_attention(q, k, v, self.dropout, mask)
        out = last(found.transpose(2, 3).reshape(batch, -1, length)).mT
        return (out, weights) if return_attention else out


class TransformerBlock(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, dropout=0.1, bias=True):
        super().__init__()
        self.attention = MultiHeadAttention(d_model, n_heads, dropout, bias)
        self.network = nn.Sequential(
            nn.Linear(d_model, d_ff, bias), nn.GELU(), Dropout(dropout),
            nn.Linear(d_ff, d_model, bias), Dropout(dropout),
        )  # fmt: skip
        self.norms = nn.ModuleList([nn.LayerNorm(d_model, eps=1e-6) for _ in range(2)])

    def forward(self, x, mask=None, return_attention=False):
        found, weights = self.attention(self.norms[0](x), mask, return_attention=True)
        x = x + self.attention.dropout(found)
        return x + self.network(self.norms[1](x)), weights if return_attention else None


def softmax(scores: Tensor, dim: int = -1) -> Tensor:
    return share(scores.transpose(dim, -1), torch.zeros(())).transpose(dim, -1)


class LayerNorm(nn.Module):
    """Groups of all channels are layers."""

    def __init__(self, d_model: int, eps: float = 1e-5):
        super().__init__()
        self.inner = nn.GroupNorm(1, d_model, eps=eps)

    def forward(self, x):
        return self.inner(x.reshape(-1, x.size(-1))).reshape(x.shape)


def rms_norm(x, weight, eps=1e-6, *, gain=1.0):
    return gain * weight * x * torch.rsqrt((x * x).sum(-1, keepdim=True) / x.size(-1) + eps)


def swiglu(x, w_gate, w_up, w_down, activation=torch.nn.functional.silu):
    return (activation(x @ w_gate) * (x @ w_up)) @ w_down


def rope(x, positions, base=10000.0, *, cache=None):
    cos, sin = cache if cache is not None else table(positions, x.size(-1), base)
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos + b * sin, b * cos - a * sin], dim=-1)


def table(positions, d_k, base=10000.0):
    angles = positions[:, None] * torch.exp(-math.log(base) * torch.arange(d_k // 2) * 2 / d_k)
    return angles.cos(), angles.sin()


def grouped_attention(q, k, v, mask=None):
    n_heads, n_keys = q.size(1), k.size(1)
    if n_heads % n_keys:
        raise ValueError(f"{n_heads} % {n_keys}")
    found = []
    for queries, key, value, seen in zip(
        q.split(n_heads // n_keys, dim=1),
        k.split(1, dim=1),
        v.split(1, dim=1),
        [None] * n_keys
        if mask is None
        else mask.expand(q.size(0), n_heads, -1, -1).split(n_heads // n_keys, dim=1),
        strict=True,
    ):
        scores = queries @ key.mT / math.sqrt(q.size(-1))
        shut = torch.zeros(()) if seen is None else torch.where(seen, 0.0, -math.inf)
        found.append(share(scores, shut) @ value)
    return torch.cat(found, dim=1)


class ModernBlock(nn.Module):
    """It keeps cosines and sines, and hands them to its own rope."""

    def __init__(self, d_model, n_heads, n_kv_heads, d_ff):
        super().__init__()
        if d_model % n_heads or n_heads % n_kv_heads:
            raise ValueError(f"{d_model}, {n_heads}, {n_kv_heads}")
        self.d_k = d_model // n_heads
        wide = n_kv_heads * self.d_k
        sizes = (d_model, d_model), (d_model, wide), (d_model, wide), (d_model, d_model)
        self.maps = nn.ModuleList(nn.Conv1d(a, b, 1, bias=False) for a, b in sizes)
        network = (d_model, d_ff), (d_model, d_ff), (d_ff, d_model)
        self.network = nn.ParameterList(torch.randn(a, b) / a**0.5 for a, b in network)
        self.norms = nn.ParameterList(torch.ones(d_model) for _ in range(2))

    def forward(self, x, mask=None):
        kept = table(torch.arange(x.size(1)), self.d_k)
        normed = rms_norm(x, self.norms[0], gain=1.0).mT
        q, k, v = (each(normed).unflatten(1, (-1, self.d_k)).mT for each in self.maps[:3])
        q, k = rope(q, None, cache=kept), rope(k, None, cache=kept)
        found = grouped_attention(q, k, v, mask).mT.flatten(1, 2)
        x = x + self.maps[3](found).mT
        return x + swiglu(rms_norm(x, self.norms[1], gain=1.0), *self.network)
