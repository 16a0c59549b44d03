"""The numbers in the text about embeddings are those that come out."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from solutions.tiny_transformer import SinusoidalPositionalEncoding, TokenEmbedding

ROOT = Path(__file__).parents[2]
LESSON = ROOT / "solutions" / "lessons" / "01_embeddings.py"
GPT2_VOCABULARY, GPT2_WIDTH = 50257, 768


def prose() -> str:
    """The lesson's Markdown, with every run of white space as one space."""
    cells = re.split(r"^# %%", LESSON.read_text(encoding="utf-8"), flags=re.MULTILINE)
    texts = [cell.partition("\n")[2] for cell in cells if cell.startswith(" [markdown]")]
    lines = [line.removeprefix("#").strip() for text in texts for line in text.split("\n")]
    return " ".join(" ".join(lines).split())


def wave_size(width: int) -> float:
    """Root mean square of sinusoidal positions."""
    pattern = SinusoidalPositionalEncoding(width)(torch.zeros(1, 1024, width))
    return pattern.square().mean().sqrt().item()


def wavelength(pair: int, width: int) -> float:
    """How many positions a pair of columns takes to repeat."""
    return float(2 * math.pi * 10000 ** (2 * pair / width))


STATED: list[tuple[str, Callable[[re.Match[str]], list[float]]]] = [
    (
        r"\\sqrt\{1/2\} \\approx ([\d.]+)\$ in size.*?Added to ([\d.]+), a ([\d.]+) is a whisper",
        lambda _: [wave_size(512), wave_size(512), 0.02],
    ),
    (
        r"\$d_\{\\text\{model\}\} = (\d+)\$ that is a factor of ([\d.]+), and 0.02 becomes ([\d.]+):",
        lambda found: [512, math.sqrt(int(found[1])), 0.02 * math.sqrt(int(found[1]))],
    ),
    (
        r"\$d_\{\\text\{model\}\} = (\d+)\$ a scaled token is ([\d.]+) times the size of its position",
        lambda found: [512, 0.02 * math.sqrt(int(found[1])) / 0.02],
    ),
    (
        (
            r"With `d_model=(\d+)` the factor is (\d+): .*? about ([\d.]+) in the table, and about"
            r" ([\d.]+) on the way out"
        ),
        lambda found: [64, math.sqrt(int(found[1])), *sizes_of_tokens(int(found[1]))],
    ),
    (
        (
            r"The first pair repeats every ([\d.]+) positions; at \$d_\{\\text\{model\}\} = (\d+)\$ the"
            r" last takes ([\d,]+)\."
        ),
        lambda found: [wavelength(0, 512), 512, wavelength(255, int(found[2]))],
    ),
    (
        r"`V` \| tokens in the vocabulary \| ([\d,]+) \|",
        lambda _: [GPT2_VOCABULARY],
    ),
    (r"`d_model` \| numbers in a vector \| (\d+) \|", lambda _: [GPT2_WIDTH]),
    (
        r"With `dropout=([\d.]+)`, about (\d+) % of the elements are zero",
        lambda found: [0.1, 100 * share_of_zeros(float(found[1]))],
    ),
]
"""Sentences with their numbers, and what these are when they are computed."""


def sizes_of_tokens(width: int) -> list[float]:
    """Standard deviations of a table, and of the vectors that come out."""
    torch.manual_seed(0)
    embed = TokenEmbedding(1000, width)
    vectors = embed(torch.arange(1000).unsqueeze(0))
    return [embed.embedding.weight.std().item(), vectors.std().item()]


def share_of_zeros(probability: float) -> float:
    """The part of the elements that dropout zeroes."""
    torch.manual_seed(0)
    return (torch.nn.Dropout(probability)(torch.ones(100_000)) == 0).float().mean().item()


@pytest.mark.parametrize(("sentence", "computed"), STATED, ids=range(len(STATED)))
def test_a_number_in_the_prose_is_what_comes_out(
    sentence: str, computed: Callable[[re.Match[str]], list[float]]
) -> None:
    found = re.search(sentence, prose())
    assert found is not None, f"the lesson no longer says {sentence}"
    for stated, actual in zip(found.groups(), computed(found), strict=True):
        digits = len(stated.partition(".")[2])
        assert round(actual, digits) == pytest.approx(float(stated.replace(",", ""))), stated


def test_bfloat16_takes_256_and_257_for_the_same_number() -> None:
    assert "counted in bfloat16, positions 256 and 257 are the same number" in prose()
    counted = torch.arange(258).to(torch.bfloat16)
    assert counted[256] == counted[257]
    assert counted[255] != counted[256]


def test_a_dot_product_of_waves_depends_on_the_distance_alone() -> None:
    width, length = 32, 50
    pattern = SinusoidalPositionalEncoding(width)(torch.zeros(1, length, width))[0].double()
    apart = torch.arange(length).unsqueeze(0) - torch.arange(length).unsqueeze(1)
    rates = 10000.0 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    expected = (apart.unsqueeze(-1) * rates).cos().sum(dim=-1)
    torch.testing.assert_close(pattern @ pattern.T, expected, atol=1e-4, rtol=1e-4)


def test_the_smallest_gpt2_has_as_many_parameters_as_the_text_says() -> None:
    found = re.search(r"It has (\d+) million parameters in all", prose())
    assert found is not None
    d, layers, positions = GPT2_WIDTH, 12, 1024
    block = 12 * d * d + 13 * d  # four maps of attention, two of the feed-forward, two norms
    total = (GPT2_VOCABULARY + positions) * d + layers * block + 2 * d
    assert round(total / 1e6) == int(found[1])
