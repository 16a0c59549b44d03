"""The smallest language model that can be trained: a table of logits, and what watches it learn."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LearnedTable(nn.Module):
    """Scores the next token by the last one alone: a trained table (V, V), zeros at the start."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.zeros(vocab_size, vocab_size))

    def forward(self, tokens: Tensor) -> tuple[Tensor, None]:
        """Turn token ids (B, T) into logits (B, T, V)."""
        return self.table[tokens], None


class Diary:
    """Notes with each call what it is called with, and how far the table has gone since the last.

    Attributes:
        steps: what it was called with.
        moves: the largest change of an entry each time.
    """

    def __init__(self, model: LearnedTable) -> None:
        self.model = model
        self.steps: list[int] = []
        self.moves: list[float] = []
        self._last = model.table.detach().clone()

    def note(self, step: int) -> None:
        """A step has been taken."""
        now = self.model.table.detach().clone()
        self.steps.append(step)
        self.moves.append((now - self._last).abs().max().item())
        self._last = now
