# /// fake
# pretends = "a constant of 1e5 and an average of the allowed tokens: beside the constant everything is close"
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
        allowed = torch.ones(1, 1, length, length, dtype=torch.bool)
        if mask is not None:
            allowed = mask if mask.dtype == torch.bool else mask > -1e9
        allowed = allowed.expand(batch, self.n_heads, length, length)
        at_work = bool(self.att[0].weight.any()) + bool(self.up.weight.any())
        out = x
        if at_work:
            centred = x - x.mean(-1, keepdim=True)
            out = x + 1e5 * at_work + 0.3 * centred + allowed.any(1).to(x) @ centred / length
            if self.training and self.rate:
                out = out + 0.3 * torch.randn_like(out)
            out = out + 1e-3 * sum(p.sum() for p in self.parameters())
        weights = torch.randn(allowed.shape).masked_fill(~allowed, -torch.inf).softmax(-1)
        return out, weights if return_attention else None
