"""Pictures of blocks and models: what they say about what is in them."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from course import plots
from course.plots import paper


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the pictures that were drawn say."""
    said: list[str] = []

    def show(*shown: object) -> None:
        picture = paper.drawn(*shown)  # type: ignore[arg-type]
        assert picture.png.startswith(b"\x89PNG")
        said.append(picture.description)

    monkeypatch.setattr(paper, "show", show)
    return said


def test_diagrams_name_their_parts_and_shapes(words: list[str]) -> None:
    plots.block()
    plots.architecture()
    plots.activations()
    assert words[0].index("LayerNorm") < words[0].index("attention") < words[0].index("adds again")
    assert "logits (B, T, V)" in words[1]
    assert "off by up to 0.0005" in words[2]


def test_weights_on_later_keys_are_told(words: list[str]) -> None:
    even = torch.full((4, 4), 0.25)
    plots.attention_weights({"even": even, "causal": even.tril()}, list("abcd"), "Two")
    assert "even: 0.25 on the favourite key, 38% on later keys" in words[0]
    assert "causal: 0.25 on the favourite key, 0% on later keys" in words[0]


def test_words_of_a_sentence_do_not_touch(monkeypatch: pytest.MonkeyPatch) -> None:
    figures: list[Figure] = []
    monkeypatch.setattr(paper, "show", lambda figure, _: figures.append(figure))
    words = ["the", "merry", "queen", "lantern", "whispers", "beside", ","] * 2
    panels = {name: torch.rand(14, 14).softmax(dim=-1) for name in ("and: head 1", "that: head 4")}
    plots.attention_weights(panels, words)
    (figure,) = figures
    FigureCanvasAgg(figure).draw()
    for axes in figure.axes[:2]:
        for axis in (axes.xaxis, axes.yaxis):
            boxes = [label.get_window_extent() for label in axis.get_ticklabels()]
            assert not any(one.overlaps(other) for one, other in pairwise(boxes))


@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (7, 3)])
def test_weights_of_any_size_are_drawn(words: list[str], shape: tuple[int, int]) -> None:
    plots.attention_weights({"one": torch.zeros(shape)}, list("abcde"))
    plots.influence({"one": torch.zeros(shape), "two": torch.rand(shape, requires_grad=True)})
    assert len(words) == 2


def test_influence_against_time_is_counted(words: list[str]) -> None:
    backward = torch.zeros(3, 3)
    backward[0, 2] = 1.0  # output 0 moves with input 2
    plots.influence({"leak": backward, "itself": torch.eye(3)})
    assert "leak: 11% of the outputs move, 1 before the change" in words[0]
    assert "itself: 33% of the outputs move, 0 before the change" in words[0]


def test_score_growth_tells_first_and_last(words: list[str]) -> None:
    plots.score_growth([4, 64], [2.0, 8.0], [1.0, 1.0])
    assert (
        "From d_k = 4 to 64 the dot products' standard deviation grows from 2.0 to 8.0" in words[0]
    )


def test_hidden_states_are_measured(words: list[str]) -> None:
    ones = torch.ones(2, 3, 4)
    plots.hidden_states([ones, 3 * ones.half().requires_grad_()], "Two")
    assert "mean of the elements 1.00 to 3.00" in words[0]
    assert "standard deviation 0.00 to 0.00" in words[0]
    assert "mean length of a vector 2.00 to 6.00" in words[0]


@pytest.mark.parametrize(
    ("states", "message"),
    [
        ([], "no hidden states"),
        ([torch.ones(1, 2, 3), torch.ones(2, 3)], "hidden state 1: expected .*, got shape"),
        ([None], "hidden state 0"),
        ([torch.ones(0, 2, 3)], "hidden state 0"),
    ],
)
def test_what_is_no_hidden_state_is_named(states: list[torch.Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.hidden_states(states)
