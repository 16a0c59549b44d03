# /// fake
# pretends = "the most points without attention: a norm and two maps in a row, no activation; weights are made up"
# at_most = 2
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


def shares(mask, batch, n_heads, length):
    allowed = torch.ones(1, 1, length, length, dtype=torch.bool)
    if mask is not None:
        allowed = mask if mask.dtype == torch.bool else mask > -1e9
    allowed = allowed.expand(batch, n_heads, length, length).float()
    return allowed / allowed.sum(-1, keepdim=True)


class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff, dropout=0.1, bias=True):
        super().__init__()
        self.up, self.down = nn.Linear(d_model, d_ff, bias), nn.Linear(d_ff, d_model, bias)

    def forward(self, x):
        return self.down(self.up(x))


class TransformerBlock(Counted):
    def forward(self, x, mask=None, return_attention=False):
        weights = shares(mask, x.size(0), self.n_heads, x.size(1))
        normed = self.norms[0](x)
        q, k, v, o = self.att
        found = o(torch.tanh(q(normed) + weights.mean(1) @ k(normed)) * v(normed))
        x = x + nn.functional.dropout(found, self.rate, self.training)
        hidden = self.down(self.up(self.norms[1](x)))
        x = x + nn.functional.dropout(hidden, self.rate, self.training)
        return x, weights if return_attention else None
