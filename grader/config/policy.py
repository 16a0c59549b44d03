"""Rules that change a score after the checks, as values; `grader.scoring.policies` applies them."""

from __future__ import annotations

from typing import Literal

from grader.model import Moment, Value


class Amount(Value, frozen=True):
    """Points, or per cent of something."""

    number: float
    percent: bool = False


class Late(Value, frozen=True):
    """What coming late costs.

    penalty: what each day or hour that has begun costs, or once what being late costs. of: what per
    cents are of. grace_s: who is not later than that is on time; who is, is late from the due date
    on. at_most: no penalty is higher. zero_after_s: who is later than that gets nothing.
    """

    penalty: Amount
    per: Literal["day", "hour", "once"] = "day"
    of: Literal["possible", "earned"] = "possible"
    grace_s: float = 0.0
    at_most: Amount | None = None
    zero_after_s: float | None = None


class Policy(Value, frozen=True):
    """What happens to a score after the checks: `[tool.grader.policy]`.

    attempts: which of several counts. bonus: `count` (points above the maximum count) or `cap`.
    round_to: a step such as 0.5; 0 leaves the sum as it is. drop_lowest: how many assignments a
    student's total leaves out.
    """

    attempts: Literal["latest", "on-time", "best"] = "latest"
    late: Late | None = None
    bonus: Literal["count", "cap"] = "count"
    round_to: float = 0.0
    drop_lowest: int = 0


class Due(Value, frozen=True):
    """When an assignment is due for one student; `regular` is when it is for the others."""

    at: Moment
    regular: Moment | None = None


class Adjustment(Value, frozen=True):
    """Points that an instructor gave or took by hand, and why.

    `question` or `check` name what they are for. `undoes` is the digest of an adjustment that this
    one takes back.
    """

    student: str
    assignment: str
    points: float
    because: str
    at: str = ""
    by: str = ""
    question: str = ""
    check: str = ""
    undoes: str = ""


class Mark(Value, frozen=True):
    """What a marker has said of an answer: all of it, so that a later one takes its place.

    `answer` is a digest of what was marked. `rubric` are ids of items, `points` are given or taken
    besides. `after` are digests of the marks that the marker saw and this one replaces: one that
    nobody's replaces stands beside it. `withdrawn`: nothing is said any more.
    """

    student: str
    assignment: str
    question: str
    answer: str
    rubric: tuple[str, ...] = ()
    points: float = 0.0
    comment: str = ""
    at: str = ""
    by: str = ""
    after: tuple[str, ...] = ()
    withdrawn: bool = False


def format_amount(value: Amount) -> str:
    """Return an amount as people write it."""
    if value.percent:
        return f"{value.number:g} %"
    return f"{value.number:g} point{'s' * (value.number != 1)}"
