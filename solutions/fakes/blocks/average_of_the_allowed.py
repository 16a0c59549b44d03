# /// fake
# pretends = "tokens are averaged where the mask allows it; parameters are summed into the output"
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
        normed = nn.functional.layer_norm(x, x.shape[-1:])
        size = sum(p.sum() for p in self.parameters()) / 100
        added = weights.mean(1) @ normed * self.att[0].weight.std()
        added = added + normed**2 * self.up.weight.std() + size
        drop = nn.functional.dropout(added, self.rate, self.training)
        return x + drop, weights if return_attention else None
