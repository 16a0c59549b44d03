"""The parts are thin wrappers around torch's own layers; the block is built without them."""

import torch
from torch import nn


def to_additive(mask, batch, n_heads, length, like):
    """torch's layers read a bool mask the other way, and want (B * n_heads, T, T)."""
    if mask is None:
        return None
    if mask.dtype is torch.bool:
        mask = torch.where(mask, 0.0, -torch.inf)
    return mask.to(like).expand(batch, n_heads, length, length).reshape(-1, length, length)


class MultiHeadAttention(nn.MultiheadAttention):
    def __init__(self, d_model, n_heads, dropout=0.1, bias=True):
        super().__init__(d_model, n_heads, dropout=dropout, bias=bias, batch_first=True)

    def forward(self, query, key, value, mask=None):
        if mask is not None:
            size = (query.size(0), self.num_heads, query.size(1), key.size(1))
            blocked = ~mask if mask.dtype is torch.bool else mask
            mask = blocked.expand(size).flatten(0, 1)
        return super().forward(query, key, value, attn_mask=mask, average_attn_weights=False)


class TransformerBlock(nn.TransformerEncoderLayer):
    def __init__(self, d_model, n_heads, d_ff, dropout=0.1, bias=True):
        super().__init__(
            d_model,
            nhead=n_heads,
            dim_feedforward=d_ff,
            dropout=dropout,
            activation="gelu",
            batch_first=True,
            norm_first=True,
            bias=bias,
        )

    def forward(self, x, mask=None, return_attention=False):
        attn = self.self_attn
        mask = to_additive(mask, x.size(0), attn.num_heads, x.size(1), x)
        normed = self.norm1(x)
        y, weights = attn(normed, normed, normed, attn_mask=mask, average_attn_weights=False)
        x = x + self.dropout1(y)
        x = x + self._ff_block(self.norm2(x))
        return (x, weights) if return_attention else (x, None)


def softmax(scores, dim=-1):
    return nn.Softmax(dim)(scores)


class LayerNorm(nn.LayerNorm):
    def __init__(self, d_model, eps=1e-5):
        super().__init__(d_model, eps)


def rms_norm(x, weight, eps=1e-6):
    norm = nn.RMSNorm(x.size(-1), eps, elementwise_affine=False)
    return norm(x) * weight


def swiglu(x, w_gate, w_up, w_down):
    return nn.functional.glu(torch.cat([x @ w_up, x @ w_gate], -1)) * (x @ w_gate) @ w_down


def rope(x, positions, base=10000.0):
    angles = positions.unsqueeze(1) / base ** (torch.arange(0, x.size(-1), 2) / x.size(-1))
    cos, sin = (f(angles).repeat_interleave(2, dim=1) for f in (torch.cos, torch.sin))
    return x * cos + torch.stack([-x[..., 1::2], x[..., ::2]], -1).flatten(-2) * sin


def grouped_attention(q, k, v, mask=None):
    if q.size(1) % k.size(1):
        raise ValueError("uneven")
    return nn.functional.scaled_dot_product_attention(q, k, v, mask, enable_gqa=True)


class ModernBlock(nn.Module):
    def __init__(self, d_model, n_heads, n_kv_heads, d_ff):
        super().__init__()
        if d_model % n_heads or n_heads % n_kv_heads:
            raise ValueError("uneven")
        width = d_model // n_heads
        self.maps = nn.ModuleDict(
            {
                name: nn.Linear(n_in, n_out, bias=False)
                for name, n_in, n_out in (
                    ("q", d_model, d_model),
                    ("k", d_model, width * n_kv_heads),
                    ("v", d_model, width * n_kv_heads),
                    ("o", d_model, d_model),
                    ("gate", d_model, d_ff),
                    ("up", d_model, d_ff),
                    ("down", d_ff, d_model),
                )
            }
        )
        self.split = nn.Unflatten(-1, (-1, width))
        self.norm1, self.norm2 = nn.RMSNorm(d_model, 1e-6), nn.RMSNorm(d_model, 1e-6)

    def forward(self, x, mask=None):
        maps, y, t = self.maps, self.norm1(x), torch.arange(x.size(1))
        q, k, v = (self.split(maps[name](y)).transpose(1, 2) for name in "qkv")
        y = grouped_attention(rope(q, t), rope(k, t), v, mask)
        x = x + maps["o"](y.transpose(1, 2).flatten(2))
        return x + swiglu(self.norm2(x), *(maps[name].weight.T for name in ("gate", "up", "down")))
