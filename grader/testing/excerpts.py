"""Values in a few words: the beginning of what `repr` would say, without making the rest.

What a submission returned may be a hundred thousand tensors, nested lists that share nothing, or a
number of a million digits. Writing all of it down to show 300 characters would take minutes, so an
excerpt looks at no more than it shows. Standard library only; torch's tensors, NumPy's arrays and
tables when there are any.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from grader.testing.forms.described import NamedValues, Record, fields_of, name_of

MAX_VALUES = 150
"""Values that are looked at for one excerpt, nested ones included."""

MAX_DEPTH = 6
MAX_BITS = 1_000
TENSOR_VALUES = 6

CLOSED = {list: "[]", tuple: "()", set: "{}", frozenset: "{}"}
SHORT_TYPES = (bool, type(None), complex, type(...), range, slice)


def excerpt(value: object, limit: int = 300) -> str:
    """What a value looks like, in at most `limit` characters. A text stands for itself."""
    if type(value) is str:
        text = value[: limit + 1]
    elif type(value) is float:
        text = f"{value:.6g}"
    else:
        text = _Writer(limit).written(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


class _Writer:
    """Writes one value; stops to look when enough is written."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values_left = MAX_VALUES

    def written(self, value: object, depth: int = 0) -> str:
        self._values_left -= 1
        if self._values_left < 0:
            return "…"
        kind = type(value)
        if kind is int:
            return _whole_number(value)  # type: ignore[arg-type]
        if isinstance(value, (str, bytes, bytearray)):
            return _text(value, self._limit)
        if isinstance(value, Mapping):
            pairs = (f"{self.written(k, depth + 1)}: {self.written(v, depth + 1)}"
                     for k, v in _some_items(value))  # fmt: skip
            return self._container(value, "{}", pairs, len(value), depth)
        if type(value) is NamedValues:
            return self._fields(name_of(value), zip(value._fields, value, strict=True), depth)
        if isinstance(value, (list, tuple, set, frozenset)):
            closed = next(CLOSED[base] for base in CLOSED if isinstance(value, base))
            items = (self.written(item, depth + 1) for item in value)
            return self._container(value, closed, items, len(value), depth)
        return self._other(value, depth)

    def _container(
        self, value: object, closed: str, items: Iterator[str], size: int, depth: int
    ) -> str:
        kind = type(value)
        left, right = closed[0], closed[1]
        if kind not in (dict, list, tuple, set):
            left, right = f"{kind.__name__}({left}", f"{right})"
        if depth > MAX_DEPTH and size:
            return f"{left}…{right}"
        shown: list[str] = []
        length = 0
        for item in itertools.islice(items, MAX_VALUES):
            shown.append(item)
            length += len(item)
            if length > self._limit or self._values_left <= 0:
                break
        if len(shown) < size:
            shown.append("…")
        comma = "," if kind is tuple and size == 1 else ""
        return f"{left}{', '.join(shown)}{comma}{right}"

    def _other(self, value: object, depth: int) -> str:
        kind = type(value)
        if isinstance(value, SHORT_TYPES):
            return repr(value)[: self._limit]
        if kind is float:
            return repr(value)
        if isinstance(value, type):
            return value.__name__
        if _is_tensor(value):
            return _tensor(value)
        if type(value).__module__.startswith(("numpy", "pandas", "pyarrow")):
            return _of_a_library(value)
        if type(value) is Record:
            return self._fields(name_of(value), fields_of(value).items(), depth)
        if isinstance(value, BaseException):
            return f"{kind.__name__}({self.written(value.args, depth + 1)[1:-1]})"
        if dataclasses.is_dataclass(value):
            names = [field.name for field in dataclasses.fields(value)]
            fields = ((name, getattr(value, name, None)) for name in names)
            return self._fields(kind.__name__, fields, depth)
        try:
            return repr(value)[: self._limit + 1]  # the course's own: a dtype, a device, a path
        except Exception:
            return f"<{kind.__name__}>"

    def _fields(self, name: str, fields: Iterable[tuple[str, Any]], depth: int) -> str:
        if depth > MAX_DEPTH:
            return f"{name}(…)"
        shown = (f"{field}={self.written(value, depth + 1)}" for field, value in fields)
        return f"{name}({', '.join(itertools.islice(shown, MAX_VALUES))})"


def _some_items(value: Mapping[Any, Any]) -> Iterable[tuple[Any, Any]]:
    return itertools.islice(value.items(), MAX_VALUES)


def _whole_number(value: int) -> str:
    bits = value.bit_length()
    return str(value) if bits <= MAX_BITS else f"an integer of {bits} bits"


def _text(value: str | bytes | bytearray, limit: int) -> str:
    return repr(value[:limit]) + ("…" if len(value) > limit else "")


def _is_tensor(value: object) -> bool:
    return type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "numel")


def _tensor(value: Any) -> str:
    """A small tensor's values; of a larger one its shape and the first of them."""
    shape = "x".join(str(size) for size in value.shape)
    dtype = str(value.dtype).removeprefix("torch.")
    try:
        first = ", ".join(_number(item) for item in value.reshape(-1)[:TENSOR_VALUES].tolist())
    except Exception:  # on the meta device, for example
        first = "no values"
    more = ", …" if value.numel() > TENSOR_VALUES else ""
    return f"tensor({shape or 'one value'}, {dtype}: {first}{more})"


def _of_a_library(value: Any) -> str:
    """An array as a tensor; how many rows a table has, and its columns; what others say."""
    kind = type(value).__name__
    try:
        if kind == "ndarray":
            shape = "x".join(map(str, value.shape))
            more = ", …" if value.size > TENSOR_VALUES else ""
            return (
                f"array({shape or 'one value'}, {value.dtype}: {_first(value.reshape(-1))}{more})"
            )
        if kind == "Series":
            more = ", …" if len(value) > TENSOR_VALUES else ""
            return f"Series({len(value)}, {value.dtype}: {_first(value)}{more})"
        if kind in ("DataFrame", "Table"):
            names = value.columns if kind == "DataFrame" else value.column_names
            told = ", ".join(str(name)[:40] for name in names[:10])
            return f"{kind}({value.shape[0]} rows: {told}{', …' if len(names) > 10 else ''})"
        return repr(value)[:MAX_BITS]
    except Exception:
        return f"<{kind}>"


def _first(values: Any) -> str:
    """The first few values of an array or a Series."""
    return ", ".join(_number(item) for item in values[:TENSOR_VALUES].tolist())


def _number(item: Any) -> str:
    return f"{item:.6g}" if isinstance(item, float) else str(item)[:MAX_BITS]
