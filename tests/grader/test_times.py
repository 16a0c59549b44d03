"""Points in time, as people and platforms write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.times import (
    NoZoneError,
    format_duration,
    format_iso,
    format_time,
    from_wall_clock,
    parse_duration,
    parse_time,
    zone_of,
)

BERLIN = "Europe/Berlin"
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2026-03-01 23:59", BERLIN, utc(2026, 3, 1, 22, 59)),
        ("2026-07-01T23:59:30", BERLIN, utc(2026, 7, 1, 21, 59, 30)),
        ("2026-03-01 23:59 America/New_York", BERLIN, utc(2026, 3, 2, 4, 59)),
        ("2026-03-01T23:59-0800", BERLIN, utc(2026, 3, 2, 7, 59)),
        ("2026-03-01T23:59:00+01:00[Europe/Berlin]", None, utc(2026, 3, 1, 22, 59)),
        ("2015-02-02 15:58:23.948203 UTC", None, utc(2015, 2, 2, 15, 58, 23, 948203)),
        ("2026-03-01 22:59:00.123456789 Z", None, utc(2026, 3, 1, 22, 59, 0, 123456)),
        ("Sunday, 1 March 2026, 11:59 PM", BERLIN, utc(2026, 3, 1, 22, 59)),
    ],
)
def test_a_moment_is_read(text: str, zone: str | None, moment: datetime) -> None:
    assert parse_time(text, zone) == moment


def test_a_moment_without_a_zone_is_no_moment() -> None:
    with pytest.raises(NoZoneError):
        parse_time("2026-03-01 23:59")


@pytest.mark.parametrize(
    "text",
    ["", "2026-03-01", "2026-02-30 10:00Z", "2026-03-01 25:00Z", "0001-01-01 00:00 Asia/Tokyo",
     "9999-12-31 23:59Z", "2026-03-01 23:59 Europe/Atlantis", "2026-03-01 23:59 ../../etc/passwd",
     "2026-03-01 23:59 America", "x" * 10_000, "2026-03-01 23:59+99:99", "2026-03-01 23:59 +"],
)  # fmt: skip
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_time(text, BERLIN)


@given(MOMENTS, st.sampled_from([BERLIN, "Asia/Kolkata", "America/New_York", "UTC"]))
def test_what_is_written_is_read_again_zone_and_all(wall: datetime, zone: str) -> None:
    moment = from_wall_clock(wall, zone_of(zone))
    again = parse_time(format_iso(moment))
    assert again.astimezone(UTC) == moment.astimezone(UTC)
    assert again.tzinfo == moment.tzinfo


def test_an_hour_that_comes_twice_is_the_later_and_one_that_is_left_out_the_next() -> None:
    assert parse_time("2026-10-25 02:30", BERLIN).astimezone(UTC) == utc(2026, 10, 25, 1, 30)
    assert parse_time("2026-03-29 02:30", BERLIN).astimezone(UTC) == utc(2026, 3, 29, 1, 0)


@given(
    st.datetimes(datetime(2026, 3, 29, 1, 59), datetime(2026, 3, 29, 3, 1))
    | st.datetimes(datetime(2026, 3, 28), datetime(2026, 3, 30))
    | st.datetimes(datetime(2026, 10, 24), datetime(2026, 10, 26)),
    st.timedeltas(timedelta(0), timedelta(minutes=1))
    | st.timedeltas(timedelta(0), timedelta(hours=3)),
)
@example(datetime(2026, 3, 29, 2, 0, 30), timedelta(seconds=30))
def test_a_later_time_on_the_clock_is_never_an_earlier_moment(
    wall: datetime, later: timedelta
) -> None:
    zone = zone_of(BERLIN)
    first, second = (from_wall_clock(one, zone).astimezone(UTC) for one in (wall, wall + later))
    assert first <= second


@pytest.mark.parametrize(
    ("text", "seconds"), [("15 minutes", 900), ("1 day", 86400), ("1.5 h", 5400), ("2 weeks", 1209600)]
)  # fmt: skip
def test_how_long_something_lasts(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "15", "minutes", "-1 day", "1 fortnight", "1 s s"])
def test_what_lasts_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no length of time"):
        parse_duration(text)


def test_moments_and_lengths_as_a_person_reads_them() -> None:
    assert format_time(parse_time("2026-03-01 23:59", BERLIN)) == "2026-03-01 23:59 CET"
    assert format_time(parse_time("2026-03-01T23:59:05+02:00")) == "2026-03-01 23:59:05 UTC+02:00"
    assert format_time(parse_time("2026-03-01T23:59Z")) == "2026-03-01 23:59 UTC"
    assert format_duration(3 * 86400 + 3600 + 60) == "3 days 1 hour"
    assert format_duration(0.5) == "less than a second"
