"""What the last parts of the fifth notebook say in numbers: caches, checkpoints, operations."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from stated_numbers import prose_of, stated
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

from solutions.tiny_transformer import (
    TinyTransformerLM,
    chinchilla_optimum,
    estimate_activation_memory,
    estimate_flops,
    estimate_kv_cache,
    estimate_model_memory,
    get_model_config,
    model_flops_utilization,
)

SIZES = ("tiny", "small", "medium", "large")


@pytest.fixture(scope="module")
def prose() -> str:
    return prose_of("memory_estimation")


def on_paper(size: str, vocab_size: int = 10_000, *, tie_weights: bool = True) -> TinyTransformerLM:
    """One of the course's sizes, without content."""
    with torch.device("meta"):
        return TinyTransformerLM(vocab_size, **get_model_config(size), tie_weights=tie_weights)


def test_how_the_four_sizes_grow(prose: str) -> None:
    assert "four bars that grow three- to fourfold from size to size" in prose
    totals = [estimate_model_memory(on_paper(size))["total_training"] for size in SIZES]
    growths = [after / before for before, after in itertools.pairwise(totals)]
    assert all(3 <= growth < 4.5 for growth in growths)


def test_a_shorter_text_saves_more_than_a_smaller_batch(prose: str) -> None:
    assert "Half the length saves more than half, a quarter of the batch three quarters" in prose
    model = on_paper("small")
    whole = estimate_activation_memory(model, 64, 1024)
    assert estimate_activation_memory(model, 64, 512) < whole / 2
    assert estimate_activation_memory(model, 16, 1024) == whole / 4


def test_the_share_of_the_loss(prose: str) -> None:
    least, most = stated(prose, r"The loss takes (\d+) to (\d+) %")
    model = on_paper("small")
    fixed = estimate_model_memory(model)["total_training"]
    shares = []
    for batch, length in ((64, 1024), (64, 512), (16, 1024)):
        loss = batch * length * 10_000 * 4 / 1024**2
        activations = estimate_activation_memory(model, batch, length)
        shares.append(loss / (fixed + activations + loss))
    assert [round(100 * min(shares)), round(100 * max(shares))] == [least, most]


def test_what_floats_round(prose: str) -> None:
    assert "`100 * (1 - 0.8)` is 19.999999999999996" in prose
    assert 100 * (1 - 0.8) == 19.999999999999996 < 100 - 100 * 0.8
    assert "`500 // 0.1` is 4999" in prose
    assert 500 // 0.1 == 4999


def test_the_cache_of_large(prose: str) -> None:
    (length,) = stated(prose, r"one text of up to ([\d,]+) tokens")
    (size,) = stated(prose, r"the full cache takes ([\d,]+) MiB a text")
    model = on_paper("large")
    assert estimate_kv_cache(model, 1, int(length)) == size
    assert "three texts take more than the model itself" in prose
    assert 2 * size < estimate_model_memory(model)["inference_only"] < 3 * size
    assert "with four key-value heads a third of the full cache, with one a twelfth" in prose
    assert estimate_kv_cache(model, 1, int(length), n_kv_heads=4) == size / 3
    assert estimate_kv_cache(model, 1, int(length), n_kv_heads=1) == size / 12


def operations(run: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


def test_a_checkpointed_step_takes_nearly_four_forward_passes(prose: str) -> None:
    assert "a training step then takes nearly four forward passes in place of three" in prose
    model = TinyTransformerLM(100, 64, 4, 4, 256, dropout=0.0)
    tokens = torch.zeros(1, 256, dtype=torch.int64)

    def forward() -> torch.Tensor:
        x = model.embedding(tokens)
        for block in model.blocks:
            x = checkpoint(lambda x, block=block: block(x)[0], x, use_reentrant=False)
        return model.lm_head(model.ln_f(x)).sum()

    once = operations(forward)
    step = operations(lambda: forward().backward())
    again, whole, share = stated(
        prose, r"So ([\d,]+) of ([\d,]+) operations for each token are repeated, ([\d.]+) of"
    )
    assert (step - 3 * once, once) == (again * 256, whole * 256)
    assert again / whole == pytest.approx(share, abs=0.0005)
    head_and_down = 2 * 64 * 100 + 4 * 2 * 64 * 256  # are not repeated
    assert whole - again == head_and_down
    plain = operations(lambda: model(tokens)[0].sum().backward())
    assert plain / operations(lambda: model(tokens)) == 3


def times_the_rule(model: TinyTransformerLM, seq_len: int, n_parameters: int = 0) -> float:
    """Operations of training, in units of 6 N D."""
    flops = estimate_flops(model, 1, seq_len)
    counted = n_parameters or model.count_parameters()
    return (flops["forward"] + flops["backward"]) / (6 * counted * seq_len)


def test_what_attention_adds_to_the_rule(prose: str) -> None:
    (factor,) = stated(prose, r"They add \$(\d+) L d T\$ operations for each token")
    (share,) = stated(prose, r"\$T / \((\d)d\)\$ of the rule")
    flops = estimate_flops(TinyTransformerLM(10, 32, 4, 3, 128), 1, 50)
    attended = 3 * (flops["scores"] + flops["weighted_sum"])
    assert attended / 50 == factor * 3 * 32 * 50
    blocks = 3 * (flops["projections"] + flops["feedforward"])
    assert attended / blocks == pytest.approx(50 / (share * 32))


def test_where_the_rule_fails(prose: str) -> None:
    assert "all curves begin near 1 and leave it the sooner the narrower the model is" in prose
    short = [times_the_rule(on_paper(size), 128) for size in ("tiny", "small", "large")]
    long = [times_the_rule(on_paper(size), 16_384) for size in ("tiny", "small", "large")]
    assert all(1 < times < 1.1 for times in short)
    assert long == sorted(long, reverse=True)
    assert "On the right only the tied model stays near 1" in prose
    for vocab_size in (1000, 128_000):
        assert times_the_rule(on_paper("tiny", vocab_size), 64) == pytest.approx(1, abs=0.07)
    untied = on_paper("tiny", 128_000, tie_weights=False)
    assert "untied, the rule comes to promise twice the work" in prose
    assert times_the_rule(untied, 64) == pytest.approx(0.5, abs=0.02)
    without = untied.count_parameters() - 2 * 128_000 * untied.d_model
    assert times_the_rule(untied, 64, without) > 10


def test_what_chinchilla_and_palm_say_of_themselves(prose: str) -> None:
    billion, trillion = stated(prose, r"\((\d+) billion parameters, ([\d.]+) trillion tokens\)")
    n_parameters, n_tokens = chinchilla_optimum(5.76e23)
    assert n_parameters == pytest.approx(billion * 1e9, rel=0.02)
    assert n_tokens == pytest.approx(trillion * 1e12, rel=0.02)
    (percent,) = stated(prose, r"its authors report ([\d.]+) %")
    share = model_flops_utilization(540.35e9, 118, 48, 256, 2048, 238_300, 6144 * 275e12)
    assert 100 * share == pytest.approx(percent, abs=0.05)
