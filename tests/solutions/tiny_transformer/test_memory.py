"""Estimates against arithmetic, and against what autograd keeps, byte for byte."""

import pytest
import torch
import torch.nn.functional as F

from solutions.tiny_transformer import (
    KeyValueCache,
    TinyTransformerLM,
    estimate_activation_memory,
    estimate_kv_cache,
    estimate_model_memory,
    get_model_config,
    largest_batch,
    measure_activation_memory,
    multi_head,
)

MIB = 1024**2

# d_model, n_heads, n_layers, d_ff, batch size, tokens
SHAPES = [
    (16, 4, 2, 40, 3, 7),
    (32, 2, 3, 64, 2, 20),
    (24, 3, 1, 100, 1, 33),
    (8, 1, 0, 8, 2, 5),
    (64, 8, 2, 16, 1, 1),
]


def build(d_model, n_heads, n_layers, d_ff, **changes) -> TinyTransformerLM:
    return TinyTransformerLM(50, d_model, n_heads, n_layers, d_ff, **{"dropout": 0.0, **changes})


class TestModelMemory:
    @pytest.mark.parametrize(
        ("dtype", "size"),
        [(torch.float32, 4), (torch.float64, 8), (torch.bfloat16, 2), (torch.int8, 1)],
    )
    def test_counts_bytes_of_the_dtype_in_mib(self, dtype, size):
        model = build(16, 4, 2, 40)
        parameters = model.count_parameters() * size / MIB
        assert estimate_model_memory(model, dtype) == pytest.approx(
            {
                "parameters": parameters,
                "gradients": parameters,
                "optimizer": 2 * parameters,
                "total_training": 4 * parameters,
                "inference_only": parameters,
            }
        )

    def test_counts_frozen_parameters_and_shared_ones_once(self):
        tied, untied = build(16, 4, 2, 40), build(16, 4, 2, 40, tie_weights=False)
        difference = (
            estimate_model_memory(untied)["parameters"] - estimate_model_memory(tied)["parameters"]
        )
        assert difference == pytest.approx(50 * 16 * 4 / MIB)
        before = estimate_model_memory(tied)
        assert estimate_model_memory(tied.requires_grad_(False)) == before

    def test_agrees_with_what_adamw_allocates(self):
        model = build(16, 4, 2, 40)
        optimizer = torch.optim.AdamW(model.parameters())
        model(torch.zeros(1, 4, dtype=torch.int64))[0].sum().backward()
        optimizer.step()
        moments = sum(
            tensor.nbytes
            for state in optimizer.state.values()
            for name, tensor in state.items()
            if name != "step"
        )
        gradients = sum(parameter.grad.nbytes for parameter in model.parameters())
        estimate = estimate_model_memory(model)
        assert estimate["optimizer"] * MIB == moments
        assert estimate["gradients"] * MIB == gradients


class TestActivationMemory:
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("positional", ["sinusoidal", "learned"])
    @pytest.mark.parametrize("tie_weights", [True, False])
    def test_is_what_autograd_keeps(self, shape, positional, tie_weights):
        *sizes, batch_size, seq_len = shape
        model = build(*sizes, positional=positional, tie_weights=tie_weights)
        measured = measure_activation_memory(model, torch.randint(50, (batch_size, seq_len)))
        assert estimate_activation_memory(model, batch_size, seq_len) == measured

    @pytest.mark.parametrize(("dtype", "n_bytes"), [(torch.bfloat16, 2), (torch.float64, 8)])
    def test_is_what_autograd_keeps_in_other_dtypes(self, dtype, n_bytes):
        model = build(16, 4, 2, 40).to(dtype)
        measured = measure_activation_memory(model, torch.randint(50, (3, 7)))
        # On a CPU the statistics of a LayerNorm have its own dtype; the estimate says 4 bytes.
        statistics = (2 * model.n_layers + 1) * 2 * 3 * 7 * (4 - n_bytes) / MIB
        estimate = estimate_activation_memory(model, 3, 7, dtype)
        assert estimate == pytest.approx(measured + statistics, rel=1e-12)

    @pytest.mark.parametrize("shape", SHAPES[:3])
    def test_is_what_a_fused_kernel_keeps(self, shape, monkeypatch):
        def fused(query, key, value, mask, dropout_p):
            return F.scaled_dot_product_attention(query, key, value, is_causal=True), None

        monkeypatch.setattr(multi_head, "scaled_dot_product_attention", fused)
        *sizes, batch_size, seq_len = shape
        model = build(*sizes)
        measured = measure_activation_memory(model, torch.randint(50, (batch_size, seq_len)))
        estimate = estimate_activation_memory(model, batch_size, seq_len, fused_attention=True)
        assert estimate == measured

    def test_follows_the_formula(self):
        model = build(24, 3, 5, 100)
        B, T, d, f, H, L, b = 3, 11, 24, 100, 3, 5, 2
        n_bytes = L * ((8 * B * T * d + 2 * B * T * f + B * H * T**2) * b + 16 * B * T)
        n_bytes += 2 * B * T * d * b + 8 * B * T
        estimate = estimate_activation_memory(model, B, T, torch.float16)
        assert estimate == pytest.approx(n_bytes / MIB, rel=1e-12)

    def test_the_measurement_sees_dropout_and_needs_no_training_mode(self):
        model = build(16, 4, 2, 40, dropout=0.1)
        tokens = torch.randint(50, (3, 7))
        training = measure_activation_memory(model, tokens)
        with torch.no_grad():
            evaluation = measure_activation_memory(model.eval(), tokens)
        assert training > evaluation == estimate_activation_memory(model, 3, 7)


class TestKvCache:
    def test_large_takes_144_mib_a_text(self):
        with torch.device("meta"):
            model = TinyTransformerLM(10, **get_model_config("large"))
        full = estimate_kv_cache(model, 1, 2048)
        assert full == 144
        assert estimate_kv_cache(model, 1, 2048, n_kv_heads=1) == full / 12
        assert estimate_kv_cache(model, 3, 2048, torch.bfloat16, n_kv_heads=4) == full / 2

    def test_is_what_a_cache_keeps(self):
        model, tokens = build(24, 3, 2, 50).eval(), torch.zeros(2, 9, dtype=torch.int64)
        cache = KeyValueCache(model)
        cache.read(tokens)
        kept = sum(part.nbytes for part in (*cache.keys, *cache.values))
        assert estimate_kv_cache(model, 2, 9) * MIB == kept


class TestLargestBatch:
    @pytest.mark.parametrize(
        ("memory", "fixed", "per_sequence", "reserve", "expected"),
        [
            (1000, 400, 70, 0.1, 7),
            (1000, 250, 100, 0.25, 5),
            (999, 250, 100, 0.25, 4),
            (1000, 250, 501, 0.25, 0),
            (1000, 2000, 10, 0, 0),
            (100, 0, 20, 0.8, 1),
            (500, 0, 0.1, 0, 5000),
            (1000, 0, 100.0001, 0, 9),
        ],
    )
    def test_is_the_last_that_fits(self, memory, fixed, per_sequence, reserve, expected):
        assert largest_batch(memory, fixed, per_sequence, reserve) == expected
