"""Layer normalisation: every vector is brought to the same size before somebody reads it."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LayerNorm(nn.Module):
    """Give each vector mean 0 and variance 1, then stretch and shift its places as was learned.

        LayerNorm(x) = (x - mean) / sqrt(variance + eps) * gain + shift

    Mean and variance are those of the d_model numbers of one vector. The variance is the mean of
    the squared distances from the mean: it divides by d_model, not by d_model - 1. Gain (γ) and
    shift (β) are parameters, d_model numbers each: gains start at 1, shifts at 0.

    Ba et al. 2016, "Layer Normalization", section 3.

    Args:
        d_model: length of each vector.
        eps: added to the variance, inside the root, so that a vector of equal numbers is no
            division by zero.
    """

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.gain = nn.Parameter(torch.ones(d_model))  # (d_model,)
        self.shift = nn.Parameter(torch.zeros(d_model))  # (d_model,)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each vector by itself.

        Args:
            x: vectors (..., d_model), any number of leading dimensions; left as they are.

        Returns:
            Vectors (..., d_model).
        """
        centred = x - x.mean(dim=-1, keepdim=True)  # (..., d_model)
        variance = centred.square().mean(dim=-1, keepdim=True)  # (..., 1)
        return centred / (variance + self.eps).sqrt() * self.gain + self.shift  # (..., d_model)
