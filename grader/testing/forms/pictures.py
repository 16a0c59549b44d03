"""Figures and images, described: what is drawn, not how it looks.

A figure is a record of its axes; axes are a record of titles, labels, limits, legend and the data
of lines, bars, points, areas and images, in the order in which they were drawn. Nothing is
rendered.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from grader.testing.forms.described import Record
from grader.testing.forms.parts import Malformed, TooMuch, loaded, needed

MAX_ARTISTS = 2_000
"""Most lines, bars, texts of one kind in axes."""

MAX_PIXELS = 4 << 20
"""Of a larger image the pixels stay where they are."""


def neutral(value: Any) -> Any:
    """What is drawn in a figure, axes or a part of them; mode, size and pixels of an image."""
    if loaded("matplotlib.figure") is not None:
        for kind, describe in _kinds():
            if isinstance(value, kind):
                return describe(value)
    pillow = loaded("PIL.Image")
    if pillow is not None and isinstance(value, pillow.Image):
        return _image_file(value)
    return value


def _kinds() -> list[tuple[Any, Callable[[Any], Record]]]:
    """What is described, the special before the general."""
    containers, lines = loaded("matplotlib.container"), loaded("matplotlib.lines")
    return [
        (loaded("matplotlib.figure").FigureBase, _figure),
        (loaded("matplotlib.axes").Axes, _axes),
        (containers.BarContainer, _bars),
        (lines.Line2D, _line),
        (loaded("matplotlib.image").AxesImage, _drawn_image),
        (loaded("matplotlib.collections").PathCollection, _points),
        (loaded("matplotlib.text").Text, lambda text: text.get_text()),
    ]


def _figure(figure: Any) -> Record:
    title = getattr(figure, "get_suptitle", str)()
    return Record("Figure", {"title": title, "axes": [_axes(one) for one in _few(figure.axes)]})


def _axes(axes: Any) -> Record:
    legend = axes.get_legend()
    containers = loaded("matplotlib.container")
    bars = [one for one in axes.containers if isinstance(one, containers.BarContainer)]
    points = [one for one in axes.collections if _is_scatter(one)]
    return Record(
        "Axes",
        {
            "title": axes.get_title() or axes.get_title("left") or axes.get_title("right"),
            "xlabel": axes.get_xlabel(),
            "ylabel": axes.get_ylabel(),
            "xlim": tuple(map(float, axes.get_xlim())),
            "ylim": tuple(map(float, axes.get_ylim())),
            "xscale": axes.get_xscale(),
            "yscale": axes.get_yscale(),
            "xticks": _tick_labels(axes.xaxis),
            "yticks": _tick_labels(axes.yaxis),
            "legend": None if legend is None else [one.get_text() for one in legend.get_texts()],
            "lines": [_line(one) for one in _few(axes.lines)],
            "bars": [_bars(one) for one in _few(bars)],
            "points": [_points(one) for one in _few(points)],
            "areas": [_area(one) for one in _few(_areas(axes, bars))],
            "images": [_drawn_image(one) for one in _few(axes.images)],
            "texts": [one.get_text() for one in _few(axes.texts)],
        },
    )


def _few(artists: Any) -> list[Any]:
    found = list(islice(artists, MAX_ARTISTS + 1))
    if len(found) > MAX_ARTISTS:
        raise TooMuch(f"a figure with more than {MAX_ARTISTS:,} of one kind", "draw fewer")
    return found


def _tick_labels(axis: Any) -> list[str]:
    labels = [one.get_text() for one in _few(axis.get_majorticklabels())]
    return [label.replace("\N{MINUS SIGN}", "-") for label in labels]


def _label(artist: Any) -> str:
    """What the legend says of it; matplotlib's own names for what has none begin with `_`."""
    label = artist.get_label()
    return "" if label is None or str(label).startswith("_") else str(label)


def _color(color: Any) -> str | None:
    """A colour as `#rrggbb`; None if it is several, or none."""
    try:
        return str(loaded("matplotlib.colors").to_hex(color))
    except (TypeError, ValueError):
        return None


def _numbers(values: Any) -> Any:
    """An array of floats; masked values are NaN."""
    numpy = loaded("numpy")
    return numpy.ma.filled(numpy.ma.asarray(values, dtype=float), numpy.nan).copy()


def _line(line: Any) -> Record:
    return Record(
        "Line",
        {
            "label": _label(line),
            "x": _numbers(line.get_xdata(orig=False)),
            "y": _numbers(line.get_ydata(orig=False)),
            "color": _color(line.get_color()),
            "style": str(line.get_linestyle()),
            "marker": str(line.get_marker()),
            "width": float(line.get_linewidth()),
        },
    )


def _bars(bars: Any) -> Record:
    """Bars of `bar`, `barh` or `hist`: for each where it begins, and how far it reaches."""
    patches = _few(bars.patches)
    upright = getattr(bars, "orientation", "vertical") != "horizontal"
    start, size = ("x", "width") if upright else ("y", "height")
    base, length = ("y", "height") if upright else ("x", "width")

    def all_of(what: str) -> Any:
        return _numbers([getattr(patch, f"get_{what}")() for patch in patches])

    return Record(
        "Bars",
        {
            "label": _label(bars),
            "upright": upright,
            "positions": all_of(start) + all_of(size) / 2,
            "widths": all_of(size),
            "lengths": all_of(length),
            "starts": all_of(base),
            "colors": [_color(patch.get_facecolor()) for patch in patches],
        },
    )


def _is_scatter(collection: Any) -> bool:
    return isinstance(collection, loaded("matplotlib.collections").PathCollection)


def _points(points: Any) -> Record:
    offsets = _numbers(points.get_offsets()).reshape(-1, 2)
    colors = points.get_facecolors()
    return Record(
        "Points",
        {
            "label": _label(points),
            "x": offsets[:, 0].copy(),
            "y": offsets[:, 1].copy(),
            "sizes": _numbers(points.get_sizes()),
            "values": None if points.get_array() is None else _numbers(points.get_array()).ravel(),
            "color": _color(colors[0]) if len(colors) == 1 else None,
        },
    )


def _areas(axes: Any, bars: list[Any]) -> list[Any]:
    """Patches that are no bars: steps of a histogram, slices of a pie; and what is filled."""
    in_bars = {id(patch) for one in bars for patch in one.patches}
    filled = loaded("matplotlib.collections").PolyCollection
    own = [one for one in axes.patches if id(one) not in in_bars]
    return own + [one for one in axes.collections if isinstance(one, filled)]


def _area(area: Any) -> Record:
    outline = area.get_xy() if hasattr(area, "get_xy") else None
    if hasattr(area, "get_paths"):
        outline = area.get_paths()[0].vertices if area.get_paths() else []
    elif outline is None or not hasattr(outline, "ndim") or outline.ndim != 2:
        outline = area.get_path().vertices
    angles = (getattr(area, "theta1", None), getattr(area, "theta2", None))
    return Record(
        "Area",
        {
            "label": _label(area),
            "kind": type(area).__name__,
            "outline": _numbers(outline).reshape(-1, 2),
            "angles": None if None in angles else tuple(map(float, angles)),  # type: ignore[arg-type]
            "color": _color(area.get_facecolor()),
        },
    )


def _drawn_image(image: Any) -> Record:
    values = image.get_array()
    held = None if values is None else _numbers(values)
    extent = tuple(map(float, image.get_extent()))
    shown = held if held is not None and held.size <= MAX_PIXELS else None
    shape = None if held is None else tuple(held.shape)
    return Record("Image", {"shape": shape, "extent": extent, "values": shown})


def _image_file(image: Any) -> Record:
    """One of Pillow's images; pixels as an array (height, width) or (height, width, bands)."""
    width, height = image.size
    bands = tuple(image.getbands())
    small = width * height * len(bands) <= MAX_PIXELS
    try:
        pixels = needed("numpy").array(image) if small else None
    except Malformed:  # there is no NumPy
        pixels = None
    fields = {"mode": image.mode, "size": (width, height), "bands": bands, "pixels": pixels}
    return Record("Picture", fields)
