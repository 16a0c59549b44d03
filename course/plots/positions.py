"""Pictures of embeddings: sizes of vectors, tables of positions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from course.plots import paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor


@paper.picture
def scale_comparison(token_std: float = 0.02) -> None:
    """Draw how large token vectors and positions are, with and without the factor sqrt(d_model).

    Args:
        token_std: standard deviation of the token table.
    """
    widths = (32, 64, 128, 256, 512, 1024)
    figure = paper.figure(7, 3.8)
    axes = figure.subplots()
    position = 0.5**0.5  # the mean of sin² and of cos² over a full wave is 1/2
    scaled = [token_std * width**0.5 for width in widths]
    lines = (  # and where the name stands: at which of the widths, how far above the line
        ("sinusoidal position", [position] * len(widths), paper.INK, "--", 1, 1.12),
        ("token vector × √d_model", scaled, paper.BLUE, "-o", 2, 0.72),
        ("token vector as stored", [token_std] * len(widths), paper.ORANGE, "-s", 1, 1.2),
    )
    for name, values, colour, style, at, above in lines:
        axes.plot(widths, values, style, color=colour)
        axes.text(widths[at], values[at] * above, name)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(widths, [str(width) for width in widths])
    ticks = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set(xlabel="d_model", ylabel="size of an element (RMS)", ylim=(0.014, 1.2))
    axes.set_title("Without the factor, positions drown the tokens")
    axes.grid(alpha=0.3)
    paper.show(
        figure,
        f"An element of a sinusoidal position is about {position:.2f} in size. A stored token "
        f"element is {token_std:g}, {position / token_std:.0f} times smaller, whatever d_model is. "
        f"Scaled by √d_model it grows from {scaled[0]:.2f} at d_model = {widths[0]} to "
        f"{scaled[-1]:.2f} at {widths[-1]}.",
    )


@paper.picture
def position_table(table: Tensor, title: str = "Positions, row by row") -> None:
    """Draw position vectors (T, d_model) as a heatmap, and four of their columns as curves."""
    values = paper.matrix(table, "a table of positions (T, d_model)")
    length, width = values.shape
    figure = paper.figure(9.5, 4.2)
    figure.set_layout_engine("constrained", wspace=0.06)
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    limit = float(abs(values).max()) or 1.0
    image = left.imshow(
        values, aspect="auto", cmap=paper.signed(), vmin=-limit, vmax=limit, interpolation="nearest"
    )
    left.set(xlabel="column", ylabel="position")
    left.set_title(title)
    figure.colorbar(image, ax=left, label="value")
    sine = width // 8 * 2  # a quarter of the way, and even
    columns = sorted({min(c, width - 1) for c in (sine, sine + 1, width // 16 * 6, width // 4 * 2)})
    styles = zip(
        columns,
        (paper.BLUE, paper.ORANGE, paper.GREEN, paper.INK),
        ("-", "--", "-.", ":"),
        strict=False,
    )
    for column, colour, line in styles:
        right.plot(values[:, column], color=colour, linestyle=line, label=f"column {column}")
    right.set(xlabel="position", ylabel="value", xlim=(0, max(1, length - 1)))
    right.set_title("Some columns as curves")
    right.grid(alpha=0.3)
    figure.legend(
        *right.get_legend_handles_labels(), loc="outside lower right", ncols=4, frameon=False
    )
    flips = [int((values[1:, c] * values[:-1, c] < 0).sum()) for c in (0, width - 1)]
    paper.show(
        figure,
        f"{length} positions by {width} columns, values from {values.min():.2f} to "
        f"{values.max():.2f}. The first column changes sign {flips[0]} times, the last "
        f"{flips[1]} times.",
    )


@paper.picture
def position_similarity(tables: Mapping[str, Tensor]) -> None:
    """Draw the dot products of all pairs of positions, a heatmap for each table (T, d_model)."""
    figure = paper.figure(4.6 * len(tables) + 0.6, 4.2)
    drawn: list[Axes] = list(figure.subplots(1, len(tables), squeeze=False)[0])
    told = []
    for axes, (name, table) in zip(drawn, tables.items(), strict=True):
        values = paper.matrix(table, f"{name}: a table of positions (T, d_model)")
        products = values @ values.T
        products = products / (products.diagonal().mean() or 1.0)
        image = axes.imshow(products, cmap=paper.signed(), vmin=-1, vmax=1, interpolation="nearest")
        axes.set(xlabel="position", ylabel="position")
        axes.set_title(name)
        figure.colorbar(image, ax=axes, label="dot product / mean of the diagonal", shrink=0.85)
        half = len(products) // 2
        means = [products.diagonal(min(apart, half)).mean() for apart in (1, half)]
        near, far = (round(float(mean), 2) + 0.0 for mean in means)  # + 0.0: no minus zero
        told.append(f"{name}: neighbours {near:.2f}, positions {half} apart {far:.2f}")
    paper.show(
        figure, f"Dot products of positions, 1 for a position with itself. {'; '.join(told)}."
    )
