"""`pseudonyms.csv`: who is who in anonymous reports. For whoever may know it, and nobody else.

    pseudonym,student,name

A student keeps the pseudonym that the file has; who is new gets one by chance, so that neither the
number nor the order says anything. One file serves a class as long as it is kept.
"""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from grader.errors import GraderError
from grader.names import identity
from grader.store.output import PRIVATE, write_atomically
from grader.text import csv_text

NAME = "pseudonyms.csv"
COLUMNS = ("pseudonym", "student", "name")
MOST_BYTES = 16 << 20
SPARSE = 3
"""There are at least so many numbers for each student: else finding a free one takes long."""


def pseudonyms(path: Path, students: Iterable[str], names: Mapping[str, str]) -> dict[str, str]:
    """Return everybody's pseudonym by student; who has none yet gets one, and the file is written.

    Args:
        path: the file.
        students: who is asked for.
        names: what students are called, where it is known.

    Raises:
        GraderError: the file can't be read or written, or is none of these.
    """
    known = _read(path)
    asked = list(dict.fromkeys(students))
    fresh = [one for one in asked if csv_text(one) not in known]
    if fresh:
        taken = {identity(pseudonym) for pseudonym, _ in known.values()}
        taken |= {identity(word) for one in (*asked, *names.values()) for word in one.split()}
        digits = max(4, len(str(SPARSE * (len(known) + len(fresh)))))
        for student in fresh:
            known[csv_text(student)] = _free(taken, digits), csv_text(names.get(student, ""))
        write_atomically(path, _encode(known), mode=PRIVATE)
    return {student: known[csv_text(student)][0] for student in asked}


def _free(taken: set[str], digits: int) -> str:
    """A pseudonym that nobody has, and that nobody is called."""
    while True:
        name = f"P-{secrets.randbelow(10**digits):0{digits}}"
        if identity(name) not in taken:
            taken.add(identity(name))
            return name


def _read(path: Path) -> dict[str, tuple[str, str]]:
    """Pseudonym and name by student, as they are written; nothing where there is no file."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unusable(path, (error.strerror or type(error).__name__).lower()) from None
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _unusable(path, str(error)) from None
    if not rows or tuple(rows[0]) != COLUMNS:
        raise _unusable(path, f"its first line is not `{','.join(COLUMNS)}`")
    known: dict[str, tuple[str, str]] = {}
    given: set[str] = set()
    for number, row in enumerate(filter(None, rows[1:]), start=2):
        if len(row) != len(COLUMNS) or not all(row[:2]):
            raise _unusable(path, f"row {number} is not a pseudonym, a student and a name")
        pseudonym, student, name = row
        if student in known or identity(pseudonym) in given:
            raise _unusable(path, f"row {number} has what another row has, too")
        known[student] = pseudonym, name
        given.add(identity(pseudonym))
    return known


def _encode(known: Mapping[str, tuple[str, str]]) -> str:
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted((one, student, name) for student, (one, name) in known.items()))
    return table.getvalue()


def _unusable(path: Path, reason: str) -> GraderError:
    return GraderError(
        f"the pseudonyms of this class can't be used ({reason})",
        where=str(path),
        hint="repair the file, or name another one with `--key`: a new one gives new pseudonyms",
    )
