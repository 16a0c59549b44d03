"""Bare parameters with three dimensions, einsum, an own LayerNorm, GELU from the error function."""

from typing import NamedTuple

import torch
from torch import nn

einsum = torch.einsum


class BlockResult(NamedTuple):
    x: torch.Tensor
    attention: "torch.Tensor | None"


def scaled_dot_product_attention(query, key, value, mask=None, *, dropout=None):
    scores = einsum("...td,...sd->...ts", query / query.shape[-1] ** 0.5, key)
    if mask is not None:
        if mask.dtype == torch.bool:
            scores = torch.where(mask, scores, torch.full_like(scores, -1e9))
        else:
            scores = scores + mask
    scores = scores - scores.amax(-1, keepdim=True)
    weights = scores.exp() / scores.exp().sum(-1, keepdim=True)
    kept = dropout(weights) if dropout is not None else weights
    return einsum("...ts,...sd->...td", kept, value), weights


class Norm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1, 1, size))
        self.shift = nn.Parameter(torch.zeros(1, 1, size))

    def forward(self, x):
        mean = x.mean(-1, keepdim=True)
        var = ((x - mean) ** 2).mean(-1, keepdim=True)
        return (x - mean) * torch.rsqrt(var + 1e-6) * self.gain + self.shift


class MultiHeadAttention(nn.Module):
    """Self-attention alone: it is called with one tensor."""

    def __init__(self, d_model, n_heads, dropout, bias):
        super().__init__()
        if d_model % n_heads:
            raise ValueError("d_model must be a multiple of n_heads")
        d_k = d_model // n_heads
        self.w_qkv = nn.Parameter(torch.randn(3, n_heads, d_model, d_k) * 0.02)
        self.w_out = nn.Parameter(torch.randn(n_heads, d_k, d_model) * 0.02)
        if bias:
            self.b_qkv = nn.Parameter(torch.zeros(3, n_heads, 1, d_k))
            self.b_out = nn.Parameter(torch.zeros(d_model))
        self.use_bias = bias
        self.drop = nn.Dropout(dropout)

    def forward(self, x, mask):
        qkv = einsum("btd,chdk->cbhtk", x, self.w_qkv)
        if self.use_bias:
            qkv = qkv + self.b_qkv.unsqueeze(1)
        mixed, weights = scaled_dot_product_attention(*qkv, mask, dropout=self.drop)
        out = einsum("bhtk,hkd->btd", mixed, self.w_out)
        return (out + self.b_out if self.use_bias else out), weights


class TransformerBlock(nn.Module):
    def __init__(
        self, d_model: int, n_heads: int, d_ff: int, dropout: float = 0.1, bias: bool = True
    ) -> None:
        super().__init__()
        self.attend = MultiHeadAttention(d_model, n_heads, dropout, bias)
        self.norm_a, self.norm_f = Norm(d_model), Norm(d_model)
        self.w_in = nn.Parameter(torch.randn(d_model, d_ff) * 0.02)
        self.w_down = nn.Parameter(torch.randn(d_ff, d_model) * 0.02)
        self.b_in = nn.Parameter(torch.zeros(d_ff)) if bias else 0.0
        self.b_down = nn.Parameter(torch.zeros(d_model)) if bias else 0.0
        self.rate = dropout

    def drop(self, x):
        if not self.training or self.rate == 0:
            return x
        return x * (torch.rand_like(x) >= self.rate) / (1 - self.rate)

    def forward(self, x, mask=None, return_attention=False):
        y, weights = self.attend(self.norm_a(x), mask)
        x = x + self.drop(y)
        inner = self.norm_f(x) @ self.w_in + self.b_in
        inner = 0.5 * inner * (1 + torch.erf(inner * 0.5**0.5))
        x = x + self.drop(inner @ self.w_down + self.b_down)
        return BlockResult(x, weights if return_attention else None)


def softmax(scores, dim=-1):
    grown = torch.exp(scores - torch.max(scores, dim, keepdim=True).values)
    return torch.div(grown, torch.sum(grown, dim, keepdim=True))


class LayerNorm(Norm):
    """The norm from above, with an epsilon that can be chosen."""

    def __init__(self, d_model, eps=1e-5):
        super().__init__(d_model)
        self.eps = eps

    def forward(self, x):
        away = x - x.mean(-1, keepdim=True)
        size = einsum("...d,...d->...", away, away) / x.shape[-1]
        gain, shift = self.gain.flatten(), self.shift.flatten()
        return away / torch.sqrt(size + self.eps)[..., None] * gain + shift


def rms_norm(x, weight, eps=1e-6):
    size = einsum("...d,...d->...", x, x) / x.shape[-1]
    return einsum("...d,...,d->...d", x, torch.rsqrt(size + eps), weight)


def swiglu(x, w_gate, w_up, w_down):
    gate, up = einsum("...d,df->...f", x, w_gate), einsum("...d,df->...f", x, w_up)
    return einsum("...f,...f,fd->...d", torch.nn.functional.silu(gate), up, w_down)


def rope(x, positions, base=10000.0):
    """The first half is one number of each pair, the last half, backwards, the other."""
    half = x.shape[-1] // 2
    angle = einsum("t,j->tj", positions.float(), base ** -(torch.arange(half) / half))
    a, b = x[..., :half], x[..., half:].flip(-1)
    first, last = a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()
    return torch.cat([first, last.flip(-1)], -1)


def grouped_attention(q, k, v, mask=None):
    if q.shape[1] % k.shape[1] or q.shape[1] < k.shape[1]:
        raise ValueError("query heads must be a multiple of the others")
    q = q.reshape(q.shape[0], k.shape[1], -1, *q.shape[2:])  # (B, n_kv, group, T, d_k)
    scores = einsum("bngtk,bnsk->bngts", q, k) / q.shape[-1] ** 0.5
    if mask is not None:
        while mask.dim() < 4:
            mask = mask[None]
        if mask.shape[1] > 1:
            mask = mask.reshape(mask.shape[0], k.shape[1], -1, *mask.shape[2:])
        else:
            mask = mask[:, :, None]
        scores = torch.where(mask, scores, torch.full_like(scores, -1e30))
    return einsum("bngts,bnsv->bngtv", scores.softmax(-1), v).flatten(1, 2)


class ModernBlock(nn.Module):
    def __init__(self, d_model: int, n_heads: int, n_kv_heads: int, d_ff: int) -> None:
        super().__init__()
        if d_model % n_heads or n_heads % n_kv_heads:
            raise ValueError("sizes must divide each other")
        d_k = d_model // n_heads
        self.w_q = nn.Parameter(torch.randn(n_heads, d_model, d_k) * 0.02)
        self.w_kv = nn.Parameter(torch.randn(2, n_kv_heads, d_model, d_k) * 0.02)
        self.w_out = nn.Parameter(torch.randn(n_heads, d_k, d_model) * 0.02)
        self.w_in = nn.Parameter(torch.randn(2, d_model, d_ff) * 0.02)
        self.w_down = nn.Parameter(torch.randn(d_ff, d_model) * 0.02)
        self.gains = nn.Parameter(torch.ones(2, 1, d_model))

    def forward(self, x, mask=None):
        y, places = rms_norm(x, self.gains[0, 0]), torch.arange(x.shape[1])
        q = rope(einsum("btd,hdk->bhtk", y, self.w_q), places)
        k, v = einsum("btd,cndk->cbntk", y, self.w_kv)
        found = grouped_attention(q, rope(k, places), v, mask)
        x = x + einsum("bhtk,hkd->btd", found, self.w_out)
        return x + swiglu(rms_norm(x, self.gains[1, 0]), *self.w_in, self.w_down)
