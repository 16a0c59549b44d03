"""Numbers that the notebook about generation states: each is read out of its text and computed anew."""

import math
import re
from pathlib import Path

import pytest
import torch

from grader.authoring.lessons import lesson_path, read_lesson
from grader.config.course import load_course

LESSON = read_lesson(lesson_path(load_course(Path(__file__).parents[2]), "generation"))


def prose() -> str:
    """The lesson's Markdown in one line."""
    return " ".join(" ".join(c.source for c in LESSON.cells if c.kind == "markdown").split())


def stated(pattern: str) -> tuple[str, ...]:
    """The groups of a pattern that stands in the text once."""
    found = re.findall(pattern, prose())
    assert len(found) == 1, (pattern, found)
    return found[0] if isinstance(found[0], tuple) else (found[0],)


def number(text: str) -> float:
    """A number with commas between thousands."""
    return float(text.replace(",", ""))


@pytest.fixture(scope="module")
def shannon():
    """The names of the cell that counts letters."""
    names: dict[str, object] = {}
    cells = [c.source for c in LESSON.cells if c.kind == "code"]
    (counting,) = (source for source in cells if "class CountingModel" in source)
    imports = "import string\nimport torch\nfrom torch import nn\n"
    exec(imports + counting.partition("with plots.demo()")[0], names)
    return names


def test_a_logit_at_a_small_temperature():
    exponent, logit, quotient = stated(
        r"at \$\\tau = 10\^\{(-\d+)\}\$ a logit of (\d+) becomes ([\d,]+), and"
    )
    assert number(logit) / 10.0 ** int(exponent) == pytest.approx(number(quotient))
    (same,) = stated(r"\$e\^\{(\d+)\}\$ is infinite")
    assert number(same) == number(quotient)
    assert torch.tensor(number(same)).exp() == math.inf


def test_a_logit_that_overflows_before_the_softmax():
    exponent, logit = stated(r"\$\\tau = 10\^\{(-\d+)\}\$, a logit of (\d+) overflows already")
    temperature = 10.0 ** int(exponent)
    assert temperature >= torch.finfo(torch.float32).tiny
    assert torch.tensor(float(logit)) / temperature == math.inf
    assert torch.tensor(float(logit) / 2) / temperature < math.inf


def test_letters_that_never_followed(shannon):
    each, together = stated(r"count ([\d.]+) each, and have at most ([\d.]+) % together")
    model = shannon["CountingModel"](shannon["STORY"], 5)
    (least,) = {row.min().item() for row in model.counts.values()}
    assert least == pytest.approx(float(each))
    shares = [(row[row < 0.5].sum() / row.sum()).item() for row in model.counts.values()]
    assert round(100 * max(shares), 2) == float(together)


def test_a_vocabulary_and_its_tail():
    whole, tail = stated(r"vocabulary of ([\d,]+) holds ([\d,]+) tokens that make no sense")
    assert 0 < number(whole) - number(tail) < 0.01 * number(whole)


def test_draws_are_as_many_as_the_text_says():
    (draws,) = stated(r"In ([\d,]+) draws, token")
    (power,) = stated(r"give or take \$\\sqrt\{(\d+)\\,p_i\}\$")
    code = "\n".join(c.source for c in LESSON.cells if c.kind == "code")
    assert number(draws) == number(power)
    assert f"logits.expand({power}, -1)" in code


def test_positions_without_a_cache():
    stated(r"\$1 \+ 2 \+ \\dots \+ n \\approx n\^2/2\$ positions")
    assert sum(range(1, 1001)) == pytest.approx(1000**2 / 2, rel=0.01)


def test_steps_of_learning_by_heart():
    (steps,) = stated(r"\*\*Look at it.\*\* (\d+) steps take a few seconds")
    code = "\n".join(c.source for c in LESSON.cells if c.kind == "code")
    assert f"n_steps=len(plots.steps({steps}))" in code
