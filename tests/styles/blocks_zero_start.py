"""A block that starts as the identity, torch's fused attention where no weights are wanted."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class TransformerBlock(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, dropout=0.1, bias=True):
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"{d_model} numbers for {n_heads} heads")
        self.n_heads, self.rate = n_heads, dropout
        self.norm_a = nn.LayerNorm(d_model, eps=1e-3, bias=bias)
        self.norm_f = nn.LayerNorm(d_model, eps=1e-3, bias=bias)
        self.into = nn.Linear(d_model, 3 * d_model, bias=bias)
        self.out = nn.Linear(d_model, d_model, bias=bias)
        self.up, self.down = (
            nn.Linear(d_model, d_ff, bias=bias),
            nn.Linear(d_ff, d_model, bias=bias),
        )
        for last in (self.out, self.down):
            nn.init.zeros_(last.weight)

    def attend(self, x, mask, wanted):
        q, k, v = (
            part.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for part in self.into(x).chunk(3, -1)
        )
        rate = self.rate if self.training else 0.0
        if not wanted:
            return F.scaled_dot_product_attention(q, k, v, mask, rate), None
        scores = q.double() @ k.double().mT / math.sqrt(q.size(-1))
        if mask is not None:
            scores = (
                scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
            )
        weights = scores.softmax(-1).to(x.dtype)
        return F.dropout(weights, rate) @ v, weights

    def forward(self, x, mask=None, return_attention=False):
        mixed, weights = self.attend(self.norm_a(x), mask, return_attention)
        out = x.clone()
        out += F.dropout(self.out(mixed.transpose(1, 2).flatten(2)), self.rate, self.training)
        hidden = F.dropout(F.gelu(self.up(self.norm_f(out))), self.rate, self.training)
        return out + F.dropout(self.down(hidden), self.rate, self.training), weights


def softmax(scores, dim=-1):
    """Over a copy whose last dimension is `dim`, in double precision."""
    rows = scores.double().movedim(dim, -1)
    top = rows.max(-1, keepdim=True).values
    raised = torch.where(rows == -math.inf, 0.0, torch.exp(rows - top))
    return (raised / raised.sum(-1, keepdim=True)).movedim(-1, dim).to(scores.dtype)


class LayerNorm(nn.LayerNorm):
    """Torch's own, which may be told what its arguments are called."""

    def __init__(self, d_model, eps=1e-5):
        super().__init__(normalized_shape=(d_model,), eps=eps)


def rms_norm(x, weight, eps=1e-6):
    return F.normalize(x, dim=-1) * weight * (x.square().mean(-1, True) / (
        x.square().mean(-1, True) + eps)).sqrt() * math.sqrt(x.size(-1))  # fmt: skip


def swiglu(x, w_gate, w_up, w_down):
    hidden = x @ torch.cat([w_gate, w_up], 1)
    gate, up = hidden.tensor_split(2, -1)
    return F.linear(F.silu(gate) * up, w_down.T)


def rope(x, positions, base=10000.0):
    """The rotation written out as one matrix for each position."""
    d_k = x.size(-1)
    skew = x.new_zeros(d_k, d_k)
    for j in range(0, d_k, 2):
        skew[j, j + 1], skew[j + 1, j] = base ** (-j / d_k), -(base ** (-j / d_k))
    turns = torch.linalg.matrix_exp(positions.view(-1, 1, 1).double() * skew.double())
    return (x.unsqueeze(-2) @ turns.to(x.dtype)).squeeze(-2)


def grouped_attention(q, k, v, mask=None):
    n_heads, n_kv = q.size(1), k.size(1)
    if n_heads % n_kv:
        raise ValueError(f"{n_kv} do not divide {n_heads}")
    group = n_heads // n_kv
    scores = q.unflatten(1, (n_kv, group)) @ k.unsqueeze(2).mT / math.sqrt(q.size(-1))
    if mask is not None:
        mask = mask.expand(q.size(0), n_heads, q.size(2), k.size(2)).unflatten(1, (n_kv, group))
        scores = scores.masked_fill(~mask, -math.inf)
    return (scores.softmax(-1) @ v.unsqueeze(2)).flatten(1, 2)


class ModernBlock(nn.Module):
    def __init__(self, d_model, n_heads, n_kv_heads, d_ff):
        super().__init__()
        for whole, part in ((d_model, n_heads), (n_heads, n_kv_heads)):
            if whole % part:
                raise ValueError(f"{part} does not divide {whole}")
        self.heads = (n_heads, n_kv_heads, n_kv_heads)
        d_k = d_model // n_heads
        self.into = nn.ModuleList(nn.Linear(d_model, d_k * n, bias=False) for n in self.heads)
        self.out = nn.Linear(d_model, d_model, bias=False)
        self.gate = nn.Parameter(torch.randn(d_model, d_ff) * 0.02)
        self.up = nn.Parameter(torch.randn(d_model, d_ff) * 0.02)
        self.down = nn.Parameter(torch.zeros(d_ff, d_model))
        nn.init.zeros_(self.out.weight)
        self.first, self.second = (nn.Parameter(torch.ones(d_model)) for _ in range(2))

    def forward(self, x, mask=None):
        normed, places = rms_norm(x, self.first), torch.arange(x.size(1))
        q, k, v = (
            each(normed).unflatten(-1, (n, -1)).transpose(1, 2)
            for each, n in zip(self.into, self.heads, strict=True)
        )
        mixed = grouped_attention(rope(q, places), rope(k, places), v, mask)
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        return x + swiglu(rms_norm(x, self.second), self.gate, self.up, self.down)
