"""The feed-forward network: what each position does with what it gathered."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class FeedForward(nn.Module):
    """Widen each position to `d_ff`, apply GELU, and narrow it to `d_model` again.

        FFN(x) = GELU(x W1 + b1) W2 + b2

    Each position is computed alone, all with the same weights. GELU is the exact one, with the
    error function, not the tanh approximation. Vaswani et al. 2017, equation 2, with the
    activation of Hendrycks and Gimpel 2016, "Gaussian Error Linear Units".

    Args:
        d_model: length of each vector.
        d_ff: width in the middle, usually 4 * d_model.
        dropout: probability of zeroing each activation between the two maps while training; in
            `eval()` mode nothing is dropped.
        bias: whether the two linear maps add a bias.
    """

    def __init__(self, d_model: int, d_ff: int, dropout: float = 0.1, bias: bool = True) -> None:
        super().__init__()
        self.widen = nn.Linear(d_model, d_ff, bias=bias)
        self.narrow = nn.Linear(d_ff, d_model, bias=bias)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Transform each position.

        Args:
            x: vectors (B, T, d_model).

        Returns:
            Vectors (B, T, d_model).
        """
        hidden = F.gelu(self.widen(x))  # (B, T, d_ff)
        out: Tensor = self.narrow(self.dropout(hidden))  # (B, T, d_model)
        return out
