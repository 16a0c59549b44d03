"""A column of a table, as arrays and texts: what a Series, an index or a DataFrame is made of.

["array", values]                    numbers, booleans, moments and durations without a zone
["masked", dtype, values, missing]   pandas' nullable numbers and booleans
["texts", dtype, texts, missing]     `missing` says of each row what stands there: 0 for its text
["zoned", zone, values]              moments in a zone, as those of UTC
["categories", codes, column, is_ordered]
["mixed", list]                      whatever else is plain
"""

from __future__ import annotations

from typing import Any

from grader.testing.forms.arrays import is_array
from grader.testing.forms.parts import Texts, Unsendable, demand, demand_types, needed
from grader.testing.forms.standard import to_zone, zone_parts

NULLABLE = {
    **{f"{sign}nt{bits}": "IntegerArray" for sign in ("I", "UI") for bits in (8, 16, 32, 64)},
    "Float32": "FloatingArray",
    "Float64": "FloatingArray",
    "boolean": "BooleanArray",
}
"""pandas' dtypes with a mask, and the class of their arrays."""

TEXT_DTYPES = ("object", "str", "string")
NUMBERS = "biufcmM"

THERE, NONE, NAN, NA = range(4)


# ---------------------------------------------------------------- apart


def column_parts(values: Any) -> list[Any]:
    """The parts of a pandas Series or Index, without its name.

    Raises:
        Unsendable: its dtype has no plain values.
    """
    pandas = needed("pandas")
    dtype = values.dtype
    name = str(dtype)
    if isinstance(dtype, pandas.CategoricalDtype):
        held = pandas.Series(values).array
        return ["categories", held.codes, column_parts(dtype.categories), bool(dtype.ordered)]
    if isinstance(dtype, pandas.DatetimeTZDtype):
        moments = pandas.DatetimeIndex(values).tz_convert("UTC").tz_localize(None)
        return ["zoned", zone_parts(dtype.tz, None), moments.to_numpy()]
    if name in NULLABLE:
        missing = values.isna()
        plain = pandas.Series(values).array.to_numpy(dtype=name.lower().removesuffix("ean"),
                                                     na_value=0)  # fmt: skip
        return [
            "masked",
            name,
            plain,
            missing.to_numpy() if hasattr(missing, "to_numpy") else missing,
        ]
    if isinstance(dtype, pandas.StringDtype):
        kept = "string" if dtype.na_value is pandas.NA else "str"
        return _texts(list(values), kept)
    if name == "object":
        return _objects(list(values))
    if isinstance(dtype, needed("numpy").dtype) and dtype.kind in NUMBERS:
        return ["array", values.to_numpy()]
    raise Unsendable(f"a column of dtype {name} can't cross", "convert it, as in .astype(str)")


def _objects(items: list[Any]) -> list[Any]:
    if all(type(item) is str or _missing(item) for item in items):
        return _texts(items, "object")
    return ["mixed", items]


def _texts(items: list[Any], dtype: str) -> list[Any]:
    numpy = needed("numpy")
    missing = numpy.array([_missing(item) for item in items], dtype="uint8")
    texts = Texts("" if gone else str(item) for item, gone in zip(items, missing, strict=True))
    return ["texts", dtype, texts, missing]


def _missing(item: Any) -> int:
    if item is None:
        return NONE
    if type(item) is float and item != item:
        return NAN
    return NA if item is needed("pandas").NA else THERE


# ---------------------------------------------------------------- together


def column_length(parts: Any) -> int:
    """How many rows the parts of a column have.

    Raises:
        Malformed: they are none.
    """
    demand(type(parts) is list and len(parts) > 1 and type(parts[0]) is str)
    held = parts[1] if parts[0] in ("array", "mixed", "categories") else parts[2]
    demand(type(held) in (list, Texts) or (is_array(held) and held.ndim == 1))
    return len(held)


def to_column(parts: Any) -> Any:
    """A pandas array, or one of NumPy's, of the parts of a column.

    Raises:
        Malformed: they do not fit together.
    """
    column_length(parts)
    build = _COLUMNS.get(parts[0])
    demand(build is not None)
    return build(parts[1:])  # type: ignore[misc]


def _to_array(parts: list[Any]) -> Any:
    demand(len(parts) == 1 and is_array(parts[0], *NUMBERS) and parts[0].ndim == 1)
    return parts[0]


def _to_masked(parts: list[Any]) -> Any:
    dtype, values, missing = parts
    demand(type(dtype) is str and dtype in NULLABLE)
    demand(is_array(values) and values.dtype.name == dtype.lower().removesuffix("ean"))
    demand(is_array(missing, "b") and missing.shape == values.shape and values.ndim == 1)
    return getattr(needed("pandas").arrays, NULLABLE[dtype])(values, missing)


def _to_texts(parts: list[Any]) -> Any:
    dtype, texts, missing = parts
    demand(type(dtype) is str and dtype in TEXT_DTYPES and type(texts) is Texts)
    demand(is_array(missing, "u") and missing.shape == (len(texts),))
    pandas, numpy = needed("pandas"), needed("numpy")
    demand(len(texts) == 0 or int(missing.max()) <= NA)
    items = numpy.empty(len(texts), dtype=object)
    items[:] = list(texts)
    for code, stands in ((NONE, None), (NAN, float("nan")), (NA, pandas.NA)):
        items[missing == code] = stands
    if dtype == "object":
        return items
    return pandas.array(items, dtype=dtype)


def _to_zoned(parts: list[Any]) -> Any:
    zone, values = parts
    demand(zone is not None and is_array(values, "M") and values.ndim == 1)
    return needed("pandas").DatetimeIndex(values).tz_localize("UTC").tz_convert(to_zone(zone)).array


def _to_categories(parts: list[Any]) -> Any:
    codes, column, ordered = parts
    demand(is_array(codes, "i") and codes.ndim == 1 and type(ordered) is bool)
    demand(type(column) is list and column[:1] != ["categories"])
    categories = to_column(column)
    if len(codes):
        demand(int(codes.min()) >= -1 and int(codes.max()) < len(categories))
    pandas = needed("pandas")
    return pandas.Categorical.from_codes(codes, pandas.Index(categories), ordered=ordered)


def _to_mixed(parts: list[Any]) -> Any:
    demand_types(parts, list)
    numpy = needed("numpy")
    items = numpy.empty(len(parts[0]), dtype=object)
    for place, item in enumerate(parts[0]):
        items[place] = item
    return items


_COLUMNS = {
    "array": _to_array,
    "masked": _to_masked,
    "texts": _to_texts,
    "zoned": _to_zoned,
    "categories": _to_categories,
    "mixed": _to_mixed,
}
