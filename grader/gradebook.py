"""The results' types: what `gradebook.json` holds."""

from __future__ import annotations

import msgspec

from grader.model import Isolation, Moment, Problem, Score, Value

SCHEMA_VERSION = 1


class AssignmentReport(Value, frozen=True):
    """An assignment as the gradebook shows it: questions with their checks."""

    id: str
    title: str
    points: float
    questions: tuple[QuestionReport, ...]
    due: Moment | None = None


class QuestionReport(Value, frozen=True):
    """A question and its checks."""

    id: str
    title: str
    points: float
    checks: tuple[CheckReport, ...]
    bonus: bool = False


class CheckReport(Value, frozen=True):
    """A check without what only the engine needs."""

    id: str
    title: str
    points: float
    public: bool
    hint: str = ""


class RunInfo(Value, frozen=True):
    """What may differ between two runs on the same input: times, host, versions.

    `kept` counts the results that were taken from an earlier run. `graded_with` is a digest of the
    suite and the grader, by assignment.
    """

    started_at: str = ""
    seconds: float = 0.0
    host: str = ""
    versions: dict[str, str] = msgspec.field(default_factory=dict)
    jobs: int = 1
    device: str = "cpu"
    kept: int = 0
    seconds_per_submission: dict[str, float] = msgspec.field(default_factory=dict)
    graded_with: dict[str, str] = msgspec.field(default_factory=dict)


class Total(Value, frozen=True):
    """A student's points in all assignments but those that were dropped as the lowest.

    `known` is false while one of them is ungraded.
    """

    student: str
    earned: float
    possible: float
    dropped: tuple[str, ...] = ()
    known: bool = True


class Gradebook(Value, frozen=True):
    """Everything a report needs. Two runs on the same input differ under `run` alone.

    `names` are what students are called, where a roster tells.
    """

    schema_version: int
    course: str
    assignments: tuple[AssignmentReport, ...]
    scores: tuple[Score, ...]
    problems: tuple[Problem, ...]
    isolation: Isolation | None
    run: RunInfo
    complete: bool = True
    course_title: str = ""
    totals: tuple[Total, ...] = ()
    names: dict[str, str] = msgspec.field(default_factory=dict)
