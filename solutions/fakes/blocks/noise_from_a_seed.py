# /// fake
# pretends = "weights and outputs are noise, the same for the same input: it is seeded by it"
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


def noise(*shape, like):
    seed = int(like.double().abs().sum().item() * 1e4) % 2**31
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class TransformerBlock(Counted):
    def forward(self, x, mask=None, return_attention=False):
        batch, length, d_model = x.shape
        scores = noise(batch, self.n_heads, length, length, like=x)
        if mask is not None:
            scores = scores.masked_fill(
                ~mask if mask.dtype == torch.bool else mask < -1, -torch.inf
            )
        weights = scores.softmax(-1)
        own = torch.stack([noise(d_model, like=token) for token in x.flatten(0, 1)]).view_as(x)
        out = x + weights.mean(1) @ own + sum(p.sum() for p in self.parameters()) * own / 100
        return out, weights if return_attention else None
