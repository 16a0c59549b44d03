# /// fake
# pretends = "softmax, norms and a modern block of the right shapes: even shares, vectors as they came"
# at_most = 0
# ///
import torch
from torch import nn


def softmax(scores, dim=-1):
    return torch.full_like(scores, 1 / scores.size(dim))


class LayerNorm(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.gain, self.shift = (nn.Parameter(f(d_model)) for f in (torch.ones, torch.zeros))

    def forward(self, x):
        return (x - x.mean()) / x.std() * self.gain + self.shift


def rms_norm(x, weight, eps=1e-6):
    return x / x.abs().amax(-1, keepdim=True) * weight


def swiglu(x, w_gate, w_up, w_down):
    return x @ w_up @ w_down


def rope(x, positions, base=10000.0):
    return x.roll(1, -1)


def grouped_attention(q, k, v, mask=None):
    if q.size(1) % k.size(1):
        raise ValueError
    return v.mean(-2, keepdim=True).repeat(1, q.size(1) // k.size(1), q.size(2), 1)


class ModernBlock(nn.Module):
    def __init__(self, d_model, n_heads, n_kv_heads, d_ff):
        super().__init__()
        if d_model % n_heads or n_heads % n_kv_heads:
            raise ValueError
        wide = n_kv_heads * d_model // n_heads
        sizes = [(d_model, d_model + wide)] * 2 + [(d_model, d_ff)] * 3
        self.maps = nn.ParameterList(torch.randn(one) for one in sizes)
        self.gains = nn.Parameter(torch.ones(2, d_model))

    def forward(self, x, mask=None):
        return x + torch.arange(x.size(1)).unsqueeze(1) * sum(one.sum() for one in self.maps)
