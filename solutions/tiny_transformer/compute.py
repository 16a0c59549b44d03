"""What a model costs to run and to train: operations, the best use of a budget, utilization."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .model import TinyTransformerLM


def estimate_flops(model: TinyTransformerLM, batch_size: int, seq_len: int) -> dict[str, int]:
    """Count the floating-point operations of one forward and one backward pass.

    A product of matrices (m, k) and (k, n) takes 2 * m * k * n operations: m * n * k times a
    multiplication and an addition. Nothing else is counted: no biases, norms, softmax, GELU and
    embedding. Forbidden positions are computed like all others. In the backward pass each product
    takes two of the same size: one for the gradient of each factor.

    Args:
        model: gives the sizes vocab_size, d_model, n_layers and d_ff.
        batch_size: number of sequences B.
        seq_len: number of tokens T in each.

    Returns:
        Numbers of operations by name, those of all blocks together: "projections" (the maps to
        queries, keys and values, and the output map), "scores" (queries by keys), "weighted_sum"
        (weights by values), "feedforward" (both maps), "head" (`lm_head`), "forward" (the five
        added), and "backward".
    """
    positions = batch_size * seq_len  # B * T
    attended = model.n_layers * 2 * positions * seq_len * model.d_model  # H heads of d_k: d_model
    parts = {
        "projections": model.n_layers * 4 * 2 * positions * model.d_model**2,
        "scores": attended,  # (T, d_k) by (d_k, T), in each head
        "weighted_sum": attended,  # (T, T) by (T, d_k), in each head
        "feedforward": model.n_layers * 2 * 2 * positions * model.d_model * model.d_ff,
        "head": 2 * positions * model.d_model * model.vocab_size,
    }
    forward = sum(parts.values())
    return {**parts, "forward": forward, "backward": 2 * forward}


def chinchilla_optimum(budget: float) -> tuple[float, float]:
    """Split a training budget between a model's size and its data.

    With N parameters and D tokens, training takes 6 * N * D operations, and about 20 tokens a
    parameter give the lowest loss: Hoffmann et al. 2022, "Training Compute-Optimal Large Language
    Models", section 3.

    Args:
        budget: number of floating-point operations.

    Returns:
        (N, D), which use up the budget with 20 tokens a parameter; neither is rounded.
    """
    n_parameters = math.sqrt(budget / (6 * 20))
    return n_parameters, 20 * n_parameters


def model_flops_utilization(
    n_parameters: float,
    n_layers: int,
    n_heads: int,
    d_head: int,
    seq_len: int,
    tokens_per_s: float,
    peak: float,
) -> float:
    """Compute the share of a machine's peak that training makes use of.

    Each token is worth 6 operations for each parameter, and 12 for each layer, each element of
    all heads, and each position: 6 N + 12 L H Q T, Chowdhery et al. 2022, "PaLM", appendix B.

    Args:
        n_parameters: number of parameters N.
        n_layers: number of layers L.
        n_heads: number of heads H.
        d_head: width of a head Q.
        seq_len: number of tokens T in a sequence.
        tokens_per_s: tokens that are trained on in a second, by all devices together.
        peak: operations per second that all devices together could do.

    Returns:
        The share: 1 is the peak.
    """
    per_token = 6 * n_parameters + 12 * n_layers * n_heads * d_head * seq_len
    return tokens_per_s * per_token / peak
