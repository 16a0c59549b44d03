"""Everyone in a course, and what they may be called."""

from __future__ import annotations

import re
from collections.abc import Iterable

from grader.model import Problem, ProblemKind, Value
from grader.text import one_line

_NUMBERED = re.compile(r".+_(\d+)")


class Roster(Value, frozen=True):
    """What each person goes by, the name to use first."""

    people: tuple[tuple[str, ...], ...]

    def unseen(self, students: Iterable[str]) -> tuple[str, ...]:
        """Who of the roster is not among these students."""
        seen = {name for student in students for name in known_as(student)}
        return tuple(
            names[0] for names in self.people if not any(n.casefold() in seen for n in names)
        )

    def strangers(self, students: Iterable[str]) -> tuple[Problem, ...]:
        """Report who of these students is not in the roster."""
        known = {name.casefold() for names in self.people for name in names}
        return tuple(
            Problem(
                kind=ProblemKind.NOT_IN_ROSTER,
                message="not in the roster",
                where=one_line(student),
                student=student,
            )
            for student in students
            if not known & known_as(student)
        )


def known_as(student: str) -> set[str]:
    """What a student may be called in a roster; NAME_ID of a download is known by the id too."""
    name = student.strip().casefold()
    numbered = _NUMBERED.fullmatch(name)
    return {name, numbered[1]} if numbered else {name}
