"""What the fifth notebook says in numbers, computed: its prose is read, not repeated."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from stated_numbers import prose_of, stated
from torch import Tensor, nn

from solutions.tiny_transformer import (
    TinyTransformerLM,
    estimate_activation_memory,
    estimate_model_memory,
    get_model_config,
)


@pytest.fixture(scope="module")
def prose() -> str:
    return prose_of("memory_estimation")


def test_how_much_a_megabyte_is_less(prose: str) -> None:
    one, other, less = stated(
        prose, r"1 MiB = (\d+) × 1024 bytes. \(A \*megabyte\*, MB, is ([\d,]+) bytes, (\d) % less"
    )
    assert 1 - other / one**2 == pytest.approx(less / 100, abs=0.005)
    (off,) = stated(prose, r"off by ([\d.]+) \| 1,000,000 bytes instead")
    assert off == pytest.approx(1024**2 / 1e6, abs=0.005)


def test_training_takes_so_many_times_the_parameters(prose: str) -> None:
    assert "training with AdamW takes four times the parameters" in prose
    memory = estimate_model_memory(TinyTransformerLM(50, 16, 2, 1, 8))
    assert memory["total_training"] == pytest.approx(4 * memory["inference_only"])


def kept(run: object) -> list[Tensor]:
    """What autograd keeps while something is computed."""
    found: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        found.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        run()  # type: ignore[operator]
    return found


@pytest.mark.parametrize(
    ("norm_dtype", "dtype", "said"),
    [
        (torch.float32, torch.bfloat16, "they are float32 beside 16-bit vectors"),
        (torch.bfloat16, torch.bfloat16, "keeps them in bfloat16 on a CPU"),
        (torch.float64, torch.float64, "one in float64 in float64"),
    ],
)
def test_in_which_dtype_layer_norm_keeps_its_numbers(
    prose: str, norm_dtype: torch.dtype, dtype: torch.dtype, said: str
) -> None:
    assert said in prose
    norm = nn.LayerNorm(8, dtype=norm_dtype)
    x = torch.randn(2, 5, 8, dtype=dtype, requires_grad=True)
    numbers = [tensor for tensor in kept(lambda: norm(x)) if tensor.shape[-1] == 1]
    assert [tensor.dtype for tensor in numbers] == [norm_dtype] * 2


def test_layer_norm_keeps_float32_under_autocast(prose: str) -> None:
    assert "under autocast, they are float32" in prose
    norm, x = nn.LayerNorm(8), torch.randn(2, 5, 8, requires_grad=True)

    def run() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            norm(F.linear(x, torch.eye(8)))

    numbers = [tensor for tensor in kept(run) if tensor.shape[-1] == 1]
    assert [tensor.dtype for tensor in numbers] == [torch.float32] * 2


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(torch.bfloat16, torch.float32), (torch.float32, torch.float32), (torch.float64,) * 2],
)
def test_in_which_dtype_fused_attention_keeps_its_number(
    prose: str, dtype: torch.dtype, expected: torch.dtype
) -> None:
    assert "As a rule they are float32, in float64 PyTorch keeps float64" in prose
    parts = [torch.randn(2, 3, 16, 8, dtype=dtype, requires_grad=True) for _ in range(3)]
    saved = kept(lambda: F.scaled_dot_product_attention(*parts, is_causal=True))
    assert [tensor.dtype for tensor in saved if tensor.shape == (2, 3, 16)] == [expected]


def test_one_number_in_16_bits(prose: str) -> None:
    half, whole = stated(prose, r"`torch.bfloat16` makes ([\d.]+) MiB of ([\d.]+) MiB")
    model = TinyTransformerLM(100, 64, 4, 2, 256)
    for dtype, said in ((torch.bfloat16, half), (torch.float32, whole)):
        made = estimate_activation_memory(model, 4, 32, dtype)
        assert made == pytest.approx(said, abs=5e-5)
    assert half > whole / 2


def test_from_which_length_on_the_weights_dominate(prose: str) -> None:
    assert r"T > (\text{your number for } BTd + 4 \cdot \text{your number for } BTf)\, d_k" in prose
    times = 8 + 4 * 2  # answers, which the text must not give away
    assert f"{times}\\, d_k" not in prose
    pairs = [
        stated(prose, r"At \$d_k = (\d+)\$ \(our \*small\*\) that is ([\d,]+) tokens"),
        stated(prose, r"at \$d_k = (\d+)\$ it is ([\d,]+)\."),
    ]
    small = get_model_config("small")
    assert pairs[0][0] == small["d_model"] / small["n_heads"]
    for width, length in pairs:
        assert length == times * width
    heads = small["n_heads"]
    with torch.device("meta"):
        model = TinyTransformerLM(100, **small)

    def weights_and_rest(length: int) -> tuple[float, float]:
        weights = small["n_layers"] * heads * length**2 * 4 / 1024**2
        return weights, estimate_activation_memory(model, 1, length) - weights

    edge = int(pairs[0][1])
    for length, dominate in ((int(0.9 * edge), False), (int(1.1 * edge), True)):
        weights, rest = weights_and_rest(length)
        assert (weights > rest) is dominate


def test_the_model_is_a_dwarf_beside_its_activations(prose: str) -> None:
    sequences, length = stated(
        prose, r"for training \*small\* on (\d+) sequences of ([\d,]+) tokens, in float32"
    )
    assert "The model is a dwarf, its activations are giants" in prose
    with torch.device("meta"):
        model = TinyTransformerLM(10_000, **get_model_config("small"))
    activations = estimate_activation_memory(model, int(sequences), int(length))
    assert activations > 100 * estimate_model_memory(model)["total_training"]
