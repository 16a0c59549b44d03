"""A block that starts as the identity, torch's fused attention where no weights are wanted."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class TransformerBlock(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, dropout=0.1, bias=True):
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"{d_model} numbers for {n_heads} heads")
        self.n_heads, self.rate = n_heads, dropout
        self.norm_a = nn.LayerNorm(d_model, eps=1e-3, bias=bias)
        self.norm_f = nn.LayerNorm(d_model, eps=1e-3, bias=bias)
        self.into = nn.Linear(d_model, 3 * d_model, bias=bias)
        self.out = nn.Linear(d_model, d_model, bias=bias)
        self.up, self.down = (
            nn.Linear(d_model, d_ff, bias=bias),
            nn.Linear(d_ff, d_model, bias=bias),
        )
        for last in (self.out, self.down):
            nn.init.zeros_(last.weight)

    def attend(self, x, mask, wanted):
        q, k, v = (
            part.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for part in self.into(x).chunk(3, -1)
        )
        rate = self.rate if self.training else 0.0
        if not wanted:
            return F.scaled_dot_product_attention(q, k, v, mask, rate), None
        scores = q.double() @ k.double().mT / math.sqrt(q.size(-1))
        if mask is not None:
            scores = (
                scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
            )
        weights = scores.softmax(-1).to(x.dtype)
        return F.dropout(weights, rate) @ v, weights

    def forward(self, x, mask=None, return_attention=False):
        mixed, weights = self.attend(self.norm_a(x), mask, return_attention)
        out = x.clone()
        out += F.dropout(self.out(mixed.transpose(1, 2).flatten(2)), self.rate, self.training)
        hidden = F.dropout(F.gelu(self.up(self.norm_f(out))), self.rate, self.training)
        return out + F.dropout(self.down(hidden), self.rate, self.training), weights
