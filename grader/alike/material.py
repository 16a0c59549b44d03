"""What of a course explains likeness: what everybody was given, and the course's own answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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


def read_material(course: Course, assignment: str, readers: Readers) -> Material:
    """Read what a course has about an assignment.

    Raises:
        SuiteError: a file of the course can't be read.
    """
    template = [
        source
        for meant, path in handed_out(course)
        if meant == assignment
        for source in read_text(path)
    ]
    public = [read_text(path) for top in course.public for path in python_files(top)]
    reference = python_files(course.reference) if course.reference else []
    answers = tuple(readers.stubs(template)) if template else ()
    given = _all(readers, [template, *public], None)
    styles = {path.stem: read_text(path) for path in style_files(course, assignment)}
    of_its_own = {
        name: sources for name, sources in styles.items() if made_from("\n".join(sources)) not in styles
    }
    found = readers.prints([(sources, answers) for sources in of_its_own.values()])
    return Material(
        assignment=assignment,
        title=course.assignment(assignment).title,
        answers=answers,
        given=given,
        reference=_all(readers, [read_text(path) for path in reference], None) - given,
        styles={name: frozenset(one.lines) for name, one in zip(of_its_own, found, strict=True)},
    )


def _all(readers: Readers, texts: Iterable[Sequence[str]], asked: None) -> frozenset[int]:
    found = readers.prints([(sources, asked) for sources in texts])
    return frozenset(value for one in found for value in one.lines)
