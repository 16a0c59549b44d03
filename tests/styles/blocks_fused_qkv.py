"""A block alone: one map for queries, keys and values, torch's fused attention, zero-started ends."""

import torch
import torch.nn as nn
from torch.nn.functional import scaled_dot_product_attention


class TransformerBlock(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, dropout=0.1, bias=True):
        super().__init__()
        assert d_model % n_heads == 0, "heads must divide the model"
        self.h, self.p = n_heads, dropout
        self.norms = nn.ModuleList(nn.LayerNorm(d_model, bias=bias) for _ in range(2))
        self.qkv = nn.Linear(d_model, 3 * d_model, bias=bias)
        self.proj = nn.Linear(d_model, d_model, bias=bias)
        self.mlp = nn.Sequential(
            nn.Linear(d_model, d_ff, bias=bias),
            nn.GELU(),
            nn.Linear(d_ff, d_model, bias=bias),
            nn.Dropout(dropout),
        )
        for last in (self.proj, self.mlp[2]):  # starts as the identity
            nn.init.zeros_(last.weight)
            if bias:
                nn.init.zeros_(last.bias)

    def forward(self, x, mask=None, return_attention=False):
        b, t, d = x.shape
        n1, n2 = self.norms
        qkv = self.qkv(n1(x)).reshape(b, t, 3, self.h, d // self.h)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind()
        drop = self.p if self.training else 0.0
        y = scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=drop)
        x = x + self.proj(y.permute(0, 2, 1, 3).reshape(b, t, d))
        x = x + self.mlp(n2(x))
        if not return_attention:
            return x, None
        with torch.no_grad():
            scores = q @ k.mT * (d // self.h) ** -0.5
            if mask is not None and mask.dtype == torch.bool:
                scores = scores.masked_fill(mask.logical_not(), float("-inf"))
            elif mask is not None:
                scores = scores + mask
        return x, torch.softmax(scores, -1)


LayerNorm = nn.LayerNorm


def softmax(scores, dim=-1):
    return scores.softmax(dim)


def rms_norm(x, weight, eps=1e-6):
    return nn.functional.rms_norm(x, weight.shape, weight, eps)


def swiglu(x, w_gate, w_up, w_down):
    return torch.mul(nn.functional.silu(x @ w_gate), x @ w_up) @ w_down


def rope(x, positions, base=10000.0):
    """Halves make the pairs, as in most checkpoints."""
    half = x.size(-1) // 2
    angles = positions[:, None] * base ** (-torch.arange(half) / half)
    cos, sin = angles.cos().repeat(1, 2), angles.sin().repeat(1, 2)
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), -1) * sin


def grouped_attention(q, k, v, mask=None):
    assert q.shape[1] % k.shape[1] == 0
    return scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=True)


class ModernBlock(nn.Module):
    def __init__(self, d_model, n_heads, n_kv_heads, d_ff):
        super().__init__()
        assert d_model % n_heads == 0
        assert n_heads % n_kv_heads == 0
        self.d_k = d_model // n_heads
        self.widths = [n_heads * self.d_k] + 2 * [n_kv_heads * self.d_k]
        self.qkv = nn.Linear(d_model, sum(self.widths), bias=False)
        self.proj = nn.Linear(d_model, d_model, bias=False)
        self.up = nn.Linear(d_model, 2 * d_ff, bias=False)
        self.down = nn.Linear(d_ff, d_model, bias=False)
        self.norms = nn.ModuleList(nn.RMSNorm(d_model, eps=1e-6) for _ in range(2))

    def forward(self, x, mask=None):
        b, t, d = x.shape
        parts = self.qkv(self.norms[0](x)).split(self.widths, -1)
        q, k, v = (part.view(b, t, -1, self.d_k).transpose(1, 2) for part in parts)
        q, k = rope(q, torch.arange(t)), rope(k, torch.arange(t))
        x = x + self.proj(grouped_attention(q, k, v, mask).transpose(1, 2).reshape(b, t, d))
        gate, up = self.up(self.norms[1](x)).chunk(2, -1)
        return x + self.down(nn.functional.silu(gate) * up)
