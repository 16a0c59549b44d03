"""What is drawn is told in values: nobody has to look at pixels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from grader.testing.crossing import Unsendable
from grader.testing.forms.described import Record
from grader.testing.objects import plain
from grader.wire.values import HEADER, decode_body, encode_frame


def crossed(value: object) -> Any:
    return decode_body(encode_frame({"value": plain(value)})[HEADER.size :])["value"]


@pytest.fixture
def axes() -> Iterator[Any]:
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_titles_labels_limits_and_the_legend(axes: Any) -> None:
    axes.plot([1, 2], [3, 4], "r--o", label="measured", linewidth=2)
    axes.set(title="T", xlabel="x", ylabel="y", xlim=(0, 3), ylim=(-1, 5), yscale="symlog")
    axes.legend()
    axes.text(1, 1, "here")
    found = crossed(axes)
    assert (found.title, found.xlabel, found.ylabel) == ("T", "x", "y")
    assert (found.xlim, found.ylim, found.yscale) == ((0.0, 3.0), (-1.0, 5.0), "symlog")
    assert (found.legend, found.texts) == (["measured"], ["here"])
    (line,) = found.lines
    assert (line.label, line.color, line.style, line.marker, line.width) == (
        "measured", "#ff0000", "--", "o", 2.0,
    )  # fmt: skip
    assert (line.x.tolist(), line.y.tolist()) == ([1.0, 2.0], [3.0, 4.0])


def test_axes_without_anything_say_so(axes: Any) -> None:
    found = crossed(axes)
    assert found.legend is None
    drawn = ("lines", "bars", "points", "areas", "images", "texts")
    assert [found[name] for name in drawn] == [[]] * 6


@pytest.mark.parametrize("upright", [True, False])
def test_bars(axes: Any, upright: bool) -> None:
    (axes.bar if upright else axes.barh)(["a", "b"], [3, 4], label="n")
    found = crossed(axes)
    (bars,) = found.bars
    assert (bars.label, bars.upright) == ("n", upright)
    assert (bars.positions.tolist(), bars.lengths.tolist()) == ([0.0, 1.0], [3.0, 4.0])
    assert (found.xticks if upright else found.yticks) == ["a", "b"]


def test_a_histogram_is_bars(axes: Any) -> None:
    axes.hist([1, 1, 2, 5], bins=[0, 2, 4, 6])
    (bars,) = crossed(axes).bars
    assert bars.lengths.tolist() == [2.0, 1.0, 1.0]
    assert (bars.positions - bars.widths / 2).tolist() == [0.0, 2.0, 4.0]


def test_points(axes: Any) -> None:
    axes.scatter([1, 2], [3, 4], c=[5, 6], s=[7, 8], label="p")
    (points,) = crossed(axes).points
    assert (points.x.tolist(), points.y.tolist(), points.label) == ([1.0, 2.0], [3.0, 4.0], "p")
    assert (points.sizes.tolist(), points.values.tolist()) == ([7.0, 8.0], [5.0, 6.0])


def test_slices_steps_and_what_is_filled_are_areas(axes: Any) -> None:
    axes.pie([1, 3], labels=["p", "q"])
    axes.hist([1, 2], histtype="step")
    axes.fill_between([0, 1], [2, 3], label="band")
    found = crossed(axes)
    assert [area.label for area in found.areas] == ["p", "q", "", "band"]
    assert [area.angles for area in found.areas[:2]] == [(0.0, 90.0), (90.0, 360.0)]
    assert found.areas[-1].outline.shape[1] == 2


def test_drawn_images_have_a_shape_and_values(axes: Any) -> None:
    axes.imshow(np.arange(6).reshape(2, 3))
    (image,) = crossed(axes).images
    assert (image.shape, image.values.tolist()) == ((2, 3), [[0, 1, 2], [3, 4, 5]])


def test_what_is_masked_is_nan(axes: Any) -> None:
    axes.plot(np.ma.masked_equal([1, 2, 3], 2))
    assert np.isnan(crossed(axes).lines[0].y).tolist() == [False, True, False]


def test_figures_and_arrays_of_axes() -> None:
    figure, grid = plt.subplots(2, 2)
    grid[1, 0].set_title("third")
    figure.suptitle("all")
    found = crossed(figure)
    assert (found.title, [one.title for one in found.axes]) == ("all", ["", "", "third", ""])
    assert crossed(grid)[1][0].title == "third"
    plt.close(figure)


def test_parts_of_axes_are_described_alone(axes: Any) -> None:
    lines = axes.plot([1, 2])
    bars = axes.bar([1], [2])
    assert [type(crossed(one)) for one in (lines[0], bars)] == [Record, Record]
    assert crossed(lines)[0].y.tolist() == crossed(axes.lines)[0].y.tolist() == [1.0, 2.0]
    assert crossed(axes.title) == ""


def test_more_than_anybody_looks_at_is_refused(axes: Any) -> None:
    axes.plot(np.zeros((2, 2_001)))
    with pytest.raises(Unsendable, match="more than 2,000 of one kind: draw fewer"):
        crossed(axes)


@pytest.mark.parametrize(
    ("mode", "shape"), [("L", (2, 3)), ("RGB", (2, 3, 3)), ("1", (2, 3)), ("F", (2, 3))]
)
def test_images_have_mode_size_and_pixels(mode: str, shape: tuple[int, ...]) -> None:
    found = crossed(Image.new(mode, (3, 2)))
    assert (found.mode, found.size, found.pixels.shape) == (mode, (3, 2), shape)


def test_pixels_of_a_large_image_stay_where_they_are() -> None:
    found = crossed(Image.new("L", (3_000, 3_000)))
    assert (found.size, found.pixels) == ((3_000, 3_000), None)
