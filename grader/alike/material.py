"""What of a course explains likeness: what everybody was given, and the course's own answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from grader.alike.apart import Readers
from grader.alike.independent import made_from
from grader.authoring.cases import style_files
from grader.config.course import Course
from grader.intake.course_texts import python_files, read_text
from grader.intake.discovery import handed_out
from grader.model import Value


class Material(Value, frozen=True):
    """An assignment's material.

    Attributes:
        answers: the names that its notebook leaves to students.
        given: fingerprints of the notebook and of the public packages.
        reference: those of the reference that students did not get.
        styles: those of the answers of each independent style.
    """

    assignment: str
    title: str
    answers: tuple[str, ...]
    given: frozenset[int]
    reference: frozenset[int]
    styles: dict[str, frozenset[int]]


class Materials:
    """A course's material; what all assignments share is read once."""

    def __init__(self, course: Course, readers: Readers) -> None:
        self._course = course
        self._readers = readers
        self._notebooks = handed_out(course)

    def of(self, assignment: str) -> Material:
        """Read what the course has about an assignment.

        Raises:
            SuiteError: a file of the course can't be read.
        """
        template = [
            source
            for meant, path in self._notebooks
            if meant == assignment
            for source in read_text(path)
        ]
        answers = tuple(self._readers.stubs(template)) if template else ()
        given = self._public | self._all([template])
        styles = independent_styles(self._course, assignment)
        found = self._readers.prints([(sources, answers) for sources in styles.values()])
        return Material(
            assignment=assignment,
            title=self._course.assignment(assignment).title,
            answers=answers,
            given=given,
            reference=self._reference - given,
            styles={name: frozenset(one.lines) for name, one in zip(styles, found, strict=True)},
        )

    @cached_property
    def _public(self) -> frozenset[int]:
        return self._all(
            read_text(path) for top in self._course.public for path in python_files(top)
        )

    @cached_property
    def _reference(self) -> frozenset[int]:
        top = self._course.reference
        return self._all(read_text(path) for path in (python_files(top) if top else ()))

    def _all(self, texts: Iterable[Sequence[str]]) -> frozenset[int]:
        found = self._readers.prints([(sources, None) for sources in texts])
        return frozenset(value for one in found for value in one.lines)


def independent_styles(course: Course, assignment: str) -> dict[str, list[str]]:
    """Return the course's right answers in other styles, but for those made from one another.

    Raises:
        SuiteError: one can't be read.
    """
    styles = {path.stem: read_text(path) for path in style_files(course, assignment)}
    return {name: text for name, text in styles.items() if made_from("\n".join(text)) not in styles}
