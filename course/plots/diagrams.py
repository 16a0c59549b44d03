"""Diagrams: boxes, arrows and shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from course.plots import paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@paper.picture
def pipeline(steps: Sequence[tuple[str, str]], title: str) -> None:
    """Draw steps from left to right, each a name and the shape that leaves it."""
    figure = paper.figure(2.3 * len(steps), 1.9)
    axes = figure.subplots()
    axes.set(xlim=(-0.5, len(steps) - 0.5), ylim=(0, 1))
    axes.axis("off")
    axes.set_title(title)
    for x, (name, shape) in enumerate(steps):
        _box(axes, (x, 0.65), (0.72, 0.5), name, aspect=0.5)
        _shape(axes, (x, 0.2), shape)
        if x:
            _arrow(axes, (x - 0.63, 0.65), (x - 0.37, 0.65))
    walk = ", then ".join(f"{name} {shape}".replace("\n", " ") for name, shape in steps)
    paper.show(figure, f"{title}: {walk}.")


@paper.picture
def block() -> None:
    """Draw a pre-norm block: a straight path, and two branches that read from it and add to it."""
    figure = paper.figure(10.5, 3)
    axes = figure.subplots()
    axes.set(xlim=(-0.6, 10.1), ylim=(-0.55, 2.1))
    axes.axis("off")
    axes.set_title("A block: two branches beside a straight path")
    _arrow(axes, (0.2, 0), (9.4, 0), width=3)
    _shape(axes, (-0.2, 0), "x")
    _shape(axes, (9.7, 0), "x")
    axes.text(4.75, -0.42, "the residual stream (B, T, d_model)", ha="center", color=paper.INK)
    branches = ((0.7, "multi-head\nattention", "positions exchange"),
                (5.2, "feed-\nforward", "each position by itself"))  # fmt: skip
    for x, sublayer, role in branches:
        axes.plot([x, x], [0, 1.2], color=paper.INK, linewidth=1.5)
        _arrow(axes, (x, 1.2), (x + 0.3, 1.2))
        for at, name in ((x + 0.85, "LayerNorm"), (x + 2.25, sublayer)):
            _box(axes, (at, 1.2), (1.1, 0.75), name)
        _arrow(axes, (x + 1.4, 1.2), (x + 1.7, 1.2))
        axes.plot([x + 2.8, x + 3.5], [1.2, 1.2], color=paper.INK, linewidth=1.5)
        _arrow(axes, (x + 3.5, 1.2), (x + 3.5, 0.2))
        axes.text(x + 2.25, 1.78, role, ha="center", style="italic")
        axes.plot(
            x + 3.5, 0, "o", markersize=19, color=paper.pale(paper.BLUE),
            markeredgecolor=paper.BLUE, zorder=5,
        )  # fmt: skip
        axes.text(x + 3.5, 0, "+", ha="center", va="center", fontsize=15, zorder=6)
    paper.show(
        figure,
        "A block: the vectors (B, T, d_model) run straight through, never normalised. The first "
        "branch reads them through a LayerNorm, lets the positions exchange information by "
        "multi-head attention, and adds the result. The second reads the sum through a LayerNorm "
        "of its own, transforms each position by itself, and adds again.",
    )


@paper.picture
def architecture() -> None:
    """Draw the language model from token ids to logits, with the shape after each part."""
    parts = (
        ("embedding", "token + position", "(B, T, d_model)"),
        ("blocks[0]", "attention, feed-forward", "(B, T, d_model)"),
        ("blocks[1]", "attention, feed-forward", "(B, T, d_model)"),
        ("…", "", ""),
        ("blocks[n_layers - 1]", "attention, feed-forward", "(B, T, d_model)"),
        ("ln_f", "final LayerNorm", "(B, T, d_model)"),
        ("lm_head", "a score for each token of the vocabulary", "(B, T, V)"),
    )
    states = {1: "hidden state 0", 2: "hidden state 1", 5: "hidden state n_layers"}
    figure = paper.figure(8, 5.4)
    axes = figure.subplots()
    axes.set(xlim=(-3.6, 4.3), ylim=(-len(parts) - 0.35, 0.6))
    axes.axis("off")
    axes.set_title("The language model, from token ids to logits")
    _shape(axes, (0, 0.2), "token ids (B, T)")
    for number, (name, role, _) in enumerate(parts):
        y = -number - 0.5
        if name == "…":
            axes.text(0, y, "⋮", ha="center", va="center", fontsize=16, color=paper.INK)
        else:
            _box(axes, (0, y), (2.4, 0.55), name)
        axes.text(1.4, y, role, va="center", color=paper.INK)
        _arrow(axes, (0, y + (0.55 if number == 0 else 0.72)), (0, y + 0.28))
        if number:
            _shape(axes, (-1.95, y + 0.5), parts[number - 1][2])
        if number in states:
            axes.text(0.25, y + 0.5, "← " + states[number], va="center", style="italic")
    _arrow(axes, (0, -len(parts) + 0.22), (0, -len(parts) - 0.05))
    _shape(axes, (0, -len(parts) - 0.22), "logits (B, T, V)")
    paper.show(
        figure,
        "Token ids (B, T) enter the embedding and become vectors (B, T, d_model): hidden state 0. "
        "n_layers blocks follow, one after the other; what leaves the last one is hidden state "
        "n_layers. The final LayerNorm ln_f and the linear map lm_head make logits (B, T, V) "
        "of it.",
    )


@paper.picture
def two_jobs() -> None:
    """Draw the model untied, with a matrix at either end, and tied, with one at both."""
    figure = paper.figure(10, 3.5)
    for axes, tied in zip(figure.subplots(1, 2), (False, True), strict=True):
        axes.set(xlim=(-0.5, 5.5), ylim=(-0.2, 3.1))
        axes.axis("off")
        axes.set_title("tied: one matrix, two jobs" if tied else "untied: two matrices")
        for x, name in ((0.4, "look up"), (2.5, "blocks, ln_f"), (4.6, "score")):
            _box(axes, (x, 0.9), (1.3, 0.6), name)
        for start in (1.05, 3.15):
            _arrow(axes, (start, 0.9), (start + 0.8, 0.9))
        _shape(axes, (0.4, 0.35), "ids → vectors")
        _shape(axes, (4.6, 0.35), "vectors → logits")
        if tied:
            _box(axes, (2.5, 2.4), (1.7, 0.8), "token table\n(V, d_model)")
            _arrow(axes, (1.65, 2.0), (0.4, 1.25))
            _arrow(axes, (3.35, 2.0), (4.6, 1.25))
        else:
            for x, name in (
                (0.6, "token table\n(V, d_model)"),
                (4.4, "lm_head.weight\n(V, d_model)"),
            ):
                _box(axes, (x, 2.4), (1.7, 0.8), name)
                _arrow(axes, (x, 2.0), (x, 1.25))
    paper.show(
        figure,
        "Untied, the token table (V, d_model) turns ids into vectors, and a second matrix of the "
        "same shape, lm_head.weight, turns the last vectors into logits. Tied, one matrix does "
        "both.",
    )


# ---------------------------------------------------------------- strokes


def _box(
    axes: Axes,
    centre: tuple[float, float],
    size: tuple[float, float],
    name: str,
    aspect: float = 1.0,
) -> None:
    from matplotlib.patches import FancyBboxPatch

    (x, y), (width, height) = centre, size
    patch = FancyBboxPatch(
        (x - width / 2, y - height / 2), width, height, boxstyle="round,pad=0,rounding_size=0.06",
        facecolor=paper.pale(paper.BLUE), edgecolor=paper.BLUE, linewidth=1.5,
        mutation_aspect=aspect,
    )  # fmt: skip
    axes.add_patch(patch)
    axes.text(x, y, name, ha="center", va="center", fontsize=11, color=paper.INK)


def _shape(axes: Axes, centre: tuple[float, float], shape: str) -> None:
    axes.text(
        *centre, shape, ha="center", va="center", fontsize=10, color=paper.INK, family="monospace"
    )


def _arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], width: float = 1.5
) -> None:
    arrow = {
        "arrowstyle": "-|>", "color": paper.INK, "linewidth": width, "shrinkA": 0, "shrinkB": 0,
    }  # fmt: skip
    axes.annotate("", end, start, arrowprops=arrow)
