"""The numbers that the lesson on blocks states, computed again."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from grader.authoring.lessons import Lesson, read_lesson
from grader.config.course import load_course
from grader.judging.engine import load_suites
from solutions.tiny_transformer import (
    FeedForward,
    ModernBlock,
    TransformerBlock,
    scaled_dot_product_attention,
)

ROOT = Path(__file__).parents[2]
LESSON = read_lesson(ROOT / "solutions/lessons/02_blocks.py")
WORDS = {"a third": 1 / 3, "a quarter": 1 / 4, "half": 1 / 2}
COUNTS = {
    word: number
    for number, word in enumerate(
        [
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ],
        start=1,
    )
}


def prose(lesson: Lesson = LESSON) -> str:
    """The lesson's Markdown, on one line."""
    cells = [cell.source for cell in lesson.cells if cell.kind == "markdown"]
    return " ".join(" ".join(cells).replace("# ", " ").split())


def stated(pattern: str) -> tuple[str, ...]:
    """What the prose says where it matches; it has to, once."""
    (found,) = re.findall(pattern, prose())
    return (found,) if isinstance(found, str) else found


def test_as_many_cells_are_to_be_written_as_it_says() -> None:
    (count,) = stated(r"(\w+) cells below say")
    answers = [cell.solution for cell in LESSON.cells if cell.solution]
    assert COUNTS[count.lower()] == len(answers)
    (bonus,) = stated(r"The last (\w+) are a bonus")
    assert answers[-COUNTS[bonus] - 1] == "TransformerBlock"


def test_the_smallest_gpt_2_has_these_sizes() -> None:
    """Radford et al. 2019 give d_model = 768, 12 heads, 1,024 tokens; d_ff is four times d_model."""
    heads = int(stated(r"`n_heads` \| attentions side by side \| (\d+)")[0])
    d_k = int(stated(r"`d_model / n_heads` \| (\d+)")[0])
    d_ff = int(stated(r"width of the feed-forward network \| ([\d,]+)")[0].replace(",", ""))
    assert (heads, d_k, d_ff) == (12, 768 // heads, 4 * 768)


def test_attention_has_the_stated_share_of_a_block() -> None:
    (share,) = stated(r"is about ([\w ]+?) of a block")
    wide = COUNTS[stated(r"is (\w+) times as wide in most models")[0]]
    d_model = 256
    block = TransformerBlock(d_model, 8, wide * d_model)
    parts = {
        name: sum(p.numel() for p in part.parameters()) for name, part in block.named_children()
    }
    assert parts["attention"] / sum(parts.values()) == pytest.approx(WORDS[share], abs=0.01)


def test_scores_spread_by_the_square_root() -> None:
    assert "its standard deviation is $\\sqrt{d_k}$" in prose()
    q, k = torch.randn(2, 20_000, 64, generator=torch.Generator().manual_seed(0))
    assert (q * k).sum(dim=-1).std().item() == pytest.approx(math.sqrt(64), rel=0.03)


def test_a_hundred_is_outweighed_by_a_large_score() -> None:
    (number,) = stated(r"(-\d+) in place of `-inf` would do for small ones")
    for size, hidden in ((1.0, True), (30.0, False)):
        query, key = torch.tensor([[size * 8.0]]), torch.tensor([[0.0], [size * 1.0]])
        mask = torch.tensor([[0.0, float(number)]])
        _, weights = scaled_dot_product_attention(query, key, key, mask)
        assert (weights[0, 1].item() < 1e-30) is hidden


def test_gelu_is_as_the_formula_says() -> None:
    assert r"\tfrac{1}{2}\big(1 + \operatorname{erf}(x / \sqrt 2)\big)" in prose()
    x = torch.linspace(-4, 4, 801, dtype=torch.float64)
    assert torch.allclose(F.gelu(x), x * 0.5 * (1 + torch.erf(x / math.sqrt(2))), atol=1e-12)


def test_minutes_add_up_to_the_total_that_it_states() -> None:
    text = prose()
    total, bonus = (
        int(number) for number in re.findall(r"about (\d+) minutes, and the bonus (\d+)", text)[0]
    )
    plain, extra = text.split("Part 7 (bonus): ")
    for part, number in ((plain, total), (extra, bonus)):
        assert sum(map(int, re.findall(r"· about (\d+) minutes?\*", part))) == number


def test_it_promises_no_other_points_than_there_are() -> None:
    suite = load_suites(load_course(ROOT), ["blocks"])["blocks"]
    assert suite.assignment.points == 25
    bonus = sum(question.points for question in suite.assignment.questions if question.bonus)
    assert bonus == 5


def test_exponentials_overflow_where_it_says() -> None:
    largest, power = stated(r"float32 ends at about \$([\d.]+) \\cdot 10\^\{(\d+)\}\$")
    assert float(f"{largest}e{power}") == pytest.approx(torch.finfo(torch.float32).max, rel=0.01)
    (score,) = stated(r"so that \$e\^\{(\d+)\}\$ is already infinite")
    assert torch.tensor(float(score)).exp().isinf()
    assert torch.tensor(float(score) - 1).exp().isfinite()


def test_without_positions_a_loss_ends_where_it_says() -> None:
    """Of eight digits, k are the one asked for: that one, and a binomial number of the others."""
    (guessed,) = stated(r"has a loss of \$\\ln 10 = ([\d.]+)\$")
    assert float(guessed) == pytest.approx(math.log(10), abs=0.005)
    others = range(8)
    chances = [math.comb(7, k) * 0.1**k * 0.9 ** (7 - k) for k in others]
    loss = sum(chance * math.log(8 / (1 + k)) for chance, k in zip(chances, others, strict=True))
    (least,) = stated(r"on average that costs ([\d.]+)\.")
    assert float(least) == pytest.approx(loss, abs=0.005)
    assert stated(r"is still on its way to ([\d.]+)\.") == (least,)


def test_a_gated_network_of_two_thirds_has_as_many_parameters() -> None:
    assert "models make `d_ff` two thirds as large" in prose()
    d_model = 256
    plain = FeedForward(d_model, 4 * d_model, bias=False)
    gated = 3 * d_model * round(2 / 3 * 4 * d_model)
    assert gated == pytest.approx(sum(p.numel() for p in plain.parameters()), rel=0.001)


def test_shared_keys_save_the_stated_share() -> None:
    (share,) = stated(r"and (\d+) % fewer where")
    blocks = (
        TransformerBlock(256, 8, 1024),
        ModernBlock(256, 8, 8, 683),
        ModernBlock(256, 8, 2, 683),
    )
    plain, gated, shared = (sum(p.numel() for p in block.parameters()) for block in blocks)
    assert gated == pytest.approx(plain, rel=0.005)
    assert round(100 * (1 - shared / plain)) == int(share)


def test_maps_have_twelve_times_the_square_of_the_width() -> None:
    assert "4d^2 + 8d^2 = 12d^2" in prose()
    total = sum(p.numel() for p in TransformerBlock(256, 8, 1024).parameters())
    assert total == pytest.approx(12 * 256**2, rel=0.01)
