"""Pictures of parameters, memory, samples and curves: what they say is what is in them."""

from __future__ import annotations

import pytest
import torch
from matplotlib.figure import Figure

from course import plots
from course.plots import paper

TIED = {"embedding": 600, "transformer_blocks": 390, "ln_f": 10, "lm_head": 0, "total": 1000}
UNTIED = {**TIED, "lm_head": 600, "total": 1600}


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What each shown picture says; all of them are drawn."""
    told: list[str] = []
    monkeypatch.setattr(paper, "show", lambda *shown: told.append(paper.drawn(*shown).description))
    return told


def test_curves_tell_where_they_start_and_end(words: list[str]) -> None:
    plots.curves({"T": {"a": ((1, 10), (0.5, 12345.6)), "b": ((1, 10), (2, 2))}}, "Way", "MiB")
    assert words == [
        "Way (MiB). a: from 0.5 at T = 1 to 12,346 at 10. b: from 2 at T = 1 to 2 at 10."
    ]


def test_a_level_to_compare_with_is_told_and_named(words: list[str]) -> None:
    plots.curves({"step": {"loss": ((0, 9), (3, 2))}}, "Way", "loss", levels={"ln 6": 1.79})
    assert words[-1].endswith("ln 6: 1.79 throughout.")


@pytest.mark.parametrize("log", ["", "x", "y", "xy"])
def test_many_panels_and_many_points_are_drawn(words: list[str], log: str) -> None:
    long = list(range(1, 400))
    plots.curves({name: {"all": (long, long)} for name in "abcd"}, "Many", "n", log=log)
    assert words[0].count("from 1 at") == 4


def test_a_short_logarithmic_axis_names_its_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    figures: list[Figure] = []
    monkeypatch.setattr(paper, "show", lambda figure, _: figures.append(figure))
    plots.curves({"step": {"loss": ((0, 1), (3.9, 0.72))}}, "Learning", "nats", log="y")
    (figure,) = figures
    figure.draw_without_rendering()
    axis = figure.axes[0].yaxis
    labels = [tick.get_text() for tick in axis.get_ticklabels(which="both")]
    assert {"0.7", "0.8", "0.9", "1", "2", "3"} <= set(labels)


def test_shares_leave_out_what_is_nothing(words: list[str]) -> None:
    plots.parameter_shares({"tied": TIED, "untied": UNTIED}, "Shares")
    tied, untied = words[0].removeprefix("Shares. ").split("; ")
    assert tied.endswith("embedding 60 %, transformer_blocks 39 %, ln_f 1 %")
    assert untied.endswith("transformer_blocks 24 %, ln_f 1 %, lm_head 38 %.")


def test_pies_tell_totals_and_shares(words: list[str]) -> None:
    plots.parameter_pies({"tied": TIED, "untied": UNTIED})
    assert "tied: 1,000 parameters, embedding 60 %" in words[0]
    assert "lm_head 38 %" in words[0]


def test_two_jobs_are_told(words: list[str]) -> None:
    plots.two_jobs()
    assert "Tied, one matrix does both." in words[0]


def test_gradients_are_averaged_by_whether_a_token_was_seen(words: list[str]) -> None:
    gradient = torch.zeros(4, 2)
    gradient[0] = torch.tensor([3.0, 4.0])
    plots.gradient_by_token({"table": gradient}, seen=2)
    assert "table: 2.5 for tokens in the input, 0 for the others" in words[0]


def test_a_gradient_that_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match=r"table: a gradient \(V, d_model\), got NoneType"):
        plots.gradient_by_token({"table": None}, seen=2)  # type: ignore[dict-item]


def test_memory_bars_add_up(words: list[str]) -> None:
    plots.memory_bars({"tiny": {"weights": 8, "gradients": 4}, "none": {"weights": 0}}, "Memory")
    assert "tiny: 12 (weights 8, gradients 4); none: 0 (weights 0)" in words[0]


def test_saved_tensors_are_told_in_order(words: list[str]) -> None:
    plots.saved_tensors({"1: (2, 3)": 6, "2: (4, 500)": 2000}, "Block")
    assert words == ["Block, in elements, from first to last: 1: (2, 3) 6, 2: (4, 500) 2,000."]


def test_probabilities_and_draws_are_told(words: list[str]) -> None:
    plots.token_probabilities({"cold": [1.0, 0.0]}, ["a", "b"], "Two", {"cold": [0.9, 0.1]})
    plots.token_probabilities({"hot": [0.5, 0.5]}, ["a", "b"], "Two")
    assert words[0] == "Two. cold: a 100%, b 0%, drawn a 90%, b 10%."
    assert words[1] == "Two. hot: a 50%, b 50%."


def test_what_limits_leave_is_counted_and_added_up(words: list[str]) -> None:
    kept = {"top-k": {"sure": [False, True, True]}}
    plots.kept_tokens({"sure": [0.1, 0.7, 0.2]}, kept, "Left")
    assert words == ["Left. Kept: sure, top-k: 2 of 3 tokens, 90%."]
