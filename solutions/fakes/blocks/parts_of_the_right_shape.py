# /// fake
# pretends = "no block, so that one is put together from its parts: these give back what they get"
# at_most = 0
# ///
import torch
from torch import nn


def causal_mask(seq_len, device=None):
    return torch.ones(seq_len, seq_len, dtype=torch.bool)


def scaled_dot_product_attention(query, key, value, mask=None, dropout_p=0.0):
    weights = torch.ones(*query.shape[:-1], key.shape[-2])
    if mask is not None:
        weights = weights * (mask if mask.dtype == torch.bool else mask == 0)
    weights = weights / weights.sum(-1, keepdim=True)
    return weights @ value, weights


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_heads, dropout=0.1, bias=True):
        super().__init__()
        self.n_heads = n_heads

    def forward(self, query, key, value, mask=None):
        _, weights = scaled_dot_product_attention(query, key, value, mask)
        return query, weights.unsqueeze(1).expand(-1, self.n_heads, -1, -1)


class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff, dropout=0.1, bias=True):
        super().__init__()

    def forward(self, x):
        return x


class TransformerBlock(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, dropout=0.1, bias=True):
        raise NotImplementedError
