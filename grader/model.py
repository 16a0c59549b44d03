"""The values that flow through the stages: frozen, comparable, JSON in and out.

    paths ─discover→ Submission ─plan→ Job ─execute→ Run ─score→ Score ─collate→ Gradebook

Standard library and msgspec only. Times are seconds (`_s`, `seconds`), sizes bytes (`_bytes`).
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable
from datetime import datetime

import msgspec


class Value(msgspec.Struct, frozen=True):
    """Base of every type here. Subclasses say `frozen=True` too: type checkers need it."""


class Moment(datetime):
    """A point in time that knows its zone; `grader.times` reads and writes it."""


# ---------------------------------------------------------------- what is asked


class Check(Value, frozen=True):
    """One hidden or public check: the smallest thing that earns points.

    `id` is the test function's name, with pytest's `[parameters]` when there are any; unique in
    its assignment. `title` is the first line of its docstring: what a student reads. `code` is a
    digest of what the function itself does, `source` its text as its author wrote it: instructors
    only.
    """

    id: str
    question: str
    title: str
    points: float
    public: bool
    hint: str = ""
    requires: tuple[str, ...] = ()
    timeout_s: float | None = None
    devices: tuple[str, ...] = ("cpu",)
    code: str = ""
    source: str = ""

    def runs_on(self, device: str) -> bool:
        """Whether it can be run there: what needs no GPU runs on one too."""
        return "cpu" in self.devices or device.partition(":")[0] in self.devices


class RubricItem(Value, frozen=True):
    """What a marker may say of an answer, and the points that it gives or takes."""

    id: str
    text: str
    points: float


class Question(Value, frozen=True):
    """A class of checks. Its id is the nbgrader `grade_id` of its cell; its points their sum.

    One that is `manual` has no checks: a person marks the cell of that name, by its `rubric`.
    """

    id: str
    title: str
    points: float
    bonus: bool = False
    manual: bool = False
    rubric: tuple[RubricItem, ...] = ()

    @property
    def towards_maximum(self) -> float:
        """What it adds to an assignment's points: nothing if it is a bonus."""
        return 0.0 if self.bonus else self.points


class Assignment(Value, frozen=True):
    """What a course asks for under one name."""

    id: str
    title: str
    questions: tuple[Question, ...] = ()

    @property
    def points(self) -> float:
        """Points without the bonus questions."""
        return total(question.towards_maximum for question in self.questions)


class Suite(Value, frozen=True):
    """The checks of one assignment, public and hidden, in the order of their files."""

    assignment: Assignment
    checks: tuple[Check, ...]
    files: tuple[str, ...]
    digest: str


# ---------------------------------------------------------------- what was handed in


class ProblemKind(enum.StrEnum):
    """What a problem is about. Only kinds of the first group keep a student's work from a score."""

    UNMATCHED = "unmatched"
    UNOWNED = "unowned"
    AMBIGUOUS = "ambiguous"
    DUPLICATE = "duplicate"
    SAME_STUDENT = "same-student"
    GROUP = "group"
    UNREADABLE = "unreadable"
    TOO_MANY = "too-many"
    TOO_MUCH = "too-much"
    NOTHING_USABLE = "nothing-usable"

    RENAMED = "renamed"
    MISMATCH = "mismatch"
    METADATA = "metadata"
    LATE = "late"
    NOT_IN_ROSTER = "not-in-roster"
    ADJUSTMENT = "adjustment"
    EXTENSION = "extension"
    NO_TIME = "no-time"
    DEVICE = "device"
    GPU = "gpu"
    HANDOUT = "handout"
    NOTEBOOK = "notebook"
    ELSEWHERE = "elsewhere"
    CHECK = "check"
    PYTHON = "python"
    OUTDATED = "outdated"

    @property
    def keeps_from_grading(self) -> bool:
        """Whether a student with such a problem may have handed in what nobody could use."""
        return self in KEEP_FROM_GRADING


KEEP_FROM_GRADING = frozenset(
    {
        ProblemKind.UNMATCHED, ProblemKind.UNOWNED, ProblemKind.AMBIGUOUS, ProblemKind.DUPLICATE,
        ProblemKind.SAME_STUDENT, ProblemKind.GROUP, ProblemKind.UNREADABLE,
        ProblemKind.TOO_MANY, ProblemKind.TOO_MUCH, ProblemKind.NOTHING_USABLE,
    }
)  # fmt: skip


class Problem(Value, frozen=True):
    """Something a person should look at: it never stops the others from being graded."""

    kind: ProblemKind
    message: str
    where: str = ""
    hint: str = ""
    student: str | None = None
    assignment: str | None = None


class Submission(Value, frozen=True):
    """One student's file for one assignment, read when it is needed.

    `path` is a real file; `member` its index in that archive when the file is a zip, and `inner`
    its index in that member where it lies in an archive inside the archive. `name` is the original
    file name, as a person would recognise it. `digest` is the SHA-256 of the bytes.
    `submitted_at` is known when something on the instructor's side tells it: `time_from` says what.
    `late` is a platform's mark. Of several attempts each has its number, the first is 1.
    """

    student: str
    assignment: str
    path: str
    name: str
    digest: str
    member: int | None = None
    inner: int | None = None
    submitted_at: Moment | None = None
    time_from: str = ""
    late: bool = False
    attempt: int = 1


class Cell(Value, frozen=True):
    """One code cell, `number` counting code cells from 1 as a reader of the notebook would."""

    number: int
    source: str


# ---------------------------------------------------------------- what happened


class Status(enum.StrEnum):
    """What became of a check."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    TIMEOUT = "timeout"
    SKIPPED = "skipped"


class EndingKind(enum.StrEnum):
    """How a run ended: the first group is theirs, the second ours."""

    COMPLETED = "completed"
    UNREADABLE = "unreadable"
    EXITED = "exited"
    SIGNAL = "signal"
    TIME = "time"
    MEMORY = "memory"
    OUTPUT = "output"
    PROCESSES = "processes"
    DISK = "disk"
    PROTOCOL = "protocol"

    FAULT = "fault"
    REFUSED = "refused"
    INTERRUPTED = "interrupted"


OURS = frozenset({EndingKind.FAULT, EndingKind.REFUSED, EndingKind.INTERRUPTED})


class Ending(Value, frozen=True):
    """How a run ended and, in plain words, which limit it hit.

    Of files that can't be used, `problem` is why, and `hint` what can be done about it.
    """

    kind: EndingKind = EndingKind.COMPLETED
    message: str = ""
    problem: ProblemKind | None = None
    hint: str = ""

    @property
    def ours(self) -> bool:
        """Whether the grader is to blame: then nothing is scored."""
        return self.kind in OURS


class CellError(Value, frozen=True):
    """A cell that raised, with the student's own numbering.

    `line` counts from 1 in the cell's source; None when the error names none.
    """

    cell: int
    error: str
    message: str
    line: int | None = None
    source_line: str = ""


class DifferenceMap(Value, frozen=True):
    """Where two arrays of one shape differ, seen from afar.

    `first` is the index of the first value that differs. A map is of the last two dimensions, at
    the other indices of `first`; one of its cells stands for a `block` of rows and columns. `rows`
    has a digit for each cell: 0 where nothing differs, 1 to 4 for how much as a share of `largest`,
    the largest difference that is a number, and 5 for what differs by no number.
    """

    shape: tuple[int, ...]
    first: tuple[int, ...]
    block: tuple[int, int]
    rows: tuple[str, ...]
    largest: float


class Outcome(Value, frozen=True):
    """The verdict on one check.

    `message` may be shown to the student. All that follows may hold hidden values: instructors
    only. `asked` is what a check that failed asked of the submission and got; `check_line` the line
    of its `Check.source` at which it failed, from 1; `cell` and `line` where the student's code
    raised; `expected` and `actual` what was compared, where the check tells; `differs` where, if
    these are of arrays.
    """

    check: str
    status: Status
    seconds: float = 0.0
    message: str = ""
    detail: str = ""
    asked: tuple[str, ...] = ()
    check_line: int | None = None
    cell: int | None = None
    line: int | None = None
    expected: str = ""
    actual: str = ""
    differs: DifferenceMap | None = None


MOST_SECONDS = 7 * 86400.0
"""No limit is longer: what waits counts in milliseconds, in 32 bits."""


class Limits(Value, frozen=True):
    """What a submission may use. Each says what happens when it is hit.

    wall_s: the whole submission; the rest of its checks earn nothing.
    cell_s: one notebook cell; the cell is stopped and the next one runs.
    check_s: one check; that check earns nothing, the notebook is run again for the next.
    patience_s: what is left of `check_s` for the checks of a submission in which several took too
        long, and of `cell_s` for a cell that took too long when the notebook is run again.
    memory_bytes: data the code may hold; beyond, it gets a MemoryError, or its worker is ended.
    output_bytes: output kept; at `output_kill_bytes` the worker is stopped.
    restarts: how often a worker is replaced before the remaining checks earn nothing.
    """

    wall_s: float = 300.0
    cell_s: float = 20.0
    check_s: float = 10.0
    patience_s: float = 1.25
    memory_bytes: int = 4 << 30
    scratch_bytes: int = 96 << 20
    output_bytes: int = 64 << 10
    output_kill_bytes: int = 32 << 20
    processes: int = 64
    restarts: int = 20


class Job(Value, frozen=True):
    """Everything that decides a run's result, and nothing else.

    `until_lost`: whether checks are skipped once one has cost points: all that is asked is whether
    any does. Then those of `first`, which are likely to, are asked before the others. `checks`: the
    ids of those that are asked for, all if empty; what they require is run besides, and the suite
    is that of these checks alone. `known_to_pass`: the ids of checks that pass without being asked,
    for they don't reach what is new in this submission: the gate alone knows of such ones.
    """

    submission: Submission
    suite: Suite
    device: str
    seed: int
    limits: Limits
    until_lost: bool = False
    first: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    known_to_pass: tuple[str, ...] = ()


class Isolation(Value, frozen=True):
    """Which properties of the wall held, by which layer, and which nothing provided."""

    mode: str
    layers: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def off(self) -> bool:
        """Whether nothing kept submissions from the machine and from each other."""
        return self.mode == "off"


class Usage(Value, frozen=True):
    """What a run cost: wall and processor seconds, peak bytes, workers used."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_bytes: int = 0
    workers: int = 0


class Pythons(Value, frozen=True):
    """Minor versions: of the Python that graded, and of the one that a notebook says it is from."""

    graded_with: str
    saved_with: str = ""


class Run(Value, frozen=True):
    """What came of a job, of any try if `certain`; `pythons`: why something may have failed."""

    submission: Submission
    outcomes: tuple[Outcome, ...] = ()
    ending: Ending = Ending()
    cell_errors: tuple[CellError, ...] = ()
    output: str = ""
    isolation: Isolation | None = None
    usage: Usage = Usage()
    problems: tuple[Problem, ...] = ()
    certain: bool = False
    pythons: Pythons | None = None


def total(points: Iterable[float]) -> float:
    """Add points so that equal shares of a whole give the whole back.

    Exact summation, then six decimals: three checks of 2/3 point are 2.0.
    """
    return round(math.fsum(points), 6)
