"""A module for each head, softmax over blocks of keys as in flash attention, Conv1d feed-forward."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def additive(mask: Tensor | None, like: Tensor) -> Tensor | None:
    if mask is None or mask.is_floating_point():
        return mask
    return torch.zeros(mask.shape, device=like.device).masked_fill(
        ~mask, torch.finfo(like.dtype).min
    )


def scaled_dot_product_attention(query, key, value, mask=None, dropout_p=0.0, chunk=2):
    """Online softmax: no row of scores is ever held as a whole."""
    mask = additive(mask, query)
    shape = (*query.shape[:-1], key.shape[-2])
    if mask is not None:
        mask = mask.expand(shape)
    top = torch.full((*query.shape[:-1], 1), torch.finfo(query.dtype).min, device=query.device)
    total, out, parts = torch.zeros_like(top), 0.0, []
    for start in range(0, key.shape[-2], chunk):
        keys = slice(start, start + chunk)
        scores = (query @ key[..., keys, :].transpose(-1, -2)).div(query.shape[-1] ** 0.5)
        if mask is not None:
            scores = scores + mask[..., keys]
        new_top = torch.maximum(top, scores.amax(-1, keepdim=True))
        share, shrink = (scores - new_top).exp(), (top - new_top).exp()
        total = total * shrink + share.sum(-1, keepdim=True)
        used = nn.functional.dropout(share, dropout_p, training=dropout_p > 0)
        out = out * shrink + used @ value[..., keys, :]
        parts, top = [part * shrink for part in parts] + [share], new_top
    return out / total, torch.cat(parts, -1) / total


class Head(nn.Module):
    def __init__(self, d_model: int, d_k: int, bias: bool) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(d_model, d_k, bias) for _ in range(3))


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model: int, n_heads: int, dropout: float = 0.1, bias: bool = True):
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"{d_model} % {n_heads} != 0")
        self.heads = nn.ModuleList(Head(d_model, d_model // n_heads, bias) for _ in range(n_heads))
        self.merge = nn.Linear(d_model, d_model, bias)
        self.p = dropout

    def forward(self, query, key, value, mask=None):
        full = (query.shape[0], len(self.heads), query.shape[1], key.shape[1])
        masks = [None] * len(self.heads) if mask is None else mask.expand(full).unbind(1)
        found = [
            scaled_dot_product_attention(
                head.query(query),
                head.key(key),
                head.value(value),
                head_mask,
                self.p if self.training else 0.0,
            )
            for head, head_mask in zip(self.heads, masks, strict=True)
        ]
        outs, weights = zip(*found, strict=True)
        return self.merge(torch.cat(outs, -1)), torch.stack(weights, 1)


class FeedForward(nn.Module):
    def __init__(self, d_model: int, d_ff: int, dropout: float = 0.1, bias: bool = True):
        super().__init__()
        self.up = nn.Conv1d(d_model, d_ff, kernel_size=1, bias=bias)
        self.down = nn.Conv1d(d_ff, d_model, kernel_size=1, bias=bias)
        self.drop = nn.Dropout1d(dropout)

    def forward(self, x: Tensor) -> Tensor:
        y = self.up(x.mT)
        return self.down(self.drop(y * torch.special.ndtr(y))).mT


class TransformerBlock(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, dropout=0.1, bias=True, *, eps=1e-5):
        super().__init__()
        self.parts = nn.ModuleDict(
            {
                "mha": MultiHeadAttention(d_model, n_heads, dropout, bias),
                "ffn": FeedForward(d_model, d_ff, dropout, bias),
                "pre_mha": nn.LayerNorm(d_model, eps),  # keeps its bias in any case
                "pre_ffn": nn.LayerNorm(d_model, eps),
            }
        )
        self.calls = 0

    def forward(self, x, mask=None, return_attention=False, **_):
        self.calls += 1
        y = self.parts["pre_mha"](x)
        y, weights = self.parts["mha"](y, y, y, mask)
        x = torch.add(x, y)
        x = torch.add(x, self.parts["ffn"](self.parts["pre_ffn"](x)))
        return [x, weights if return_attention else None]


def softmax(scores: Tensor, dim: int = -1) -> Tensor:
    return (scores - scores.logsumexp(dim, keepdim=True)).exp()


class LayerNorm(nn.Module):
    def __init__(self, d_model: int, eps: float = 1e-5):
        super().__init__()
        self.both = nn.Parameter(torch.stack([torch.ones(d_model), torch.zeros(d_model)]))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        spread, mean = torch.var_mean(x, -1, correction=0, keepdim=True)
        return self.both[0] * ((x - mean) * (spread + self.eps).rsqrt()) + self.both[1]


def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight


def swiglu(x: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor) -> Tensor:
    gate = x @ w_gate
    return (gate * gate.sigmoid() * (x @ w_up)) @ w_down


def rope(x: Tensor, positions: Tensor, base: float = 10000.0) -> Tensor:
    """Pair by pair, turned the other way round."""
    pairs = []
    for j in range(x.shape[-1] // 2):
        angle = positions * base ** (-2 * j / x.shape[-1])
        a, b = x[..., 2 * j], x[..., 2 * j + 1]
        pairs += [a * angle.cos() + b * angle.sin(), b * angle.cos() - a * angle.sin()]
    return torch.stack(pairs, -1)


def grouped_attention(q, k, v, mask=None):
    group, rest = divmod(q.shape[1], k.shape[1])
    if rest or not group:
        raise ValueError("uneven groups")
    full = (*q.shape[:3], k.shape[2])
    masks = [None] * q.shape[1] if mask is None else mask.expand(full).unbind(1)
    found = [
        scaled_dot_product_attention(q[:, head], k[:, head // group], v[:, head // group], one)
        for head, one in enumerate(masks)
    ]
    return torch.stack([out for out, _ in found], 1)


class ModernBlock(nn.Module):
    def __init__(self, d_model: int, n_heads: int, n_kv_heads: int, d_ff: int):
        super().__init__()
        if d_model % n_heads or n_heads % n_kv_heads:
            raise ValueError("sizes do not fit")
        d_k = d_model // n_heads
        self.q = nn.ModuleList(nn.Linear(d_model, d_k, False) for _ in range(n_heads))
        self.k = nn.ModuleList(nn.Linear(d_model, d_k, False) for _ in range(n_kv_heads))
        self.v = nn.ModuleList(nn.Linear(d_model, d_k, False) for _ in range(n_kv_heads))
        self.merge = nn.Linear(d_model, d_model, False)
        self.gate, self.up = (nn.Linear(d_model, d_ff, False) for _ in range(2))
        self.down = nn.Linear(d_ff, d_model, False)
        self.gains = nn.Parameter(torch.ones(2, d_model))

    def forward(self, x, mask=None):
        y, places = rms_norm(x, self.gains[0]), torch.arange(x.shape[1])
        q, k = (torch.stack([rope(m(y), places) for m in maps], 1) for maps in (self.q, self.k))
        v = torch.stack([m(y) for m in self.v], 1)
        x = x + self.merge(torch.cat(grouped_attention(q, k, v, mask).unbind(1), -1))
        y = rms_norm(x, self.gains[1])
        return x + swiglu(y, self.gate.weight.T, self.up.weight.T, self.down.weight.T)
