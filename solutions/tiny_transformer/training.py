"""The smallest training there is: one text, again and again, until the model knows it by heart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from .model import TinyTransformerLM


def overfit(
    model: TinyTransformerLM, tokens: Tensor, n_steps: int = 300, learning_rate: float = 3e-3
) -> list[float]:
    """Train a model on one text until it can repeat it.

    At every position, the model scores the token that comes next in the text: cross-entropy,
    averaged over the positions, minimised by AdamW (Loshchilov and Hutter 2019, algorithm 2). A
    model that has learned the text continues its beginning with the rest, token for token, when
    always the most probable token is taken. That is the test to pass. A low loss is none: a model
    that can see the token it should predict has a lower loss, and may repeat nothing.

    Args:
        model: trained in place, in training mode; every module's training flag is afterwards what
            it was before.
        tokens: the text, ids (T,), int64; T at least 2 and at most `model.max_len + 1`.
        n_steps: how many times the model sees the text.
        learning_rate: AdamW's, in every step.

    Returns:
        The loss before each step.
    """
    inputs, targets = tokens[:-1].unsqueeze(0), tokens[1:].unsqueeze(0)  # (1, T - 1) each
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    training = [(module, module.training) for module in model.modules()]
    model.train()
    losses = []
    for _ in range(n_steps):
        logits, _ = model(inputs)  # (1, T - 1, V)
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    for module, flag in training:
        module.training = flag
    return losses
