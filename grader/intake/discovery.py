"""From paths to submissions: whose file, for which assignment, or why it can't be told.

**Whose.** Each path is looked at alone; below it:

- a *folder* holds students: `ROOT/STUDENT/…` at any depth, `ROOT/STUDENT.ipynb`,
  `ROOT/STUDENT.zip`. In a flat folder `embeddings_alice.ipynb` is alice's: the assignment and
  filler words (`copy`, `final`, `(2)`) around it are taken out of the name.
- it *is* one student's, called as the folder is, when what lies in it directly is named after
  assignments: at least half of its files, and every folder that holds files; or when its
  files' names say nothing at all (`homework.ipynb`).
- a folder below it is a *person*: whatever it holds is theirs, also what is named like somebody
  else. Only a single folder whose name is nobody's, as `submissions`, is a *wrapper*, and taken for
  the root, when it holds a download, or folders, archives or files with persons' names. Folders
  that are named after assignments and hold persons' folders are each taken for a root.
- a *repository*, `ASSIGNMENT-LOGIN`, is LOGIN's where the roster knows the login:
  `grader.intake.students`.
- a *download* of a learning platform, or a folder of nbgrader's exchange, holds students by the
  platform's own names: `grader.intake.downloads`.
- a *zip archive* is the folder that it was made of: a single folder around everything counts as the
  archive itself, if it has the archive's name or nobody's. An archive below a folder, or in the
  archive of a class, belongs to one student.
- a *file* is its stem's student (`alice.ipynb`, `embeddings_alice.ipynb`); when the stem names only
  an assignment, the student is the nearest folder above that does not.

Packages that come with the course (`course/`, `grader/`) are not looked at: whoever hands in the
whole folder that was released has handed in a notebook.

**For which assignment.** A file's notebook metadata decides, then its own name, then the nearest
folder that names an assignment, between the file and its student or the root itself. Failing
those, a student's only file is taken for the only assignment that was asked for.

**Never a guess.** Two candidates for one assignment, a name that fits two assignments, two students
who become one when case and Unicode forms are ignored: a `Problem`, no submission, and everybody
else is graded. Only what a platform puts in an order are attempts, each of them a submission.
Copies that are equal byte for byte are one candidate, and reported. What can't be the answer is
none: `rivals.py` says which file yields to which. A file that can't be read is a candidate like any
other.

**Within limits.** Reading is part of grading: whoever has handed in more than `readings.py` allows,
in files, bytes or the time that they take, is named and not graded; everybody else is.

The kinds of problem: `unmatched`, `unowned`, `ambiguous`, `duplicate`, `same-student`,
`unreadable`, `too-many`, `too-much`, `nothing-usable`, `metadata`; `renamed`, `mismatch` and `late`
keep nobody from being graded.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.config.course import AssignmentConfig, Course
from grader.errors import IntakeError, NothingToGrade, UsageError
from grader.intake import manifest as collected
from grader.intake.assigning import AssignmentNames, decide
from grader.intake.files import read_regular
from grader.intake.groups import NOBODY, Enrolment, resolve_groups
from grader.intake.matching import Matcher
from grader.intake.notebook import metadata_assignment
from grader.intake.owners import Holding, find_holdings
from grader.intake.reading import Reader, digest
from grader.intake.readings import Readings
from grader.intake.students import call_by_login, merge_holdings
from grader.lesson.one_file import assignment_of, lesson_files
from grader.model import Problem, ProblemKind, Submission, Value
from grader.names import MAX_NAME_CHARS, clean_name, identity
from grader.text import shown_name

ENGINE = "grader"
"""The package that comes with every release, besides the course's own."""


class Discovery(Value, frozen=True):
    """What was found: what can be graded, what a person should look at, everyone seen."""

    submissions: tuple[Submission, ...]
    problems: tuple[Problem, ...]
    students: tuple[str, ...]


def discover(
    paths: Sequence[Path],
    course: Course,
    *,
    assignments: Sequence[str] = (),
    only: Sequence[str] = (),
    readings: Readings | None = None,
    apart: Sequence[Path] = (),
    enrolment: Enrolment = NOBODY,
) -> Discovery:
    """Find the submissions below some paths, by the rules above.

    Args:
        paths: folders, zip archives, notebooks or scripts.
        course: whose assignments are looked for.
        assignments: ids to look for; none means all.
        only: students to look for; none means everyone.
        readings: remembers what files said in earlier runs.
        apart: folders of the grader's own below the paths, which are nobody's work.
        enrolment: who is in which group, and how people are called.

    Raises:
        NothingToGrade: there is nothing that looks like a submission.
        UsageError: a path does not exist, or a student of `only` was not found.
        IntakeError: a path can't be read.
        ConfigError: there is no such assignment.
    """
    rules = names_of_assignments(course, assignments)
    everyone, problems = find_everyone(paths, course, rules.matcher, apart, enrolment)
    chosen = everyone.chosen(only)
    submissions: list[Submission] = []
    with Reader() as reader:
        for holding, student in chosen:
            problems += everyone.problems(holding, student)
            if not everyone.is_ambiguous(student):
                decision = decide(holding, student, rules, reader, readings or Readings())
                submissions += decision.submissions
                problems += decision.problems
    return Discovery(
        submissions=tuple(sorted(submissions, key=lambda s: (s.student, s.assignment, s.attempt))),
        problems=tuple(sorted((p for p in problems if _concerns(p, rules.wanted)), key=_order)),
        students=tuple(sorted({student for _, student in chosen})),
    )


def names_of_assignments(course: Course, assignments: Sequence[str] = ()) -> AssignmentNames:
    """Return what a course calls its assignments; all of them are wanted where none is named.

    Raises:
        ConfigError: there is no such assignment.
    """
    wanted = frozenset(course.assignment(name).id for name in assignments)
    wanted = wanted or frozenset(assignment.id for assignment in course.assignments)
    names = {assignment.id: _names(assignment) for assignment in course.assignments}
    handed_out = _add_notebooks(names, course)
    known = {name.casefold(): meant for meant in names for name in names[meant]}
    practice = () if course.practice is None else lesson_files(course.practice)
    known |= {(name := assignment_of(path)).casefold(): name for path in practice}  # never wanted
    return AssignmentNames(
        matcher=Matcher(names), wanted=wanted, known=known, handed_out=handed_out
    )


def find_everyone(
    paths: Sequence[Path],
    course: Course,
    matcher: Matcher,
    apart: Sequence[Path] = (),
    enrolment: Enrolment | None = None,
) -> tuple[Everyone, list[Problem]]:
    """Return everyone who has handed in something below some paths, and what is nobody's.

    Without `enrolment`, groups stay what they are.

    Raises:
        NothingToGrade: there is nothing that looks like a submission.
        UsageError: a path does not exist.
        IntakeError: a path can't be read.
    """
    handed_out = {ENGINE, *(folder.name for folder in course.public)}
    own = [folder.resolve() for folder in apart]
    spoken, enrolled = ((), ()) if enrolment is None else (enrolment.spoken, enrolment.ids)
    parts: list[Holding] = []
    problems: list[Problem] = []
    for path in paths:
        if collected.is_collected(path):
            found, unowned = collected.holdings(path.resolve(), shown_name(str(path)), matcher)
        else:
            found, unowned = find_holdings(path, matcher, handed_out, own, spoken)
        parts += found if enrolment is None else resolve_groups(found, enrolment)
        problems += unowned
    everyone = Everyone(list(merge_holdings(call_by_login(parts, matcher, enrolled))))
    if not everyone.holdings and not problems:
        where = ", ".join(shown_name(str(path)) for path in paths)
        raise NothingToGrade(
            "no submission was found", where=where, hint="expected STUDENT/NOTEBOOK.ipynb"
        )
    return everyone, problems


class Everyone:
    """The students that were seen, and which of them are too alike."""

    def __init__(self, found: list[Holding]) -> None:
        self.holdings = [(holding, clean_name(holding.student)) for holding in found]
        self._alike: dict[str, list[Holding]] = defaultdict(list)
        for holding, student in self.holdings:
            self._alike[identity(student)].append(holding)

    def is_ambiguous(self, student: str) -> bool:
        """Whether another student has the same id, but for case or Unicode form."""
        return len(self._alike[identity(student)]) > 1

    def problems(self, holding: Holding, student: str) -> list[Problem]:
        """Report a name that had to be changed, or that another student has too."""
        found = []
        where = shown_name(holding.entry)
        if student != unicodedata.normalize("NFC", holding.student[: 4 * MAX_NAME_CHARS]):
            found.append(
                Problem(
                    kind=ProblemKind.RENAMED,
                    message=f"the name '{shown_name(holding.student)}' can't be used as it is: "
                    f"the student is called '{student}' here",
                    where=where,
                    student=student,
                )
            )
        if any(held.node.origin.late for held in holding.files):
            found.append(
                Problem(
                    kind=ProblemKind.LATE,
                    message="the platform marks it as late",
                    where=shown_name(holding.student),
                    student=student,
                )
            )
        if self.is_ambiguous(student):
            others = [other for other in self._alike[identity(student)] if other is not holding]
            found.append(
                Problem(
                    kind=ProblemKind.SAME_STUDENT,
                    message="two students have one name when case, Unicode forms and unsafe "
                    "characters are ignored: "
                    "none of them is graded",
                    where=", ".join([where, *(shown_name(other.entry) for other in others)]),
                    hint="rename one of them",
                    student=student,
                )
            )
        return found

    def chosen(self, only: Sequence[str]) -> list[tuple[Holding, str]]:
        """Return the students that `only` names.

        Raises:
            UsageError: it names one that was not seen.
        """
        if not only:
            return self.holdings
        asked = {identity(clean_name(name)) for name in only}
        for name in only:
            if identity(clean_name(name)) not in self._alike:
                near = difflib.get_close_matches(
                    name, [student for _, student in self.holdings], n=1
                )
                hint = f"did you mean {near[0]!r}?" if near else ""
                raise UsageError("no such student", where=shown_name(name), hint=hint)
        return [
            (holding, student) for holding, student in self.holdings if identity(student) in asked
        ]


def _names(assignment: AssignmentConfig) -> set[str]:
    return {assignment.id, assignment.title, *assignment.aliases}


def handed_out(course: Course) -> list[tuple[str, Path]]:
    """Return the course's own notebooks, each with the assignment that it is about."""
    names = {assignment.id: _names(assignment) for assignment in course.assignments}
    return [(meant, path) for meant, path, _ in _notebooks(names, course) if meant is not None]


def _add_notebooks(names: dict[str, set[str]], course: Course) -> frozenset[str]:
    """Learn what the course's own notebooks are called, without their numbers.

    Returns:
        their digests.
    """
    digests = set()
    for meant, path, content in _notebooks(names, course):
        digests.add(digest(content))
        if meant is not None:
            names[meant].add(path.stem.lstrip("0123456789_-. "))
    return frozenset(digests)


def _notebooks(
    names: dict[str, set[str]], course: Course
) -> Iterator[tuple[str | None, Path, bytes]]:
    """The course's own notebooks: the assignment of each, if it can be told, and its bytes."""
    if course.notebooks is None:
        return
    matcher = Matcher(names)
    for path in sorted(course.notebooks.glob("*.ipynb")):
        try:
            content = read_regular(path)
        except IntakeError:
            continue
        said = metadata_assignment(content)
        found = matcher.read(path.stem).assignments
        yield said if said in names else found[0] if len(found) == 1 else None, path, content


def _concerns(problem: Problem, wanted: frozenset[str]) -> bool:
    return problem.assignment is None or problem.assignment in wanted


def _order(problem: Problem) -> tuple[str, str, str, str]:
    return problem.student or "", problem.assignment or "", problem.where, problem.kind
