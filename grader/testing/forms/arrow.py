"""pyarrow: tables as columns of arrays and texts, never as Arrow's own messages."""

from __future__ import annotations

import re
from typing import Any

from grader.testing.forms.arrays import is_array
from grader.testing.forms.parts import (
    MAX_COLUMNS,
    Texts,
    TooMuch,
    Unsendable,
    demand,
    demand_types,
    loaded,
    needed,
)

MAX_NAME = 200

PLAIN = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
         "halffloat", "float", "double", "bool")  # fmt: skip
NUMPY = {"halffloat": "float16", "float": "float32", "double": "float64"}
"""What NumPy calls a type that Arrow calls otherwise."""

TEXTS = ("string", "large_string", "string_view")
STORED = re.compile(
    r"(timestamp|duration)\[(s|ms|us|ns)(?:, tz=([A-Za-z0-9_+\-:/]{1,60}))?\]|date32\[day\]", re.A
)
"""Types that are stored as whole numbers."""


def apart(value: Any) -> tuple[str, list[Any]] | None:
    """The form and the parts of one of pyarrow's values.

    Raises:
        Unsendable: it is no table, or a column of it has no plain values.
    """
    arrow = loaded("pyarrow")
    if arrow is None or not type(value).__module__.startswith("pyarrow"):
        return None
    if type(value) is not arrow.Table:
        kind = type(value).__name__
        raise Unsendable(f"a {kind} of pyarrow can't cross", "use .to_pylist(), or send a table")
    if value.num_columns > MAX_COLUMNS:
        raise TooMuch(f"a table of {value.num_columns:,} columns", f"at most {MAX_COLUMNS:,} cross")
    if value.nbytes > 1 << 30:
        raise TooMuch(f"a table of {value.nbytes:,} bytes", "send a part of it")
    names = [name[:MAX_NAME] for name in value.column_names]
    columns = zip(names, value.columns, strict=True)
    return "table", [names, [_column(arrow, name, one) for name, one in columns]]


def _column(arrow: Any, name: str, column: Any) -> list[Any]:
    if arrow.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = str(column.type)
    whole = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    missing = whole.is_null().to_numpy(zero_copy_only=False)
    if kind in TEXTS:
        return [kind, Texts(text or "" for text in whole.to_pylist()), missing]
    if STORED.fullmatch(kind):
        whole = whole.cast(arrow.int32() if kind.startswith("date") else arrow.int64())
    elif kind not in PLAIN:
        raise Unsendable(f"column {name!r:.60} of type {kind} can't cross", "use .to_pylist()")
    filled = whole.fill_null(False if kind == "bool" else 0) if whole.null_count else whole
    return [kind, filled.to_numpy(zero_copy_only=False), missing]


# ---------------------------------------------------------------- together


def _to_table(parts: list[Any]) -> Any:
    demand_types(parts, list, list)
    names, columns = parts
    demand(len(names) == len(columns) <= MAX_COLUMNS)
    demand(all(type(name) is str and len(name) <= MAX_NAME for name in names))
    arrow = needed("pyarrow")
    made = [_to_column(arrow, column) for column in columns]
    demand(len({len(column) for column in made}) <= 1)
    return arrow.Table.from_arrays(made, names=names)


def _to_column(arrow: Any, parts: Any) -> Any:
    demand(type(parts) is list and len(parts) == 3)
    kind, values, missing = parts
    demand(type(kind) is str and len(kind) <= 100 and is_array(missing, "b"))
    demand(type(values) is Texts or (is_array(values) and values.ndim == 1))
    demand(missing.shape == (len(values),))
    if kind in TEXTS:
        demand(type(values) is Texts)
        texts = [None if gone else text for text, gone in zip(values, missing, strict=True)]
        return arrow.array(texts, type=getattr(arrow, kind)())
    if kind in PLAIN:
        demand(is_array(values) and values.dtype.name == NUMPY.get(kind, kind))
        return arrow.array(values, mask=missing)
    stored = STORED.fullmatch(kind)
    demand(stored is not None)
    assert stored is not None
    held = "int32" if stored[1] is None else "int64"
    demand(is_array(values) and values.dtype.name == held)
    return arrow.array(values, mask=missing).cast(_stored_type(arrow, stored))


def _stored_type(arrow: Any, stored: re.Match[str]) -> Any:
    what, unit, zone = stored.groups()
    if what is None:
        return arrow.date32()
    if what == "duration":
        demand(zone is None)
        return arrow.duration(unit)
    return arrow.timestamp(unit, tz=zone)


BUILDERS = {"table": _to_table}
