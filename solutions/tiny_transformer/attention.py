"""Attention: every position gathers what it needs from the positions it may see."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def softmax(scores: Tensor, dim: int = -1) -> Tensor:
    """Turn scores into shares: none is negative, and along `dim` they add up to 1.

        softmax(z)_i = exp(z_i) / sum_j exp(z_j)

    Scores may be as large as floats are: 1000 and -1000 give shares, not infinity or NaN. A score
    of -inf gives a share of exactly 0. Where all scores along `dim` are -inf there is nothing to
    share: what comes out then is up to you. Gradients are those of the formula.

    Args:
        scores: floats of any shape; left as they are.
        dim: along which the shares add up to 1; a negative one counts from the end.

    Returns:
        Shares, with the shape and the dtype of the scores.
    """
    largest = scores.amax(dim, keepdim=True)  # 1 along dim
    raised = (scores - largest).exp()  # as the scores, at most 1 each
    return raised / raised.sum(dim, keepdim=True)  # as the scores


def causal_mask(seq_len: int, device: torch.device | str | None = None) -> Tensor:
    """Return the mask that hides the future: position t may attend to positions 0 to t.

    Vaswani et al. 2017, "Attention Is All You Need", section 3.2.3.

    Args:
        seq_len: number of positions T.
        device: where the mask lives; None is torch's default device.

    Returns:
        A bool tensor (T, T); row t, column s is True where position t may attend to position s.
    """
    everything = torch.ones(seq_len, seq_len, dtype=torch.bool, device=device)  # (T, T)
    return everything.tril()  # (T, T)


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    dropout_p: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Average the values, weighted by how well each key matches the query.

        Attention(Q, K, V) = softmax(Q K^T / sqrt(d_k)) V

    The softmax runs over the keys: each query's weights add up to 1. Vaswani et al. 2017,
    equation 1.

    Args:
        query: (..., T, d_k), any number of leading dimensions.
        key: (..., S, d_k).
        value: (..., S, d_v).
        mask: None to hide nothing, or a tensor that broadcasts to (..., T, S): a bool mask is
            True where a query may attend to a key; in a float mask 0 allows and -inf forbids.
            Every query is allowed at least one key. (What becomes of other numbers is up to you;
            those of integers 0 and 1, added to the scores, would hide nothing.)
        dropout_p: probability of zeroing each weight before the values are averaged.

    Returns:
        The averaged values (..., T, d_v), and the attention weights (..., T, S): without dropout,
        every row adds up to 1.
    """
    d_k = query.size(-1)
    scores = query @ key.transpose(-2, -1) / math.sqrt(d_k)  # (..., T, S)
    if mask is not None:
        if mask.dtype == torch.bool:
            # Adding, rather than filling, leaves autograd nothing to keep for the backward pass.
            forbidden = torch.zeros_like(mask, dtype=scores.dtype)  # as the mask
            mask = forbidden.masked_fill(~mask, -math.inf)  # as the mask
        elif not mask.is_floating_point():
            raise TypeError(f"mask must be bool or float, not {mask.dtype}")
        scores = scores + mask.to(scores.dtype)  # (..., T, S)
    weights = scores.softmax(dim=-1)  # (..., T, S)
    out = F.dropout(weights, p=dropout_p) @ value  # (..., T, d_v)
    return out, weights
