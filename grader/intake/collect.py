"""Downloads into one tidy folder: `STUDENT/ASSIGNMENT/FILE`, and `collected.json` beside them.

Nothing that is there is overwritten. What somebody has handed in again is put beside what was
there, into a numbered folder, as a later attempt; what has not changed is left alone. What is
refused (a link, a bomb, a file that is too large) is only noted, with the reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path

import msgspec

from grader.config.course import Course
from grader.errors import IntakeError, UsageError
from grader.intake.assigning import AssignmentNames, origin_of, sort_files
from grader.intake.discovery import find_everyone, names_of_assignments
from grader.intake.files import read_regular
from grader.intake.listing import Fault, Origin
from grader.intake.manifest import NAME, Kept, Manifest, Person, encode, read
from grader.intake.owners import Held, Holding, stem
from grader.intake.reading import Reader, digest
from grader.intake.walker import is_litter
from grader.model import Problem, ProblemKind, Value
from grader.names import clean_name, component, identity
from grader.store.output import write_atomically
from grader.text import shown_name


class Collected(Value, frozen=True):
    """What became of a download: how many files are new, and which lie beside earlier ones."""

    students: int
    new: int
    same: int
    beside: tuple[str, ...]
    left_out: tuple[Problem, ...]


def collect(
    paths: Sequence[Path], into: Path, course: Course, assignments: Sequence[str] = ()
) -> Collected:
    """Put what lies below some paths into a folder, in the order of students and assignments.

    Args:
        paths: folders, zip archives, notebooks or scripts, as for `grader check`.
        into: the folder; what was collected before stays.
        course: whose assignments are looked for.
        assignments: ids to look for; none means all.

    Raises:
        NothingToGrade: there is nothing that looks like a submission.
        UsageError: a path does not exist, or lies around the folder or within it.
        IntakeError: a path, or what was collected before, can't be read.
        GraderError: a file can't be written.
    """
    for path in paths:
        _must_be_apart(path, into)
    rules = names_of_assignments(course, assignments)
    everyone, problems = find_everyone(paths, course, rules.matcher)
    work = _Work(into, rules, course.report_mode)
    with Reader() as reader:
        for holding, student in everyone.holdings:
            work.add(holding, student, reader)
    return work.finish(problems)


def _must_be_apart(path: Path, into: Path) -> None:
    one, other = path.resolve(), into.resolve()
    if one.is_relative_to(other) or (one.is_dir() and other.is_relative_to(one)):
        raise UsageError(
            "a folder can't be collected into itself",
            where=shown_name(str(into)),
            hint="name another folder with --into",
        )


class _Work:
    """A folder while something is collected into it."""

    def __init__(self, into: Path, rules: AssignmentNames, mode: int) -> None:
        self._into = into
        self._mode = mode
        self._rules = rules
        self._before = read(into)
        self._round = self._before.rounds + 1
        self._people = {person.student: person for person in self._before.people}
        self._folders = {NAME, *(identity(one.folder) for one in self._before.people)}
        self._files: list[Kept] = []
        self._by_work: dict[tuple[str, str], list[Kept]] = defaultdict(list)
        for kept in self._before.files:
            self._note(kept)
        self._earlier = {kept.path: kept.digest for kept in self._files if kept.path}
        self._taken: set[str] = set()  # in this round
        self._new = self._same = 0
        self._beside: list[str] = []

    def add(self, holding: Holding, student: str, reader: Reader) -> None:
        """Collect what one student has."""
        person = self._person(holding)
        groups: dict[str, list[tuple[Held, bytes | IntakeError, Origin]]] = defaultdict(list)
        for held, assignment in sort_files(holding, student, self._rules, reader):
            groups[assignment].append((held, _content(held, reader), origin_of(held, reader)))
        for assignment, group in groups.items():
            if self._is_known(holding.student, assignment, group):
                self._same += len(group)
                continue
            for held, content, origin in group:
                self._keep(person, assignment, held, content, origin)

    def _person(self, holding: Holding) -> Person:
        student = holding.student
        known = self._people.get(student)
        if known is None:
            folder = component(student)
            if folder != student or identity(folder) in self._folders or is_litter(folder):
                mark = digest(student.encode("utf-8", "surrogatepass"))[:8]
                folder = f"_{folder}-{mark}" if is_litter(folder) else f"{folder}-{mark}"
            self._folders.add(identity(folder))
            known = Person(
                student=student, folder=folder, entry=holding.entry, platform=holding.platform
            )
        person = msgspec.structs.replace(
            known,
            others=tuple(dict.fromkeys((*known.others, *holding.others))),
            faults=tuple(dict.fromkeys((*known.faults, *holding.faults))),
        )
        self._people[student] = person
        return person

    def _is_known(
        self,
        student: str,
        assignment: str,
        group: Iterable[tuple[Held, bytes | IntakeError, Origin]],
    ) -> bool:
        """Whether the latest that was collected is the very same."""
        earlier = self._by_work[student, assignment]
        latest = max((kept.origin.attempt[:1] for kept in earlier), default=())
        known = {
            (kept.parts[-1], kept.digest or kept.refused)
            for kept in earlier
            if kept.origin.attempt[:1] == latest
        }
        return bool(known) and known == {
            (
                held.node.name,
                content.message if isinstance(content, IntakeError) else digest(content),
            )
            for held, content, _ in group
        }

    def _keep(
        self,
        person: Person,
        assignment: str,
        held: Held,
        content: bytes | IntakeError,
        origin: Origin,
    ) -> None:
        node = held.node
        origin = msgspec.structs.replace(origin, attempt=(self._round, *(origin.attempt or (0, 0))))
        kept = Kept(
            student=person.student,
            path="",
            parts=node.parts,
            source=node.entry,
            folders=(assignment, *held.folders) if assignment else held.folders,
            assignment=assignment,
            origin=origin,
        )
        if isinstance(content, IntakeError):
            kept = msgspec.structs.replace(kept, refused=content.message, hint=content.hint)
        else:
            path = self._place(person.folder, assignment, node.name, digest(content))
            write_atomically(self._into / path, content, durable=False, mode=self._mode)
            kept = msgspec.structs.replace(kept, path=path, digest=digest(content))
            self._new += 1
        self._note(kept)

    def _note(self, kept: Kept) -> None:
        self._files.append(kept)
        self._by_work[kept.student, kept.assignment].append(kept)

    def _place(self, folder: str, assignment: str, name: str, digested: str) -> str:
        """Where a file goes: to its equal of an earlier round, or where nothing else lies."""
        base = stem(name)
        file = clean_name(base) + name[len(base) :].lower()
        file = f"_{file}" if is_litter(file) else file
        earlier = False
        for number in count(1):
            parts = (folder, assignment, "" if number == 1 else str(number), file)
            path = "/".join(filter(None, parts))
            if path.casefold() not in self._taken:
                if self._earlier.get(path) == digested or self._is_free(path, digested):
                    break
                earlier = True
        self._taken.add(path.casefold())
        if earlier:
            self._beside.append(path)
        return path

    def _is_free(self, path: str, digested: str) -> bool:
        """Whether nothing lies there, or a file of the same bytes that nobody has collected."""
        if path in self._earlier:
            return False
        target = self._into / path
        if not target.exists() and not target.is_symlink():
            return True
        try:
            return digest(read_regular(target)) == digested
        except IntakeError:
            return False

    def finish(self, problems: Sequence[Problem]) -> Collected:
        """Write down what is known, and return what became of it."""
        known = dict.fromkeys((*self._before.problems, *problems))
        manifest = Manifest(
            rounds=self._round if self._new else self._before.rounds,
            people=tuple(self._people[name] for name in sorted(self._people)),
            files=tuple(self._files),
            problems=tuple(known),
        )
        write_atomically(self._into / NAME, encode(manifest), mode=self._mode)
        return Collected(
            students=len(self._people),
            new=self._new,
            same=self._same,
            beside=tuple(self._beside),
            left_out=tuple(self._left_out(problems)),
        )

    def _left_out(self, problems: Sequence[Problem]) -> Iterable[Problem]:
        yield from problems
        earlier = set(self._before.files)
        for kept in self._files:
            if kept.refused and kept not in earlier:
                yield _problem(kept.student, kept.refused, kept.source, kept.hint)
        for person in self._people.values():
            yield from (_fault(person.student, fault) for fault in person.faults)


def _fault(student: str, fault: Fault) -> Problem:
    return _problem(student, fault.message, fault.entry, fault.hint)


def _problem(student: str, message: str, where: str, hint: str) -> Problem:
    return Problem(
        kind=ProblemKind.UNREADABLE,
        message=message,
        where=shown_name(where),
        hint=hint,
        student=student,
    )


def _content(held: Held, reader: Reader) -> bytes | IntakeError:
    node = held.node
    if node.refused:
        return IntakeError(node.refused, hint=node.hint)
    try:
        return reader.read(node.path, node.member, node.inner, name=node.name)
    except IntakeError as error:
        return error
