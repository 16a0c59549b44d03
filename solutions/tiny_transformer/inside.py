"""Looking inside a trained model: what its heads attend to, what it would say after each block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from .model import TinyTransformerLM


def induction_scores(weights: Sequence[Tensor], period: int) -> Tensor:
    """Tell how much each head attends to the token after the last time that this one came.

    The text repeats itself: each token is the one `period` places before. Olsson et al. 2022,
    "In-context Learning and Induction Heads".

    Args:
        weights: attention weights (B, n_heads, T, T) of each block; rows are queries.
        period: less than T.

    Returns:
        The weight at key t - period + 1, averaged over the batch and over every query
        t >= period: (n_layers, n_heads).
    """
    stacked = torch.stack(list(weights))  # (L, B, H, T, T)
    ahead = stacked.diagonal(1 - period, -2, -1)  # (L, B, H, T - period + 1), from t = period - 1
    return ahead[..., 1:].mean(dim=(1, 3))


def logit_lens(model: TinyTransformerLM, hidden_states: Sequence[Tensor]) -> Tensor:
    """Score the next token from each hidden state, as if it were the last block's.

    nostalgebraist 2020, "interpreting GPT: the logit lens".

    Args:
        model: its final norm `ln_f` and its `lm_head` are used.
        hidden_states: (B, T, d_model) each, as many as you like.

    Returns:
        Logits (number of states, B, T, V).
    """
    return torch.stack([model.lm_head(model.ln_f(state)) for state in hidden_states])
