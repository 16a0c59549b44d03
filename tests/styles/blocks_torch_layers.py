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
