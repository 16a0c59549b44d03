"""When something was handed in, and how often, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from grader.gradebook import Attempt, Score
from grader.text import points
from grader.times import format_time


def handed_in(score: Score, *, source: bool = False) -> str:
    """Say when a score's file was handed in, and when it was due; nothing if nobody knows.

    Args:
        score: whose.
        source: say what tells the time, too.
    """
    due = score.due
    submitted = score.submitted_at
    if submitted is None:
        return "" if due is None else f"due {format_time(due)}"
    text = f"handed in {format_time(_there(submitted, due))}"
    if source and score.time_from:
        text += f" (from {score.time_from})"
    return text if due is None else f"{text}, due {format_time(due)}"


def attempts(score: Score) -> Iterator[str]:
    """A line for each of several attempts."""
    due = score.due
    for one in score.attempts:
        yield _attempt(one, due)


def _attempt(one: Attempt, due: datetime | None) -> str:
    submitted = one.submitted_at
    parts = [f"attempt {one.number}: {one.file}"]
    if submitted is not None:
        parts.append(f"handed in {format_time(_there(submitted, due))}")
    if one.earned is not None:
        worth = points(one.earned)
        parts.append(f"{worth} point{'s' * (worth != '1')}")
    parts.append("counts" if one.counts else "does not count")
    return ", ".join(parts)


def _there(moment: datetime, due: datetime | None) -> datetime:
    return moment if due is None else moment.astimezone(due.tzinfo)
