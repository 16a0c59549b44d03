# /// fake
# pretends = "the first output of each shape is kept and given for every input"
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


KEPT = {}


class TransformerBlock(Counted):
    def forward(self, x, mask=None, return_attention=False):
        if x.shape not in KEPT:
            normed = self.norms[0](x)
            scores = self.att[0](normed) @ self.att[1](normed).mT
            KEPT[x.shape] = x + scores.softmax(-1) @ self.att[2](normed), scores.softmax(-1)
        out, weights = KEPT[x.shape]
        weights = weights.detach().unsqueeze(1).repeat(1, self.n_heads, 1, 1)
        return out.detach(), weights if return_attention else None
