# /// fake
# pretends = "every part gives nothing of a fitting shape: others stand in for all of them"
# at_most = 0
# ///
import torch
from torch import nn


def causal_mask(seq_len, device=None):
    return None


def scaled_dot_product_attention(query, key, value, mask=None, dropout_p=0.0):
    return torch.zeros(1), torch.zeros(1)


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_heads, dropout=0.1, bias=True):
        super().__init__()

    def forward(self, query, key, value, mask=None):
        return torch.zeros(1), torch.zeros(1)


class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff, dropout=0.1, bias=True):
        super().__init__()

    def forward(self, x):
        return torch.zeros(1)


class TransformerBlock(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, dropout=0.1, bias=True):
        super().__init__()

    def forward(self, x, mask=None, return_attention=False):
        return torch.zeros(1), None
