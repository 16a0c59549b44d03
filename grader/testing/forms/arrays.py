"""NumPy: arrays by dtype, shape and bytes; scalars; arrays of texts."""

from __future__ import annotations

import math
from typing import Any

from grader.testing.forms.parts import (
    MAX_FRAME,
    Texts,
    TooMuch,
    Unsendable,
    demand,
    demand_types,
    loaded,
    needed,
)

MAX_DIMS = 12
MAX_SIZE = 1 << 40

UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns")
DTYPES = {
    "bool": 1, "int8": 1, "int16": 2, "int32": 4, "int64": 8, "uint8": 1, "uint16": 2, "uint32": 4,
    "uint64": 8, "float16": 2, "float32": 4, "float64": 8, "complex64": 8, "complex128": 16,
    **{f"{kind}[{unit}]": 8 for kind in ("datetime64", "timedelta64") for unit in UNITS},
}  # fmt: skip
"""Dtypes whose arrays cross by value, with their bytes an element."""

INSTEAD = {
    "O": "use a numeric dtype, or .tolist()",
    "S": 'decode the bytes, as in .astype("U"), or .tolist()',
    "V": "send its fields one by one",
}


class Raw(tuple[str, tuple[int, ...], Any]):
    """An array as it crosses: dtype, shape, and its bytes as another array, or those themselves."""

    __slots__ = ()


def neutral(value: Any) -> Any:
    """Python's number of one of NumPy's; the nested lists of an array of plots."""
    numpy = loaded("numpy")
    if numpy is None:
        return value
    if isinstance(value, (numpy.bool_, numpy.number)) and not isinstance(value, numpy.timedelta64):
        plain = value.item()
        return plain if type(plain) in (bool, int, float, complex) else value
    if isinstance(value, numpy.str_):
        return str(value)
    if isinstance(value, numpy.bytes_):
        return bytes(value)
    if isinstance(value, numpy.dtype) and value.name not in DTYPES:
        return str(value)
    if type(value) is numpy.ndarray and value.dtype == object and _holds_plots(value):
        return value.tolist()
    return value


def _holds_plots(value: Any) -> bool:
    axes = loaded("matplotlib.axes")
    return axes is not None and value.size > 0 and isinstance(value.flat[0], axes.Axes)


def apart(value: Any) -> tuple[str, list[Any]] | None:
    """The form and the parts of one of NumPy's values.

    Raises:
        Unsendable: its dtype or its class does not cross.
    """
    numpy = loaded("numpy")
    if numpy is None:
        return None
    if isinstance(value, numpy.generic):
        return "scalar", [_raw(numpy.asarray(value))]
    if type(value) is numpy.ndarray:
        if value.dtype.kind in "UT":
            return "words", [list(value.shape), _words(value)]
        return "array", [_raw(value)]
    if isinstance(value, numpy.ma.MaskedArray):
        raise Unsendable("a masked array can't cross", "fill it, as in .filled(0)")
    if isinstance(value, numpy.ndarray):
        raise Unsendable(f"a {type(value).__name__} is no plain array", "use numpy.asarray")
    if isinstance(value, numpy.dtype):
        return "dtype", [_known(value)]
    return None


def _raw(value: Any) -> Raw:
    name = _known(value.dtype)
    if value.ndim > MAX_DIMS:
        raise Unsendable(f"an array with {value.ndim} dimensions")
    if value.nbytes > MAX_FRAME:
        raise TooMuch(f"an array of {value.nbytes:,} bytes", "send a part of it, or a sum")
    numpy = loaded("numpy")
    straight = numpy.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
    return Raw((name, tuple(value.shape), straight.reshape(-1).view("uint8")))


def _known(dtype: Any) -> str:
    name = str(dtype.name)
    if name not in DTYPES or dtype.fields is not None:
        called = dtype if dtype.fields is None else "of several fields"
        instead = INSTEAD.get(dtype.kind, "convert it, as in .astype(float)")
        raise Unsendable(f"an array of dtype {called} can't cross", instead)
    return name


def _words(value: Any) -> Texts:
    if value.nbytes > MAX_FRAME:
        raise TooMuch(f"an array of {value.nbytes:,} bytes", "use .tolist()")
    if value.ndim > MAX_DIMS:
        raise Unsendable(f"an array with {value.ndim} dimensions")
    return Texts(map(str, value.reshape(-1).tolist()))


# ---------------------------------------------------------------- together


def from_bytes(name: Any, shape: Any, raw: memoryview) -> Any:
    """An array of bytes of exactly this dtype and shape.

    Args:
        name: its dtype.
        shape: a list of sizes.
        raw: its bytes, in the order of C, little-endian.

    Raises:
        Malformed: they do not fit, or NumPy is not installed.
    """
    demand(type(name) is str and name in DTYPES)
    count = _count(shape)
    demand(count * DTYPES[name] == len(raw))
    numpy = needed("numpy")
    dtype = numpy.dtype(name)
    if count == 0:
        return numpy.empty(shape, dtype)
    if name == "bool":
        demand(int(numpy.frombuffer(raw, "uint8").max()) <= 1)
    little = numpy.frombuffer(bytearray(raw), dtype.newbyteorder("<"))
    return little.astype(dtype, copy=False).reshape(shape)


def _count(shape: Any) -> int:
    demand(type(shape) is list and len(shape) <= MAX_DIMS)
    demand(all(type(size) is int and 0 <= size <= MAX_SIZE for size in shape))
    return math.prod(shape)


def _to_scalar(parts: list[Any]) -> Any:
    demand(len(parts) == 1 and is_array(parts[0]) and parts[0].shape == ())
    return parts[0][()]


def _to_words(parts: list[Any]) -> Any:
    demand_types(parts, list, Texts)
    shape, texts = parts
    demand(_count(shape) == len(texts))
    longest = max(map(len, texts), default=1) or 1
    demand(len(texts) * longest * 4 <= MAX_FRAME)
    numpy = needed("numpy")
    return numpy.array(list(texts), dtype=f"U{longest}").reshape(shape)


def _to_dtype(parts: list[Any]) -> Any:
    demand_types(parts, str)
    demand(parts[0] in DTYPES)
    return needed("numpy").dtype(parts[0])


def is_array(value: Any, *kinds: str) -> bool:
    """Whether it is an array that has crossed, of one of these kinds of dtype if there are any."""
    numpy = loaded("numpy")
    if numpy is None or type(value) is not numpy.ndarray:
        return False
    return not kinds or value.dtype.kind in kinds


BUILDERS = {"scalar": _to_scalar, "words": _to_words, "dtype": _to_dtype}
