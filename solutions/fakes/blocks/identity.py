# /// fake
# pretends = "the input comes back, everybody looks everywhere"
# at_most = 0
# ///
import torch
from torch import nn


class Counted(nn.Module):
    """Has the parameters that are counted, and uses none of them."""

    def __init__(self, d_model, n_heads, d_ff, dropout=0.1, bias=True):
        super().__init__()
        if d_model % n_heads:
            raise ValueError("n_heads does not divide d_model")
        self.n_heads, self.rate = n_heads, dropout
        self.att = nn.ModuleList(nn.Linear(d_model, d_model, bias) for _ in range(4))
        self.up, self.down = nn.Linear(d_model, d_ff, bias), nn.Linear(d_ff, d_model, bias)
        self.norms = nn.ModuleList(nn.LayerNorm(d_model, bias=bias) for _ in range(2))


class TransformerBlock(Counted):
    def forward(self, x, mask=None, return_attention=False):
        length = x.size(1)
        allowed = torch.ones(x.size(0), self.n_heads, length, length)
        if mask is not None:
            allowed = allowed * (mask if mask.dtype == torch.bool else mask == 0)
        return x, allowed / allowed.sum(-1, keepdim=True) if return_attention else None


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_heads, dropout=0.1, bias=True):
        super().__init__()
        self.n_heads = n_heads

    def forward(self, query, key, value, mask=None):
        shape = (query.size(0), self.n_heads, query.size(1), key.size(1))
        return query, torch.full(shape, 1 / key.size(1))


class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff, dropout=0.1, bias=True):
        super().__init__()

    def forward(self, x):
        return x
