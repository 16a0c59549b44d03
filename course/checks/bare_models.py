"""A language model with nothing but what `generate` may ask of one, and one that fails."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class BareModel(nn.Module):
    """After token t it is sure of token (factor * t + shift) mod V. It has no parts, no parameters.

    Args:
        vocab_size: number of tokens V.
        factor, shift: what follows.
        max_len: stands there to be read.
    """

    def __init__(self, vocab_size: int, factor: int, shift: int, max_len: int) -> None:
        super().__init__()
        self.max_len = max_len
        self._rule = vocab_size, factor, shift

    def forward(self, tokens: Tensor) -> tuple[Tensor, None]:
        """Turn token ids (B, T) into logits (B, T, V)."""
        vocab_size, factor, shift = self._rule
        following = (tokens * factor + shift) % vocab_size  # (B, T)
        ids = torch.arange(vocab_size, device=tokens.device)  # (V,)
        return 1000.0 * (ids == following.unsqueeze(-1)), None


def failing(model: nn.Module, calls: int) -> list[Any]:
    """Let a model raise once it and its head have been called so often; gives what undoes it."""
    left = [calls]

    def count(*_: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise RuntimeError("the model fails")

    parts = (model, model.get_submodule("lm_head"))
    return [part.register_forward_pre_hook(count) for part in parts]
