"""Due dates and rules as `[tool.grader]` writes them, for people; `grader.model` has the values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, TypeVar

import msgspec

from grader.config.policy import Amount, Late, Policy, format_amount
from grader.errors import ConfigError
from grader.model import Moment
from grader.times import (
    YEARS,
    NoZoneError,
    known_zones,
    parse_duration,
    parse_time,
    place_in_zone,
    zone_of,
)

T = TypeVar("T")

MOST = 10_000
"""No points and no step between points are more."""

USUAL = Policy()

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*(%|points?|percent|per cent)")


class LateTable(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`late = {penalty = "10 %", per = "day", grace = "15 minutes", …}`."""

    penalty: str
    per: Literal["day", "hour", "once"] = "day"
    of: Literal["possible", "earned"] = "possible"
    grace: str | None = None
    at_most: str | None = None
    zero_after: str | None = None


class PolicyTable(msgspec.Struct, forbid_unknown_fields=True):
    """What is said of the rules; an assignment's own table changes the course's."""

    attempts: Literal["latest", "on-time", "best"] | None = None
    late: LateTable | bool | None = None
    bonus: Literal["count", "cap"] | None = None
    round_to: float | None = None
    drop_lowest: int | None = None


def read_policy(table: PolicyTable, base: Policy = USUAL) -> Policy:
    """Return the rules: those of `base` where the table says nothing.

    Raises:
        ConfigError: an amount, a length of time or a number makes no sense.
    """
    given: dict[str, Any] = {
        name: value
        for name in ("attempts", "bonus", "round_to", "drop_lowest")
        if (value := getattr(table, name)) is not None
    }
    for name in ("round_to", "drop_lowest"):
        if given.get(name, 0) < 0:
            raise ConfigError(f"[tool.grader.policy] {name} must be 0 or more")
        if not given.get(name, 0) <= MOST:  # nor is `nan`
            raise ConfigError(f"[tool.grader.policy] {name} must be a number up to {MOST}")
    if table.late is True:
        raise ConfigError(
            "[tool.grader.policy] late must be a table, or false",
            hint='late = {penalty = "10 %", per = "day"}',
        )
    if table.late is not None:
        given["late"] = _late(table.late) if isinstance(table.late, LateTable) else None
    return msgspec.structs.replace(base, **given)


def _late(table: LateTable) -> Late:
    def read(key: str, reader: Callable[[str], T], hint: str) -> T | None:
        text = getattr(table, key)
        if text is None:
            return None
        try:
            return reader(text)
        except ValueError as error:
            raise ConfigError(f"[tool.grader.policy.late] {key}: {error}", hint=hint) from None

    penalty = read("penalty", parse_amount, 'write it as "10 %" or "2 points"')
    assert penalty is not None  # the table can't be without
    hint = 'write it as "15 minutes", "36 hours" or "7 days"'
    return Late(
        penalty=penalty,
        per=table.per,
        of=table.of,
        grace_s=read("grace", parse_duration, hint) or 0.0,
        at_most=read("at_most", parse_amount, 'write it as "50 %" or "5 points"'),
        zero_after_s=read("zero_after", parse_duration, hint),
    )


def parse_amount(text: str) -> Amount:
    """Return the amount that a text such as `10 %` or `2 points` names.

    Raises:
        ValueError: it names none.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:80]!r} is neither points nor per cent")
    number, percent = float(match[1]), not match[2].startswith("point")
    if number > (100 if percent else MOST):
        raise ValueError(f"{text[:80]!r} is more than everything")
    return Amount(number=number, percent=percent)


def parse_due(value: Any, zone: str | None, where: str) -> Moment:
    """Return a due date with its zone.

    Args:
        value: what the table holds: a text, or a date of TOML's own.
        zone: `[tool.grader] timezone`.
        where: the key, for an error.

    Raises:
        ConfigError: it is no moment.
    """
    is_text = isinstance(value, str)
    written_as = (value.isoformat(" ") if isinstance(value, datetime) else str(value))[:80]
    try:
        if isinstance(value, datetime):
            if value.year not in YEARS:
                raise ValueError(f"the year {value.year} can't be meant")
            if value.tzinfo is None:
                return place_in_zone(value, zone)
            return _named(Moment.combine(value.date(), value.timetz()), zone)
        if not is_text:
            raise ValueError("it is no date with a time")
        return _named(parse_time(value, zone), zone)
    except NoZoneError:
        raise ConfigError(
            f"{where} = {written_as!r} names no time zone",
            hint='add `timezone = "Europe/Berlin"` (yours) to [tool.grader], '
            f'or an offset: "{written_as}+01:00"',
        ) from None
    except (ValueError, OverflowError) as error:
        raise ConfigError(
            f"{where} = {written_as!r}: {error}",
            hint='write it as "2026-03-01 23:59"; the time of day belongs to it',
        ) from None


def _named(moment: Moment, zone: str | None) -> Moment:
    """Give a moment with a bare offset the course's zone, by whose clocks days are counted."""
    has_name = getattr(moment.tzinfo, "key", None) is not None
    return moment if zone is None or has_name else moment.astimezone(zone_of(zone))


def check_zone(name: str) -> str:
    """Return the name of a time zone.

    Raises:
        ConfigError: nobody knows it; the hint is the nearest.
    """
    try:
        zone_of(name)
    except ValueError as error:
        near = difflib.get_close_matches(name, sorted(known_zones()), n=1)
        raise ConfigError(
            f"[tool.grader] timezone: {error}",
            hint=f"did you mean `{near[0]}`?"
            if near
            else "use a name such as Europe/Berlin; `pip install tzdata` where none is known",
        ) from None
    return name


def format_policy(rules: Policy) -> list[str]:
    """Return `[tool.grader.policy]` with these rules; what it reads is the same again."""
    found = [
        "[tool.grader.policy]",
        f'attempts = "{rules.attempts}"',
        f'bonus = "{rules.bonus}"',
        f"round_to = {rules.round_to}",
        f"drop_lowest = {rules.drop_lowest}",
    ]
    late = rules.late
    if late is not None:
        found += [
            "[tool.grader.policy.late]",
            f'penalty = "{format_amount(late.penalty)}"',
            f'per = "{late.per}"',
            f'of = "{late.of}"',
            f'grace = "{late.grace_s} seconds"',
        ]
        found += [f'at_most = "{format_amount(late.at_most)}"'] if late.at_most else []
        found += (
            [f'zero_after = "{late.zero_after_s} seconds"'] if late.zero_after_s is not None else []
        )
    return found
