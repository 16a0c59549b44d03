"""Curves: how one number follows another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from course.plots import paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STYLES = ((paper.BLUE, "-o"), (paper.ORANGE, "--s"), (paper.GREEN, "-.^"), (paper.INK, ":D"))

MANY = 30
"""Above so many points, a curve has no markers."""

Panel = Mapping[str, tuple[Sequence[float], Sequence[float]]]


FEW = 8
"""Where the largest value is fewer times the smallest, a logarithmic axis names all its ticks."""


@paper.picture
def curves(
    panels: Mapping[str, Panel],
    title: str,
    ylabel: str,
    *,
    log: str = "",
    levels: Mapping[str, float] | None = None,
) -> None:
    """Draw curves in panels side by side, on one scale.

    Args:
        panels: for each panel its x label; in it, for each curve its name, the x and the y values.
        title: stands above them all.
        ylabel: what y is, with its unit.
        log: "x", "y", "xy" or "": which axes are logarithmic.
        levels: dotted lines from edge to edge, for each its name and its y: what to compare with.
    """
    figure = paper.figure(max(6.4, 2.75 * len(panels)), 3.8)
    figure.suptitle(title)
    drawn = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    told = []
    for axes, (xlabel, panel) in zip(drawn, panels.items(), strict=True):
        for (name, (xs, ys)), (colour, style) in zip(panel.items(), STYLES, strict=False):
            if len(xs) > MANY:
                style = style[:-1]
            axes.plot(xs, ys, style, color=colour, label=name, markersize=4)
            told.append(
                f"{name}: from {paper.plain(ys[0])} at {xlabel} = {paper.plain(xs[0])} "
                f"to {paper.plain(ys[-1])} at {paper.plain(xs[-1])}"
            )
        for name, level in (levels or {}).items():
            axes.axhline(level, color=paper.INK, linestyle=":", label=name)
        axes.set_xlabel(xlabel)
        axes.grid(alpha=0.3)
        if "x" in log:
            axes.set_xscale("log", base=2)
            xs = next(iter(panel.values()))[0]
            ticks = xs[:: 1 + len(xs) // 10]
            axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], rotation=45)
            axes.minorticks_off()
        if "y" in log:
            _log_scale(axes)
        if len(panel) > 1 or len(panels) == 1 or levels:
            axes.legend(frameon=False)
    told += [f"{name}: {paper.plain(level)} throughout" for name, level in (levels or {}).items()]
    drawn[0].set_ylabel(ylabel)
    if "y" not in log:
        drawn[0].set_ylim(bottom=0)
    paper.show(figure, f"{title} ({ylabel}). {'. '.join(told)}.")


def _log_scale(axes: Axes) -> None:
    """Make the y axis logarithmic, with numbers at all ticks where they have room."""
    from matplotlib.ticker import StrMethodFormatter

    axes.set_yscale("log")
    lowest, highest = axes.get_ylim()
    if highest < FEW * lowest:
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_formatter(StrMethodFormatter("{x:g}"))
