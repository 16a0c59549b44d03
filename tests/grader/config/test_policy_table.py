"""Due dates and rules as a course's table writes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.config.course import Course, load_course
from grader.config.policy import Amount, Late, Policy
from grader.config.policy_table import format_policy
from grader.errors import ConfigError
from grader.times import format_iso

HEAD = '[tool.grader]\nid = "c"\ntitle = "C"\n'


@pytest.fixture
def course(tmp_path: Path):
    def load(table: str) -> Course:
        (tmp_path / "pyproject.toml").write_text(HEAD + table, encoding="utf-8")
        return load_course(tmp_path)

    return load


def one(due: str, more: str = "") -> str:
    return f'{more}\nassignments = [{{id = "a", title = "A", due = {due}}}]\n'


@pytest.mark.parametrize(
    ("due", "zone", "expected"),
    [
        ('"2026-03-01 23:59"', "Europe/Berlin", "2026-03-01T23:59:00+01:00[Europe/Berlin]"),
        ("2026-07-01T23:59:00", "Europe/Berlin", "2026-07-01T23:59:00+02:00[Europe/Berlin]"),
        ('"2026-03-01 23:59+00:00"', "Europe/Berlin", "2026-03-02T00:59:00+01:00[Europe/Berlin]"),
        ('"2026-03-01 23:59 Asia/Tokyo"', "Europe/Berlin", "2026-03-01T23:59:00+09:00[Asia/Tokyo]"),
        ("2026-03-01T23:59:00-08:00", None, "2026-03-01T23:59:00-08:00"),
        ('"2026-03-01 23:59 Asia/Tokyo"', None, "2026-03-01T23:59:00+09:00[Asia/Tokyo]"),
    ],
)
def test_a_due_date_has_a_zone(course, due: str, zone: str | None, expected: str) -> None:
    table = one(due, f'timezone = "{zone}"' if zone else "")
    due = course(table).assignment("a").due
    assert due is not None
    assert format_iso(due) == expected


@pytest.mark.parametrize("due", ['"2026-03-01 23:59"', "2026-03-01T23:59:00"])
def test_a_due_date_without_a_zone_is_refused_with_both_ways_to_mend_it(course, due) -> None:
    with pytest.raises(ConfigError, match="names no time zone") as e:
        course(one(due))
    assert "timezone" in e.value.hint
    assert "+01:00" in e.value.hint
    assert e.value.where.endswith("pyproject.toml")


@pytest.mark.parametrize(
    "due", ["2026-03-01", '"2026-03-01"', '"soon"', "7", '"2026-13-01 10:00Z"']
)
def test_what_is_no_moment_is_no_due_date(course, due: str) -> None:
    with pytest.raises(ConfigError) as e:
        course(one(due))
    assert "2026-03-01 23:59" in e.value.hint


def test_a_zone_that_is_nearly_right_is_told_the_nearest(course) -> None:
    with pytest.raises(ConfigError) as e:
        course(one('"2026-03-01 23:59"', 'timezone = "Europe/Berlni"'))
    assert e.value.hint == "did you mean `Europe/Berlin`?"


def test_an_assignment_changes_the_courses_rules(course) -> None:
    found = course(
        """
        [tool.grader.policy]
        attempts = "best"
        drop_lowest = 1
        late = {penalty = "10 %", grace = "15 minutes", at_most = "5 points", zero_after = "7 days"}
        [[tool.grader.assignments]]
        id = "a"
        title = "A"
        [[tool.grader.assignments]]
        id = "b"
        title = "B"
        policy = {attempts = "latest", late = false}
        """
    )
    late = Late(
        penalty=Amount(number=10, percent=True),
        grace_s=900,
        at_most=Amount(number=5),
        zero_after_s=7 * 86400,
    )
    assert found.policy == Policy(attempts="best", late=late, drop_lowest=1)
    assert found.assignment("a").policy == found.policy
    assert found.assignment("b").policy == Policy(drop_lowest=1)


@pytest.mark.parametrize(
    ("rules", "message", "hint"),
    [
        ('late = {penalty = "10"}', "neither points nor per cent", '"10 %" or "2 points"'),
        ('late = {penalty = "200 %"}', "more than everything", '"10 %" or "2 points"'),
        ('late = {penalty = "10 %", grace = "soon"}', "no length of time", "15 minutes"),
        ("late = true", "must be a table", "penalty"),
        ('late = {penatly = "10 %"}', "unknown field `penatly`", "did you mean `penalty`?"),
        ('attempt = "best"', "unknown field `attempt`", "did you mean `attempts`?"),
        ('attempts = "worst"', "Invalid enum value 'worst'", ""),
        ("round_to = -1", "round_to must be 0 or more", ""),
    ],
)
def test_rules_that_make_no_sense_are_named(course, rules: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as e:
        course(f"assignments = []\n[tool.grader.policy]\n{rules}\n")
    assert message in e.value.message
    assert hint in e.value.hint


def test_the_lowest_is_dropped_by_the_course_alone(course) -> None:
    with pytest.raises(ConfigError) as e:
        course('assignments = [{id = "a", title = "A", policy = {drop_lowest = 1}}]\n')
    assert "[tool.grader.policy]" in e.value.hint


AMOUNTS = st.builds(Amount, number=st.integers(0, 100).map(float), percent=st.booleans())


@given(
    st.builds(
        Policy,
        attempts=st.sampled_from(["latest", "on-time", "best"]),
        late=st.none()
        | st.builds(
            Late,
            penalty=AMOUNTS,
            per=st.sampled_from(["day", "hour", "once"]),
            grace_s=st.integers(0, 10_000).map(float),
            at_most=st.none() | AMOUNTS,
            zero_after_s=st.none() | st.integers(0, 10_000).map(float),
        ),
        round_to=st.sampled_from([0.0, 0.25, 0.5]),
        drop_lowest=st.integers(0, 3),
    )
)
def test_rules_that_are_written_down_are_read_again(tmp_path_factory, rules: Policy) -> None:
    folder = tmp_path_factory.mktemp("course")
    text = "\n".join([HEAD, "assignments = []", *format_policy(rules)])
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    assert load_course(folder).policy == rules
