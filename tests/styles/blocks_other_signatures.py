"""Parts that are called in their own way, and dropout from a generator of its own."""

import math

import torch
from torch import Tensor, nn


@torch.jit.script
def share(scores: Tensor, mask: Tensor) -> Tensor:
    scores = scores + mask
    return torch.exp(scores - torch.logsumexp(scores, dim=-1, keepdim=True))


def scaled_dot_product_attention(q, k, v, dropout, mask):
    weights = dropout(share(q @ k.transpose(-2, -1) / math.sqrt(q.size(-1)), mask))
    return weights @ v, weights


class Dropout(nn.Module):
    def __init__(self, rate):
        super().__init__()
        self.rate, self.generator = rate, torch.Generator().manual_seed(0)

    def forward(self, x):
        if not self.training or self.rate == 0:
            return x
        kept = torch.rand(x.shape, generator=self.generator).to(x.device) >= self.rate
        return torch.where(kept, x / (1 - self.rate), 0)


class MultiHeadAttention(nn.Module):
    """Self-attention: the mask comes second, and weights only when asked for."""

    def __init__(self, d_model, n_heads, dropout=0.1, bias=True):
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"{n_heads} heads for d_model = {d_model}")
        self.n_heads = n_heads
        self.maps = nn.ModuleList(nn.Conv1d(d_model, d_model, 1, bias=bias) for _ in range(4))
        self.dropout = Dropout(dropout)

    def forward(self, x, mask=None, return_attention=False):
        batch, length, _ = x.shape
        if mask is None:
            mask = x.new_zeros(length, length)
        elif mask.dtype == torch.bool:
            mask = torch.where(mask, 0.0, -math.inf)
        *first, last = self.maps
        q, k, v = (
            conv(x.mT).view(batch, self.n_heads, -1, length).transpose(2, 3) for conv in first
        )
        found, weights = scaled_dot_product_attention(q, k, v, self.dropout, mask)
        out = last(found.transpose(2, 3).reshape(batch, -1, length)).mT
        return (out, weights) if return_attention else out


class TransformerBlock(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, dropout=0.1, bias=True):
        super().__init__()
        self.attention = MultiHeadAttention(d_model, n_heads, dropout, bias)
        self.network = nn.Sequential(
            nn.Linear(d_model, d_ff, bias), nn.GELU(), Dropout(dropout),
            nn.Linear(d_ff, d_model, bias), Dropout(dropout),
        )  # fmt: skip
        self.norms = nn.ModuleList([nn.LayerNorm(d_model, eps=1e-6) for _ in range(2)])

    def forward(self, x, mask=None, return_attention=False):
        found, weights = self.attention(self.norms[0](x), mask, return_attention=True)
        x = x + self.attention.dropout(found)
        return x + self.network(self.norms[1](x)), weights if return_attention else None
