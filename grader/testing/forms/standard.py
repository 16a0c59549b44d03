"""The standard library: numbers, moments, sets, ranges; and what people define with it."""

from __future__ import annotations

import dataclasses
import enum
import re
from array import array
from collections import UserDict, UserList, deque
from collections.abc import (
    Callable,
    ItemsView,
    Iterator,
    KeysView,
    Mapping,
    Sequence,
    ValuesView,
)
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from grader.testing.forms.described import (
    MAX_FIELD_NAME,
    MAX_FIELDS,
    MAX_KINDS,
    MAX_MESSAGE,
    Member,
    NamedValues,
    Raised,
    Record,
    fields_of,
    name_of,
)
from grader.testing.forms.parts import Texts, TooMuch, Unsendable, demand, demand_types

MAX_TAKEN = 10_000
"""Most values that are taken from an iterator, which may have no end."""

MAX_DIGITS = 400
"""Of a decimal number, and the largest power of ten in it: `int(Decimal("1e999999"))` is a bomb."""

DECIMAL = re.compile(r"[+-]?(\d{1,400}(\.\d{0,400})?(E[+-]?\d{1,4})?|Infinity|s?NaN\d{0,6})", re.A)
ZONE = re.compile(r"[A-Za-z0-9_+\-]{1,40}(/[A-Za-z0-9_+\-]{1,40}){0,3}", re.A)
PLAIN_LEAVES = (type(None), bool, int, float, str)
SEQUENCES = (deque, UserList, array, KeysView, ValuesView, ItemsView, Sequence)
PLAIN_SEQUENCES = (str, bytes, bytearray, memoryview, range)


# ---------------------------------------------------------------- without a class of their own


def neutral(value: Any) -> Any:
    """What an instance of somebody's class, or an iterator, says in plain values."""
    kind = type(value)
    if isinstance(value, enum.Enum):
        return Member(kind.__name__[:MAX_FIELD_NAME], value.name or str(value), value.value)
    if isinstance(value, tuple) and kind is not NamedValues and hasattr(kind, "_fields"):
        return NamedValues(kind.__name__[:MAX_FIELD_NAME], tuple(kind._fields), tuple(value))
    if isinstance(value, (Mapping, UserDict)):
        return value if kind is dict else dict(value)
    if isinstance(value, BaseException):
        return _raised(value)
    for plain in (list, tuple, set, frozenset):
        if isinstance(value, plain):
            return value if kind in (plain, NamedValues, Texts) else plain(value)
    if isinstance(value, SEQUENCES) and not isinstance(value, PLAIN_SEQUENCES):
        return list(value)
    if isinstance(value, Iterator):
        return taken(value, MAX_TAKEN, whole=True)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return Record(kind.__name__[:MAX_FIELD_NAME], {n: getattr(value, n) for n in names})
    return value


def taken(values: Any, most: int, *, whole: bool = False) -> list[Any]:
    """The first values that iterating gives.

    Args:
        values: what is iterated.
        most: how many.
        whole: whether there may be no more.

    Raises:
        TooMuch: there are.
    """
    found = list(islice(iter(values), most + whole))
    if whole and len(found) > most:
        raise TooMuch(
            f"an iterator that has not ended after {most:,} values",
            "take the first ones, as in take(submission.f(), 5)",
        )
    return found


def _raised(error: BaseException) -> Raised:
    kinds = tuple(base.__name__[:MAX_FIELD_NAME] for base in type(error).__mro__[:MAX_KINDS])
    try:
        message = str(error)[:MAX_MESSAGE]
    except Exception:
        message = "(its message can't be shown)"
    plain = all(type(part) in PLAIN_LEAVES for part in error.args) and len(error.args) <= 20
    return Raised(kinds, message, tuple(error.args) if plain else None)


# ---------------------------------------------------------------- apart


def apart(value: Any) -> tuple[str, list[Any]] | None:
    """The form and the parts of a value of the standard library.

    Raises:
        Unsendable: this one can't cross.
    """
    take = _TAKERS.get(type(value))
    return None if take is None else take(value)


def _decimal(value: Decimal) -> tuple[str, list[Any]]:
    _, digits, exponent = value.as_tuple()
    if len(digits) > MAX_DIGITS or (type(exponent) is int and abs(exponent) > MAX_DIGITS):
        raise TooMuch(f"a decimal number of more than {MAX_DIGITS} digits", "round it first")
    return "decimal", [str(value)]


def _datetime(value: datetime) -> tuple[str, list[Any]]:
    parts = [value.year, value.month, value.day, *_clock(value)]
    return "datetime", [*parts, zone_parts(value.tzinfo, value)]


def _time(value: time) -> tuple[str, list[Any]]:
    return "time", [*_clock(value), zone_parts(value.tzinfo, None)]


def _clock(value: datetime | time) -> list[int]:
    return [value.hour, value.minute, value.second, value.microsecond, value.fold]


def zone_parts(zone: tzinfo | None, moment: datetime | None) -> list[Any] | None:
    """A time zone by its name, or by what it is ahead of UTC at a moment.

    Raises:
        Unsendable: it has neither.
    """
    if zone is None:
        return None
    name = getattr(zone, "key", None) or getattr(zone, "zone", None)
    if type(name) is str and ZONE.fullmatch(name):
        return ["zone", name]
    ahead = zone.utcoffset(moment)
    if ahead is None:
        raise Unsendable("a time whose zone has no fixed offset", "use datetime.timezone")
    called = zone.tzname(moment)
    plain = called is None or called.startswith("UTC") or type(zone) is not timezone
    return ["offset", ahead // timedelta(microseconds=1), None if plain else str(called)[:40]]


def _set(value: set[Any] | frozenset[Any]) -> tuple[str, list[Any]]:
    return type(value).__name__, [list(value)]


def _record(value: Record) -> tuple[str, list[Any]]:
    return "record", [name_of(value), _few(list(fields_of(value))), list(fields_of(value).values())]


def _named(value: NamedValues) -> tuple[str, list[Any]]:
    return "named", [name_of(value), _few(list(value._fields)), list(value)]


def _few(names: list[str]) -> list[str]:
    if len(names) > MAX_FIELDS or any(len(name) > MAX_FIELD_NAME for name in names):
        raise TooMuch(f"a value of more than {MAX_FIELDS} fields", "return some of them, or a dict")
    return names


def _member(value: Member) -> tuple[str, list[Any]]:
    return "member", [value.enumeration, value.name[:MAX_FIELD_NAME], value.value]


def _exception(value: Raised) -> tuple[str, list[Any]]:
    arguments = None if value.args is None else list(value.args)
    return "raised", [list(value.kinds), value.message, arguments]


_TAKERS: dict[type, Callable[[Any], tuple[str, list[Any]]]] = {
    complex: lambda value: ("complex", [value.real, value.imag]),
    Decimal: _decimal,
    Fraction: lambda value: ("fraction", [value.numerator, value.denominator]),
    datetime: _datetime,
    date: lambda value: ("date", [value.year, value.month, value.day]),
    time: _time,
    timedelta: lambda value: ("timedelta", [value.days, value.seconds, value.microseconds]),
    timezone: lambda value: ("timezone", [zone_parts(value, None)]),
    ZoneInfo: lambda value: ("timezone", [zone_parts(value, None)]),
    range: lambda value: ("range", [value.start, value.stop, value.step]),
    set: _set,
    frozenset: _set,
    Record: _record,
    NamedValues: _named,
    Member: _member,
    Raised: _exception,
}


# ---------------------------------------------------------------- together


def _to_decimal(parts: list[Any]) -> Decimal:
    demand_types(parts, str)
    demand(len(parts[0]) < 1000 and DECIMAL.fullmatch(parts[0]) is not None)
    made = Decimal(parts[0])
    _, digits, exponent = made.as_tuple()
    demand(len(digits) <= MAX_DIGITS and (type(exponent) is not int or abs(exponent) <= MAX_DIGITS))
    return made


def _to_fraction(parts: list[Any]) -> Fraction:
    demand_types(parts, int, int)
    demand(parts[1] > 0)
    return Fraction(parts[0], parts[1])


def _to_complex(parts: list[Any]) -> complex:
    demand_types(parts, float, float)
    return complex(parts[0], parts[1])


def _whole(parts: list[Any]) -> list[int]:
    demand(all(type(part) is int and -(1 << 40) < part < 1 << 40 for part in parts))
    return parts


def _to_datetime(parts: list[Any]) -> datetime:
    *numbers, fold, zone = parts
    demand(len(numbers) == 7)
    return datetime(*_whole(numbers), tzinfo=to_zone(zone), fold=_fold(fold))  # type: ignore[misc, arg-type]


def _to_time(parts: list[Any]) -> time:
    *numbers, fold, zone = parts
    demand(len(numbers) == 4)
    return time(*_whole(numbers), tzinfo=to_zone(zone), fold=_fold(fold))  # type: ignore[misc, arg-type]


def _fold(value: Any) -> int:
    demand(type(value) is int and value in (0, 1))
    return int(value)


def _to_date(parts: list[Any]) -> date:
    demand(len(parts) == 3)
    return date(*_whole(parts))


def _to_timedelta(parts: list[Any]) -> timedelta:
    demand(len(parts) == 3)
    days, seconds, micro = _whole(parts)
    return timedelta(days, seconds, micro)


def _to_timezone(parts: list[Any]) -> tzinfo:
    demand(len(parts) == 1 and parts[0] is not None)
    zone = to_zone(parts[0])
    assert zone is not None
    return zone


def to_zone(parts: Any) -> tzinfo | None:
    """A time zone of `zone_parts`.

    Raises:
        Malformed: there is no such zone.
    """
    if parts is None:
        return None
    demand(type(parts) is list and len(parts) > 1)
    if parts[0] == "zone":
        demand_types(parts, str, str)
        demand(ZONE.fullmatch(parts[1]) is not None)
        return _zone(parts[1])
    demand_types(parts, str, int, (str, type(None)))
    demand(parts[0] == "offset" and abs(parts[1]) < 86_400_000_000)
    ahead = timedelta(microseconds=parts[1])
    if parts[2] is None:
        return UTC if not ahead else timezone(ahead)
    demand(len(parts[2]) <= 40)
    return timezone(ahead, parts[2])


@lru_cache(1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _to_range(parts: list[Any]) -> range:
    demand_types(parts, int, int, int)
    return range(*parts)


def _to_set(parts: list[Any]) -> set[Any]:
    demand_types(parts, list)
    return set(parts[0])


def _to_record(parts: list[Any]) -> Record:
    name, names, values = _named_parts(parts)
    return Record(name, dict(zip(names, values, strict=True)))


def _to_named(parts: list[Any]) -> NamedValues:
    name, names, values = _named_parts(parts)
    return NamedValues(name, tuple(names), tuple(values))


def _named_parts(parts: list[Any]) -> tuple[str, list[str], list[Any]]:
    demand_types(parts, str, list, list)
    name, names, values = parts
    demand(len(names) == len(values) <= MAX_FIELDS)
    for one in (name, *names):
        demand(type(one) is str and len(one) <= MAX_FIELD_NAME)
    demand(len(set(names)) == len(names))
    return name, names, values


def _to_member(parts: list[Any]) -> Member:
    demand(len(parts) == 3)
    for name in parts[:2]:
        demand(type(name) is str and len(name) <= MAX_FIELD_NAME)
    return Member(*parts)


def _to_raised(parts: list[Any]) -> Raised:
    demand_types(parts, list, str, (list, type(None)))
    kinds, message, arguments = parts
    demand(0 < len(kinds) <= MAX_KINDS and len(message) <= MAX_MESSAGE)
    demand(all(type(kind) is str and len(kind) <= MAX_FIELD_NAME for kind in kinds))
    if arguments is not None:
        demand(len(arguments) <= 20 and all(type(part) in PLAIN_LEAVES for part in arguments))
    return Raised(tuple(kinds), message, None if arguments is None else tuple(arguments))


BUILDERS: dict[str, Callable[[list[Any]], Any]] = {
    "complex": _to_complex,
    "decimal": _to_decimal,
    "fraction": _to_fraction,
    "datetime": _to_datetime,
    "date": _to_date,
    "time": _to_time,
    "timedelta": _to_timedelta,
    "timezone": _to_timezone,
    "range": _to_range,
    "set": _to_set,
    "frozenset": lambda parts: frozenset(_to_set(parts)),
    "record": _to_record,
    "named": _to_named,
    "member": _to_member,
    "raised": _to_raised,
}
