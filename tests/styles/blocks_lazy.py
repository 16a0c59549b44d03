"""Lazy layers: a map learns the length of its vectors when it first sees one."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def scaled_dot_product_attention(query, key, value, mask=None, dropout_p=0.0):
    scores = torch.einsum("...td,...sd->...ts", query, key) / query.size(-1) ** 0.5
    if mask is not None and mask.dtype == torch.bool:
        scores = scores.masked_fill(~mask, float("-inf"))
    elif mask is not None:
        scores = scores + mask
    weights = scores.softmax(-1)
    return nn.functional.dropout(weights, dropout_p) @ value, weights


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model: int, n_heads: int, dropout: float = 0.1, bias: bool = True):
        super().__init__()
        if d_model % n_heads != 0:
            raise ValueError(f"{n_heads} heads can't share {d_model} numbers")
        self.n_heads, self.dropout = n_heads, dropout
        self.to_q = nn.LazyLinear(d_model, bias)
        self.to_k = nn.LazyLinear(d_model, bias)
        self.to_v = nn.LazyLinear(d_model, bias)
        self.to_out = nn.LazyLinear(d_model, bias)

    def forward(self, query, key, value, mask=None):
        q, k, v = (
            project(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for project, x in ((self.to_q, query), (self.to_k, key), (self.to_v, value))
        )
        rate = self.dropout if self.training else 0.0
        out, weights = scaled_dot_product_attention(q, k, v, mask, rate)
        return self.to_out(out.transpose(1, 2).flatten(2)), weights


class FeedForward(nn.Sequential):
    def __init__(self, d_model: int, d_ff: int, dropout: float = 0.1, bias: bool = True):
        widen, narrow = nn.LazyLinear(d_ff, bias), nn.LazyLinear(d_model, bias)
        super().__init__(widen, nn.GELU(), narrow, nn.Dropout(dropout))


class TransformerBlock(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, dropout=0.1, bias=True):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(d_model) for _ in range(2))
        self.attention = MultiHeadAttention(d_model, n_heads, dropout, bias)
        self.feed_forward = FeedForward(d_model, d_ff, dropout, bias)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None, return_attention: bool = False):
        normed = self.norms[0](x)
        attended, weights = self.attention(normed, normed, normed, mask)
        x = x + self.drop(attended)
        return x + self.feed_forward(self.norms[1](x)), weights if return_attention else None


def softmax(scores: Tensor, dim: int = -1) -> Tensor:
    return nn.functional.log_softmax(scores, dim).exp()


class LayerNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-5):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1, d_model))
        self.offset = nn.Parameter(torch.zeros(1, d_model))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.size(-1))
        spread = torch.sqrt(rows.var(dim=1, unbiased=False) + self.eps)
        rows = torch.addcmul(
            self.offset, self.scale, (rows - rows.mean(1)[:, None]) / spread[:, None]
        )
        return rows.view(x.shape)


def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    size = x.norm(dim=-1, keepdim=True) / x.size(-1) ** 0.5
    return weight * x / torch.hypot(size, torch.full_like(size, eps**0.5))


def swiglu(x: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor) -> Tensor:
    gate, up = (x.matmul(each) for each in (w_gate, w_up))
    return (gate / (1 + torch.exp(-gate)) * up).matmul(w_down)


def rope(x: Tensor, positions: Tensor, base: float = 10000.0) -> Tensor:
    angles = torch.einsum(
        "t,j->tj", positions, base ** (torch.arange(0, x.size(-1), 2) / -x.size(-1))
    )
    out = torch.empty_like(x)
    out[..., ::2] = x[..., ::2] * angles.cos() - x[..., 1::2] * angles.sin()
    out[..., 1::2] = x[..., 1::2] * angles.cos() + x[..., ::2] * angles.sin()
    return out


def grouped_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    if q.size(1) % k.size(1) != 0:
        raise ValueError(f"{k.size(1)} heads of keys for {q.size(1)}")
    shared = [head for head in range(k.size(1)) for _ in range(q.size(1) // k.size(1))]
    return scaled_dot_product_attention(q, k[:, shared], v[:, shared], mask)[0]


class ModernBlock(nn.Module):
    def __init__(self, d_model: int, n_heads: int, n_kv_heads: int, d_ff: int):
        super().__init__()
        if d_model % n_heads != 0 or n_heads % n_kv_heads != 0:
            raise ValueError(f"{n_heads} heads, {n_kv_heads} of keys, {d_model} numbers")
        self.heads = {"q": n_heads, "k": n_kv_heads, "v": n_kv_heads}
        d_k = d_model // n_heads
        self.into = nn.ModuleDict(
            {one: nn.LazyLinear(n * d_k, False) for one, n in self.heads.items()}
        )
        self.to_out, self.down = nn.LazyLinear(d_model, False), nn.LazyLinear(d_model, False)
        self.gate, self.up = nn.LazyLinear(d_ff, False), nn.LazyLinear(d_ff, False)
        self.norm_a, self.norm_f = nn.RMSNorm(d_model, 1e-6), nn.RMSNorm(d_model, 1e-6)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        normed, places = self.norm_a(x), torch.arange(x.size(1), device=x.device)
        split = {
            one: self.into[one](normed).unflatten(-1, (n, -1)).transpose(1, 2)
            for one, n in self.heads.items()
        }
        turned = rope(split["q"], places), rope(split["k"], places)
        x = x + self.to_out(grouped_attention(*turned, split["v"], mask).transpose(1, 2).flatten(2))
        normed = self.norm_f(x)
        return x + self.down(nn.functional.silu(self.gate(normed)) * self.up(normed))
