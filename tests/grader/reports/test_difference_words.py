"""A map of differences is readable without eyes, and on a terminal."""

from __future__ import annotations

import pytest

from grader.model import DifferenceMap
from grader.reports.difference_words import cell_of, in_words, signs
from grader.reports.html.difference_picture import CELL, picture

SEEN = DifferenceMap(
    shape=(4, 7, 40), first=(2, 3, 20), block=(1, 2), rows=("000", "012", "005"), largest=0.5
)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (SEEN, "[2, :, :]: differences in rows 1 to 2 and columns 2 to 5 of 7×40, first at (2, 3, 20), by up to 0.5"),
        (
            DifferenceMap(shape=(3,), first=(2,), block=(1, 1), rows=("004",), largest=0),
            "all values: differences in value 2 of 3, first at 2",
        ),
        (
            DifferenceMap(shape=(33, 1), first=(32, 0), block=(3, 1), rows=("0",) * 10 + ("4",), largest=1),
            "all values: differences in rows 30 to 32 of 33×1, first at (32, 0), by up to 1",
        ),
    ],
)  # fmt: skip
def test_it_says_where_and_by_how_much(found: DifferenceMap, words: str) -> None:
    assert in_words(found) == words


def test_signs_are_one_for_each_cell() -> None:
    assert signs(SEEN) == ("···", "·░▒", "··?")


def test_a_cell_that_stands_for_several_values_says_so() -> None:
    assert cell_of(SEEN) == "a cell is 1×2 values"


def test_a_picture_has_one_path_for_each_digit() -> None:
    drawn = picture(SEEN)
    assert [layer.digit for layer in drawn.layers] == ["0", "1", "2", "5"]
    assert (drawn.width, drawn.height) == (3 * CELL, 3 * CELL)
    assert sum(layer.path.count("z") for layer in drawn.layers) == 9
