"""Values of every kind that crosses by value, as chance makes them; and whether two are the same."""

from __future__ import annotations

import dataclasses
import enum
import math
from collections import namedtuple
from datetime import UTC, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.testing.forms.arrays import DTYPES
from grader.testing.objects import plain
from grader.wire.values import HEADER, decode_body, encode_frame

Point = namedtuple("Point", "x y")


class Color(enum.Enum):
    RED = 1
    BLUE = (2, "b")


@dataclasses.dataclass(frozen=True)
class Cart:
    owner: str
    items: Any


ZONES = st.sampled_from(
    [None, UTC, timezone(timedelta(hours=2)), timezone(-timedelta(minutes=90), "West"),
     ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")]
)  # fmt: skip
DECIMALS = st.decimals(places=3, min_value=-(10**9), max_value=10**9) | st.sampled_from(
    [Decimal("NaN"), Decimal("-Infinity"), Decimal("1E+300"), Decimal("-0")]
)
KEYS = (
    st.integers() | st.text(max_size=5) | st.dates() | st.timedeltas() | st.complex_numbers(allow_nan=False)
    | st.fractions() | st.tuples(st.integers(), st.text(max_size=3)) | st.frozensets(st.integers(), max_size=3)
)  # fmt: skip
STANDARD = (
    DECIMALS | st.fractions() | st.complex_numbers(allow_nan=False) | st.dates() | st.timedeltas()
    | st.datetimes(timezones=ZONES) | st.times(timezones=st.sampled_from([None, UTC]))
    | st.builds(range, st.integers(-99, 99), st.integers(-99, 99), st.integers(1, 9))
    | st.sets(KEYS, max_size=4) | st.frozensets(KEYS, max_size=4)
    | st.dictionaries(KEYS, st.integers(), max_size=3)
)  # fmt: skip
OWN = (
    st.builds(Point, st.integers(), st.text(max_size=5))
    | st.builds(Cart, st.text(max_size=5), st.lists(st.integers(), max_size=3))
    | st.sampled_from(Color)
    | st.builds(ValueError, st.text(max_size=5), st.integers())
)

ARRAYS = st.sampled_from(sorted(DTYPES)).flatmap(
    lambda name: hnp.arrays(np.dtype(name), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
) | st.lists(st.text(max_size=6), max_size=5).map(lambda texts: np.array(texts, dtype="U"))  # fmt: skip

MOMENTS = st.datetimes(min_value=pd.Timestamp("1700-01-01"), max_value=pd.Timestamp("2200-01-01"))


def columns(rows: int) -> st.SearchStrategy[Any]:
    """Columns of every dtype."""

    def some(values: st.SearchStrategy[Any], dtype: str | None) -> st.SearchStrategy[Any]:
        listed = st.lists(values, min_size=rows, max_size=rows)
        return listed.map(lambda items: pd.Series(items, dtype=dtype).array)

    texts = st.text(max_size=6)
    return st.one_of(
        some(st.integers(-(1 << 63), (1 << 63) - 1), "int64"),
        some(st.floats(), "float64"),
        some(st.booleans(), "bool"),
        some(st.integers(0, 255) | st.none(), "UInt8"),
        some(st.floats(allow_nan=False) | st.none(), "Float64"),
        some(st.booleans() | st.none(), "boolean"),
        some(texts | st.none(), "object"),
        some(texts | st.none(), "string"),
        some(texts | st.none(), None if rows == 0 else "str" if pd.__version__ >= "3" else "object"),
        some(texts | st.integers() | st.lists(st.integers(), max_size=2), "object"),
        some(st.dates() | st.just(Decimal("1.5")), "object"),
        some(MOMENTS | st.none(), "datetime64[us]"),
        some(MOMENTS, "datetime64[ns, Europe/Berlin]"),
        some(st.timedeltas(timedelta(-99), timedelta(99)), "timedelta64[us]"),
        some(st.sampled_from(["a", "b"]), "category"),
        some(st.sampled_from([1, 2]) | st.none(), "category"),
    )  # fmt: skip


def indexes(rows: int) -> st.SearchStrategy[Any]:
    """Indexes of so many rows."""
    names = st.none() | st.text(max_size=3) | st.integers()

    def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.lists(values, min_size=rows, max_size=rows)

    return st.one_of(
        st.builds(lambda start, name: pd.RangeIndex(start, start + rows, name=name), st.integers(0, 9), names),
        st.builds(lambda items, name: pd.Index(items, name=name), some(st.integers(-99, 99)), names),
        st.builds(lambda items, name: pd.Index(items, name=name, dtype=object), some(st.text(max_size=3)), names),
        st.builds(lambda start: pd.date_range(start, periods=rows, freq="D"), MOMENTS),
        st.builds(
            lambda left, right: pd.MultiIndex.from_arrays([left, right], names=["l", None]),
            some(st.integers(0, 3)), some(st.text(max_size=2)),
        ),
    )  # fmt: skip


@st.composite
def frames(draw: st.DrawFn) -> Any:
    """DataFrames of every kind, with odd names, repeated ones too."""
    rows = draw(st.integers(0, 4))
    held = draw(st.lists(columns(rows), max_size=4))
    frame = pd.DataFrame(dict(enumerate(held)), index=draw(indexes(rows)))
    frame.columns = draw(indexes(len(held)))
    return frame


SERIES = st.integers(0, 4).flatmap(
    lambda rows: st.builds(
        lambda values, index, name: pd.Series(values, index=index, name=name),
        columns(rows), indexes(rows), st.none() | st.text(max_size=3) | st.tuples(st.integers(), st.text(max_size=2)),
    )
)  # fmt: skip
TABLES = st.integers(0, 4).flatmap(
    lambda rows: st.lists(columns(rows), max_size=4).map(
        lambda held: pa.Table.from_arrays(
            [one for one in map(arrow_column, held) if one is not None],
            names=[f"c{n}" for n, one in enumerate(held) if arrow_column(one) is not None],
        )
    )
)
PANDAS = (
    frames() | SERIES | st.integers(0, 4).flatmap(indexes) | MOMENTS.map(pd.Timestamp)
    | st.timedeltas(timedelta(-99), timedelta(99)).map(pd.Timedelta) | st.sampled_from([pd.NaT, pd.NA])
)  # fmt: skip


def arrow_column(values: Any) -> Any:
    """A column of pyarrow's; None where it has no type for it, or one that does not cross."""
    try:
        made = pa.array(values)
    except (pa.ArrowException, OverflowError):
        return None
    plain_types = pa.types.is_list, pa.types.is_decimal, pa.types.is_null, pa.types.is_dictionary
    return None if any(of(made.type) for of in plain_types) else made


def crossed(value: object) -> Any:
    """What arrives on the other side."""
    return decode_body(encode_frame({"value": plain(value)})[HEADER.size :])["value"]


def same(left: Any, right: Any) -> bool:
    """Whether two values are of one type and equal, what is not a number to what is not."""
    if type(left) is not type(right):
        return False
    for kind, alike in SAME:
        if isinstance(left, kind):
            return alike(left, right)
    return left is right or bool(left == right)


def _is_so(compare: Any, left: Any, right: Any, **options: Any) -> bool:
    compare(left, right, **options)
    return True


SAME: tuple[tuple[Any, Any], ...] = (
    (np.ndarray, lambda a, b: (a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes())),
    (pd.DataFrame, lambda a, b: _is_so(pd.testing.assert_frame_equal, a, b, check_freq=False)),
    (pd.Series, lambda a, b: _is_so(pd.testing.assert_series_equal, a, b, check_freq=False)),
    (pd.Index, lambda a, b: a.equals(b) and (a.dtype, [*a.names]) == (b.dtype, [*b.names])),
    (pa.Table, lambda a, b: a.schema == b.schema and same(a.to_pydict(), b.to_pydict())),
    (dict, lambda a, b: list(a) == list(b) and all(same(a[key], b[key]) for key in a)),
    ((list, tuple), lambda a, b: len(a) == len(b) and all(map(same, a, b))),
    ((float, Decimal), lambda a, b: a == b or (math.isnan(a) and math.isnan(b))),
)
