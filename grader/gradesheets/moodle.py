"""Moodle's grading worksheet, told by its shape: its headings are in the language of whoever asked.

The order of its columns is the same in every language:

    Identifier, Full name, (what identifies: ID number, e-mail…), Status, (Team), Grade,
    Maximum grade, (Workflow state), Grade can be changed, Last modified, …

The first cell of a person is a word and a number, "Participant 101". The grade is the column before
the one in which everybody has the same number. Graded blindly, names and what identifies are left
out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.gradesheets.sheet import Sheet
from grader.model import Value

_NUMBERED = re.compile(r"(\D*?)(\d+)")
_NUMBER = re.compile(r"\d+(?:[.,\u066b]\d+)?")
_WITH_DECIMALS = re.compile(r"\d+[.,\u066b]\d+")
LEAST_COLUMNS = 4
COLUMNS_WITHOUT_MAXIMUM = 6
"""Where grades are on a scale, no column has everybody's maximum."""
SHORTEST_WORD = 6
"""For "participant" in letters of ASCII: an id of one's own, as `ex3`, is no participant."""


class Shape(Value, frozen=True):
    """Where things are in a worksheet. `number_after` is its word for a participant."""

    number_after: str
    ids: tuple[int, ...]
    name: int | None
    grade: int | None


def read_shape(sheet: Sheet) -> Shape | None:
    """Return where things are; None if this is no worksheet of Moodle."""
    word = common_prefix(sheet)
    if word is None or (word.isascii() and len(word) < SHORTEST_WORD):
        return None
    people = [row for row in sheet.rows[1:] if number(row[0], word)]
    grade = find_grade(sheet)
    least = LEAST_COLUMNS if grade is not None else COLUMNS_WITHOUT_MAXIMUM
    if len(sheet.rows[0]) < least and not word.endswith(" "):  # no id of one's own has a space
        return None
    last = LEAST_COLUMNS if grade is None else grade
    ids = [n for n in range(2, last) if _identifies([_at(row, n) for row in people])]
    alike = len(people) > 1 and len({_at(row, 1) for row in people}) == 1
    # blind: the status comes second, and nothing identifies
    name = None if grade == 2 or (alike and not ids) else 1
    return Shape(number_after=word, ids=(0, *ids), name=name, grade=grade)


def common_prefix(sheet: Sheet) -> str | None:
    """Return the word before everybody's number in the first column, if there is such."""
    cells = [row[0].strip() for row in sheet.rows[1:] if any(cell.strip() for cell in row)]
    if not cells or not all(_NUMBERED.fullmatch(cell) for cell in cells):
        return None
    words = {match[1] for cell in cells if (match := _NUMBERED.fullmatch(cell))}
    return words.pop() if len(words) == 1 else None


def number(cell: str, word: str) -> str:
    """Return a participant's number; nothing if the cell holds none."""
    rest = cell.strip().removeprefix(word)
    return rest if rest.isdecimal() else ""


def find_grade(sheet: Sheet) -> int | None:
    """Return the column of grades, before that of the maximum; None if it can't be told."""
    rows = [row for row in sheet.rows[1:] if any(cell.strip() for cell in row)]
    width = len(sheet.rows[0]) if sheet.rows else 0
    found = [
        place
        for place in range(1, width - 1)
        if _is_maximum([_at(row, place + 1) for row in rows])
        and _are_grades([_at(row, place) for row in rows], _at(rows[0], place + 1))
    ]
    # where everybody has the same grade already, the column before looks like one, too
    exact = [place for place in found if _WITH_DECIMALS.fullmatch(_at(rows[0], place + 1))]
    chosen = exact or found
    return chosen[-1] if chosen else None


def _at(row: Sequence[str], place: int) -> str:
    return row[place].strip() if len(row) > place else ""


def _is_maximum(cells: Sequence[str]) -> bool:
    return bool(cells) and len(set(cells)) == 1 and _NUMBER.fullmatch(cells[0]) is not None


def _are_grades(cells: Sequence[str], maximum: str) -> bool:
    """Whether these are grades up to a maximum, or blank."""
    filled = [cell for cell in cells if cell not in ("", "-")]
    return all(_NUMBER.fullmatch(cell) and value(cell) <= value(maximum) for cell in filled)


def value(cell: str) -> float:
    """Read a number with a decimal point, comma or Arabic separator."""
    return float(cell.replace(",", ".").replace("\u066b", "."))


def _identifies(cells: Sequence[str]) -> bool:
    """Whether no two people have the same here, and nothing is a sentence."""
    filled = [cell for cell in cells if cell]
    return (
        bool(filled)
        and len(set(filled)) == len(filled)
        and not any(re.search(r"\s", cell) for cell in filled)
    )
