"""pandas: Series, DataFrames, indexes, moments, as columns of arrays and texts.

Not as Arrow's or pandas' own files: what reads those is large, written for files that one trusts,
and would read a stranger's bytes in the process that judges.
"""

from __future__ import annotations

from typing import Any

from grader.testing.forms.arrays import is_array
from grader.testing.forms.columns import column_length, column_parts, to_column
from grader.testing.forms.parts import (
    MAX_COLUMNS,
    TooMuch,
    Unsendable,
    demand,
    demand_types,
    loaded,
    needed,
)
from grader.testing.forms.standard import to_zone, zone_parts

MAX_LEVELS = 16
NAMES = (type(None), bool, int, float, str)
"""Types of what a column, a row or an index may be called; and tuples of them."""


def apart(value: Any) -> tuple[str, list[Any]] | None:
    """The form and the parts of one of pandas' values.

    Raises:
        Unsendable: its dtype does not cross.
    """
    pandas = loaded("pandas")
    if pandas is None or not type(value).__module__.startswith("pandas"):
        return None
    kind = type(value)
    if kind is pandas.DataFrame:
        return "frame", _frame_parts(value)
    if kind is pandas.Series:
        return "series", [_name(value.name), index_parts(value.index), column_parts(value)]
    if isinstance(value, pandas.Index):
        return "index", [index_parts(value)]
    if kind is pandas.Timestamp:
        zone = zone_parts(value.tzinfo, value)
        moment = value if value.tzinfo is None else value.tz_convert("UTC").tz_localize(None)
        return "timestamp", [moment.to_datetime64(), zone]
    if kind is pandas.Timedelta:
        return "duration", [value.to_timedelta64()]
    if value is pandas.NaT or value is pandas.NA:
        return "missing", ["NaT" if value is pandas.NaT else "NA"]
    if isinstance(value, pandas.api.extensions.ExtensionArray):
        raise Unsendable(f"a {kind.__name__} can't cross", "put it into a Series")
    raise Unsendable(f"a {kind.__name__} of pandas can't cross", "send a DataFrame or a Series")


def _frame_parts(frame: Any) -> list[Any]:
    count = frame.shape[1]
    if count > MAX_COLUMNS:
        raise TooMuch(f"a DataFrame of {count:,} columns", f"at most {MAX_COLUMNS:,} cross at once")
    columns = []
    for place in range(count):
        try:
            columns.append(column_parts(frame.iloc[:, place]))
        except Unsendable as error:
            label = f"column {frame.columns[place]!r:.60}"
            raise type(error)(f"{label}: {error.what}", error.instead) from None
    return [index_parts(frame.columns), index_parts(frame.index), columns]


def index_parts(index: Any) -> list[Any]:
    """The parts of an index, of rows or of columns.

    Raises:
        Unsendable: its dtype does not cross.
    """
    pandas = needed("pandas")
    if isinstance(index, pandas.RangeIndex):
        return ["range", index.start, index.stop, index.step, _name(index.name)]
    if isinstance(index, pandas.MultiIndex):
        if index.nlevels > MAX_LEVELS:
            raise TooMuch(f"an index of {index.nlevels} levels")
        levels = [column_parts(index.get_level_values(n)) for n in range(index.nlevels)]
        return ["levels", levels, [_name(name) for name in index.names]]
    return ["column", column_parts(index), _name(index.name)]


def _name(name: Any) -> Any:
    numpy = loaded("numpy")
    if isinstance(name, numpy.generic):
        name = name.item()
    parts = name if type(name) is tuple else (name,)
    if any(type(part) not in NAMES for part in parts):
        raise Unsendable(f"an index called {name!r:.60}", "give it a text as its name")
    return name


# ---------------------------------------------------------------- together


def to_index(parts: Any) -> Any:
    """An index of `index_parts`.

    Raises:
        Malformed: they do not fit together.
    """
    demand(type(parts) is list and len(parts) > 0)
    pandas = needed("pandas")
    sort, *rest = parts
    if sort == "range":
        *bounds, name = rest
        demand_types(bounds, int, int, int)
        demand(all(-(1 << 62) < bound < 1 << 62 for bound in bounds))
        return pandas.RangeIndex(*bounds, name=_sound_name(name))
    if sort == "levels":
        demand_types(rest, list, list)
        levels, names = rest
        demand(0 < len(levels) == len(names) <= MAX_LEVELS)
        demand(len({column_length(level) for level in levels}) == 1)
        arrays = [to_column(level) for level in levels]
        return pandas.MultiIndex.from_arrays(arrays, names=[_sound_name(name) for name in names])
    demand(sort == "column" and len(rest) == 2)
    column, name = rest
    return pandas.Index(to_column(column), name=_sound_name(name), dtype=_index_dtype(column))


def _index_dtype(column: list[Any]) -> Any:
    """Objects stay objects: an index would look for texts, numbers or moments among them."""
    texts = column[0] == "texts" and column[1] == "object"
    return object if texts or column[0] == "mixed" else None


def _sound_name(name: Any) -> Any:
    parts = name if type(name) is tuple else (name,)
    demand(len(parts) <= MAX_LEVELS and all(type(part) in NAMES for part in parts))
    return name


def _to_one_index(parts: list[Any]) -> Any:
    demand(len(parts) == 1)
    return to_index(parts[0])


def _to_series(parts: list[Any]) -> Any:
    demand(len(parts) == 3)
    name, index, column = parts
    labels = to_index(index)
    demand(len(labels) == column_length(column))
    values = to_column(column)
    return needed("pandas").Series(values, labels, _kept(values), _sound_name(name))


def _kept(values: Any) -> Any:
    """The dtype that keeps objects what they are; None for what has a dtype of its own."""
    return object if is_array(values, "O") else None


def _to_frame(parts: list[Any]) -> Any:
    demand_types(parts, list, list, list)
    columns, index, held = parts
    demand(len(held) <= MAX_COLUMNS)
    pandas = needed("pandas")
    labels, rows = to_index(columns), to_index(index)
    demand(len(labels) == len(held) and all(column_length(one) == len(rows) for one in held))
    made = {}
    for place, one in enumerate(held):
        values = to_column(one)
        made[place] = pandas.Series(values, index=rows, dtype=_kept(values))
    frame = pandas.DataFrame(made, index=rows)
    frame.columns = labels
    return frame


def _to_timestamp(parts: list[Any]) -> Any:
    demand(len(parts) == 2 and _is_scalar(parts[0], "M"))
    zone = to_zone(parts[1])
    made = needed("pandas").Timestamp(parts[0])
    return made if zone is None else made.tz_localize("UTC").tz_convert(zone)


def _to_duration(parts: list[Any]) -> Any:
    demand(len(parts) == 1 and _is_scalar(parts[0], "m"))
    return needed("pandas").Timedelta(parts[0])


def _is_scalar(value: Any, kind: str) -> bool:
    return isinstance(value, needed("numpy").generic) and value.dtype.kind == kind


def _to_missing(parts: list[Any]) -> Any:
    demand(len(parts) == 1 and type(parts[0]) is str and parts[0] in ("NaT", "NA"))
    return getattr(needed("pandas"), parts[0])


BUILDERS = {
    "frame": _to_frame,
    "series": _to_series,
    "index": _to_one_index,
    "timestamp": _to_timestamp,
    "duration": _to_duration,
    "missing": _to_missing,
}
