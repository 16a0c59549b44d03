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


def named(*signs: str) -> dict[str, object]:
    """The names of the cells that contain these signs, without their demonstrations."""
    names: dict[str, object] = {}
    exec("import math, random, string\nimport torch", names)
    cells = [c.source for c in LESSON.cells if c.kind == "code" and c.solution is None]
    for sign in signs:
        (cell,) = (source for source in cells if sign in source)
        exec(cell.partition("with plots.demo()")[0], names)
    return names


def test_a_sentence_of_the_language():
    language = named("def sentences(")
    words = language["sentences"](1, seed=0)
    (length,) = stated(r"A sentence has (\d+) tokens; a token is a word")
    assert len(words) == int(length)
    slots = language["SLOTS"].values()
    assert stated(r"takes (\d) free choices among (\d), so") == (str(len(slots)), "8")
    assert all(len(set(choices.split())) == 8 for choices in slots)
    (kinds,) = stated(r"there are ([\d,]+)\.")
    assert number(kinds) == 8 ** len(slots)


def test_the_language_has_the_entropy_that_the_text_says():
    (entropy,) = stated(r"\$5 \\ln 8 / 14 = ([\d.]+)\$")
    assert float(entropy) == round(5 * math.log(8) / 14, 3)
    (lower, again) = stated(r"8\)/14 = ([\d.]+)\$ at best.*?So a loss below ([\d.]+) proves")
    assert lower == again
    assert float(lower) == round((6 * math.log(8) + math.log(2)) / 14, 3)


def test_five_words_hide_the_person_and_the_thing():
    language = named("def sentences(")
    (sight,) = stated(r"who sees only the last (\d) words\?")
    pattern = language["PATTERN"].split()
    first, second = (place for place, word in enumerate(pattern) if word == "THING")
    assert pattern.index("PRONOUN") - pattern.index("PERSON") > int(sight)
    assert second - first > int(sight)


def test_the_texts_are_as_long_as_the_text_says():
    language = named("def sentences(")
    (learned,) = stated(r"Of ([\d,]+) sentences, hardly any occurs")
    known, kept_back = (
        {tuple(words[at : at + 14]) for at in range(0, len(words), 14)}
        for words in (
            language["sentences"](int(number(learned)), 1500),
            language["sentences"](150, 150),
        )
    )
    assert len(known & kept_back) < 0.1 * len(kept_back)


def test_how_many_tokens_limits_leave():
    from solutions.tiny_transformer import keep_min_p, keep_top_k, keep_top_p

    ranks = torch.arange(1, 51).log()
    models = [(-2.2 * ranks).unsqueeze(0), (-0.8 * ranks).unsqueeze(0)]
    code = "\n".join(c.source for c in LESSON.cells if c.kind == "code")
    assert "(-2.2 * ranks)" in code
    assert "(-0.8 * ranks)" in code
    k, *counts = stated(
        r"top-k keeps (\d) tokens of both.* keeps (\d+) and (\d+), min-p (\d+) and (\d+)\."
    )
    for keep, limit, found in (
        (keep_top_k, 5, [k, k]),
        (keep_top_p, 0.9, counts[:2]),
        (keep_min_p, 0.1, counts[2:]),
    ):
        assert [int(keep(z, limit).isfinite().sum()) for z in models] == [int(n) for n in found]


def test_periods_that_are_learned_and_shown():
    periods = named("def repeated(")["PERIODS"]
    *learned, shown = stated(r"with periods (\d+), (\d+), (\d+) and (\d+), .*? shown period (\d+),")
    assert [int(period) for period in learned] == list(periods)
    assert int(shown) not in periods
    (left,) = stated(r"a stripe in the second block, (\w+) places left of the diagonal")
    assert left == "ten"
    assert int(shown) - 1 == 10


def test_an_untrained_model_is_as_undecided_as_the_text_says():
    from course.parts import TinyTransformerLM

    (short,) = stated(r"At \$\\tau = 1\$ it is within ([\d.]+) nats of complete indifference")
    element, width, deviation = stated(r"about \$([\d.]+) \\sqrt\{(\d+)\} = ([\d.]+)\$")
    assert round(float(element) * float(width) ** 0.5, 2) == float(deviation)
    torch.manual_seed(0)
    model = TinyTransformerLM(10_000, int(width), n_heads=4, n_layers=4, d_ff=512, max_len=512)
    with torch.no_grad():
        last = model.eval()(torch.randint(0, 10_000, (8, 16)))[0][:, -1]  # (B, V)
    assert last.std(dim=-1).mean().item() == pytest.approx(float(deviation), rel=0.03)
    for heat in (0.5, 1.0, 2.0):
        p = (last / heat).softmax(dim=-1)  # (B, V)
        missing = math.log(10_000) + (p * p.log()).sum(dim=-1).mean().item()
        assert missing == pytest.approx(float(deviation) ** 2 / 2 / heat**2, rel=0.06)
        assert heat != 1.0 or missing < float(short)
