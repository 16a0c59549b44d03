"""What a submission is worth, and the gradebook of all: what `gradebook.json` holds."""

from __future__ import annotations

import enum

import msgspec

from grader.model import (
    CellError,
    DifferenceMap,
    Ending,
    Isolation,
    Moment,
    Problem,
    Pythons,
    RubricItem,
    Status,
    Value,
)

SCHEMA_VERSION = 3
"""2: `regrades` is a log that whoever writes the gradebook anew must keep.
3: a score may be `unmarked`, and its manual questions have `marks`."""

READABLE = frozenset({1, 2, SCHEMA_VERSION})
"""Versions that hold nothing which would be lost by writing them anew."""


class State(enum.StrEnum):
    """Whether a score is one. What is unmarked waits for points that a person gives."""

    GRADED = "graded"
    UNGRADED = "ungraded"
    MISSING = "missing"
    UNMARKED = "unmarked"

    @property
    def has_points(self) -> bool:
        """Whether checks have given points: all that there are, or those so far."""
        return self in (State.GRADED, State.UNMARKED)


class ScoredOutcome(Value, frozen=True):
    """An outcome with its points: a row of the report. See `Outcome` for what its fields mean."""

    check: str
    question: str
    status: Status
    earned: float
    possible: float
    message: str = ""
    detail: str = ""
    asked: tuple[str, ...] = ()
    check_line: int | None = None
    cell: int | None = None
    line: int | None = None
    expected: str = ""
    actual: str = ""
    differs: DifferenceMap | None = None


class AppliedRule(Value, frozen=True):
    """A rule that changed a score, by how much, and why.

    `question` or `check` tell which one a person meant who changed a score by hand.
    """

    rule: str
    difference: float
    reason: str
    question: str = ""
    check: str = ""


class Marked(Value, frozen=True):
    """What a person has given for a manual question; `earned` is empty until then, and `waits` why.

    `answer` is a digest of the student's answer. `rubric` are the items that apply, `adjusted` what
    was given or taken besides; together they give no less than nothing and no more than `possible`.
    """

    question: str
    possible: float
    bonus: bool = False
    answer: str = ""
    earned: float | None = None
    rubric: tuple[RubricItem, ...] = ()
    adjusted: float = 0.0
    comment: str = ""
    by: str = ""
    at: str = ""
    waits: str = ""


class Attempt(Value, frozen=True):
    """One of several that a student handed in. `earned` is empty where it was not graded."""

    number: int
    file: str
    digest: str
    counts: bool
    submitted_at: Moment | None = None
    earned: float | None = None


class Score(Value, frozen=True):
    """One student's result in one assignment. `questions` maps a question's id to its points.

    `earned` is what counts: the questions' points and the differences of all `applied` rules.
    `submitted_at` is empty where nobody knows; `time_from` says what told it. `due` is this
    student's own due date. `attempts` are listed where there are several. `outdated`: it stands
    from an earlier run, and the suite or the grader has changed since. `marks` are of manual
    questions; while one waits, the state is `unmarked` and `earned` what there is so far.
    `pythons`: where the versions of Python may be why something failed.
    """

    student: str
    assignment: str
    state: State
    earned: float
    possible: float
    ending: Ending
    questions: dict[str, float] = msgspec.field(default_factory=dict)
    outcomes: tuple[ScoredOutcome, ...] = ()
    cell_errors: tuple[CellError, ...] = ()
    output: str = ""
    file: str = ""
    digest: str = ""
    applied: tuple[AppliedRule, ...] = ()
    submitted_at: Moment | None = None
    time_from: str = ""
    due: Moment | None = None
    attempts: tuple[Attempt, ...] = ()
    outdated: bool = False
    marks: tuple[Marked, ...] = ()
    pythons: Pythons | None = None


class AssignmentReport(Value, frozen=True):
    """An assignment as the gradebook shows it: questions with their checks."""

    id: str
    title: str
    points: float
    questions: tuple[QuestionReport, ...]
    due: Moment | None = None


class QuestionReport(Value, frozen=True):
    """A question and its checks; one that is `manual` has none, and perhaps a rubric."""

    id: str
    title: str
    points: float
    checks: tuple[CheckReport, ...]
    bonus: bool = False
    manual: bool = False
    rubric: tuple[RubricItem, ...] = ()


class CheckReport(Value, frozen=True):
    """A check without what only the engine needs. `code` is a digest of its own code.

    `source` is its text: instructors only.
    """

    id: str
    title: str
    points: float
    public: bool
    hint: str = ""
    code: str = ""
    source: str = ""


class Asked(Value, frozen=True):
    """What a run was asked for: all that it takes to do the same again.

    `paths` and the files of tables are absolute. Empty where none was named.
    """

    paths: tuple[str, ...] = ()
    seed: int = 0
    timeout_s: float | None = None
    roster: str = ""
    submitted_at: str = ""
    extensions: str = ""
    formats: tuple[str, ...] = ()
    show_hidden: str = ""


class Origin(Value, frozen=True):
    """Where a file that was graded lay, and what it was graded with: so it can be graded again.

    `path` is a real file, `member` and `inner` its place in that archive, as in `Submission`.
    """

    student: str
    assignment: str
    path: str
    member: int | None = None
    inner: int | None = None
    attempt: int = 1
    seed: int = 0
    device: str = "cpu"


class RunInfo(Value, frozen=True):
    """What may differ between two runs on the same input: times, host, versions.

    `kept` counts the results that were taken from an earlier run. `graded_with` is a digest of the
    suite and the grader, by assignment. `asked` is empty in a gradebook of an earlier version.
    `origins` says of each graded file where it lay.
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
    asked: Asked | None = None
    origins: tuple[Origin, ...] = ()


class Total(Value, frozen=True):
    """A student's points in all assignments but those that were dropped as the lowest.

    `known` is false while one of them is ungraded.
    """

    student: str
    earned: float
    possible: float
    dropped: tuple[str, ...] = ()
    known: bool = True


class KeptScore(Value, frozen=True):
    """What a submission has at least: a regrading that took points was not to count.

    `earned` is before adjustments by hand and without manual questions. It is about the file with
    this digest, and no other.
    """

    student: str
    assignment: str
    digest: str
    earned: float
    reason: str


class Regrade(Value, frozen=True):
    """That scores were given anew after a suite was changed: a line of the log.

    `changes` are in words, by assignment. `former` is the gradebook of before, a file beside this
    one. `gained`, `lost` and `same` count scores. `kept` are those that were better before, where
    the better one counts.
    """

    at: str
    by: str
    because: str
    assignments: tuple[str, ...]
    changes: dict[str, tuple[str, ...]]
    former: str
    gained: int
    lost: int
    same: int
    only_gains: bool = False
    kept: tuple[KeptScore, ...] = ()


class Gradebook(Value, frozen=True):
    """Everything a report needs. Two runs on the same input differ under `run` alone.

    `names` are what students are called, and `ids` all that they go by, where a roster tells.
    `regrades` is the log of regradings, the oldest first. `only_checks` are the checks, as they
    were asked for, when all scores are of these alone. `anonymous`: students are pseudonyms, and
    what could name them is left out.
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
    regrades: tuple[Regrade, ...] = ()
    only_checks: tuple[str, ...] = ()
    anonymous: bool = False
    ids: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
