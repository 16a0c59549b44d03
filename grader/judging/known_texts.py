"""Answers that were given away: what students have of the course's own, handed in as their work.

Two kinds of text are known: what a course withholds in a grading (students have it at home), and
answers in files that `known_answers` of `[tool.grader]` names, such as last term's solutions. A
submission is compared by the forms of its definitions: see `grader/wire/definitions.py`. What
everybody is handed with the notebooks is nobody's answer and left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from pathlib import Path

from grader.config.course import AssignmentConfig, Course
from grader.intake.course_texts import python_files, read_text
from grader.judging.withholding import WithheldName, locate
from grader.model import Problem, ProblemKind, Submission
from grader.wire.definitions import Definition, definitions

"""The kind of such a problem: it keeps nobody from being graded, and a person has to look."""

MOST_NAMED = 5

Known = dict[str, str]
"""Digests of forms, and what of the course has each: `Block` of `course/parts.py`."""


def known_texts(course: Course, assignments: Collection[str]) -> dict[str, Known]:
    """Return what is known, by assignment; only those for which anything is.

    Raises:
        SuiteError: a file of known answers can't be read. ConfigError: `withheld` is wrong.
    """
    wanted = [one for one in course.assignments if one.id in assignments]
    if not course.known_answers and not any(one.withheld for one in wanted):
        return {}
    texts = _Texts(course)
    found: dict[str, Known] = {}
    for assignment in wanted:
        known = {**texts.answers(assignment.id), **texts.withheld(assignment)}
        known = {digest: label for digest, label in known.items() if digest not in texts.given}
        if known:
            found[assignment.id] = known
    return found


def name_known_answers(
    known: Known, cells: Iterable[tuple[int, Iterable[str]]], submission: Submission
) -> Iterator[Problem]:
    """Name what of a submission is known, if anything is.

    Args:
        known: what is known for its assignment.
        cells: the digests of each cell's definitions, with the cell's number.
        submission: whose it is.
    """
    places: dict[str, list[int]] = {}
    for number, digests in cells:
        for label in dict.fromkeys(known[digest] for digest in digests if digest in known):
            places.setdefault(label, []).append(number)
    if not places:
        return
    told = [f"{label} (code cell {numbers[0]})" for label, numbers in places.items()]
    more = f" and {len(told) - MOST_NAMED} more" if len(told) > MOST_NAMED else ""
    yield Problem(
        kind=ProblemKind.HANDOUT,
        message="the course's own text, handed in as an answer: "
        + ", ".join(told[:MOST_NAMED])
        + more,
        where=submission.name,
        hint="it is graded as any other: compare the two, and decide",
        student=submission.student,
        assignment=submission.assignment,
    )


# ---------------------------------------------------------------- the course's texts


class _Texts:
    """A course's files, each read once."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._read: dict[Path, tuple[Definition, ...]] = {}

    @cached_property
    def given(self) -> frozenset[str]:
        """The forms of what everybody is handed with the notebooks."""
        folder = self._course.notebooks
        paths = [] if folder is None else sorted(folder.glob("*.ipynb"))
        return frozenset(one.digest for path in paths for one in self.defined(path))

    def withheld(self, assignment: AssignmentConfig) -> Known:
        """What an assignment withholds, but for what its workers may see under another name."""
        places: dict[Path, list[WithheldName]] = {}
        for name in assignment.withheld:
            for package in self._course.public:
                if package.stem == name.partition(".")[0]:
                    place = locate(package.parent, name, assignment.id)
                    for path in python_files(package.parent / place.path):
                        places.setdefault(path, []).append(place)
        found: dict[str, str] = {}
        seen: set[str] = set()
        for path, answers in places.items():
            for one in self.defined(path):
                if any(_is_within(one, place) for place in answers):
                    found[one.digest] = self._label(one, path)
                else:
                    seen.add(one.digest)
        return {digest: label for digest, label in found.items() if digest not in seen}

    def answers(self, assignment: str) -> Known:
        """The known answers to an assignment, but for what is public anyway."""
        return {
            one.digest: self._label(one, path)
            for path, meant in self._answers
            if not meant or assignment in meant
            for one in self.defined(path)
            if one.digest not in self._public
        }

    @cached_property
    def _answers(self) -> list[tuple[Path, tuple[str, ...]]]:
        """The files of known answers, each with the assignments that its name speaks of."""
        if not self._course.known_answers:
            return []
        from grader.intake.discovery import names_of_assignments

        matcher = names_of_assignments(self._course).matcher
        found = []
        for top in self._course.known_answers:
            for path in [top] if top.is_file() else sorted(top.rglob("*")):
                if path.suffix in (".py", ".ipynb") and path.is_file():
                    names = (path.stem, *reversed(path.relative_to(top.parent).parts[:-1]))
                    meant = (matcher.read(name).assignments for name in names)
                    found.append((path, next(filter(None, meant), ())))
        return found

    @cached_property
    def _public(self) -> frozenset[str]:
        files = [path for package in self._course.public for path in python_files(package)]
        return frozenset(one.digest for path in files for one in self.defined(path))

    def _label(self, definition: Definition, path: Path) -> str:
        root = self._course.root
        shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
        return f"`{definition.name.partition('.')[0]}` of `{shown}`"

    def defined(self, path: Path) -> tuple[Definition, ...]:
        """What a file defines.

        Raises:
            SuiteError: it can't be read.
        """
        if path not in self._read:
            found = (one for source in read_text(path) for one in definitions(source))
            self._read[path] = tuple(found)
        return self._read[path]


def _is_within(definition: Definition, place: WithheldName) -> bool:
    depth = len(place.definition)
    return tuple(definition.name.split("."))[:depth] == place.definition
