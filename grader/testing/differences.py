"""The first difference between two values, in words: type, shape and dtype first, then the values.

Arrays and numbers are here, and whatever contains them; tables are in `table_differences.py`.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from grader.testing.excerpts import excerpt
from grader.testing.failure import Compared
from grader.testing.forms.described import Member, NamedValues, Raised, Record, fields_of, name_of
from grader.testing.forms.parts import loaded
from grader.testing.handles import as_tensor

NUMBERS = (int, float, complex, Fraction, Decimal)
MAX_TOLD = 5
"""Most names that are told of those that are missing."""


UNTOLD = object()
"""Stands for a value that would not help."""


class Difference(NamedTuple):
    """Where two values differ first, and how.

    `at` is the part of the whole that it is about: `["a"][2]`, or nothing. `compared` are arrays of
    one shape that differ in their values.
    """

    said: str
    expected: object = UNTOLD
    actual: object = UNTOLD
    at: str = ""
    compared: Compared | None = None

    def within(self, part: str) -> Difference:
        """The same, of something that has this part."""
        return self._replace(at=part + self.at)


class Ruler(NamedTuple):
    """What is no difference: `|actual - expected| <= atol + rtol * |expected|`, for floats.

    Attributes:
        rtol, atol: 0 and 0 for what must be equal.
        dtypes: whether another dtype is a difference.
        names: whether another name of a Series or an index is one.
    """

    rtol: float = 0.0
    atol: float = 0.0
    dtypes: bool = True
    names: bool = True

    @property
    def exact(self) -> bool:
        """Whether values must be equal."""
        return self.rtol == self.atol == 0.0


def difference(actual: Any, expected: Any, ruler: Ruler) -> Difference | None:
    """The first difference of two values that have crossed; None if there is none.

    In arrays and tables what is missing (NaN, NaT, None) is equal to what is missing there.
    """
    from grader.testing.table_differences import table_difference  # which compares cells by this

    if is_tensor(expected):
        return tensor_difference(actual, expected, ruler)
    if is_array(expected):
        return array_difference(as_array(actual), expected, ruler)
    if type(expected) in NUMBERS:
        return _number_difference(actual, expected, ruler)
    if type(expected) is tuple and type(actual) is NamedValues:
        actual = tuple(actual)
    if type(actual) is not type(expected):
        return wrong_type(actual, expected)
    compare = _COMPARED.get(type(expected)) or table_difference(expected)
    if compare is not None:
        return compare(actual, expected, ruler)
    if bool(actual == expected):
        return None
    return Difference("not as expected", expected, actual)


def wrong_type(actual: Any, expected: Any) -> Difference:
    """That a value is of another type."""
    return Difference(
        "the wrong type",
        f"{type(expected).__name__} {excerpt(expected)}",
        f"{type(actual).__name__} {excerpt(actual)}",
    )


# ---------------------------------------------------------------- numbers, tensors and arrays


def _number_difference(actual: Any, expected: Any, ruler: Ruler) -> Difference | None:
    if is_array(actual) and actual.ndim == 0:
        actual = actual.item()
    if type(actual) not in NUMBERS:
        return Difference("not a number", expected, type(actual).__name__)
    if type(actual) is complex and type(expected) is not complex:
        return wrong_type(actual, expected)
    near = actual == expected if ruler.exact else numbers_near(actual, expected, ruler)
    return None if near else Difference("not as expected", expected, actual)


def numbers_near(actual: Any, expected: Any, ruler: Ruler) -> bool:
    """Whether two numbers of any kind are as close as the ruler forgives."""
    try:
        if complex in (type(actual), type(expected)):
            left, right = complex(actual), complex(expected)
            return cmath.isclose(left, right, rel_tol=ruler.rtol, abs_tol=ruler.atol)
        left_real, right_real = float(actual), float(expected)
    except OverflowError:  # of integers beyond what a float can be
        return bool(actual == expected)
    return math.isclose(left_real, right_real, rel_tol=ruler.rtol, abs_tol=ruler.atol)


def is_tensor(value: Any) -> bool:
    """Whether it is one of torch's tensors, or of a class that derives from them."""
    torch = loaded("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def tensor_difference(actual: Any, expected: Any, ruler: Ruler) -> Difference | None:
    """The first difference of something from a tensor: shape, dtype, finiteness, then values."""
    import torch

    actual = as_tensor(actual)
    if type(actual) is not torch.Tensor:
        return Difference("not a tensor", "a tensor", type(actual).__name__)
    if actual.shape != expected.shape:
        return Difference("the wrong shape", tuple(expected.shape), tuple(actual.shape))
    if ruler.dtypes and actual.dtype != expected.dtype:
        return Difference("the wrong dtype", expected.dtype, actual.dtype)
    if torch.isnan(actual).any():
        return Difference("NaN is in there")
    if actual.is_floating_point() or actual.is_complex():
        wide = torch.complex128 if actual.is_complex() else torch.float64
        left, right = actual.to(wide), expected.to(wide)
        near = torch.isclose(left, right, rtol=ruler.rtol, atol=ruler.atol)
    else:
        left, right = actual, expected
        near = left == right
    if bool(near.all()):
        return None
    place = tuple(int(i) for i in (~near).nonzero()[0])
    wrong = int((~near).sum())
    return Difference(
        f"not as expected, {wrong} of {near.numel()} values differ, first at {place}",
        right[place].item(),
        left[place].item(),
        compared=Compared(left, right, near, ruler),
    )


def is_array(value: Any) -> bool:
    """Whether it is one of NumPy's arrays."""
    numpy = loaded("numpy")
    return numpy is not None and type(value) is numpy.ndarray


def as_array(value: Any) -> Any:
    """The array of a tensor that has crossed, for a student may return either; or what it is."""
    torch = loaded("torch")
    if torch is None or type(value) is not torch.Tensor or value.dtype is torch.bfloat16:
        return value
    return value.numpy()


def array_difference(actual: Any, expected: Any, ruler: Ruler) -> Difference | None:
    """The first difference of something from an array: its shape, its dtype, then its values."""
    if not is_array(actual):
        return wrong_type(actual, expected)
    if actual.shape != expected.shape:
        return Difference("the wrong shape", expected.shape, actual.shape)
    if ruler.dtypes and not same_dtype(actual.dtype, expected.dtype):
        return Difference("the wrong dtype", str(expected.dtype), str(actual.dtype))
    near = arrays_near(actual, expected, ruler)
    wrong = int(near.size - near.sum())
    if not wrong:
        return None
    place = tuple(int(i) for i in (~near).nonzero()) if near.ndim == 0 else first_place(near)
    return Difference(
        f"not as expected, {wrong} of {near.size} values differ, first at {place}",
        told(expected[place]),
        told(actual[place]),
        compared=Compared(actual, expected, near, ruler),
    )


def first_place(near: Any) -> tuple[int, ...]:
    """The index of the first element that is not near."""
    numpy = loaded("numpy")
    return tuple(int(i) for i in numpy.argwhere(~near)[0])


def same_dtype(actual: Any, expected: Any) -> bool:
    """Whether two of NumPy's dtypes are one; how long texts may be is no difference."""
    return bool(actual == expected or actual.kind == expected.kind == "U")


def arrays_near(actual: Any, expected: Any, ruler: Ruler) -> Any:
    """Where two arrays of one shape are as close as the ruler forgives: an array of bool."""
    numpy = loaded("numpy")
    kinds = {actual.dtype.kind, expected.dtype.kind}
    if kinds & set("fc") and kinds <= set("biufc"):
        wide = "complex128" if "c" in kinds else "float64"
        left, right = actual.astype(wide), expected.astype(wide)
        with numpy.errstate(all="ignore"):
            if ruler.exact:
                return (left == right) | (numpy.isnan(left) & numpy.isnan(right))
            return numpy.isclose(left, right, rtol=ruler.rtol, atol=ruler.atol, equal_nan=True)
    if "O" in kinds:
        pairs = zip(actual.ravel(), expected.ravel(), strict=True)
        found = numpy.array([items_near(*pair, ruler) for pair in pairs], dtype=bool)
        return found.reshape(actual.shape)
    if len(kinds) > 1 and not kinds <= set("biu"):
        return numpy.zeros(actual.shape, dtype=bool)
    near = actual == expected
    if kinds <= set("mM"):
        near |= numpy.isnat(actual) & numpy.isnat(expected)
    return numpy.asarray(near)


def items_near(actual: Any, expected: Any, ruler: Ruler) -> bool:
    """Whether two values in a column of objects are as close as the ruler forgives."""
    if type(actual) is str and type(expected) is str:
        return actual == expected
    if is_missing(actual) or is_missing(expected):
        return is_missing(actual) and is_missing(expected)
    return difference(actual, expected, ruler) is None


def is_missing(value: Any) -> bool:
    """Whether a value says that there is none: None, NaN, NaT, NA."""
    if value is None or (type(value) is float and value != value):
        return True
    pandas = loaded("pandas")
    return pandas is not None and (value is pandas.NaT or value is pandas.NA)


def told(value: Any) -> object:
    """An element of an array for an excerpt: Python's numbers, and moments as people write them."""
    numpy = loaded("numpy")
    if isinstance(value, numpy.generic):
        return str(value) if value.dtype.kind in "mM" else value.item()
    return str(value) if type(value).__module__.startswith("pandas") else value


# ---------------------------------------------------------------- what contains others


def _sequence_difference(actual: Any, expected: Any, ruler: Ruler) -> Difference | None:
    for place, (left, right) in enumerate(zip(actual, expected, strict=False)):
        found = difference(left, right, ruler)
        if found is not None and len(actual) == len(expected):
            return found.within(f"[{place}]")
    if len(actual) != len(expected):
        return Difference("the wrong length", len(expected), len(actual))
    return None


def _dict_difference(actual: Any, expected: Any, ruler: Ruler) -> Difference | None:
    return _difference_by_name("key", actual, expected, ruler)


def _difference_by_name(
    sort: str, actual: dict[Any, Any], expected: dict[Any, Any], ruler: Ruler
) -> Difference | None:
    """Keys or fields that are missing or too many, then the first value that differs."""
    found = names_difference(sort, list(actual), list(expected))
    if found is not None:
        return found
    for name, wanted in expected.items():
        inner = difference(actual[name], wanted, ruler)
        if inner is not None:
            shown = f".{name}" if sort == "field" else f"[{excerpt([name], 60)[1:-1]}]"
            return inner.within(shown)
    return None


def names_difference(sort: str, actual: list[Any], expected: list[Any]) -> Difference | None:
    """Which keys are missing, or are too many."""
    has, wanted = set(actual), set(expected)
    missing = [one for one in expected if one not in has]
    if missing:
        return Difference(
            f"{sort}s are missing: {listed(missing)}", listed(expected), listed(actual)
        )
    extra = [one for one in actual if one not in wanted]
    if extra:
        return Difference(f"unexpected {sort}s: {listed(extra)}", listed(expected), listed(actual))
    return None


def listed(names: list[Any]) -> str:
    """Some names, and that there are more."""
    shown = ", ".join(excerpt([name], 60)[1:-1] for name in names[:MAX_TOLD])
    return f"{shown}, …" if len(names) > MAX_TOLD else shown or "none"


def _set_difference(actual: Any, expected: Any, _ruler: Ruler) -> Difference | None:
    return names_difference("element", list(actual), list(expected))


def _record_difference(actual: Any, expected: Any, ruler: Ruler) -> Difference | None:
    if name_of(actual) != name_of(expected):
        return Difference("the wrong type", name_of(expected), name_of(actual))
    return _difference_by_name("field", _fields(actual), _fields(expected), ruler)


def _fields(value: Record | NamedValues) -> dict[str, Any]:
    if type(value) is Record:
        return fields_of(value)
    assert type(value) is NamedValues
    return dict(zip(value._fields, value, strict=True))


def _plain_difference(actual: Any, expected: Any, _ruler: Ruler) -> Difference | None:
    return None if actual == expected else Difference("not as expected", expected, actual)


_COMPARED: dict[type, Callable[[Any, Any, Ruler], Difference | None]] = {
    list: _sequence_difference,
    tuple: _sequence_difference,
    dict: _dict_difference,
    set: _set_difference,
    frozenset: _set_difference,
    Record: _record_difference,
    NamedValues: _record_difference,
    Member: _plain_difference,
    Raised: _plain_difference,
    str: _plain_difference,
    bool: _plain_difference,
}
