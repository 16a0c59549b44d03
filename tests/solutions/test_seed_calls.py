"""The notebook that the course grew from, call by call: what it used must keep working.

It puts `solutions/` on the path and imports `tiny_transformer` from there; so does this module.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import pytest
import torch

mpl.use("Agg")
import matplotlib.pyplot as plt

SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions"
SIZES = ("tiny", "small", "medium", "large")


@pytest.fixture(scope="module")
def tt():
    """The names that the notebook imports, from where it imports them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SOLUTIONS))
        from tiny_transformer.embeddings import TransformerEmbedding
        from tiny_transformer.model import (
            TinyTransformerLM,
            estimate_activation_memory,
            estimate_model_memory,
            get_model_config,
        )
        from tiny_transformer.transformer_block import TransformerBlock

        yield SimpleNamespace(
            TransformerEmbedding=TransformerEmbedding,
            TransformerBlock=TransformerBlock,
            TinyTransformerLM=TinyTransformerLM,
            get_model_config=get_model_config,
            estimate_model_memory=estimate_model_memory,
            estimate_activation_memory=estimate_activation_memory,
        )
    for name in [name for name in sys.modules if name.split(".")[0] == "tiny_transformer"]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def models(tt):
    """All presets at 10,000 tokens; only the tiny one has values."""
    built = {}
    for size in SIZES:
        with torch.device("cpu" if size == "tiny" else "meta"):
            built[size] = tt.TinyTransformerLM(vocab_size=10000, **tt.get_model_config(size))
    return built


@pytest.fixture
def tiny(models):
    return models["tiny"].eval()


@pytest.fixture
def axes():
    """Make axes in the notebook's style; drawing them for real is part of the test."""
    with plt.style.context("seaborn-v0_8-darkgrid"):
        figures = []

        def make(n_columns: int, **options):
            figure, made = plt.subplots(1, n_columns, **options)
            figures.append(figure)
            return made

        yield make
        for figure in figures:
            figure.tight_layout()
            figure.canvas.draw()
            plt.close(figure)


def test_the_architecture_prints(tt):
    model = tt.TinyTransformerLM(
        vocab_size=1000,
        d_model=128,
        n_heads=4,
        n_layers=3,
        d_ff=512,
        max_len=256,
        dropout=0.1,
        tie_weights=True,
    )
    text = str(model)
    for part in ("TransformerEmbedding", "3 x TransformerBlock", "ln_f", "lm_head"):
        assert part in text
    assert f"{model.count_parameters():,}" == "723,072"


def test_presets_have_the_keys_of_the_table(tt, models):
    for size in SIZES:
        config = tt.get_model_config(size)
        row = f"{config['d_model']:4d} {config['n_heads']:2d} {config['n_layers']:2d}"
        assert (
            row
            == f"{models[size].d_model:4d} {models[size].n_heads:2d} {len(models[size].blocks):2d}"
        )
        assert f"{models[size].count_parameters() / 1e6:6.2f}M"


def test_the_breakdown_is_a_table_and_a_pie(tiny, axes):
    breakdown = tiny.get_parameter_breakdown()
    parts = {name: count for name, count in breakdown.items() if name != "total"}
    percent = [count / breakdown["total"] * 100 for count in parts.values()]
    assert sum(percent) == pytest.approx(100)
    wedges, labels, _ = axes(1, figsize=(10, 6)).pie(
        list(parts.values()), labels=list(parts), autopct="%1.1f%%", startangle=90
    )
    assert [label.get_text() for label in labels] == list(parts)
    assert len(wedges) == 4


def test_tied_and_untied_differ_by_one_table(tt):
    config = tt.get_model_config("small")
    tied = tt.TinyTransformerLM(vocab_size=10000, tie_weights=True, **config)
    untied = tt.TinyTransformerLM(vocab_size=10000, tie_weights=False, **config)
    saved = untied.count_parameters() - tied.count_parameters()
    assert saved == 10000 * config["d_model"]
    assert f"{saved / untied.count_parameters() * 100:.1f}%" == "26.0%"
    embedding_weight, head_weight = (
        tied.embedding.token_embedding.embedding.weight,
        tied.lm_head.weight,
    )
    assert embedding_weight.shape == head_weight.shape == (10000, 256)
    assert embedding_weight is head_weight
    assert embedding_weight.data_ptr() == head_weight.data_ptr()


def test_a_forward_pass_can_be_walked_step_by_step(tt, tiny):
    assert isinstance(tiny.embedding, tt.TransformerEmbedding)
    tokens = torch.randint(0, 1000, (4, 16))
    with torch.no_grad():
        x = tiny.embedding(tokens)
        assert x.shape == (4, 16, 128)
        for block in tiny.blocks:
            assert isinstance(block, tt.TransformerBlock)
            before = x.clone()
            x, attention = block(x)
            assert attention is None
            assert x.shape == (4, 16, 128)
            assert (x - before).abs().mean() > 0
        x = tiny.ln_f(x)
        assert x.mean().item() == pytest.approx(0, abs=1e-4)
        assert x.std().item() == pytest.approx(1, abs=1e-2)
        logits = tiny.lm_head(x)
    assert logits.shape == (4, 16, 10000)
    assert logits.min() < logits.mean() < logits.max()


def test_hidden_states_have_statistics_and_curves(tiny, axes):
    tokens = torch.randint(0, 1000, (4, 16))
    with torch.no_grad():
        logits, hidden_states = tiny(tokens, return_hidden_states=True)
    assert logits.shape == (4, 16, 10000)
    assert len(hidden_states) == len(tiny.blocks) + 1
    layers = list(range(len(hidden_states)))
    curves = {
        "Mean": [h.mean().item() for h in hidden_states],
        "Std": [h.std().item() for h in hidden_states],
        "L2 Norm": [h.norm(dim=-1).mean().item() for h in hidden_states],
    }
    assert curves["L2 Norm"][-1] > curves["L2 Norm"][0]  # nothing normalises the stream itself
    for panel, (name, curve) in zip(axes(3, figsize=(15, 4)), curves.items(), strict=True):
        panel.plot(layers, curve, marker="o", linewidth=2)
        panel.set(xlabel="Layer", ylabel=name, xticks=layers)
        panel.set_xticklabels(["Emb"] + [f"B{i}" for i in layers[1:]])
        panel.grid(True, alpha=0.3)


def test_sizes_scale_in_a_table_and_two_plots(models, axes):
    rows = [model.get_parameter_breakdown() for model in models.values()]
    totals, embeddings, blocks = (
        [row[key] / 1e6 for row in rows] for key in ("total", "embedding", "transformer_blocks")
    )
    assert totals[-1] / totals[0] == pytest.approx(44.7, abs=0.1)
    bars, curve = axes(2, figsize=(14, 5))
    bars.bar(range(4), embeddings, label="Embeddings")
    bars.bar(range(4), blocks, bottom=embeddings, label="Transformer Blocks")
    bars.set_xticks(range(4))
    bars.set_xticklabels(SIZES)
    bars.legend()
    d_models = [model.d_model for model in models.values()]
    curve.plot(d_models, totals, marker="o")
    for d_model, total, size in zip(d_models, totals, SIZES, strict=True):
        curve.annotate(
            size, (d_model, total), textcoords="offset points", xytext=(0, 10), ha="center"
        )


def test_text_is_generated_in_batches_and_at_several_temperatures(tiny):
    start_tokens = torch.randint(0, 1000, (3, 5))
    with torch.no_grad():
        generated = tiny.generate(start_tokens, max_new_tokens=15, temperature=1.0)
    assert generated.size(1) == 20
    assert generated.shape == (3, 20)
    assert [row[:5].tolist() for row in generated] == start_tokens.tolist()
    for temperature in (0.5, 1.0, 2.0):
        texts = []
        for _ in range(2):
            torch.manual_seed(100)
            text = tiny.generate(start_tokens[:1], max_new_tokens=10, temperature=temperature)
            texts.append(text[0, 5:].tolist())
        assert texts[0] == texts[1]
        assert len(texts[0]) == 10


@pytest.mark.parametrize("size", SIZES)
def test_memory_is_estimated_for_weights_and_training(tt, models, size):
    memory = tt.estimate_model_memory(models[size])
    parameters = models[size].count_parameters() * 4 / 1024**2
    assert set(memory) == {
        "parameters",
        "gradients",
        "optimizer",
        "total_training",
        "inference_only",
    }
    assert memory["inference_only"] == memory["parameters"] == pytest.approx(parameters)
    assert memory["total_training"] == pytest.approx(4 * parameters)
    half = tt.estimate_model_memory(models[size], dtype=torch.float16)
    assert half["total_training"] == pytest.approx(2 * parameters)


def test_memory_is_estimated_for_activations(tt, models):
    for size in ("tiny", "small"):
        estimates = [tt.estimate_activation_memory(models[size], b, 512) for b in (1, 4, 16, 32)]
        assert f"{estimates[0]:>6.1f}MB" == {"tiny": "  32.5MB", "small": "  97.1MB"}[size]
        assert estimates[1:] == pytest.approx([estimates[0] * b for b in (4, 16, 32)])


def test_the_closing_exercises_can_be_done(tt):
    small, medium = tt.get_model_config("small"), tt.get_model_config("medium")
    config = {**small, "d_model": 384, "d_ff": 1536}
    tied, untied = (
        tt.TinyTransformerLM(vocab_size=1000, tie_weights=tie, **config) for tie in (True, False)
    )
    sizes = [
        tt.TinyTransformerLM(vocab_size=1000, **preset).count_parameters()
        for preset in (small, medium)
    ]
    assert sizes[0] < tied.count_parameters() < untied.count_parameters() < sizes[1]
    assert tied.get_parameter_breakdown()["total"] == tied.count_parameters()
    activations = tt.estimate_activation_memory(tied, batch_size=64, seq_len=1024)
    assert activations > 100 * tt.estimate_model_memory(tied)["total_training"]
    start = torch.randint(0, 1000, (1, 5))
    texts = {
        tuple(tied.generate(start, 10, temperature=temperature)[0].tolist())
        for temperature in (0.5, 1.0, 2.0)
    }
    assert len(texts) == 3
