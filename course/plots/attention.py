"""Pictures of attention: who may look, who looks, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

from course.plots import paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch import Tensor

HATCHED: dict[str, Any] = {
    "fill": False, "hatch": "////", "linewidth": 0, "edgecolor": paper.INK, "alpha": 0.6,
}  # fmt: skip
"""How a cell looks that holds nothing, apart from one that holds little."""

NAME_WIDTH = 24
"""How many letters fit above a panel."""
STILL = 1e-6
"""An output that moves by no more does not move: the rest is rounding."""
MANY = 10
"""More words than that stand upright below a picture, and small, or they would touch."""


@paper.picture
def attention_weights(
    panels: Mapping[str, Tensor], tokens: Sequence[str] | None = None, title: str = "Attention"
) -> None:
    """Draw attention weights (T, S) as heatmaps beside each other; rows are queries.

    Where a weight is exactly 0, as a mask makes it, the cell is hatched instead of coloured; beside
    each row stands what its weights add to.

    Args:
        panels: a name for each.
        tokens: words for the axes, when queries and keys are the same T tokens.
        title: stands above them all.
    """
    values = {
        name: paper.matrix(panel, f"{name}: attention weights (T, S)")
        for name, panel in panels.items()
    }
    figure = _panels(values, title, ("query", "key"), tokens, "weight", limit=1.0)
    for axes, weights in zip(figure.axes, values.values(), strict=False):
        _write_sums(axes, weights)
    hatched = [
        _hatch(axes, weights == 0)
        for axes, weights in zip(figure.axes, values.values(), strict=False)
    ]
    if any(hatched):
        _explain_hatching(figure, "exactly 0: this query may not look there")
    told = []
    for name, weights in values.items():
        future = float(weights[_above_diagonal(weights)].sum() / (weights.sum() or 1.0))
        largest = weights.max(axis=1).mean()
        told.append(f"{name}: {largest:.2f} on the favourite key, {future:.0%} on later keys")
    sums = [float(total) for weights in values.values() for total in weights.sum(axis=1)]
    added = f"{min(sums):.2f}" if max(sums) - min(sums) < 0.005 else "different numbers"
    paper.show(
        figure,
        f"{title}, a row for each query; rows add to {added}. Mean weight: {'; '.join(told)}.",
    )


@paper.picture
def influence(panels: Mapping[str, Tensor], tokens: Sequence[str] | None = None) -> None:
    """Draw how far each output (row) moves when one input (column) is changed.

    Colours show what one position does to another; what it does to itself is off their scale.

    Args:
        panels: (T, T) for each name, nothing negative.
        tokens: words for the axes.
    """
    import numpy as np

    values = {
        name: paper.matrix(panel, f"{name}: influences (T, T)") for name, panel in panels.items()
    }
    title = "Change one input, watch every output"
    # A position moves its own output far more than any other: the scale is for the others.
    others = [
        float(moved.max(initial=0.0, where=~np.eye(*moved.shape, dtype=np.bool_)))
        for moved in values.values()
    ]
    figure = _panels(
        values, title, ("output at", "changed input"), tokens, "distance", limit=max(others)
    )
    hatched = [
        _hatch(axes, moved <= STILL)
        for axes, moved in zip(figure.axes, values.values(), strict=False)
    ]
    if any(hatched):
        _explain_hatching(figure, "0: this output does not move")
    told = []
    for name, moved in values.items():
        reached = (moved > STILL).mean()
        backward = int((moved[_above_diagonal(moved)] > STILL).sum())
        told.append(f"{name}: {reached:.0%} of the outputs move, {backward} before the change")
    paper.show(figure, f"{title}. {'; '.join(told)}.")


@paper.picture
def score_growth(widths: Sequence[int], plain: Sequence[float], scaled: Sequence[float]) -> None:
    """Draw the standard deviation of scores against d_k, and the largest weight they lead to.

    Args:
        widths: d_k.
        plain: standard deviations of the dot products.
        scaled: the same after division by sqrt(d_k).
    """
    import torch

    figure = paper.figure(9, 3.6)
    left, right = figure.subplots(1, 2)
    noise = torch.randn(200, 16, generator=torch.Generator().manual_seed(0))
    largest = [
        [(noise * std).softmax(dim=-1).amax(dim=-1).mean().item() for std in deviations]
        for deviations in (plain, scaled)
    ]
    styles = (("q · k", "-s", paper.ORANGE), ("q · k / √d_k", "-o", paper.BLUE))
    for (name, style, colour), deviations, weights in zip(
        styles, (plain, scaled), largest, strict=True
    ):
        left.plot(widths, deviations, style, color=colour, label=name)
        right.plot(widths, weights, style, color=colour, label=name)
    left.set(xlabel="d_k", ylabel="standard deviation", yscale="log", title="Scores")
    right.set(xlabel="d_k", ylabel="mean of the largest", ylim=(0, 1.05))
    right.set_title("Largest of 16 attention weights")
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.set_xticks(widths, [str(width) for width in widths])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    left.legend(frameon=False)
    paper.show(
        figure,
        f"From d_k = {widths[0]} to {widths[-1]} the dot products' standard deviation grows from "
        f"{plain[0]:.1f} to {plain[-1]:.1f}, and the largest of 16 weights from "
        f"{largest[0][0]:.2f} to {largest[0][-1]:.2f}: one key takes all. Divided by √d_k the "
        f"deviation stays near {scaled[-1]:.1f} and the largest weight near {largest[1][-1]:.2f}.",
    )


@paper.picture
def activations() -> None:
    """Draw GELU beside ReLU, and how far GELU's approximation by tanh is from it."""
    import torch
    import torch.nn.functional as F

    x = torch.linspace(-4, 4, 40_001, dtype=torch.float64)
    exact, approximate = F.gelu(x), F.gelu(x, approximate="tanh")
    figure = paper.figure(9, 3.4)
    left, right = figure.subplots(1, 2)
    left.plot(x, exact, color=paper.BLUE, label="GELU")
    left.plot(x, x.relu(), "--", color=paper.ORANGE, label="ReLU")
    left.set(xlabel="x", ylabel="activation", title="GELU lets small negatives through")
    left.legend(frameon=False)
    right.plot(x, approximate - exact, color=paper.GREEN)
    right.set(xlabel="x", ylabel="difference", title="Approximation by tanh, minus GELU")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    worst = (approximate - exact).abs()
    paper.show(
        figure,
        f"GELU follows ReLU far from zero, dips to {exact.min():.2f} at x = "
        f"{x[exact.argmin()]:.2f} and has no corner. Its approximation by tanh is off by up to "
        f"{worst.max():.4f}, at x = {x[worst.argmax()]:.1f}.",
    )


def _panels(
    panels: Mapping[str, Any],
    title: str,
    labels: tuple[str, str],
    tokens: Sequence[str] | None,
    scale: str,
    limit: float | None = None,
) -> Figure:
    """Draw matrices beside each other on one scale from 0; rows run from top to bottom."""
    names = {name: fill(name, NAME_WIDTH) for name in panels}
    lines = max(name.count("\n") for name in names.values())
    figure = paper.figure(2.9 * len(panels) + 1.2, 4.0 + 0.2 * lines)
    figure.set_layout_engine("compressed", h_pad=0.08)  # for squares, which leave room of their own
    figure.suptitle(title)
    largest = max(float(values.max()) for values in panels.values()) or 1.0
    limit = limit or largest
    drawn = list(figure.subplots(1, len(panels), squeeze=False)[0])
    for axes, (name, values) in zip(drawn, panels.items(), strict=True):
        image = axes.imshow(
            values, cmap=paper.UNSIGNED, vmin=0, vmax=limit, interpolation="nearest"
        )
        axes.set(xlabel=labels[1])
        axes.set_title(names[name], fontsize="medium")
        for axis, count in ((axes.yaxis, len(values)), (axes.xaxis, values.shape[1])):
            if tokens is not None and count == len(tokens):
                axis.set_ticks(range(count), tokens)
        if tokens is not None:
            axes.tick_params(axis="x", rotation=60)
        if tokens is not None and len(tokens) > MANY:
            axes.tick_params(axis="x", rotation=90)
            axes.tick_params(labelsize=8)
    drawn[0].set_ylabel(labels[0])
    extend = "max" if largest > limit else "neither"
    figure.colorbar(image, ax=drawn, label=scale, shrink=0.8, extend=extend)
    return figure


def _write_sums(axes: Axes, weights: Any) -> None:
    """Write to the right of each row what it adds to, as long as there is room for the numbers."""
    rows, columns = weights.shape
    if rows > 12:
        return
    for row, total in enumerate(weights.sum(axis=1)):
        axes.text(columns - 0.35, row, f"{total:.2f}", va="center", fontsize=8)
    axes.text(columns - 0.35, -0.6, "sum", va="bottom", fontsize=8, style="italic")


def _hatch(axes: Axes, chosen: Any) -> bool:
    """Hatch the cells of a matrix of truths, in place of their colour; whether there were any."""
    import numpy as np
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    places = np.argwhere(chosen)
    if not len(places):
        return False
    cells = [
        Path(
            [
                (x - 0.5, y - 0.5),
                (x + 0.5, y - 0.5),
                (x + 0.5, y + 0.5),
                (x - 0.5, y + 0.5),
                (0, 0),
            ],
            closed=True,
        )
        for y, x in places
    ]
    image: Any = axes.images[0]
    image.set_data(np.ma.masked_where(chosen, image.get_array()))
    axes.add_patch(PathPatch(Path.make_compound_path(*cells), **HATCHED))
    return True


def _explain_hatching(figure: Figure, words: str) -> None:
    from matplotlib.patches import Patch

    key = Patch(**HATCHED, label=words)
    figure.legend(handles=[key], loc="outside lower center", frameon=False)


def _above_diagonal(values: Any) -> Any:
    """Where the column's number is larger than the row's: what lies in the future."""
    rows, columns = values.shape
    return [[column > row for column in range(columns)] for row in range(rows)]
