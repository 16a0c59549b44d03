"""Diagrams: boxes, arrows and shapes."""

from __future__ import annotations

from collections.abc import Sequence

from course.plots import paper


def pipeline(steps: Sequence[tuple[str, str]], title: str) -> None:
    """Draw steps from left to right, each a name and the shape that leaves it."""
    from matplotlib.patches import FancyBboxPatch

    figure = paper.figure(2.3 * len(steps), 1.9)
    axes = figure.subplots()
    axes.set(xlim=(-0.5, len(steps) - 0.5), ylim=(0, 1))
    axes.axis("off")
    axes.set_title(title)
    for x, (name, shape) in enumerate(steps):
        box = FancyBboxPatch(
            (x - 0.36, 0.4), 0.72, 0.5, boxstyle="round,pad=0,rounding_size=0.06",
            facecolor=paper.PALE, edgecolor=paper.BLUE, linewidth=1.5, mutation_aspect=0.5,
        )  # fmt: skip
        axes.add_patch(box)
        axes.text(x, 0.65, name, ha="center", va="center", fontsize=11, color=paper.INK)
        axes.text(
            x,
            0.2,
            shape,
            ha="center",
            va="center",
            fontsize=10,
            color=paper.INK,
            family="monospace",
        )
        if x:
            arrow = {"arrowstyle": "-|>", "color": paper.INK, "linewidth": 1.5}
            axes.annotate("", (x - 0.37, 0.65), (x - 0.63, 0.65), arrowprops=arrow)
    walk = ", then ".join(f"{name.replace(chr(10), ' ')} {shape}" for name, shape in steps)
    paper.show(figure, f"{title}: {walk}.")
