"""Points in time as people and platforms write them, and how long things last.

Every moment here knows its zone. One without is refused where nobody says which zone is meant: a
guess can be wrong by a day.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from grader.model import Moment

YEARS = range(1970, 2200)
MAX_CHARS = 200
MOST_S = 100 * 366 * 86400.0

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ]\s*(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r"\s*(Z|[+-]\d\d:?\d\d|[A-Za-z][\w+\-/]{0,60})?(?:\[([\w+\-/]{1,60})\])?",
    re.ASCII,
)
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")
# how Moodle writes a time in English
_SPOKEN = ("%A, %d %B %Y, %I:%M %p", "%d %B %Y, %I:%M %p")
_LASTS = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")
_SECONDS = {
    "second": 1, "s": 1, "minute": 60, "min": 60, "hour": 3600, "h": 3600,
    "day": 86400, "d": 86400, "week": 7 * 86400,
}  # fmt: skip


class NoZoneError(ValueError):
    """A moment without a zone, where none is known."""


def parse_time(text: str, zone: str | None = None) -> Moment:
    """Return the moment that a text names.

    Args:
        text: a date and a time, such as `2026-03-01 23:59`, followed by an offset (`+01:00`, `Z`)
            or the name of a zone (`Europe/Berlin`), or by both (`+01:00[Europe/Berlin]`).
        zone: the zone of a text that names none.

    Raises:
        NoZoneError: neither says which zone.
        ValueError: it is no moment, or there is no such zone.
    """
    if len(text) > MAX_CHARS:
        raise ValueError("it is no date with a time, such as 2026-03-01 23:59")
    try:
        moment = _read(text.strip(), zone)
    except OverflowError as error:
        raise ValueError(str(error)) from None
    if moment.year not in YEARS:
        raise ValueError(f"the year {moment.year} can't be meant")
    return moment


def _read(text: str, zone: str | None) -> Moment:
    match = _TIME.fullmatch(text)
    if match is None:
        return place_in_zone(_spoken(text), zone)
    year, month, day, hour, minute, second, fraction, where, name = match.groups()
    microsecond = int((fraction or "")[:6].ljust(6, "0"))
    wall = Moment(
        int(year), int(month), int(day), int(hour), int(minute), int(second or 0), microsecond
    )
    if where is None:
        return place_in_zone(wall, name or zone)
    offset = _offset(where)
    if offset is None:
        return place_in_zone(wall, where)
    moment = wall.replace(tzinfo=offset)
    return moment.astimezone(zone_of(name)) if name else moment


def _spoken(text: str) -> Moment:
    for form in _SPOKEN:
        try:
            return Moment.strptime(text, form)
        except ValueError:
            continue
    raise ValueError("it is no date with a time, such as 2026-03-01 23:59")


def _offset(text: str) -> tzinfo | None:
    if text in ("Z", "UTC", "GMT"):
        return UTC
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    sign = -1 if match[1] == "-" else 1
    return timezone(sign * timedelta(hours=int(match[2]), minutes=int(match[3])))


def place_in_zone(wall: datetime, zone: str | None) -> Moment:
    """Return the moment at which the clocks of a zone show a time.

    Raises:
        NoZoneError: there is no zone.
        ValueError: nobody knows that zone.
    """
    if zone is None:
        raise NoZoneError("it names no time zone")
    return from_wall_clock(wall, zone_of(zone))


def from_wall_clock(wall: datetime, zone: tzinfo) -> Moment:
    """Return the last moment at which the clocks of a zone show a time.

    A time that is left out when clocks are put forward is the moment at which that happens.
    """
    moment = Moment.combine(wall.date(), wall.time(), zone).replace(fold=1)
    while _seen(moment) != moment.replace(tzinfo=None, fold=0):
        moment = (moment + timedelta(minutes=1)).replace(second=0, microsecond=0, fold=1)
    return moment


def _seen(moment: Moment) -> datetime:
    """What the clocks really show then."""
    there = moment.astimezone(UTC).astimezone(moment.tzinfo)
    return there.replace(tzinfo=None, fold=0)


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its name, such as `Europe/Berlin`.

    Raises:
        ValueError: nobody knows it.
    """
    offset = _offset(name)
    if offset is not None:
        return offset
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"no time zone is called {name!r}") from None


def known_zones() -> frozenset[str]:
    """Return the names of all time zones that this machine knows."""
    from zoneinfo import available_timezones

    return frozenset(available_timezones())


def format_iso(moment: datetime) -> str:
    """Return a moment so that `parse_time` reads the same one, zone and all (RFC 9557)."""
    key = getattr(moment.tzinfo, "key", None)
    return moment.isoformat() + (f"[{key}]" if key else "")


def format_time(moment: datetime) -> str:
    """Return a moment for a person to read."""
    seconds = f":{moment:%S}" if moment.second else ""
    name = moment.tzname() or ""
    return f"{moment:%Y-%m-%d %H:%M}{seconds} {name.removesuffix('+00:00') or 'UTC'}".rstrip()


def parse_duration(text: str) -> float:
    """Return the seconds of a text such as `15 minutes` or `2 days`.

    Raises:
        ValueError: it is none.
    """
    match = _LASTS.fullmatch(text.strip()[:MAX_CHARS])
    unit = match[2].lower() if match else ""
    seconds = _SECONDS.get(unit) or _SECONDS.get(unit.removesuffix("s"))
    if match is None or seconds is None:
        raise ValueError(f"{text[:80]!r} is no length of time, such as '15 minutes' or '2 days'")
    length = float(match[1]) * seconds
    if length > MOST_S:
        raise ValueError(f"{text[:80]!r} is more than a hundred years")
    return length


def format_duration(seconds: float) -> str:
    """Return how long something lasts for a person to read, in its two largest units."""
    parts: list[str] = []
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, seconds = divmod(seconds, size)
        if count and len(parts) < 2:
            parts.append(f"{count:.0f} {unit}{'s' * (count != 1)}")
    return " ".join(parts) or "less than a second"
