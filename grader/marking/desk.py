"""What a marker has on the desk: the answers to each manual question, and what was said of them.

The order of the answers is one of chance, for each question and marker another one, and stays what
it is: so no answer is always the last, and two markers who begin at once begin apart. Nothing is
kept in memory alone: what is said is in the file before anybody sees the next answer, and what
others have written there is seen with it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from grader.config.policy import Mark
from grader.errors import IntakeError
from grader.gradebook import Gradebook, Marked, Score
from grader.intake.originals import Originals
from grader.intake.reading import Reader, read_submission
from grader.intake.written import Answer, Piece, find_answers
from grader.model import Question, Value
from grader.scoring.marking import CONFLICT, Ledger, Place, agree, answers_of, marked
from grader.store import marks as store
from grader.store.lines import digest

Key = tuple[str, str]
"""Student and assignment."""


class Handed(Value, frozen=True):
    """Answers by question, and all that was handed in. `refused`: why it can't be read."""

    answers: dict[str, Answer]
    whole: tuple[Piece, ...] = ()
    refused: str = ""


class Queue(Value, frozen=True):
    """A manual question with the students who answer it, in the marker's order."""

    assignment: str
    title: str
    question: Question
    students: tuple[str, ...]


class Progress(Value, frozen=True):
    """How many answers there are, have their points, and are such that markers don't agree."""

    answers: int
    marked: int
    conflicts: int


class Sheet(Value, frozen=True):
    """One answer on the desk. `heads` are the marks in force, `earlier` one of another answer."""

    queue: Queue
    number: int
    student: str
    handed: Handed
    now: Marked
    heads: tuple[Mark, ...]
    earlier: Mark | None = None

    @property
    def answer(self) -> Answer | None:
        """The answer; None where the file can't be read."""
        return self.handed.answers.get(self.queue.question.id)


class Said(Value, frozen=True):
    """What a marker says of an answer. `after` are digests of the marks that were shown."""

    rubric: tuple[str, ...] = ()
    points: float = 0.0
    comment: str = ""
    after: tuple[str, ...] = ()


class Desk:
    """The answers of a gradebook that wait for a person, and what was said of them.

    Args:
        folder: the output folder, where marks are written.
        gradebook: what it holds, with the manual questions of now.
        manual: the manual questions, by assignment.
        marker: whose desk it is.
    """

    def __init__(
        self,
        folder: Path,
        gradebook: Gradebook,
        manual: Mapping[str, Sequence[Question]],
        marker: str,
    ) -> None:
        self.folder = folder
        self.marker = marker
        self.names = gradebook.names
        self._scores = {(s.student, s.assignment): s for s in gradebook.scores}
        self._handed = _read(gradebook, manual)
        self.queues = tuple(
            Queue(one.id, one.title, question, self._order(one.id, question.id))
            for one in gradebook.assignments
            for question in manual.get(one.id, ())
        )
        self._undone: list[tuple[Queue, int, Mark, tuple[Mark, ...]]] = []
        self._seen: tuple[int, int] | None = None
        self._ledger = Ledger()
        self.refresh()

    def _order(self, assignment: str, question: str) -> tuple[str, ...]:
        def chance(student: str) -> bytes:
            said = "\0".join((self.marker, assignment, question, student))
            return hashlib.sha256(said.encode("utf-8", "replace")).digest()

        return tuple(sorted((name for name, of in self._handed if of == assignment), key=chance))

    @property
    def can_undo(self) -> bool:
        """Whether something was done here that can be taken back."""
        return bool(self._undone)

    def refresh(self) -> None:
        """Read what others have written since.

        Raises:
            GraderError: the marks can't be read.
        """
        try:
            found = os.stat(self.folder / store.NAME)  # noqa: PTH116 (one system call, no object)
            now = found.st_size, found.st_mtime_ns
        except OSError:
            now = 0, 0
        if now != self._seen:
            self._ledger = Ledger(store.read(self.folder))
            self._seen = now

    def digests(self) -> dict[Key, dict[str, str]]:
        """The answers as they are named in marks, by student and assignment."""
        return {
            key: {q: one.digest for q, one in handed.answers.items()}
            for key, handed in self._handed.items()
            if handed.answers
        }

    def find(self, assignment: str, question: str) -> Queue | None:
        """The queue of a question; None if there is none."""
        for one in self.queues:
            if (one.assignment, one.question.id) == (assignment, question):
                return one
        return None

    def sheet(self, queue: Queue, number: int) -> Sheet:
        """One answer, counted from 1."""
        student = queue.students[number - 1]
        place, answer = self._place(queue, student)
        earlier = self._ledger.of_others(place, answer)
        return Sheet(
            queue=queue,
            number=number,
            student=student,
            handed=self._handed[student, queue.assignment],
            now=marked(queue.question, place, answer, self._ledger),
            heads=self._ledger.heads(place, answer),
            earlier=earlier[-1] if earlier else None,
        )

    def _place(self, queue: Queue, student: str) -> tuple[Place, str]:
        key = student, queue.assignment
        question = queue.question.id
        found = self._handed[key].answers.get(question)
        known = answers_of(self._scores[key]).get(question, "")
        return (*key, question), found.digest if found else known

    def progress(self, queue: Queue) -> Progress:
        """How far a question is."""
        states = [self._now(queue, student) for student in queue.students]
        return Progress(
            answers=len(states),
            marked=sum(one.earned is not None for one in states),
            conflicts=sum(one.waits == CONFLICT for one in states),
        )

    def _now(self, queue: Queue, student: str) -> Marked:
        return marked(queue.question, *self._place(queue, student), self._ledger)

    def next_waiting(self, queue: Queue, after: int = 0) -> int | None:
        """The number of the next answer that waits, from the beginning again; None if none does."""
        count = len(queue.students)
        for step in range(1, count + 1):
            number = (after + step - 1) % count + 1
            if self._now(queue, queue.students[number - 1]).earned is None:
                return number
        return None

    # ------------------------------------------------------------ what is said

    def record(self, queue: Queue, number: int, said: Said) -> None:
        """Write down what the marker says; it is on the disk when this returns.

        Raises:
            GraderError: it can't be written.
        """
        sheet = self.sheet(queue, number)
        mark = self._mark(sheet, said)
        if len(sheet.heads) == 1 and agree([mark, *sheet.heads]):
            return  # looked at again
        self._write(queue, number, mark, sheet.heads)

    def withdraw(self, queue: Queue, number: int, after: tuple[str, ...]) -> None:
        """Write down that nothing is said of this answer any more.

        Raises:
            GraderError: it can't be written.
        """
        sheet = self.sheet(queue, number)
        if sheet.heads:
            mark = self._mark(sheet, Said(after=after))
            mark = msgspec.structs.replace(mark, withdrawn=True)
            self._write(queue, number, mark, sheet.heads)

    def undo(self) -> tuple[Queue, int] | None:
        """Say again what was said before the last thing that was done here; tell where it was.

        Raises:
            GraderError: it can't be written.
        """
        if not self._undone:
            return None
        queue, number, mark, before = self._undone[-1]
        at, after = _now(), (digest(mark),)
        again = [msgspec.structs.replace(one, at=at, by=one.by, after=after) for one in before]
        if not again:
            again = [self._mark(self.sheet(queue, number), Said(after=after), withdrawn=True)]
        store.add(self.folder, *again)
        self._undone.pop()
        self.refresh()
        return queue, number

    def _write(self, queue: Queue, number: int, mark: Mark, before: tuple[Mark, ...]) -> None:
        store.add(self.folder, mark)
        replaced = tuple(one for one in before if digest(one) in mark.after)
        self._undone.append((queue, number, mark, replaced))
        self.refresh()

    def _mark(self, sheet: Sheet, said: Said, *, withdrawn: bool = False) -> Mark:
        place, answer = self._place(sheet.queue, sheet.student)
        known = {one.id for one in sheet.queue.question.rubric}
        return Mark(
            *place,
            answer=answer,
            rubric=tuple(name for name in said.rubric if name in known),
            points=float(said.points),  # as it is read back: its name depends on it
            comment=said.comment.strip(),
            at=_now(),
            by=self.marker,
            after=said.after,
            withdrawn=withdrawn,
        )


def _read(gradebook: Gradebook, manual: Mapping[str, Sequence[Question]]) -> dict[Key, Handed]:
    """What everybody has handed in for the assignments in which a person marks something."""
    originals = Originals(gradebook)
    with Reader() as reader:
        return {
            (score.student, score.assignment): _handed(
                originals, score, manual[score.assignment], reader
            )
            for score in gradebook.scores
            if score.state.has_points and manual.get(score.assignment)
        }


def _handed(
    originals: Originals, score: Score, manual: Iterable[Question], reader: Reader
) -> Handed:
    found = originals.of(score)
    if found is None:
        return Handed({}, refused="nobody knows where the file lies: `grader check` finds it")
    try:
        content = read_submission(found[0], reader)
        answers, whole = find_answers(content, found[0].name, [one.id for one in manual])
    except IntakeError as error:
        return Handed({}, refused=error.message)
    return Handed(answers, whole)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
