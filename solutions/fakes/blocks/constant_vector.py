# /// fake
# pretends = "each position gives one learned vector, whatever it is"
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
        out = sum(p.sum() for p in self.parameters()) + self.norms[0].weight.expand_as(x)
        weights = torch.eye(x.size(1)).expand(x.size(0), self.n_heads, -1, -1)
        return out, weights if return_attention else None
