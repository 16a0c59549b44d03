"""Operations against what PyTorch counts, and budgets against what was published."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from solutions.tiny_transformer import (
    TinyTransformerLM,
    chinchilla_optimum,
    estimate_flops,
    model_flops_utilization,
)

# vocab_size, d_model, n_heads, n_layers, d_ff, batch size, tokens
SHAPES = [
    (100, 32, 4, 2, 64, 2, 16),
    (101, 24, 3, 3, 100, 1, 33),
    (50, 16, 1, 1, 40, 3, 7),
    (7, 64, 8, 2, 16, 1, 1),
]


@pytest.mark.parametrize("tie_weights", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_operations_are_what_pytorch_counts(shape: tuple[int, ...], tie_weights: bool) -> None:
    *sizes, batch_size, seq_len = shape
    model = TinyTransformerLM(*sizes, dropout=0.0, tie_weights=tie_weights)
    tokens = torch.zeros(batch_size, seq_len, dtype=torch.int64)
    with FlopCounterMode(display=False) as forward:
        loss = model(tokens)[0].sum()
    with FlopCounterMode(display=False) as backward:
        loss.backward()
    flops = estimate_flops(model, batch_size, seq_len)
    assert flops["forward"] == forward.get_total_flops()
    assert flops["backward"] == backward.get_total_flops()


def test_each_part_is_what_its_module_takes() -> None:
    model = TinyTransformerLM(100, 32, 4, 2, 64, dropout=0.0)
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(2, 16, dtype=torch.int64))
    counts = {name: sum(kinds.values()) for name, kinds in counter.get_flop_counts().items()}

    def counted(part: str) -> int:
        return sum(counts[f"TinyTransformerLM.blocks.{number}.{part}"] for number in range(2))

    flops = estimate_flops(model, 2, 16)
    assert flops["feedforward"] == counted("feedforward")
    assert flops["scores"] + flops["weighted_sum"] + flops["projections"] == counted("attention")
    assert flops["head"] == counts["TinyTransformerLM.lm_head"]


@pytest.mark.parametrize("budget", [1.0, 1e15, 5.76e23])
def test_a_budget_is_used_up_with_twenty_tokens_a_parameter(budget: float) -> None:
    n_parameters, n_tokens = chinchilla_optimum(budget)
    assert 6 * n_parameters * n_tokens == pytest.approx(budget)
    assert n_tokens == pytest.approx(20 * n_parameters)


def test_gopher_s_budget_is_right_for_chinchilla() -> None:
    n_parameters, n_tokens = chinchilla_optimum(5.76e23)
    assert n_parameters == pytest.approx(70e9, rel=0.02)
    assert n_tokens == pytest.approx(1.4e12, rel=0.02)


def test_palm_used_as_much_of_its_machine_as_its_authors_say() -> None:
    share = model_flops_utilization(540.35e9, 118, 48, 256, 2048, 238_300, 6144 * 275e12)
    assert share == pytest.approx(0.462, abs=5e-4)


def test_utilization_counts_what_the_model_needs() -> None:
    model = TinyTransformerLM(100, 32, 4, 2, 64)
    matrices = 2 * (4 * 32 * 32 + 2 * 32 * 64) + 100 * 32  # no biases, no norms
    flops = estimate_flops(model, 3, 16)
    share = model_flops_utilization(matrices, 2, 4, 8, 16, tokens_per_s=3 * 16, peak=1.0)
    assert share == flops["forward"] + flops["backward"]
