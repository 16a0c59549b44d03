# /// fake
# pretends = "tokens attend by their own products; maps are only added up"
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
        batch, length, d_model = x.shape
        normed = nn.functional.layer_norm(x, (d_model,))
        scores = (normed @ normed.mT / d_model**0.5).unsqueeze(1).repeat(1, self.n_heads, 1, 1)
        if mask is not None:
            added = (
                torch.zeros(mask.shape).masked_fill(~mask, -torch.inf)
                if mask.dtype == torch.bool
                else mask
            )
            scores = scores + added
        weights = scores.softmax(-1)
        found = weights.mean(1) @ (normed @ sum(linear.weight for linear in self.att))
        x = x + nn.functional.dropout(found, self.rate, self.training)
        inner = nn.functional.gelu(nn.functional.layer_norm(x, (d_model,)))
        inner = inner * self.up.weight.mean(0) * self.down.weight.mean(1) + self.up.weight.sum()
        return x + nn.functional.dropout(
            inner, self.rate, self.training
        ), weights if return_attention else None
