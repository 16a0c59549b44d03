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
