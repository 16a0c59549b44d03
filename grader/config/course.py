"""`[tool.grader]` of a course's `pyproject.toml`, as a `Course`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from grader.config.colab import Colab, ColabTable, read_colab
from grader.config.data import read_places, require_apart, require_distinct_names
from grader.config.limits_table import LimitsTable, read_limits
from grader.config.manual import ManualTable, RubricTable, read_manual
from grader.config.one_file import MAX_PATH_CHARS, NOTEBOOKS, Lessons, with_lessons
from grader.config.policy import Policy
from grader.config.policy_table import LateTable, PolicyTable, check_zone, parse_due, read_policy
from grader.config.pyproject import PYPROJECT, find_course, nearest_key, read_table, real_path
from grader.errors import ConfigError
from grader.model import Assignment, Limits, Moment, Question, Value

T = TypeVar("T")

MOST_WORKERS_PER_GPU = 1000
MAX_SAID = 400


class AssignmentConfig(Value, frozen=True):
    """One `[[tool.grader.assignments]]` table. `aliases` are other names its files may have.

    `due` has its zone, by whose clocks days are counted. `policy` is the course's with what changes
    here. `withheld` names modules and definitions of the public packages that answer this
    assignment: see `grader/judging/withholding.py`. `data` lies beside its notebook, with what
    lies beside those of all assignments: see `grader/config/data.py`. A person marks what is
    `manual`.
    """

    id: str
    title: str
    aliases: tuple[str, ...] = ()
    due: Moment | None = None
    policy: Policy = Policy()
    withheld: tuple[str, ...] = ()
    data: tuple[Path, ...] = ()
    manual: tuple[Question, ...] = ()


class Course(Value, frozen=True):
    """Where a course keeps what, and what its submissions may use. All paths are absolute.

    `report_mode` is the mode of files with students' data. `known_answers` are files and folders
    with answers that were given away. `data` lies beside every notebook, `hidden_data` is for
    hidden checks: see `grader/config/data.py`. `strict` says whether `grader verify` demands what
    it only warns of else. `one_file` are the lessons that carry all of an assignment.
    `requirements` is what notebooks and checks import beside the grader, as pip has it. `practice`
    holds lessons whose notebooks are handed out and never graded.
    """

    id: str
    title: str
    root: Path
    assignments: tuple[AssignmentConfig, ...]
    checks: Path | None
    suites: Path | None
    reference: Path | None
    lessons: Path | None
    mutants: Path | None
    styles: Path | None
    fakes: Path | None
    notebooks: Path | None
    public: tuple[Path, ...]
    preload: tuple[str, ...]
    preload_later: tuple[str, ...]
    limits: Limits
    policy: Policy = Policy()
    timezone: str | None = None
    extensions: Path | None = None
    gpu: bool = False
    workers_per_gpu: int = 2
    report_mode: int = 0o600
    known_answers: tuple[Path, ...] = ()
    data: tuple[Path, ...] = ()
    hidden_data: tuple[Path, ...] = ()
    strict: bool = False
    requirements: tuple[str, ...] = ()
    one_file: dict[str, Path] = msgspec.field(default_factory=dict)
    practice: Path | None = None
    colab: Colab | None = None

    @property
    def private(self) -> tuple[Path, ...]:
        """Where it keeps what neither students nor their work may see."""
        taught = (self.suites, self.reference, self.lessons, self.practice)
        tried = (self.mutants, self.styles, self.fakes)
        places = (place for place in (*taught, *tried) if place is not None)
        return (*places, *self.hidden_data)

    def data_of(self, assignment: str) -> tuple[Path, ...]:
        """What lies beside the notebook of an assignment: files and folders, by their names."""
        own = (one.data for one in self.assignments if one.id == assignment)
        return tuple(dict.fromkeys((*self.data, *(place for data in own for place in data))))

    def assignment(self, name: str) -> AssignmentConfig:
        """Return the assignment with this id.

        Raises:
            ConfigError: there is none; the message lists the ids and the nearest one.
        """
        for assignment in self.assignments:
            if assignment.id == name:
                return assignment
        known = [assignment.id for assignment in self.assignments]
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known assignments: {', '.join(known)}"
        raise ConfigError(f"no assignment is called `{name}`", where=str(self.root), hint=hint)


class _AssignmentTable(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    id: str
    title: str
    aliases: tuple[str, ...] = ()
    due: Any = None
    policy: PolicyTable = msgspec.field(default_factory=PolicyTable)
    withheld: tuple[str, ...] = ()
    data: list[str] = []
    manual: tuple[ManualTable, ...] = ()


class _CourseTable(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    id: str
    title: str
    assignments: list[_AssignmentTable]
    checks: str | None = None
    suites: str | None = None
    reference: str | None = None
    lessons: str | None = None
    practice: str | None = None
    mutants: str | None = None
    styles: str | None = None
    fakes: str | None = None
    notebooks: str | None = None
    public: list[str] = []
    preload: list[str] = []
    preload_later: list[str] = []
    gpu: bool = False
    workers_per_gpu: int = 2
    report_mode: str | int = "0600"
    known_answers: list[str] = []
    data: list[str] = []
    hidden_data: list[str] = []
    strict: bool = False
    requirements: list[str] = []
    limits: LimitsTable = msgspec.field(default_factory=LimitsTable)
    policy: PolicyTable = msgspec.field(default_factory=PolicyTable)
    timezone: str | None = None
    extensions: str | None = None
    colab: ColabTable | None = None


TABLES = (
    _CourseTable, LimitsTable, ColabTable,
    _AssignmentTable, PolicyTable, LateTable, ManualTable, RubricTable,
)  # fmt: skip


def load_course(path: Path | None = None, graded: Sequence[Path] = ()) -> Course:
    """Read a course's table.

    Args:
        path: the course's folder or its `pyproject.toml`; None searches upward from here.
        graded: the paths that are to be graded: no course is found in them.

    Raises:
        ConfigError: the table is missing, malformed, or names what does not exist.
    """
    if path is None:
        root = find_course(_here(), graded)
    else:
        root = real_path(path.parent if path.name == PYPROJECT else path)
    file = root / PYPROJECT
    if not file.is_file():
        raise ConfigError(
            "no `pyproject.toml`", where=str(root), hint="name a course's folder with `--course`"
        )
    raw = read_table(file)
    if raw is None:
        raise ConfigError(
            "no `[tool.grader]` table", where=str(file), hint="see docs/write-a-course.md"
        )
    raw, lessons = with_lessons(raw, root, _accept_header)
    try:
        table = msgspec.convert(raw, _CourseTable)
    except (msgspec.ValidationError, OverflowError) as error:
        hint = nearest_key(str(error), {key for table in TABLES for key in table.__struct_fields__})
        message = _in_short(f"[tool.grader]: {error}")
        raise ConfigError(message, where=str(file), hint=hint) from None
    try:
        return _resolve(table, root, lessons)
    except ConfigError as error:
        message, where = _in_short(error.message), error.where or str(file)
        raise ConfigError(message, where=where, hint=error.hint) from None


def _in_short(message: str) -> str:
    """One line, however long the value is that it quotes."""
    line = " ".join(message.split())
    return line if len(line) <= MAX_SAID else f"{line[: MAX_SAID // 2]} … {line[-MAX_SAID // 2 :]}"


def _accept_header(table: Mapping[str, Any]) -> None:
    """Demand that a lesson's header can be the table of an assignment.

    Raises:
        ConfigError: it can't; the hint is the nearest key.
    """
    try:
        msgspec.convert(table, _AssignmentTable)
    except (msgspec.ValidationError, OverflowError) as error:
        keys = {key for one in TABLES[3:] for key in one.__struct_fields__}
        raise ConfigError(
            _in_short(str(error)), hint=nearest_key(str(error), keys | {"questions"})
        ) from None


def _resolve(table: _CourseTable, root: Path, lessons: Lessons) -> Course:
    def place(key: str, value: str | None) -> Path | None:
        if value is None:
            return None
        path = root / value
        if not value.strip() or len(value) > MAX_PATH_CHARS or not _exists(path):
            raise ConfigError(f"[tool.grader] {key} = {value[:MAX_PATH_CHARS]!r} does not exist")
        return path

    ids = [assignment.id for assignment in table.assignments]
    for name in ids:
        if not name.isidentifier():
            raise ConfigError(
                f"assignment id {name!r} is not a plain name", hint="letters, digits and `_`"
            )
        if ids.count(name) > 1:
            raise ConfigError(f"two assignments are called `{name}`")
    zone = None if table.timezone is None else check_zone(table.timezone)
    rules = read_policy(table.policy)
    course = Course(
        id=table.id,
        title=table.title,
        root=root,
        assignments=tuple(
            _assignment(one, rules, zone, root, lessons) for one in table.assignments
        ),
        checks=place("checks", table.checks),
        suites=place("suites", table.suites),
        reference=place("reference", table.reference),
        lessons=place("lessons", table.lessons),
        mutants=place("mutants", table.mutants),
        styles=place("styles", table.styles),
        fakes=place("fakes", table.fakes),
        notebooks=_notebooks(table.notebooks, root, lessons.paths),
        public=tuple(p for name in table.public if (p := place("public", name)) is not None),
        preload=tuple(table.preload),
        preload_later=tuple(table.preload_later),
        limits=read_limits(table.limits),
        policy=rules,
        timezone=zone,
        extensions=place("extensions", table.extensions),
        gpu=table.gpu,
        workers_per_gpu=_workers_per_gpu(table.workers_per_gpu),
        report_mode=_report_mode(table.report_mode),
        known_answers=tuple(
            p for name in table.known_answers if (p := place("known_answers", name)) is not None
        ),
        data=read_places(root, table.data, "data"),
        hidden_data=read_places(root, table.hidden_data, "hidden_data"),
        strict=table.strict,
        requirements=tuple(map(_requirement, table.requirements)),
        one_file=lessons.paths,
        practice=place("practice", table.practice),
        colab=read_colab(table.colab),
    )
    _check_data(course)
    return course


def _check_data(course: Course) -> None:
    """Demand that data can lie beside notebooks, and that nobody sees in it what is private.

    Raises:
        ConfigError: it can't, or somebody would.
    """
    taken = [path.name for path in course.public]
    for one in course.assignments:
        places = course.data_of(one.id)
        require_distinct_names(places, taken, f"assignment `{one.id}`")
        private = (*course.private, *course.known_answers)
        require_apart(places, private, "data", "students would get what is private")
    shown = (*course.public, course.checks, course.notebooks)
    require_apart(course.hidden_data, shown, "hidden_data", "students would get what is hidden")


def _notebooks(value: str | None, root: Path, one_file: Mapping[str, Path]) -> Path | None:
    """The folder of the notebooks: it is made when they are."""
    if value is None:
        return root / NOTEBOOKS if one_file else None
    try:
        usable = bool(value.strip()) and len(value) <= MAX_PATH_CHARS
        (root / value).exists()
    except (OSError, ValueError):  # a name that no folder could have
        usable = False
    if not usable:
        raise ConfigError(f"[tool.grader] notebooks = {value[:MAX_PATH_CHARS]!r} is no folder")
    return root / value


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # one that no file could have
        return False


def _assignment(
    table: _AssignmentTable, rules: Policy, zone: str | None, root: Path, lessons: Lessons
) -> AssignmentConfig:
    named = f"assignment `{table.id}`"

    def read(key: str, reader: Callable[[Any], T]) -> T:
        try:
            return reader(getattr(table, key))
        except ConfigError as error:
            raise lessons.blamed(table.id, key, error) from None

    return AssignmentConfig(
        id=table.id,
        title=table.title,
        aliases=table.aliases,
        due=read("due", lambda due: None if due is None else parse_due(due, zone, f"{named}: due")),
        policy=read("policy", lambda policy: _policy(policy, rules, named)),
        withheld=table.withheld,
        data=read("data", lambda data: read_places(root, data, f"{named}: data")),
        manual=read("manual", lambda manual: read_manual(manual, named)),
    )


def _policy(table: PolicyTable, rules: Policy, named: str) -> Policy:
    if table.drop_lowest is not None:
        raise ConfigError(
            f"{named}: drop_lowest is a rule of the whole course",
            hint="move it to [tool.grader.policy]",
        )
    return read_policy(table, rules)


def _requirement(line: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][^\x00-\x1f]{0,200}", line):  # nor an option of pip
        raise ConfigError(
            f"[tool.grader] requirements = {line[:80]!r} is nothing that pip installs",
            hint='write it as "pandas>=2.2"',
        )
    return line


def _workers_per_gpu(number: int) -> int:
    if not 1 <= number <= MOST_WORKERS_PER_GPU:
        raise ConfigError(f"[tool.grader] workers_per_gpu must be from 1 to {MOST_WORKERS_PER_GPU}")
    return number


def _report_mode(value: str | int) -> int:
    """The mode of files that hold students' data: of their owner, and of whoever else may read."""
    digits = value if isinstance(value, str) else f"{value:o}"
    mode = int(digits, 8) if re.fullmatch(r"0?[0-7]{3}", digits) else 0
    if mode & 0o600 != 0o600 or mode & 0o111 or mode & 0o002:
        raise ConfigError(
            f"[tool.grader] report_mode = {value!r} is not the mode of a report",
            hint='write "0600" for yourself alone, "0640" to let your group read it',
        )
    return mode


def _here() -> Path:
    try:
        return Path.cwd()
    except OSError:
        raise ConfigError(
            "the folder that you are in is gone", hint="name the course with `--course PATH`"
        ) from None


def describe_assignments(
    course: Course, assignments: Sequence[str] | Mapping[str, str]
) -> tuple[Assignment, ...]:
    """What the course's table says about these assignments, in its order."""
    return tuple(
        Assignment(id=a.id, title=a.title) for a in course.assignments if a.id in assignments
    )
