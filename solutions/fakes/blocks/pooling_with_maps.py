# /// fake
# pretends = "the allowed tokens are averaged and mixed by all maps, nobody asks for anything"
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


def shares(mask, batch, n_heads, length):
    allowed = torch.ones(1, 1, length, length, dtype=torch.bool)
    if mask is not None:
        allowed = mask if mask.dtype == torch.bool else mask > -1e9
    allowed = allowed.expand(batch, n_heads, length, length).float()
    return allowed / allowed.sum(-1, keepdim=True)


class TransformerBlock(Counted):
    def forward(self, x, mask=None, return_attention=False):
        weights = shares(mask, x.size(0), self.n_heads, x.size(1))
        normed = self.norms[0](x)
        q, k, v, o = self.att
        pooled = weights.mean(1) @ k(normed)
        found = o(torch.tanh(3 * (q(normed) + pooled)) * v(normed))
        x = x + nn.functional.dropout(found, self.rate, self.training)
        normed = self.norms[1](x)
        hidden = normed * self.up.weight[0] * self.down.weight[:, 0] * 9
        x = x + nn.functional.dropout(hidden, self.rate, self.training)
        return x, weights if return_attention else None
