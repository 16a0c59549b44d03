"""What pictures are drawn on: figures of no window, shown with their words."""

from __future__ import annotations

import base64
import functools
import html
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

Drawn = ParamSpec("Drawn")

BLUE, ORANGE, GREEN, INK, PALE = "#0072B2", "#D55E00", "#009E73", "#222222", "#E8F1F8"
"""From the palette of Okabe and Ito."""
SIGNED, UNSIGNED = "RdBu_r", "cividis"
"""Colour maps for values around zero and for sizes."""
DPI, SHOWN_DPI = 150, 96
"""Dots in the file and on the page: sharp on a fine screen too."""


@dataclass(frozen=True)
class Picture:
    """A drawn picture and what is in it, in words."""

    png: bytes
    width: int
    description: str

    def __repr__(self) -> str:
        return self.description

    def _repr_png_(self) -> bytes:
        return self.png

    def _repr_html_(self) -> str:
        words = html.escape(self.description, quote=True)
        data = base64.b64encode(self.png).decode()
        return (
            '<figure style="margin:0.5em 0"><img style="display:block;max-width:100%;height:auto;'
            f'background:white;border-radius:4px" width="{self.width}" alt="{words}"'
            f' src="data:image/png;base64,{data}"><figcaption style="max-width:60em;margin-top:'
            f'0.4em">{words}</figcaption></figure>'
        )


def picture(draw: Callable[Drawn, None]) -> Callable[Drawn, None]:
    """Decorate a function that draws: nobody looks while a notebook is graded, so it does not."""

    @functools.wraps(draw)
    def draw_for_somebody(*args: Drawn.args, **kwargs: Drawn.kwargs) -> None:
        if "GRADER_GRADING" not in os.environ:
            draw(*args, **kwargs)

    return draw_for_somebody


def figure(width: float, height: float) -> Figure:
    """Make a figure of so many inches that belongs to no window and no global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def show(drawing: Figure, description: str) -> None:
    """Show a figure with its description; a terminal gets the words alone."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        print(description)
        return
    from IPython.display import display

    display(drawn(drawing, description))


def drawn(drawing: Figure, description: str) -> Picture:
    """Draw a figure as PNG."""
    from io import BytesIO

    stream = BytesIO()
    drawing.savefig(stream, format="png", dpi=DPI, metadata={"Description": description})
    width = round(float(drawing.get_size_inches()[0]) * SHOWN_DPI)
    return Picture(stream.getvalue(), width, description)


def plain(number: float) -> str:
    """Write a number as one says it: 0.0123, 4.56, 789, 12,345."""
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def matrix(table: Tensor, what: str) -> Any:
    """Return a tensor with two dimensions as a NumPy array of floats.

    Raises:
        ValueError: it is something else, or empty.
    """
    shape = tuple(getattr(table, "shape", ()))
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"expected {what}, got {type(table).__name__} with shape {shape}")
    return table.detach().cpu().double().numpy()
