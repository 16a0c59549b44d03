"""Scores into a sheet: who was found gets a score, everybody else is listed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from grader.gradebook import Gradebook, Score, State
from grader.gradesheets.columns import Layout
from grader.gradesheets.people import People
from grader.gradesheets.sheet import Sheet
from grader.intake.roster import Person, Register
from grader.model import Value
from grader.text import points

EXCUSED = "ex"
Known = Mapping[str, Person]
"""What a roster has told of students, by what they are called."""

NOBODY: Known = {}
_COMMA = re.compile(r"\d+,\d+")


class Filled(Value, frozen=True):
    """What became of each student; `over` have more than the sheet's maximum."""

    filled: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    ungraded: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    excused: tuple[str, ...] = ()
    over: tuple[str, ...] = ()


def fill(sheet: Sheet, found: Layout, scores: Sequence[Score], known: Known = NOBODY) -> Filled:
    """Write each graded score into its student's row; change no other cell.

    Whoever is ungraded, missing, excused (`EX`) or not to be told keeps what stands there. `known`
    is what a roster has told of students.
    """
    matched = match_rows(found.people, [score.student for score in scores], known)
    lists: dict[str, list[str]] = {name: [] for name in Filled.__struct_fields__}
    comma = _decimal_comma(sheet, found)
    for score in scores:
        kind = _fate(sheet, found, score, matched)
        lists[kind].append(score.student)
        if kind == "filled":
            row = matched.rows[score.student]
            text = points(score.earned)
            sheet.set(row, found.grade, text.replace(".", ",") if comma else text)
            limit = _maximum(sheet, found, row)
            if limit is not None and score.earned > limit:
                lists["over"].append(score.student)
    return Filled(**{name: tuple(students) for name, students in lists.items()})


def known_people(gradebook: Gradebook) -> Known:
    """Return what a roster has told of the students of a gradebook."""
    return {
        student: Person(ids=ids, name=gradebook.names.get(student, ""))
        for student, ids in gradebook.ids.items()
    }


class Matched(Value, frozen=True):
    """Whose rows students have: one each, and no two the same."""

    rows: dict[str, int]
    places: dict[str, int]
    unmatched: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()


def match_rows(people: People, students: Sequence[str], known: Known = NOBODY) -> Matched:
    """Find each student's row, and place among the people; two students for one row have none.

    Whom the table does not know by what they are called is found by what a roster has told of them.
    """
    register = Register(people.roster)
    found = {student: register.find(student) for student in students}
    for student, person in known.items():
        if found.get(student) == []:
            found[student] = register.meant_by(student, person)
    claims = Counter(places[0] for places in found.values() if len(places) == 1)
    sure = {
        student: places[0]
        for student, places in found.items()
        if len(places) == 1 and claims[places[0]] == 1
    }
    return Matched(
        rows={student: people.rows[place] for student, place in sure.items()},
        places=sure,
        unmatched=tuple(student for student, places in found.items() if not places),
        ambiguous=tuple(one for one, places in found.items() if places and one not in sure),
    )


def _fate(sheet: Sheet, found: Layout, score: Score, matched: Matched) -> str:
    if score.student not in matched.rows:
        return "unmatched" if score.student in matched.unmatched else "ambiguous"
    if score.state is not State.GRADED:
        return str(score.state.value)
    cell = sheet.rows[matched.rows[score.student]][found.grade : found.grade + 1]
    return "excused" if cell and cell[0].strip().casefold() == EXCUSED else "filled"


def _maximum(sheet: Sheet, found: Layout, row: int) -> float | None:
    if found.maximum is not None:
        return found.maximum
    cells: list[str] = []
    if found.maximum_row is not None:
        cells = sheet.rows[found.maximum_row][found.grade : found.grade + 1]
    elif found.maximum_column is not None:
        cells = sheet.rows[row][found.maximum_column : found.maximum_column + 1]
    try:
        return float(cells[0].strip().replace(",", ".")) if cells else None
    except ValueError:
        return None


def _decimal_comma(sheet: Sheet, found: Layout) -> bool:
    columns = [found.grade, *([found.maximum_column] if found.maximum_column else [])]
    return any(
        _COMMA.fullmatch(cell.strip())
        for row in sheet.rows[1:]
        for column in columns
        for cell in row[column : column + 1]
    )
