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
