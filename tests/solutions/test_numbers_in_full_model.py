"""What the third notebook says in numbers, computed: its prose is read, not repeated."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from stated_numbers import prose_of, stated

from solutions.tiny_transformer import TinyTransformerLM, get_model_config


@pytest.fixture(scope="module")
def prose() -> str:
    return prose_of("full_model")


def test_how_far_logits_spread_for_two_deviations_of_the_head(prose: str) -> None:
    sigma, width, small, large = stated(
        prose,
        r"At \$\\sigma = ([\d.]+)\$ and \$d_\{\\text\{model\}\} = (\d+)\$ that is ([\d.]+): "
        r".* With 1, it would be (\d+),",
    )
    assert small == pytest.approx(sigma * math.sqrt(width), abs=0.005)
    assert large == pytest.approx(math.sqrt(width))
    vectors = F.layer_norm(torch.randn(400, int(width)), (int(width),))
    for deviation, spread in ((sigma, small), (1.0, large)):
        logits = vectors @ (deviation * torch.randn(int(width), 500))
        assert logits.std().item() == pytest.approx(spread, rel=0.05)


def test_both_deviations_are_those_that_the_text_pins(prose: str) -> None:
    (pinned,) = stated(prose, r"with mean 0 and standard deviation ([\d.]+\d)")
    (shown,) = stated(prose, r"At \$\\sigma = ([\d.]+)\$")
    model = TinyTransformerLM(400, 64, 2, 1, 8, tie_weights=False)
    table = model.embedding.token_embedding.embedding.weight
    assert pinned == shown
    for weight in (table, model.lm_head.weight):
        assert weight.std().item() == pytest.approx(pinned, rel=0.05)


def first_loss(seed: int, own_values: bool = False, tied: bool = True) -> float:
    """The first loss of the model in the notebook; with PyTorch's values in the head, if told."""
    torch.manual_seed(seed)
    model = TinyTransformerLM(1000, 128, 4, 3, 512, max_len=256, tie_weights=tied)
    if own_values:
        model.lm_head.reset_parameters()
    tokens = torch.randint(0, 1000, (4, 65))
    with torch.no_grad():
        logits, _ = model(tokens[:, :-1])
    return F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten()).item()


def test_the_first_loss_of_a_thousand_tokens(prose: str) -> None:
    size, lowest, low, high, wrong = stated(
        prose,
        r"a little above \$\\ln (\d+) = ([\d.]+)\$, from ([\d.]+) to ([\d.]+); about ([\d.]+) means",
    )
    assert lowest == pytest.approx(math.log(size), abs=0.005)
    found = [first_loss(seed) for seed in range(5)]
    assert all(low - 0.01 < loss < high + 0.01 for loss in found)
    assert max(found) - min(found) > 0.5 * (high - low)  # the range is no wider than it has to be
    for tied in (True, False):
        kept = [first_loss(seed, own_values=True, tied=tied) for seed in range(3)]
        assert sum(kept) / len(kept) == pytest.approx(wrong, abs=0.05)
        assert min(kept) > high


def test_a_table_and_a_position_make_the_first_length(prose: str) -> None:
    (width,) = stated(prose, r"for \*small\*: \$d_\{\\text\{model\}\} = (\d+)\$")
    assert "Squares of lengths add up here, too." in prose
    model = TinyTransformerLM(1000, **get_model_config("small")).eval()
    _, states = model(torch.randint(0, 1000, (4, 64)), return_hidden_states=True)
    token, position = 0.02 * width, math.sqrt(width / 2)
    expected = pytest.approx(math.hypot(token, position), rel=0.02)
    assert states[0].norm(dim=-1).mean().item() == expected


def test_the_best_loss_of_a_die(prose: str) -> None:
    sides, loss = stated(prose, r"best possible loss is \$\\ln (\d) = ([\d.]+)\$")
    assert loss == pytest.approx(math.log(sides), abs=0.005)


def test_vectors_are_as_long_after_the_last_norm_as_the_text_says(prose: str) -> None:
    assert r"each vector is about $\sqrt{d_{\text{model}}}$ long" in prose
    model = TinyTransformerLM(100, **get_model_config("tiny")).eval()
    _, states = model(torch.randint(0, 100, (2, 20)), return_hidden_states=True)
    lengths = [state.norm(dim=-1).mean().item() for state in states]
    assert lengths == sorted(lengths)  # "the vectors grow, layer by layer"
    after = model.ln_f(states[-1]).norm(dim=-1)
    torch.testing.assert_close(after, torch.full_like(after, math.sqrt(128)), rtol=1e-3, atol=0)


def test_a_size_between_small_and_medium(prose: str) -> None:
    millions, vocabulary = stated(
        prose, r"with about (\d+) million parameters at \$V = ([\d{},]+)\$"
    )
    with torch.device("meta"):
        small, medium = (
            TinyTransformerLM(int(vocabulary), **get_model_config(size)).count_parameters()
            for size in ("small", "medium")
        )
    assert small < millions * 1e6 < medium
