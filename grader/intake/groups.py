"""What a group has handed in belongs to its members, where something tells who they are.

Canvas and Moodle hand out a group's work under the group's name. The roster or the grade sheet may
say who is in it; then each member has the work. Anybody may call themselves as a group is called:
what the platform says besides, whose number it is, decides.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import msgspec

from grader.intake.listing import Fault
from grader.intake.owners import Holding
from grader.intake.roster import name_words, share_a_word
from grader.model import ProblemKind, Value
from grader.names import identity

_WORDS = (
    r"groups?|groupes?|gruppen?|gruppo|gruppi|grupos?|grupo|groep|grupper?|grupa|ryhmä|skupina"
    r"|csoport|группа|команда|група|ομάδα|مجموعة|קבוצה|teams?|équipes?|equipes?|equipos?|squad"
    r"|projects?|projekt|小?组|組|グループ|班|그룹|조"
)
_NUMBERED = re.compile(rf"(?:{_WORDS})\d{{1,4}}|(?:第?\d{{1,4}})(?:{_WORDS})")
_LETTERED = re.compile(rf"(?:{_WORDS})[\W_]+[a-z]")


class Enrolled(Value, frozen=True):
    """Somebody of a table: the number that the platform has for them, their name, their groups."""

    number: str
    name: str
    groups: tuple[str, ...] = ()


class Enrolment(Value, frozen=True):
    """What a roster or grade sheet says of who is who.

    `spoken` is how people are called at all, `ids` are the ids, logins and addresses they go by.
    `of_canvas`: the numbers and names are those by which Canvas's downloads call people.
    """

    people: tuple[Enrolled, ...] = ()
    spoken: tuple[str, ...] = ()
    ids: frozenset[str] = frozenset()
    of_canvas: bool = False


NOBODY = Enrolment()


def folded(name: str) -> str:
    """Return what platforms leave of a name: neither case nor spaces nor punctuation."""
    return re.sub(r"[\W_]+", "", identity(name))


def looks_like_group(name: str) -> bool:
    """Whether a name is such as groups have: `Group 3`, `Équipe B`, `Project 1`."""
    numbered = _NUMBERED.fullmatch(folded(name))
    return (numbered or _LETTERED.fullmatch(identity(name).strip())) is not None


def resolve_groups(holdings: Sequence[Holding], enrolment: Enrolment) -> list[Holding]:
    """Give the work of each group to its members; keep from grading what is a group's otherwise."""
    members: dict[str, list[Enrolled]] = defaultdict(list)
    for person in enrolment.people:
        for group in person.groups:
            members[folded(group)].append(person)
    known = {(folded(person.name), person.number) for person in enrolment.people}
    called = {person.number: person.name for person in enrolment.people if enrolment.of_canvas}
    alone = {_split(one.student)[1] for one in holdings if _is_person(one, known)}
    found: list[Holding] = []
    for holding in holdings:
        name, number = _split(holding.student)
        key = folded(name)
        if holding.platform not in ("canvas", "moodle") or (key, number) in known:
            found.append(holding)
            continue
        team = members.get(key, [])
        if team and _speaks_for(holding, number, team, alone):
            found += [_of_member(holding, person) for person in team]
        elif team:
            found.append(
                _unresolved(holding, "it is called as a group is, and may be somebody's own")
            )
        elif looks_like_group(name):
            why = "it seems to be a group's, and nothing says who is in it"
            found.append(_unresolved(holding, why))
        elif holding.platform == "canvas" and _is_anothers(name, called.get(number, "")):
            why = "its number is of somebody who is called otherwise, so it may be a group's"
            found.append(_unresolved(holding, why))
        else:
            found.append(holding)
    return found


def _split(student: str) -> tuple[str, str]:
    name, _, number = student.rpartition("_")
    return name, number


def _is_person(holding: Holding, known: set[tuple[str, str]]) -> bool:
    name, number = _split(holding.student)
    return (folded(name), number) in known


def _speaks_for(holding: Holding, number: str, group: Sequence[Enrolled], alone: set[str]) -> bool:
    """Whether it is the group's: in Canvas under a member's number, and no member has their own."""
    numbers = {person.number for person in group}
    return not numbers & alone and (holding.platform == "moodle" or number in numbers)


def _is_anothers(name: str, owner: str) -> bool:
    """Whether a name has no word of the number's owner: Canvas gives a group a member's number."""
    known = name_words(owner)
    return bool(known) and not share_a_word(known, name_words(name))


def _of_member(holding: Holding, person: Enrolled) -> Holding:
    """Return the group's work under the name that the platform would give to this member."""
    name = folded(person.name) if holding.platform == "canvas" else person.name.replace("_", " ")
    return msgspec.structs.replace(holding, student=f"{name}_{person.number}")


def _unresolved(holding: Holding, why: str) -> Holding:
    fault = Fault(
        parts=(),
        entry=holding.entry,
        message=f"{why}: it is not graded",
        hint="name a roster or grade sheet with a column of groups with --roster",
        kind=ProblemKind.GROUP,
    )
    return msgspec.structs.replace(holding, files=(), faults=(fault,), others=())
