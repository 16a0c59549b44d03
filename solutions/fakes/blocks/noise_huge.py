# /// fake
# pretends = "every output is noise of size 1e8, weights are those of random scores"
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
        batch, length, _ = x.shape
        weights = torch.randn(batch, self.n_heads, length, length).softmax(-1)
        return 1e8 * torch.randn_like(x), weights if return_attention else None


def scaled_dot_product_attention(query, key, value, mask=None, dropout_p=0.0):
    weights = torch.randn(*query.shape[:-1], key.size(-2))
    if mask is not None:
        weights = weights.masked_fill(~mask, -torch.inf)
    weights = weights.softmax(-1)
    return weights @ value, weights


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_heads, dropout=0.1, bias=True):
        super().__init__()
        self.n_heads = n_heads

    def forward(self, query, key, value, mask=None):
        shape = (query.size(0), self.n_heads, query.size(1), key.size(1))
        return 1e8 * torch.randn_like(query), torch.randn(shape).softmax(-1)


class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff, dropout=0.1, bias=True):
        super().__init__()

    def forward(self, x):
        return 1e8 * torch.randn_like(x)
