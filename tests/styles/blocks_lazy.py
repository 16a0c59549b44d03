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
