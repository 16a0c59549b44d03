"""What pictures are drawn on: figures of no window, shown with their words.

Nothing lies behind a picture, so that it stands on the page's own background. Ink, which is axes
and all text, takes the colour of the page's text; marks have colours that can be seen on white and
on JupyterLab's dark background alike.
"""

from __future__ import annotations

import base64
import functools
import html
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec

if TYPE_CHECKING:
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from torch import Tensor

Drawn = ParamSpec("Drawn")

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#878E99"
"""Marks: three of the palette of Okabe and Ito, and a grey; 3 to 1 on white and on #111111."""
INK = "#787878"
"""Text, axes, outlines. No colour is 4.5 to 1 on white and on #111111 at once: in an SVG, which is
what notebooks show, ink is the page's own text colour; in a PNG it is this, 4.2 to 1 on both."""
ON_DARK, ON_LIGHT = "#FFFFFF", "#111111"
PALE = 0.18
"""How opaque a mark's colour is where ink stands on it."""
UNSIGNED = "cividis"
"""Colour map for sizes."""
DPI, SHOWN_DPI = 150, 96
"""Dots in the file and on the page: sharp on a fine screen too."""

STYLE: Any = {
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "axes.facecolor": "none",
    "legend.facecolor": "none",
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "grid.color"), INK),
    **dict.fromkeys(("xtick.color", "ytick.color", "hatch.color", "patch.edgecolor"), INK),
    "axes.axisbelow": True,
    "hatch.linewidth": 0.8,
    "svg.fonttype": "path",  # the page may lack the font
    "svg.hashsalt": "course",  # the same picture has the same ids
}


@dataclass(frozen=True)
class Picture:
    """A drawn picture and what is in it, in words.

    svg: an element for a page of HTML.
    png: for where there is none.
    """

    svg: str
    png: bytes
    description: str

    def __repr__(self) -> str:
        return self.description

    def _repr_png_(self) -> bytes:
        return self.png

    def _repr_html_(self) -> str:
        words = html.escape(self.description, quote=True)
        return (
            f'<figure style="margin:0.5em 0">{self.svg}'
            f'<figcaption style="max-width:60em;margin-top:0.4em">{words}</figcaption></figure>'
        )


def picture(draw: Callable[Drawn, None]) -> Callable[Drawn, None]:
    """Decorate a function that draws: nobody looks while a notebook is graded, so it does not."""

    @functools.wraps(draw)
    def draw_for_somebody(*args: Drawn.args, **kwargs: Drawn.kwargs) -> None:
        if "GRADER_GRADING" in os.environ:
            return
        import matplotlib

        with matplotlib.rc_context(STYLE):
            draw(*args, **kwargs)

    return draw_for_somebody


def figure(width: float, height: float) -> Figure:
    """Make a figure of so many inches that belongs to no window and no global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


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
    """Draw a figure as SVG, and as PNG for where no SVG is shown."""
    from io import BytesIO, StringIO

    png, svg = BytesIO(), StringIO()
    drawing.savefig(png, format="png", dpi=DPI, metadata={"Description": description})
    drawing.set_layout_engine("none")  # it is laid out now
    drawing.savefig(svg, format="svg", metadata={"Date": None})
    width = round(float(drawing.get_size_inches()[0]) * SHOWN_DPI)
    element = _for_a_page(svg.getvalue(), width, description, png.getvalue())
    return Picture(element, png.getvalue(), description)


def _for_a_page(svg: str, width: int, description: str, png: bytes) -> str:
    """Make an element of a page out of a document, with nothing that reaches out of it.

    JupyterLab takes every SVG out of a notebook that it does not trust. What is inside of it stays:
    the PNG, which has no size in the SVG.
    """
    words = html.escape(description, quote=True)
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    body = svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]
    box = re.search(r'viewBox="[^"]*"', svg)
    data = base64.b64encode(png).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        f' {box[0] if box else ""} width="{width}" role="img" aria-label="{words}"'
        ' style="display:block;max-width:100%;height:auto;color:inherit;'
        f'stroke-linejoin:round;stroke-linecap:butt">{body.replace(INK, "currentColor").strip()}'
        f'<foreignObject width="0" height="0"><img width="{width}" alt="{words}"'
        f' src="data:image/png;base64,{data}"/></foreignObject></svg>'
    )


def signed() -> Colormap:
    """Make a colour map for values around zero: zero is the page, the ends are two colours."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    ends = ((0.0, BLUE, 1.0), (0.5, BLUE, 0.0), (0.5, ORANGE, 0.0), (1.0, ORANGE, 1.0))
    return LinearSegmentedColormap.from_list(
        "signed", [(at, to_rgba(colour, opaque)) for at, colour, opaque in ends]
    )


def pale(colour: str) -> tuple[str, float]:
    """Make a colour pale enough to write on with ink, on any page."""
    return colour, PALE


def on(colour: str) -> str:
    """Return the colour of text that stands on a mark of this colour: 4.5 to 1 or better."""
    return max((ON_DARK, ON_LIGHT), key=lambda text: contrast(text, colour))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2, "contrast ratio"): from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance of `#RRGGBB` (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


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
