"""Pictures on pages: they follow the page's theme, and are read on white and on dark."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest
import torch

from course import checking, plots, predictions
from course.plots import paper

PAGES = {"white": "#FFFFFF", "JupyterLab's dark": "#111111"}
MARKS = (paper.BLUE, paper.ORANGE, paper.GREEN, paper.GREY)
WORDS = ["the", "cat", "sat"]
CAUSAL = torch.tensor([[1.0, 0, 0], [0.5, 0.5, 0], [0.2, 0.3, 0.5]])
PARTS = {"embedding": 60, "transformer_blocks": 30, "ln_f": 1, "lm_head": 60}
DRAWN: dict[str, Callable[[], None]] = {
    "pipeline": lambda: plots.pipeline([("ids", "(B, T)"), ("out", "(B, T, V)")], "Way"),
    "block": plots.block,
    "architecture": plots.architecture,
    "two_jobs": plots.two_jobs,
    "scale": plots.scale_comparison,
    "positions": lambda: plots.position_table(torch.randn(6, 8)),
    "similarity": lambda: plots.position_similarity({"a": torch.randn(4, 4)}),
    "attention": lambda: plots.attention_weights({"one": CAUSAL, "two": CAUSAL}, WORDS),
    "influence": lambda: plots.influence({"causal": CAUSAL}),
    "scores": lambda: plots.score_growth([4, 16], [2, 4], [1, 1]),
    "states": lambda: plots.hidden_states([torch.randn(1, 2, 3)] * 2),
    "shares": lambda: plots.parameter_shares({"tiny": PARTS}, "Shares"),
    "pies": lambda: plots.parameter_pies({"tiny": PARTS}),
    "gradients": lambda: plots.gradient_by_token({"tied": torch.randn(6, 2)}, seen=3),
    "memory": lambda: plots.memory_bars({"a": {"w": 1, "x": 2, "y": 3, "z": 4}}, "Memory"),
    "saved": lambda: plots.saved_tensors({"a": 1, "b": 2}, "Saved"),
    "curves": lambda: plots.curves({"x": {n: ([1, 2], [1, 2]) for n in "abcd"}}, "Curves", "y"),
    "sampling": lambda: plots.token_probabilities(
        {"T": [0.5, 0.5]}, ["a", "b"], "Tokens", {"T": [0.4, 0.6]}
    ),
    "kept": lambda: plots.kept_tokens({"m": [0.9, 0.1]}, {"k": {"m": [True, False]}}, "Kept"),
}


def draw(name: str, monkeypatch: pytest.MonkeyPatch) -> plots.Picture:
    pictures: list[plots.Picture] = []
    monkeypatch.setattr(paper, "DPI", 30)
    monkeypatch.setattr(paper, "show", lambda *shown: pictures.append(paper.drawn(*shown)))
    DRAWN[name]()
    return pictures[0]


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("mark", [*MARKS, checking.GREEN, checking.RED, checking.GREY, predictions.BLUE])  # fmt: skip
def test_marks_are_seen_on_every_page(mark: str, page: str) -> None:
    assert paper.contrast(mark, page) >= 3


@pytest.mark.parametrize("mark", MARKS)
def test_text_on_a_mark_is_read(mark: str) -> None:
    assert paper.contrast(paper.on(mark), mark) >= 4.5


@pytest.mark.parametrize(("page", "text"), [("#FFFFFF", "#212121"), ("#111111", "#E0E0E0")])
@pytest.mark.parametrize("mark", MARKS)
def test_the_pages_text_is_read_on_pale_marks(mark: str, page: str, text: str) -> None:
    mixed = (
        round(
            paper.PALE * int(mark[at : at + 2], 16) + (1 - paper.PALE) * int(page[at : at + 2], 16)
        )
        for at in (1, 3, 5)
    )
    assert paper.contrast(text, "#" + "".join(f"{part:02X}" for part in mixed)) >= 4.5


def test_ink_of_a_png_is_as_good_on_either_page_as_one_colour_can_be() -> None:
    assert min(paper.contrast(paper.INK, page) for page in PAGES.values()) > 4.2


def without(kind: str, colour: str) -> tuple[float, float, float]:
    """A colour as it looks without one kind of cones (Viénot, Brettel and Mollon 1999)."""
    linear = [(int(colour[at : at + 2], 16) / 255) ** 2.2 for at in (1, 3, 5)]
    red, green, blue = linear
    mixed = {"protan": 0.11238 * red + 0.88762 * green, "deutan": 0.29275 * red + 0.70725 * green}
    other = {"protan": 0.00401 * (red - green) + blue, "deutan": -0.02234 * (red - green) + blue}
    return (mixed[kind], mixed[kind], other[kind])


@pytest.mark.parametrize("kind", ["protan", "deutan"])
@pytest.mark.parametrize("pair", [*combinations(MARKS[:3], 2)], ids="-".join)
def test_marks_differ_for_colour_blind_readers(kind: str, pair: tuple[str, str]) -> None:
    one, other = (without(kind, colour) for colour in pair)
    assert max(abs(a - b) for a, b in zip(one, other, strict=True)) > 0.1


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_has_the_pages_colours_and_those_of_marks_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing = draw(name, monkeypatch)
    ElementTree.fromstring(drawing.svg)
    used = set(re.findall(r"(?:fill|stroke): ?(#\w+|\w+)", drawing.svg))
    allowed = {colour.lower() for colour in (*MARKS, paper.ON_DARK, paper.ON_LIGHT)}
    assert "currentColor" in used
    # a bar beside a heatmap ends in an arrow, of the highest colour of its map
    assert used <= {"currentColor", "none", "url", "#fee838"} | allowed
    texts = re.findall(r'<g id="text_\d+">.*?</g>', drawing.svg, re.DOTALL)
    for text in texts:  # text is ink, or what is read on a mark
        assert not set(re.findall(r"fill: (#\w+)", text)) & {mark.lower() for mark in MARKS}


def test_a_picture_is_transparent_also_as_png(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    from PIL import Image

    drawing = Image.open(io.BytesIO(draw("curves", monkeypatch).png))
    assert drawing.getpixel((0, 0))[3] == 0  # type: ignore[index]
    assert drawing.getpixel((drawing.width // 2, drawing.height // 2))[3] < 128  # type: ignore[index]


def test_a_picture_says_what_it_shows_and_styles_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawing = draw("curves", monkeypatch)
    assert f'role="img" aria-label="{drawing.description}"' in drawing.svg
    assert not re.search(r"<style|<metadata|<!--|<script", drawing.svg)
    assert base64.b64encode(drawing.png).decode() in drawing.svg  # where SVG is taken out


def test_zeros_are_hatched_and_rows_have_their_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = draw("attention", monkeypatch)
    assert "rows add to 1.00" in drawing.description
    assert drawing.svg.count("<pattern") == 1
    assert len(re.findall(r"fill: url\(#", drawing.svg)) == 3  # two panels and the key
    everywhere = torch.full((3, 3), 1 / 3)
    DRAWN["everywhere"] = lambda: plots.attention_weights({"none": everywhere})
    assert "<pattern" not in draw("everywhere", monkeypatch).svg
    del DRAWN["everywhere"]


def test_outputs_that_do_not_move_are_hatched_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    svg = draw("influence", monkeypatch).svg
    assert len(re.findall(r"fill: url\(#", svg)) == 2  # the panel and the key


@pytest.mark.parametrize("name", ["causal", "block 2, head 1: looks back by ten places"])
def test_nothing_is_written_over_something_else(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    figures: list[Any] = []
    monkeypatch.setattr(paper, "show", lambda figure, _: figures.append(figure))
    for size in (6, 24):
        plots.attention_weights({name: torch.eye(size), f"{name} ": torch.eye(size)}, title="Two")
        plots.influence({name: torch.eye(size), f"{name} ": torch.eye(size)})
    for figure in figures:
        figure.draw_without_rendering()
        panels = figure.axes[:2]
        (key,) = figure.legends
        texts = [
            figure._suptitle,
            key,
            *(p.title for p in panels),
            *(p.xaxis.label for p in panels),
        ]
        boxes = [text.get_window_extent() for text in texts]
        assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_the_notebooks_own_pictures_keep_their_style() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    plots.block()
    assert dict(matplotlib.rcParams) == before
