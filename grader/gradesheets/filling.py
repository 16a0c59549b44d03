"""Scores into a sheet: who was found gets a score, everybody else is listed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.gradebook import Score, State
from grader.gradesheets.columns import Layout
from grader.gradesheets.sheet import Sheet
from grader.intake.roster import Register
from grader.model import Value
from grader.text import points

EXCUSED = "ex"
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


def fill(sheet: Sheet, found: Layout, scores: Sequence[Score]) -> Filled:
    """Write each graded score into its student's row; change no other cell.

    Whoever is ungraded, missing, excused (`EX`) or not to be told keeps what stands there.
    """
    register = Register(found.people.roster)
    rows = {
        score.student: [found.people.rows[place] for place in register.find(score.student)]
        for score in scores
    }
    # two students for one row: neither gets it
    claims = [row for matched in rows.values() if len(matched) == 1 for row in matched]
    lists: dict[str, list[str]] = {name: [] for name in Filled.__struct_fields__}
    comma = _decimal_comma(sheet, found)
    for score in scores:
        matched = rows[score.student]
        kind = _fate(sheet, found, score, matched, claims)
        lists[kind].append(score.student)
        if kind == "filled":
            text = points(score.earned)
            sheet.set(matched[0], found.grade, text.replace(".", ",") if comma else text)
            limit = _maximum(sheet, found, matched[0])
            if limit is not None and score.earned > limit:
                lists["over"].append(score.student)
    return Filled(**{name: tuple(students) for name, students in lists.items()})


def _fate(
    sheet: Sheet, found: Layout, score: Score, matched: Sequence[int], claims: Sequence[int]
) -> str:
    if not matched:
        return "unmatched"
    if len(matched) > 1 or claims.count(matched[0]) > 1:
        return "ambiguous"
    if score.state is not State.GRADED:
        return str(score.state.value)
    cell = sheet.rows[matched[0]][found.grade : found.grade + 1]
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
