"""The first difference between two tables: columns, rows, labels, dtypes, then the values.

It is said by the row's label and the column's name, as one would look for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grader.testing.differences import (
    Difference,
    Ruler,
    arrays_near,
    is_missing,
    items_near,
    listed,
    names_difference,
    same_dtype,
    told,
)
from grader.testing.forms.parts import loaded

Compare = Callable[[Any, Any, Ruler], Difference | None]


def table_difference(expected: Any) -> Compare | None:
    """What compares a value with this one of pandas or pyarrow; None if it is of neither."""
    pandas, arrow = loaded("pandas"), loaded("pyarrow")
    if pandas is not None:
        if type(expected) is pandas.DataFrame:
            return frame_difference
        if type(expected) is pandas.Series:
            return series_difference
        if isinstance(expected, pandas.Index):
            return index_difference
        if expected is pandas.NaT or expected is pandas.NA:
            return lambda actual, *_: None if actual is expected else Difference("not missing")
    if arrow is not None and type(expected) is arrow.Table:
        return arrow_difference
    return None


def frame_difference(actual: Any, expected: Any, ruler: Ruler) -> Difference | None:
    """The first difference of two DataFrames."""
    columns = list(expected.columns)
    found = names_difference("column", list(actual.columns), columns)
    if found is not None:
        return found
    if list(actual.columns) != columns:
        said = "the columns are in another order"
        return Difference(said, listed(columns), listed(list(actual.columns)))
    found = _rows_difference(actual, expected, ruler)
    if found is not None:
        return found
    if ruler.dtypes:
        for place, name in enumerate(columns):
            left, right = actual.iloc[:, place].dtype, expected.iloc[:, place].dtype
            if not _same_dtype(left, right):
                return Difference(f"the wrong dtype in column {name!r:.60}", str(right), str(left))
    return _values_difference(actual, expected, ruler)


def _rows_difference(actual: Any, expected: Any, ruler: Ruler) -> Difference | None:
    if len(actual) != len(expected):
        return Difference("the wrong number of rows", len(expected), len(actual))
    return _labels_difference(actual.index, expected.index, ruler)


def _labels_difference(actual: Any, expected: Any, ruler: Ruler) -> Difference | None:
    if actual.nlevels != expected.nlevels:
        return Difference("the wrong number of index levels", expected.nlevels, actual.nlevels)
    same = actual.equals(expected)
    for place, (left, right) in enumerate(zip(actual, expected, strict=True) if not same else ()):
        if left is not right and not items_near(left, right, Ruler()):
            return Difference(f"row {place} has another label", _cell(right), _cell(left))
    if ruler.names and list(actual.names) != list(expected.names):
        return Difference("the index has another name", _names(expected), _names(actual))
    return None


def _names(index: Any) -> str:
    return listed(list(index.names))


def _values_difference(actual: Any, expected: Any, ruler: Ruler) -> Difference | None:
    """The first value that differs, column by column, and how many there are."""
    first: Difference | None = None
    wrong = 0
    for place, name in enumerate(expected.columns):
        left, right = actual.iloc[:, place], expected.iloc[:, place]
        near = columns_near(left, right, ruler)
        count = int(len(near) - near.sum())
        if count and first is None:
            row = int((~near).argmax())
            where = f"{_row(expected.index, row)}, column {name!r:.60}"
            first = Difference(where, _cell(right.iloc[row]), _cell(left.iloc[row]))
        wrong += count
    if first is None:
        return None
    return first._replace(said=_counted(wrong, expected.size, first.said))


def _counted(wrong: int, size: int, where: str) -> str:
    return f"not as expected, {wrong} of {size} values differ, first in {where}"


def _row(index: Any, place: int) -> str:
    pandas = loaded("pandas")
    if isinstance(index, pandas.RangeIndex) and index.start == 0 and index.step == 1:
        return f"row {place}"
    label = _cell(index[place])
    return f"row {place} ({label!r:.60})"


def series_difference(actual: Any, expected: Any, ruler: Ruler) -> Difference | None:
    """The first difference of two Series."""
    found = _rows_difference(actual, expected, ruler)
    if found is not None:
        return found
    if ruler.dtypes and not _same_dtype(actual.dtype, expected.dtype):
        return Difference("the wrong dtype", str(expected.dtype), str(actual.dtype))
    near = columns_near(actual, expected, ruler)
    wrong = int(len(near) - near.sum())
    if wrong:
        row = int((~near).argmax())
        said = _counted(wrong, len(near), _row(expected.index, row))
        return Difference(said, _cell(expected.iloc[row]), _cell(actual.iloc[row]))
    if ruler.names and actual.name != expected.name:
        return Difference("the Series has another name", expected.name, actual.name)
    return None


def index_difference(actual: Any, expected: Any, ruler: Ruler) -> Difference | None:
    """The first difference of two indexes."""
    if len(actual) != len(expected):
        return Difference("the wrong length", len(expected), len(actual))
    return _labels_difference(actual, expected, ruler)


def _same_dtype(actual: Any, expected: Any) -> bool:
    numpy = loaded("numpy")
    if isinstance(actual, numpy.dtype) and isinstance(expected, numpy.dtype):
        return same_dtype(actual, expected)
    zones = [getattr(dtype, "tz", None) for dtype in (actual, expected)]
    if None not in zones:  # which may be of different libraries
        return bool(actual.unit == expected.unit and str(zones[0]) == str(zones[1]))
    return bool(actual == expected)


def columns_near(actual: Any, expected: Any, ruler: Ruler) -> Any:
    """Where two Series of one length are as close as the ruler forgives: an array of bool."""
    numpy = loaded("numpy")
    left, right = actual.to_numpy(), expected.to_numpy()
    plain = all(
        isinstance(one.dtype, numpy.dtype) and one.dtype != object for one in (actual, expected)
    )
    if plain:
        return arrays_near(left, right, ruler)
    pairs = zip(left.tolist(), right.tolist(), strict=True)
    if left.dtype.kind in "mM" or right.dtype.kind in "mM":
        pairs = zip(actual, expected, strict=True)
    return numpy.array([items_near(*pair, ruler) for pair in pairs], dtype=bool)


def arrow_difference(actual: Any, expected: Any, ruler: Ruler) -> Difference | None:
    """The first difference of two of pyarrow's tables."""
    found = names_difference("column", actual.column_names, expected.column_names)
    if found is not None:
        return found
    if actual.column_names != expected.column_names:
        return Difference(
            "the columns are in another order",
            listed(expected.column_names),
            listed(actual.column_names),
        )
    if actual.num_rows != expected.num_rows:
        return Difference("the wrong number of rows", expected.num_rows, actual.num_rows)
    for left, right in zip(actual.schema, expected.schema, strict=True):
        if ruler.dtypes and left.type != right.type:
            said = f"the wrong type in column {left.name!r:.60}"
            return Difference(said, str(right.type), str(left.type))
    return _arrow_values(actual, expected, ruler)


def _arrow_values(actual: Any, expected: Any, ruler: Ruler) -> Difference | None:
    first: Difference | None = None
    wrong = 0
    for name, left, right in zip(
        expected.column_names, actual.columns, expected.columns, strict=True
    ):
        for row, pair in enumerate(zip(left.to_pylist(), right.to_pylist(), strict=True)):
            if items_near(*pair, ruler):
                continue
            wrong += 1
            if first is None:
                where = f"row {row}, column {name!r:.60}"
                first = Difference(where, _cell(pair[1]), _cell(pair[0]))
    if first is None:
        return None
    said = _counted(wrong, expected.num_rows * expected.num_columns, first.said)
    return first._replace(said=said)


def _cell(value: Any) -> object:
    """A value or a label of a table, for an excerpt."""
    return "a missing value" if is_missing(value) else told(value)


def is_table(value: Any) -> bool:
    """Whether it is one of pandas' or pyarrow's."""
    return not is_missing(value) and table_difference(value) is not None
