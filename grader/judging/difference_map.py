"""Where two arrays differ, seen from afar: small enough for a gradebook, whatever was compared.

Of arrays with more than two dimensions it is the matrix in which the first difference lies. Its
rows and columns are put together until a few of each are left; of several values the largest
difference is kept. All of it is digits that are made here: no text of a submission gets into it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from grader.model import DifferenceMap
from grader.testing.differences import NUMBERS
from grader.testing.failure import Compared
from grader.testing.forms.parts import loaded

MOST_ROWS, MOST_COLUMNS = 16, 32
MOST_ELEMENTS = 1 << 22
"""Of a matrix; a larger one takes too long to look at."""

MOST_LISTED = 40_000
"""Numbers of nested lists that are looked at."""

STEPS = 4
"""Of differences, in equal parts of the largest one; 0 is none."""

NO_NUMBER = STEPS + 1
"""What differs, and by no number: infinite, missing, a text."""


def difference_map(compared: Compared) -> DifferenceMap | None:
    """Return where two arrays, or nested lists of numbers, differ; None where that can't be drawn.

    Args:
        compared: values that have crossed: what they hold is a stranger's choice.
    """
    try:
        if compared.near is not None:
            return _of_arrays(compared)
        return _of_lists(compared)
    except (ValueError, TypeError, ArithmeticError, MemoryError, RuntimeError):
        return None  # a check has failed already, with its message: this only would explain it


def _of_arrays(compared: Compared) -> DifferenceMap | None:
    numpy = loaded("numpy")
    if numpy is None:
        return None
    near, actual, expected = (
        numpy.asarray(one.detach() if hasattr(one, "detach") else one)
        for one in (compared.near, compared.actual, compared.expected)
    )
    if near.ndim == 0 or near.size < 2 or bool(near.all()):
        return None
    first = tuple(int(i) for i in numpy.unravel_index(int(near.argmin()), near.shape))
    at = first[:-2]
    matrix = near[at].reshape(-1, near.shape[-1])
    if matrix.size > MOST_ELEMENTS:
        return None
    sizes = numpy.where(matrix, 0.0, math.inf)
    if actual.dtype.kind in "biufc" and expected.dtype.kind in "biufc":
        with numpy.errstate(all="ignore"):
            by = numpy.abs(_wide(actual[at]) - _wide(expected[at])).reshape(matrix.shape)
        sizes = numpy.where(matrix, 0.0, numpy.where(numpy.isfinite(by), by, math.inf))
    rows, columns = _step(sizes.shape[0], MOST_ROWS), _step(sizes.shape[1], MOST_COLUMNS)
    pooled = numpy.maximum.reduceat(sizes, range(0, sizes.shape[0], rows), axis=0)
    pooled = numpy.maximum.reduceat(pooled, range(0, sizes.shape[1], columns), axis=1)
    finite = sizes[numpy.isfinite(sizes)]
    largest = float(finite.max()) if finite.size else 0.0
    return _map(near.shape, first, (rows, columns), pooled.tolist(), largest)


def _wide(array: Any) -> Any:
    return array.astype("complex128" if array.dtype.kind == "c" else "float64")


def _of_lists(compared: Compared) -> DifferenceMap | None:
    actual, expected = _matrix(compared.actual), _matrix(compared.expected)
    if actual is None or expected is None or list(map(len, actual)) != list(map(len, expected)):
        return None
    ruler = compared.ruler
    sizes = [
        [
            0.0 if a == e or math.isclose(a, e, rel_tol=ruler.rtol, abs_tol=ruler.atol)
            else (abs(a - e) if math.isfinite(a - e) else math.inf)
            for a, e in zip(*pair, strict=True)
        ]
        for pair in zip(actual, expected, strict=True)
    ]  # fmt: skip
    places = [(i, j) for i, row in enumerate(sizes) for j, size in enumerate(row) if size]
    if not places:
        return None
    rows, columns = _step(len(sizes), MOST_ROWS), _step(len(sizes[0]), MOST_COLUMNS)
    pooled = [
        [
            max(size for row in sizes[i : i + rows] for size in row[j : j + columns])
            for j in range(0, len(sizes[0]), columns)
        ]
        for i in range(0, len(sizes), rows)
    ]
    largest = max((s for row in sizes for s in row if math.isfinite(s)), default=0.0)
    nested = isinstance(compared.expected[0], (list, tuple))
    shape = (len(sizes), len(sizes[0])) if nested else (len(sizes[0]),)
    return _map(shape, places[0] if nested else places[0][1:], (rows, columns), pooled, largest)


def _matrix(value: Any) -> list[list[float]] | None:
    """The rows of a list of numbers, or of lists of as many numbers each; None of anything else."""
    if type(value) not in (list, tuple) or not value:
        return None
    rows = value if type(value[0]) in (list, tuple) else [value]
    if any(type(row) not in (list, tuple) or len(row) != len(rows[0]) for row in rows):
        return None
    if not 2 <= len(rows) * len(rows[0]) <= MOST_LISTED:
        return None
    if any(type(one) not in NUMBERS or type(one) is complex for row in rows for one in row):
        return None
    return [[float(one) for one in row] for row in rows]


def _step(size: int, most: int) -> int:
    """How many rows or columns become one, so that at most `most` are left."""
    return -(-size // most)


def _map(
    shape: Sequence[int],
    first: Sequence[int],
    block: tuple[int, int],
    sizes: Sequence[Sequence[float]],
    largest: float,
) -> DifferenceMap:
    return DifferenceMap(
        shape=tuple(shape),
        first=tuple(first),
        block=block,
        rows=tuple("".join(str(_level(size, largest)) for size in row) for row in sizes),
        largest=largest,
    )


def _level(size: float, largest: float) -> int:
    if not size:
        return 0
    if not math.isfinite(size):
        return NO_NUMBER
    return max(1, min(STEPS, math.ceil(STEPS * (size / largest))))
