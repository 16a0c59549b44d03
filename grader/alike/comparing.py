"""The comparison of a class, assignment by assignment: find, read, weigh, pair."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from grader.alike.apart import Order, Readers
from grader.alike.clusters import find_clusters
from grader.alike.independent import independent_likeness
from grader.alike.index import Weights, likeness, likenesses
from grader.alike.material import Material, Materials
from grader.alike.passages import find_passages
from grader.alike.prints import Prints
from grader.alike.values import AnswerLikeness, AssignmentAlike, Pair, Work
from grader.config.course import Course
from grader.errors import IntakeError
from grader.intake.discovery import discover
from grader.intake.groups import NOBODY, Enrolment
from grader.intake.reading import Reader, read_submission
from grader.intake.readings import Readings
from grader.model import Cell, Problem, Submission, Value
from grader.names import identity
from grader.scoring.attempts import group_attempts

LINKED_FROM = 0.5
"""Pairs that are less alike make no cluster: nearly everybody would be in one."""


BY_ANSWER = 5
"""For each answer, so many times fewer pairs are listed than for the whole."""


class Options(Value, frozen=True):
    """What the command line decides.

    `top` is how many pairs are listed for each assignment.
    """

    assignments: tuple[str, ...] = ()
    against: tuple[Path, ...] = ()
    top: int = 50
    apart: tuple[Path, ...] = ()
    enrolment: Enrolment = NOBODY


class File(NamedTuple):
    """A file that was handed in, once for all who did."""

    submission: Submission
    students: tuple[str, ...]
    origin: str


class Compared(NamedTuple):
    """An assignment, and the code of those files that stand in its pairs, by their places."""

    found: AssignmentAlike
    code: dict[int, tuple[tuple[Cell, ...], Prints]]


def compare(
    paths: Sequence[Path], course: Course, options: Options
) -> tuple[Iterator[Compared], tuple[Problem, ...]]:
    """Compare everybody's answers, an assignment at a time.

    Args:
        paths: as for `grader check`.
        course: whose assignments.
        options: what is compared with what.

    Raises:
        NothingToGrade: there is no submission. UsageError: a path does not exist.
        IntakeError: a path can't be read.
    """
    files: dict[str, list[File]] = defaultdict(list)
    problems: tuple[Problem, ...] = ()
    for place, origin in ((paths, ""), *(((one,), str(one)) for one in options.against)):
        found = discover(
            place, course, assignments=options.assignments, apart=options.apart,
            enrolment=NOBODY if origin else options.enrolment,
        )  # fmt: skip
        problems += () if origin else found.problems
        for one in _once_for_all(found.submissions, origin):
            files[one.submission.assignment].append(one)
    wanted = [one for one in course.assignments if one.id in files]

    def each() -> Iterator[Compared]:
        with Readers() as readers:
            materials = Materials(course, readers)
            for one in wanted:
                yield _compare(files[one.id], materials.of(one.id), readers, options.top)

    return each(), problems


def _once_for_all(submissions: Iterable[Submission], origin: str) -> Iterator[File]:
    """Each student's last attempt; what a group has handed in together once."""
    last = [attempts[-1] for attempts in group_attempts(submissions).values()]
    together: dict[tuple[object, ...], list[Submission]] = defaultdict(list)
    for one in last:
        together[one.assignment, one.path, one.member, one.inner].append(one)
    for same in together.values():
        yield File(same[0], tuple(sorted(one.student for one in same)), origin)


def _compare(files: Sequence[File], material: Material, readers: Readers, top: int) -> Compared:
    this_year = sum(not one.origin for one in files)
    cells, prints = _read(files, material, readers)
    weights = Weights([one.lines for one in prints[:this_year]], material.given, material.reference)
    weighed = [weights.weigh(one.lines) for one in prints]
    independent = independent_likeness(material.styles, weights)
    linked_from = max(LINKED_FROM, independent.largest if independent else 0.0)
    listed, links = _choose(weighed, prints, this_year, top, linked_from)
    works = tuple(
        Work(one.students, one.submission.name, one.origin, tuple(own.notes))
        for one, own in zip(files, prints, strict=True)
    )
    pairs = [_pair(a, b, works, weighed, prints) for a, b in listed]
    pairs.sort(key=lambda one: (-one.likeness, one.left, one.right))
    code = {place: (cells[place], prints[place]) for one in listed for place in one}
    return Compared(
        AssignmentAlike(
            assignment=material.assignment,
            title=material.title,
            answers=material.answers,
            works=works,
            pairs=tuple(pairs),
            clusters=find_clusters(links),
            linked_from=linked_from,
            independent=independent,
        ),
        code,
    )


def _read(
    files: Sequence[File], material: Material, readers: Readers
) -> tuple[list[tuple[Cell, ...]], list[Prints]]:
    """Every file's cells and fingerprints. One that can't be read has neither, and says why."""
    cells: list[tuple[Cell, ...]] = []
    refused: dict[int, str] = {}
    readings = Readings()
    with Reader() as reader:
        for place, one in enumerate(files):
            try:
                content = read_submission(one.submission, reader)
                cells.append(readings.cells(content, one.submission.name).cells)
            except IntakeError as error:
                refused[place] = f"it can't be read: {error.message}"
                cells.append(())
    orders: list[Order] = [([cell.source for cell in one], material.answers) for one in cells]
    prints = list(readers.prints(orders))
    for place, why in refused.items():
        prints[place] = Prints([], {}, {}, [why])
    return cells, prints


# ---------------------------------------------------------------- pairs

Places = tuple[int, int]


def _choose(
    weighed: Sequence[Mapping[int, float]],
    prints: Sequence[Prints],
    this_year: int,
    top: int,
    linked_from: float,
) -> tuple[list[Places], list[Places]]:
    """The pairs that are listed, and those that hold clusters together.

    Listed are the most alike as a whole, and in each answer: who takes one answer of five over from
    somebody else is not very like them.
    """
    whole = list(likenesses(weighed, this_year))
    links = [(a, b) for value, a, b in whole if value >= linked_from]
    listed = dict.fromkeys((a, b) for _, a, b in heapq.nlargest(top, whole))
    for name in sorted({name for one in prints for name in one.answers}):
        own = [
            {value: of[value] for value in one.answers.get(name, ()) if value in of}
            for one, of in zip(prints, weighed, strict=True)
        ]
        best = heapq.nlargest(max(1, top // BY_ANSWER), likenesses(own, this_year))
        listed |= dict.fromkeys((a, b) for _, a, b in best)
    return list(listed), links


def _pair(
    left: int,
    right: int,
    works: Sequence[Work],
    weighed: Sequence[Mapping[int, float]],
    prints: Sequence[Prints],
) -> Pair:
    ours, theirs = weighed[left], weighed[right]
    shared = ours.keys() & theirs.keys()
    weight = sum(ours[value] for value in shared)
    totals = sum(ours.values()), sum(theirs.values())
    people = [{identity(one) for one in works[place].students} for place in (left, right)]
    return Pair(
        left=left,
        right=right,
        likeness=likeness(weight, *totals),
        shared=len(shared),
        left_share=weight / totals[0] if totals[0] else 0.0,
        right_share=weight / totals[1] if totals[1] else 0.0,
        answers=_by_answer(ours, theirs, prints[left], prints[right]),
        passages=find_passages(prints[left].lines, prints[right].lines, shared),
        same_person=not people[0].isdisjoint(people[1]),
    )


def _by_answer(
    ours: Mapping[int, float], theirs: Mapping[int, float], left: Prints, right: Prints
) -> tuple[AnswerLikeness, ...]:
    found = []
    for name in left.answers.keys() & right.answers.keys():
        a = [value for value in left.answers[name] if value in ours]
        b = [value for value in right.answers[name] if value in theirs]
        weight = sum(ours[value] for value in set(a).intersection(b))
        totals = sum(ours[value] for value in a), sum(theirs[value] for value in b)
        found.append(AnswerLikeness(name, likeness(weight, *totals)))
    return tuple(sorted(found, key=lambda one: (-one.likeness, one.answer)))
