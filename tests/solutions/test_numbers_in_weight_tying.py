"""The numbers in the text about weight tying are those that come out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from solutions.tiny_transformer import TinyTransformerLM, TransformerBlock, get_model_config

ROOT = Path(__file__).parents[2]
LESSON = ROOT / "solutions" / "lessons" / "04_weight_tying.py"


def prose() -> str:
    """The lesson's Markdown, with every run of white space as one space."""
    cells = re.split(r"^# %%", LESSON.read_text(encoding="utf-8"), flags=re.MULTILINE)
    texts = [cell.partition("\n")[2] for cell in cells if cell.startswith(" [markdown]")]
    lines = [line.removeprefix("#").strip() for text in texts for line in text.split("\n")]
    return " ".join(" ".join(lines).split())


def breakdown(size: str, vocab_size: int = 10_000, *, tied: bool = True) -> dict[str, int]:
    """Count a preset's parameters."""
    sizes = {**get_model_config(size), "vocab_size": vocab_size, "tie_weights": tied}
    with torch.device("meta"):
        return TinyTransformerLM(**sizes).get_parameter_breakdown()


def test_the_largest_preset_has_as_many_parameters_as_the_text_says() -> None:
    found = re.search(r"counting (\d+) million parameters", prose())
    assert found is not None
    # rounded down, as one says it
    assert breakdown("large")["total"] // 1_000_000 == int(found[1])


def test_tables_are_as_large_a_part_of_the_smallest_untied_model_as_the_text_says() -> None:
    assert "untied, it is three quarters tables" in prose()
    parts = breakdown("tiny", tied=False)
    assert (parts["embedding"] + parts["lm_head"]) / parts["total"] == pytest.approx(
        3 / 4, abs=0.02
    )


def test_tying_saves_nearly_half_of_a_small_model_and_little_of_a_large_one() -> None:
    assert (
        "nearly half of a small model with a large vocabulary, and little of a large one" in prose()
    )
    small, large = (
        breakdown(size, vocab_size, tied=False)
        for size, vocab_size in (("tiny", 100_000), ("large", 1_000))
    )
    assert 0.45 < small["lm_head"] / small["total"] < 0.5
    assert large["lm_head"] / large["total"] < 0.02


@pytest.mark.parametrize("size", ["tiny", "small", "medium", "large"])
def test_the_formula_of_a_block_is_what_a_block_has(size: str) -> None:
    assert r"$L\,(4d^2 + 2 d f + 9d + f)$" in prose()
    sizes = get_model_config(size)
    d, f, layers = sizes["d_model"], sizes["d_ff"], sizes["n_layers"]
    blocks = breakdown(size)["transformer_blocks"]
    assert blocks == layers * (4 * d**2 + 2 * d * f + 9 * d + f)
    assert blocks == pytest.approx(12 * layers * d**2, rel=0.01)


def test_attention_is_a_third_of_a_block() -> None:
    assert "about a third of the parameters are attention's ($4d^2$), and two thirds" in prose()
    with torch.device("meta"):
        block = TransformerBlock(256, 8, 1024)
    total = sum(parameter.numel() for parameter in block.parameters())
    assert 4 * 256**2 / total == pytest.approx(1 / 3, abs=0.01)


def test_lengths_of_gradients_do_not_add_up_as_gradients_do() -> None:
    assert "give less than the sum of their lengths" in prose()
    torch.manual_seed(0)
    sizes = {"vocab_size": 40, "d_model": 32, "n_heads": 4, "n_layers": 2, "d_ff": 64}
    untied, tied = (
        TinyTransformerLM(**sizes, dropout=0.0, tie_weights=tie) for tie in (False, True)
    )
    with torch.no_grad():
        untied.lm_head.weight.copy_(untied.embedding.token_embedding.embedding.weight)
    tied.load_state_dict(untied.state_dict())
    tokens = torch.randint(0, 20, (8, 17))
    for model in (untied, tied):
        logits, _ = model(tokens[:, :-1])
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten()).backward()
    rows = [
        weight.grad
        for weight in (
            untied.embedding.token_embedding.embedding.weight,
            untied.lm_head.weight,
            tied.embedding.token_embedding.embedding.weight,
        )
    ]
    torch.testing.assert_close(rows[0] + rows[1], rows[2], atol=1e-6, rtol=1e-4)
    into, out, both = (row.norm(dim=1) for row in rows)
    said = re.search(r"a mean length of about ([\d.]+) against ([\d.]+) for the way out", prose())
    assert said is not None
    for number, lengths in zip(said.groups(), (into, out), strict=True):
        assert float(number) == pytest.approx(lengths[:20].mean().item(), rel=0.2)
    assert both[:20].mean() < 1.05 * out[:20].mean()  # "nearly the same bars"
    assert bool((both[:20] < 0.99 * (into + out)[:20]).all())
    torch.testing.assert_close(both[20:], out[20:], atol=1e-6, rtol=1e-4)
