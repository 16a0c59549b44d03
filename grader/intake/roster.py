"""Everyone in a course, and what they may be called: the one rule by which somebody is recognised.

A student of the gradebook is called as the folder or file was. That may be an id, a login or an
e-mail address; or, out of a platform's download, NAME_ID. There the name must not speak against the
id: the number may be a group's, or of another list. Nobody is found by a name alone, but for tables
of a platform whose downloads hold no id that its sheets know: there a whole name that is the only
one of its kind counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from grader.model import Problem, ProblemKind, Value
from grader.names import identity
from grader.text import one_line

MAX_ID_CHARS = 400
"""Of an id that is compared: far more than any has; long runs of accents take long to fold."""

_NUMBERED = re.compile(r"(.+)_(\d+)")
_NAMED = re.compile(r"([^_]+)_(\S+)")


class Person(Value, frozen=True):
    """Somebody in a table.

    `ids` are what they go by, one for each column that holds such, the platform's own first; empty
    where the cell is. `name` is how they are spoken of, `first` and `last` where the table says.
    """

    ids: tuple[str, ...]
    name: str = ""
    first: str = ""
    last: str = ""
    email: str = ""

    @property
    def known_ids(self) -> tuple[str, ...]:
        """Everything that they go by."""
        return tuple(one for one in self.ids if one)


class Roster(Value, frozen=True):
    """Everyone in a table.

    `ids_in_downloads`: the platform's downloads name people by its ids. `nameless` is what it calls
    everybody where names are hidden.
    """

    people: tuple[Person, ...]
    ids_in_downloads: bool = True
    nameless: str = ""

    def unseen(self, students: Iterable[str]) -> tuple[str, ...]:
        """Who is not among these students, each by the kind of id that most of these have."""
        register, students = Register(self), tuple(students)
        found = [register.find(student) for student in students]
        seen = {place for places in found for place in places}
        rank = register.usual_rank(students)
        return tuple(
            person.ids[rank] if rank < len(person.ids) and person.ids[rank] else ids[0]
            for place, person in enumerate(self.people)
            if place not in seen and (ids := person.known_ids)
        )

    def strangers(self, students: Iterable[str]) -> tuple[Problem, ...]:
        """Report who of these students is not in the roster."""
        register = Register(self)
        return tuple(
            Problem(
                kind=ProblemKind.NOT_IN_ROSTER,
                message="not in the roster",
                where=one_line(student),
                student=student,
            )
            for student in students
            if not register.find(student)
        )

    def names(self, students: Iterable[str]) -> dict[str, str]:
        """What these students are called, where the roster tells and only one person is meant."""
        register = Register(self)
        found = {student: register.find(student) for student in students}
        return {
            student: name
            for student, places in found.items()
            if len(places) == 1 and (name := one_line(self.people[places[0]].name))
        }

    def ids(self, students: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """What else these students go by, where the roster tells: ids that are nobody else's."""
        aliases = Aliases(self)
        found = {student: aliases.of(student) for student in students}
        return {student: tuple(map(one_line, ids)) for student, ids in found.items() if ids}

    def are_one(self, *students: str) -> bool:
        """Whether these are names of one person in the roster."""
        register = Register(self)
        found = [register.find(student) for student in students]
        return len(found[0]) == 1 and all(places == found[0] for places in found)


class Register:
    """A roster that is looked into often: who is meant by a student's name in the gradebook."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        ranks = max((len(person.ids) for person in roster.people), default=0)
        self._by_id: list[dict[str, list[int]]] = [{} for _ in range(ranks)]
        self._by_name: dict[tuple[str, ...], list[int]] = {}
        for place, person in enumerate(roster.people):
            for rank, one in enumerate(person.ids):
                if one:
                    self._by_id[rank].setdefault(folded_id(one), []).append(place)
            if words := name_words(person.name):
                self._by_name.setdefault(words, []).append(place)

    def find(self, student: str) -> list[int]:
        """Return the places of everyone in the roster who may be meant: one, if all is well.

        The whole name comes before the id in it, and the platform's own ids before others.
        """
        exact = self._with_id(folded_id(student))
        if exact:
            return exact
        for name, number in _taken_apart(student):
            found = self._with_id(folded_id(number))
            of_platform = number.isdecimal() and self._roster.ids_in_downloads
            if found and all(self._is_called(place, name, of_platform) for place in found):
                return found
            if not self._roster.ids_in_downloads:
                return self._by_name.get(name_words(name), [])
        return []

    def meant_by(self, student: str, known: Person) -> list[int]:
        """Return the places of everyone who may be a student whom another table knows.

        Some id is the same, and no name speaks against it: neither the other table's nor that in
        NAME_ID. Numbers of two lists may be alike.

        Args:
            student: what they are called.
            known: what the other table says of them.
        """
        ids = {folded_id(one) for one in known.known_ids}
        names = [known.name]
        if folded_id(student) not in ids:
            names += [name for name, number in _taken_apart(student) if folded_id(number) in ids]
        places = {place for one in ids for place in self._with_id(one)}
        told = [name_words(name) for name in names]
        return sorted(place for place in places if all(self._may_be(place, one) for one in told))

    def usual_rank(self, students: Iterable[str]) -> int:
        """Which kind of id most of these students go by, as its place among a person's."""
        counts = [0] * max(1, len(self._by_id))
        for student in students:
            wanted = known_as(student)
            rank = next((n for n, ids in enumerate(self._by_id) if wanted & ids.keys()), None)
            if rank is not None:
                counts[rank] += 1
        return counts.index(max(counts))

    def _with_id(self, wanted: str) -> list[int]:
        return next((ids[wanted] for ids in self._by_id if wanted in ids), [])

    def _is_called(self, place: int, name: str, of_platform: bool) -> bool:
        """Whether a person may be called so; a platform's own number needs less to be believed."""
        known, told = name_words(self._roster.people[place].name), name_words(name)
        if known == told:
            return True
        return of_platform and (not known or self._is_nameless(told) or share_a_word(known, told))

    def _may_be(self, place: int, told: tuple[str, ...]) -> bool:
        """Whether these words of a name, if any, are no other name than a person has here."""
        known = name_words(self._roster.people[place].name)
        return not known or not told or self._is_nameless(told) or share_a_word(known, told)

    def _is_nameless(self, told: tuple[str, ...]) -> bool:
        return told == name_words(self._roster.nameless)


class Aliases:
    """What else students may be called, where a roster connects what people go by.

    Args:
        roster: None for none.
    """

    def __init__(self, roster: Roster | None) -> None:
        self._people = roster.people if roster else ()
        self._register = Register(roster) if roster else None

    def of(self, student: str) -> tuple[str, ...]:
        """Return the ids of the only person who is meant, but for those that mean others first."""
        places = self._register.find(student) if self._register else []
        if self._register is None or len(places) != 1:
            return ()
        ids = dict.fromkeys(self._people[places[0]].known_ids)
        return tuple(one for one in ids if self._register.find(one) == places)

    def known_as(self, student: str) -> set[str]:
        """What a student may be called in a table, folded."""
        return known_as(student) | {folded_id(one) for one in self.of(student)}


def known_as(student: str) -> set[str]:
    """What a student may be called in a table; NAME_ID of a download is known by the id too."""
    name = folded_id(student)
    return {name} | {
        folded_id(number)
        for before, number in _taken_apart(student)
        if number.isdecimal() or " " in before.strip()  # a login may hold `_`, but no space
    }


def folded_id(text: str) -> str:
    """What an id is compared as, whatever its case, its spaces and how accents are kept."""
    return " ".join(identity(text.strip()[:MAX_ID_CHARS]).split())


def name_words(name: str) -> tuple[str, ...]:
    """The words of a person's name in one order, whichever the table has them in."""
    return tuple(sorted(re.findall(r"[^\W_]+", identity(name))))


def share_a_word(known: tuple[str, ...], told: tuple[str, ...]) -> bool:
    """Whether one word of a name is in a name that a platform may have run together: `doeann`.

    What is written in another script, or without its accents, can't speak against anybody.
    """
    together = "".join(told)
    if together.isascii() != "".join(known).isascii():
        return True
    return any(word in told or (len(word) > 1 and word in together) for word in known)


def _taken_apart(student: str) -> Iterator[tuple[str, str]]:
    """The name and the id that a platform's download may have put together."""
    for form in (_NUMBERED, _NAMED):
        match = form.fullmatch(student.strip())
        if match:
            yield match[1], match[2]
            return
