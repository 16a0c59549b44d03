"""Training: one text by heart, and the parts of a training after which a model generalises."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

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


def get_batch(tokens: Tensor, batch_size: int, length: int) -> tuple[Tensor, Tensor]:
    """Cut random pieces out of a text.

    Args:
        tokens: the text, ids (N,).
        batch_size: number of pieces B; each begins anywhere, independently of the others.
        length: number of tokens T in each piece.

    Returns:
        Inputs (B, T), and targets (B, T): at each place the token after the input's.

    Raises:
        ValueError: the text has fewer than T + 1 tokens.
    """
    if len(tokens) <= length:
        raise ValueError(f"{len(tokens)} tokens are too few for pieces of {length} and one more")
    starts = torch.randint(len(tokens) - length, (batch_size, 1))  # (B, 1)
    pieces = tokens[starts + torch.arange(length + 1)]  # (B, T + 1)
    return pieces[:, :-1], pieces[:, 1:]


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    """Average -ln softmax(logits)[target] over the targets that count.

    Args:
        logits: (B, T, V), of any size: those of a sure model must not overflow.
        targets: ids (B, T).
        ignore_index: what stands in place of a target that does not count.

    Returns:
        The mean, a tensor () to call `backward` on.
    """
    counts = targets != ignore_index  # (B, T)
    logits, targets = logits[counts], targets[counts]  # (N, V), (N,)
    chosen = logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1)  # (N,)
    return (logits.logsumexp(dim=-1) - chosen).mean()


def clip_gradients(parameters: Iterable[nn.Parameter], max_norm: float) -> float:
    """Shorten the gradient, if it is longer than `max_norm`, to that length.

    Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent neural networks",
    algorithm 1.

    Args:
        parameters: those whose `grad` is changed, in place; all of them are one long vector. A
            `grad` of None is left out.
        max_norm: the length that is allowed.

    Returns:
        The gradient's length before.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = math.hypot(*(float(gradient.norm()) for gradient in gradients))  # 0 if there is none
    for gradient in gradients:
        gradient.mul_(min(1.0, max_norm / (norm + 1e-6)))  # the norm may be 0
    return norm


def adamw_step(
    parameters: Iterable[nn.Parameter],
    state: dict[Any, Any],
    learning_rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> None:
    """Take one step of AdamW.

    Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2.

    Args:
        parameters: changed in place, by what stands in `grad`; those whose `grad` is None stay.
        state: what is remembered from step to step, yours to fill; empty before the first.
        learning_rate: of this step.
        betas: of the averages m and v.
        eps: is added to the root of v.
        weight_decay: lambda.
    """
    beta_1, beta_2 = betas
    state["n"] = n = state.get("n", 0) + 1
    with torch.no_grad():
        for p in parameters:
            if p.grad is None:
                continue
            m, v = state.setdefault(p, (torch.zeros_like(p), torch.zeros_like(p)))
            m.lerp_(p.grad, 1 - beta_1)
            v.lerp_(p.grad**2, 1 - beta_2)
            quotient = m / (1 - beta_1**n) / ((v / (1 - beta_2**n)).sqrt() + eps)
            p.sub_(learning_rate * (quotient + weight_decay * p))


def learning_rate_at(
    step: int, n_steps: int, peak: float, warmup: int = 0, floor: float = 0.0
) -> float:
    """Return the learning rate of a step: a linear warm-up, then half a cosine.

    Loshchilov and Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts", equation 5.

    Args:
        step: its number, from 0 on.
        n_steps: when the rate has come down to `floor`, where it stays.
        peak: the highest rate.
        warmup: number of steps on the way up, fewer than `n_steps`: equal parts of the peak are
            added, the first in step 0, and the last of these steps has all of it.
        floor: the lowest rate after the peak.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = min((step - warmup) / (n_steps - warmup), 1.0)
    return floor + (peak - floor) * (1 + math.cos(math.pi * progress)) / 2


def validation_loss(model: nn.Module, tokens: Tensor, length: int) -> float:
    """Average -ln p(token) over a text, of which the model reads one piece after the other.

    Args:
        model: `model(tokens)[0]` are logits (B, T, V).
        tokens: the text, ids (N,).
        length: number of inputs in a piece; the last piece may have fewer. Each token but the
            first is a target once, and all count alike.

    Returns:
        The mean in nats a token.
    """
    total = 0.0
    with torch.no_grad():
        inputs_of, targets_of = torch.split(tokens[:-1], length), torch.split(tokens[1:], length)
        for inputs, targets in zip(inputs_of, targets_of, strict=True):  # (T,) each
            logits = model(inputs.unsqueeze(0))[0]  # (1, T, V)
            total += F.cross_entropy(logits[0], targets, reduction="sum").item()
    return total / (len(tokens) - 1)


def train(
    model: nn.Module,
    tokens: Tensor,
    n_steps: int = 600,
    batch_size: int = 32,
    length: int = 24,
    peak: float = 1e-2,
    after_step: Callable[[int], object] | None = None,
) -> list[float]:
    """Train a model on random pieces of a text, with AdamW.

    Args:
        model: trained in place; `model(tokens)[0]` are logits (B, T, V).
        tokens: the text, ids (N,).
        n_steps: number of steps, each on a batch of its own.
        batch_size: number of pieces in a batch.
        length: number of inputs in a piece.
        peak: the highest learning rate, after a warm-up of a tenth of the steps.
        after_step: called with the number of each step, from 0 on, when it has been taken.

    Returns:
        The loss of each step's batch.
    """
    parameters, state = list(model.parameters()), {}  # type: ignore[var-annotated]
    losses = []
    for step in range(n_steps):
        inputs, targets = get_batch(tokens, batch_size, length)  # (B, T) each
        loss = cross_entropy(model(inputs)[0], targets)
        model.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        clip_gradients(parameters, 1.0)
        adamw_step(parameters, state, learning_rate_at(step, n_steps, peak, n_steps // 10))
        losses.append(loss.item())
        if after_step is not None:
            after_step(step)
    return losses
