"""How late something came and what that costs: pure functions.

Days are counted by the clocks of the due date's zone: what is due on Friday at 23:59 is one day
late until Saturday, 23:59, also in the night in which clocks are changed. Hours are hours.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from grader.config.policy import Amount, Due, Late, format_amount
from grader.model import total
from grader.times import format_duration, format_time, from_wall_clock

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def overdue(submitted: datetime, due: datetime) -> timedelta:
    """Return how much later than due it came; nothing if it came in time."""
    difference = submitted.astimezone(UTC) - due.astimezone(UTC)
    return max(timedelta(0), difference)


def on_time(submitted: datetime, due: datetime, late: Late | None) -> bool:
    """Whether it came in time, or within the time of grace."""
    grace = timedelta(seconds=late.grace_s if late else 0)
    return overdue(submitted, due) <= grace


def begun(submitted: datetime, due: datetime, per: str) -> int:
    """Return how many days or hours after the due date have begun; being late is 1 of `once`."""
    elapsed = overdue(submitted, due)
    if not elapsed:
        return 0
    if per == "once":
        return 1
    if per == "hour":
        return -(-elapsed // HOUR)
    wall = due.replace(tzinfo=None)
    zone = due.tzinfo
    assert zone is not None  # a due date always has one
    days = max(1, elapsed // DAY - 1)
    while overdue(submitted, from_wall_clock(wall + days * DAY, zone)):
        days += 1
    return days


def shown(submitted: datetime, due: datetime, per: str) -> timedelta:
    """Return how late it came, for a person to read: as many days as have begun, by the clocks."""
    elapsed = overdue(submitted, due)
    if per != "day" or not elapsed:
        return elapsed
    wall, zone = due.replace(tzinfo=None), due.tzinfo
    assert zone is not None  # a due date always has one
    before = (begun(submitted, due, per) - 1) * DAY
    last = submitted.astimezone(zone).replace(tzinfo=None) - wall - before
    if last <= timedelta(0):  # in an hour that comes twice
        last = overdue(submitted, from_wall_clock(wall + before, zone) if before else due)
    return before + min(last, DAY)


def penalty(
    earned: float, possible: float, submitted: datetime, due: datetime, late: Late
) -> tuple[float, str]:
    """Return the points that coming late costs, and why: none to all that were earned."""
    if on_time(submitted, due, late):
        return 0.0, ""
    elapsed = overdue(submitted, due)
    here = format_time(submitted.astimezone(due.tzinfo))

    def told(after: timedelta) -> str:
        how = format_duration(after.total_seconds())
        return f"{how} late: handed in {here}, due {format_time(due)}"

    if late.zero_after_s is not None and elapsed > timedelta(seconds=late.zero_after_s):
        return earned, f"{told(elapsed)}; no points after {format_duration(late.zero_after_s)}"
    base = possible if late.of == "possible" else earned
    count = begun(submitted, due, late.per)
    cost = count * _points(late.penalty, base)
    why = format_amount(late.penalty) + (f" of what was {late.of}" if late.penalty.percent else "")
    if late.of == "possible":
        why = why.replace("what was possible", f"{possible:g} points")
    if late.per != "once":
        why += (
            f" for each of {count} {late.per}s begun" if count > 1 else f" for a {late.per} begun"
        )
    if late.at_most is not None and (limit := _points(late.at_most, base)) < cost:
        cost = limit
        why += f", at most {format_amount(late.at_most)}"
    what = told(shown(submitted, due, late.per))
    return total([min(max(cost, 0.0), earned)]), f"{what}; {why}"


def _points(amount: Amount, base: float) -> float:
    return amount.number * base / 100 if amount.percent else amount.number


def extended(due: Due) -> str:
    """Say that a student's due date is another one."""
    regular = f" instead of {format_time(due.regular)}" if due.regular else ""
    return f"due {format_time(due.at)}{regular}"
