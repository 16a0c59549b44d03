"""What coming late costs: what always holds, and each part of the rule by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.config.policy import Amount, Late
from grader.scoring.lateness import begun, on_time, penalty, shown
from grader.times import from_wall_clock, parse_time, zone_of

BERLIN = "Europe/Berlin"
DUE = parse_time("2026-03-27 23:59", BERLIN)  # clocks are put forward two nights later
TEN = Amount(number=10, percent=True)

AMOUNTS = st.builds(Amount, number=st.integers(0, 100).map(float), percent=st.booleans())
LATES = st.builds(
    Late,
    penalty=AMOUNTS,
    per=st.sampled_from(["day", "hour", "once"]),
    of=st.sampled_from(["possible", "earned"]),
    grace_s=st.sampled_from([0.0, 900.0, 90_000.0]),
    at_most=st.none() | AMOUNTS,
    zero_after_s=st.none() | st.sampled_from([0.0, 3600.0, 7 * 86400.0]),
)
DUES = st.builds(
    from_wall_clock,
    st.datetimes(datetime(2026, 3, 20), datetime(2026, 4, 5))
    | st.datetimes(datetime(2026, 10, 20), datetime(2026, 11, 1)),
    st.sampled_from([zone_of(BERLIN), zone_of("America/New_York"), UTC]),
)
AGES = st.timedeltas(timedelta(days=-2), timedelta(days=20))
LATER = st.timedeltas(timedelta(0), timedelta(days=5))
POINTS = st.integers(0, 60).map(lambda quarter: quarter / 4)


def cost(earned: float, age: timedelta, due: datetime, late: Late, possible: float = 10) -> float:
    return penalty(earned, possible, due.astimezone(UTC) + age, due, late)[0]


@given(POINTS, AGES, DUES, LATES)
def test_it_costs_no_less_than_nothing_and_no_more_than_was_earned(earned, age, due, late):
    assert 0 <= cost(earned, age, due, late) <= earned


@given(POINTS, AGES, LATER, DUES, LATES)
def test_who_comes_later_never_pays_less(earned, age, later, due, late):
    assert cost(earned, age, due, late) <= cost(earned, age + later, due, late)


@given(POINTS, AGES, LATER, DUES, LATES)
def test_who_has_longer_never_pays_more(earned, age, later, due, late):
    zone = due.tzinfo
    submitted = due.astimezone(UTC) + age
    longer = from_wall_clock(due.replace(tzinfo=None) + later, zone)
    assert (
        penalty(earned, 10, submitted, longer, late)[0]
        <= penalty(earned, 10, submitted, due, late)[0]
    )


@given(POINTS, st.integers(0, 8).map(lambda quarter: quarter / 4), AGES, DUES, LATES)
def test_who_earned_more_keeps_no_less(earned, more, age, due, late):
    assert earned - cost(earned, age, due, late) <= (
        earned + more - cost(earned + more, age, due, late) + 1e-6
    )


@given(POINTS, AGES, DUES, LATES)
def test_in_time_costs_nothing_and_a_cost_has_its_reason(earned, age, due, late):
    points, reason = penalty(earned, 10, due.astimezone(UTC) + age, due, late)
    if age <= timedelta(seconds=late.grace_s):
        assert points == 0
    assert bool(reason) or points == 0


@given(AGES, DUES)
def test_days_have_as_many_hours_as_the_clocks_give_them(age, due):
    submitted = due.astimezone(UTC) + age
    days = begun(submitted, due, "day")
    wall = due.replace(tzinfo=None)
    assert submitted <= from_wall_clock(wall + timedelta(days=days), due.tzinfo)
    if days:
        assert submitted > from_wall_clock(wall + timedelta(days=days - 1), due.tzinfo)


@pytest.mark.parametrize(
    ("submitted", "days"),
    [
        ("2026-03-27 23:59", 0),
        ("2026-03-28 00:00", 1),
        ("2026-03-28 23:59", 1),
        ("2026-03-29 23:59", 2),  # 47 hours later
        ("2026-03-30 00:00", 3),
    ],
)
def test_a_day_ends_when_the_clock_shows_the_same_time_again(submitted: str, days: int) -> None:
    assert begun(parse_time(submitted, BERLIN), DUE, "day") == days


def test_a_day_whose_last_minute_is_left_out_by_the_clocks_ends_when_they_are_changed() -> None:
    due = parse_time("2026-03-28 02:30", BERLIN)
    change = parse_time("2026-03-29 03:00", BERLIN)
    assert begun(change, due, "day") == 1
    assert begun(change + timedelta(seconds=1), due, "day") == 2


@given(AGES, DUES)
def test_how_late_it_is_said_to_be_makes_the_days_that_are_counted(age, due):
    submitted = due.astimezone(UTC) + age
    late = shown(submitted, due, "day")
    assert -(-late // timedelta(days=1)) == begun(submitted, due, "day")
    assert abs(late - max(age, timedelta(0))) <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("due", "submitted", "said"),
    [
        ("2026-03-28 23:59", "2026-03-30 00:10", "1 day 11 minutes late"),  # 23 hours 11 minutes
        ("2026-10-24 23:59", "2026-10-25 23:40", "23 hours 41 minutes late"),  # an hour more
        ("2026-10-25 02:30+02:00", "2026-10-25 02:20+01:00", "50 minutes late"),  # it comes twice
    ],
)
def test_days_are_said_as_they_are_counted(due, submitted, said) -> None:
    due, submitted = (parse_time(one, BERLIN) for one in (due, submitted))
    _, reason = penalty(8, 10, submitted, due.astimezone(zone_of(BERLIN)), Late(penalty=TEN))
    assert reason.startswith(said)


def test_hours_and_being_late_at_all() -> None:
    submitted = parse_time("2026-03-29 23:59", BERLIN)
    assert begun(submitted, DUE, "hour") == 47
    assert begun(submitted, DUE, "once") == 1


def test_who_is_later_than_the_grace_is_late_from_the_due_date_on() -> None:
    late = Late(penalty=TEN, per="hour", grace_s=5400)
    assert on_time(DUE + timedelta(minutes=90), DUE, late)
    assert cost(8, timedelta(minutes=90), DUE, late) == 0
    assert cost(8, timedelta(minutes=91), DUE, late) == 2


@pytest.mark.parametrize(
    ("late", "age", "expected"),
    [
        (Late(penalty=TEN), timedelta(hours=1), 1),
        (Late(penalty=TEN, of="earned"), timedelta(hours=1), 0.8),
        (Late(penalty=Amount(number=0.5)), timedelta(days=3), 1.5),
        (Late(penalty=TEN, at_most=Amount(number=15, percent=True)), timedelta(days=6), 1.5),
        (Late(penalty=TEN, at_most=Amount(number=2)), timedelta(days=6), 2),
        (Late(penalty=TEN), timedelta(days=30), 8),
        (Late(penalty=TEN, zero_after_s=3600), timedelta(hours=1), 1),
        (Late(penalty=TEN, zero_after_s=3600), timedelta(hours=1, seconds=1), 8),
    ],
)
def test_what_eight_points_of_ten_lose(late: Late, age: timedelta, expected: float) -> None:
    due = parse_time("2026-02-01 12:00Z")
    assert cost(8, age, due, late) == expected


def test_the_reason_can_be_reckoned_again_by_a_student() -> None:
    late = Late(penalty=TEN, at_most=Amount(number=15, percent=True))
    _, reason = penalty(8, 10, parse_time("2026-03-29 23:59", BERLIN), DUE, late)
    assert reason == (
        "2 days late: handed in 2026-03-29 23:59 CEST, due 2026-03-27 23:59 CET; "
        "10 % of 10 points for each of 2 days begun, at most 15 %"
    )
