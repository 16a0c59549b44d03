"""All gains in one parameter, all shifts in another, torch's attention as a plain function."""

import torch
import torch.nn.functional as F
from torch import nn


class TransformerBlock(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, dropout=0.1, bias=True):
        super().__init__()
        assert d_model % n_heads == 0
        self.d_model, self.n_heads, self.rate = d_model, n_heads, dropout
        self.gains = nn.Parameter(torch.ones(2, d_model))
        self.shifts = nn.Parameter(torch.zeros(2, d_model))
        shapes = {
            "into": (3 * d_model, d_model),
            "out": (d_model, d_model),
            "up": (d_ff, d_model),
            "down": (d_model, d_ff),
        }
        for name, shape in shapes.items():
            matrix = nn.init.xavier_uniform_(torch.empty(shape))
            self.register_parameter(name, nn.Parameter(matrix))
            vector = nn.Parameter(torch.zeros(shape[0])) if bias else None
            self.register_parameter(f"{name}_bias", vector)

    def normalise(self, x, number):
        return F.layer_norm(x, (self.d_model,), self.gains[number], self.shifts[number])

    def drop(self, x):
        return F.dropout(x, self.rate, self.training)

    def attend(self, x, mask):  # x (T, B, d_model)
        n_positions, batch, _ = x.shape
        if mask is not None:
            mask = mask.broadcast_to(batch, self.n_heads, n_positions, n_positions).flatten(0, 1)
            mask = ~mask if mask.dtype == torch.bool else mask
        return F.multi_head_attention_forward(
            x, x, x, self.d_model, self.n_heads, self.into, self.into_bias, None, None, False,
            self.rate, self.out, self.out_bias, training=self.training, attn_mask=mask,
            average_attn_weights=False,
        )  # fmt: skip

    def forward(self, x, mask=None, return_attention=False):
        found, weights = self.attend(self.normalise(x, 0).transpose(0, 1), mask)
        x = x + self.drop(found.transpose(0, 1))
        hidden = F.gelu(F.linear(self.normalise(x, 1), self.up, self.up_bias))
        x = x + self.drop(F.linear(self.drop(hidden), self.down, self.down_bias))
        return x, weights if return_attention else None


def softmax(scores, dim=-1):
    """By a running maximum and sum, as in flash attention: no second pass over the scores."""
    lines = scores.movedim(dim, 0)
    top, total = (
        torch.full_like(lines[0], torch.finfo(scores.dtype).min),
        torch.zeros_like(lines[0]),
    )
    for line in lines:
        new = torch.maximum(top, line)
        total = total * (top - new).exp() + (line - new).exp()
        top = new
    return ((lines - top).exp() / total).movedim(0, dim)


class LayerNorm(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.register_parameter("w", nn.Parameter(torch.ones(d_model)))
        self.register_parameter("b", nn.Parameter(torch.zeros(d_model)))
        self.eps = eps

    def forward(self, x):
        return F.layer_norm(x, self.w.shape, self.w, self.b, self.eps)


def rms_norm(x, weight, eps=1e-6):
    return (x.double() * (x.double().square().mean(-1, True) + eps) ** -0.5).to(x.dtype) * weight


def swiglu(x, w_gate, w_up, w_down):
    gate, up = torch.stack([x, x]) @ torch.stack([w_gate, w_up]).view(
        2, *[1] * (x.dim() - 2), *w_up.shape
    )
    return F.silu(gate).mul(up) @ w_down


def rope(x, positions, base=10000.0):
    d_k = x.size(-1)
    angles = (positions.double()[:, None] * base ** (-torch.arange(0, d_k, 2).double() / d_k)).to(x)
    turns = torch.stack([angles.cos(), -angles.sin(), angles.sin(), angles.cos()], -1)
    matrices = turns.unflatten(-1, (2, 2))  # (T, d_k / 2, 2, 2)
    return (matrices @ x.unflatten(-1, (-1, 2)).unsqueeze(-1)).flatten(-3)


def grouped_attention(q, k, v, mask=None):
    assert q.size(1) % k.size(1) == 0
    times = q.size(1) // k.size(1)
    k, v = (t.unsqueeze(2).expand(-1, -1, times, -1, -1).flatten(1, 2) for t in (k, v))
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


class ModernBlock(nn.Module):
    """All that maps vectors stands in one parameter of rows."""

    def __init__(self, d_model, n_heads, n_kv_heads, d_ff):
        super().__init__()
        assert d_model % n_heads == 0
        assert n_heads % n_kv_heads == 0
        self.d_k = d_model // n_heads
        self.attending = [d_model, n_kv_heads * self.d_k, n_kv_heads * self.d_k, d_model]
        self.rows = nn.Parameter(torch.randn(sum(self.attending), d_model) / d_model**0.5)
        self.network = nn.Parameter(torch.randn(3, d_ff, d_model) / d_model**0.5)
        self.gains = nn.Parameter(torch.ones(2, d_model))

    def forward(self, x, mask=None):
        *into, last = self.rows.split(self.attending)
        normed, places = rms_norm(x, self.gains[0]), torch.arange(x.size(1))
        q, k, v = (F.linear(normed, w).unflatten(-1, (-1, self.d_k)).transpose(1, 2) for w in into)
        found = grouped_attention(rope(q, places), rope(k, places), v, mask)
        x = x + F.linear(found.transpose(1, 2).flatten(2), last)
        gate, up, down = self.network
        return x + swiglu(rms_norm(x, self.gains[1]), gate.T, up.T, down)
