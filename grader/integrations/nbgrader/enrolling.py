"""Students into the gradebook, also when somebody else is just doing the same.

nbgrader looks for a student, and adds whom it does not find. Two that look at the same moment both
add, and for one of them that student's submission fails.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from nbgrader.api import InvalidEntry, MissingEntry
from sqlalchemy.exc import OperationalError, StatementError

from grader.integrations.nbgrader.people import Names

TRIES = 5
"""How often to try while the database is locked; SQLite waits five seconds each time."""


def enrol(gradebook: Any, students: Iterable[str], names: Names | None = None) -> dict[str, str]:
    """See that the gradebook knows these students, and what they are called.

    Args:
        gradebook: nbgrader's, opened.
        students: their ids.
        names: who may know what they are called. Names that the gradebook has already stay.

    Returns:
        Whom the database does not take, and why.

    Raises:
        OperationalError: the database can't be used.
    """
    refused = {}
    with _own_words():
        for student in students:
            if not _is_known(gradebook, student) and (reason := _add(gradebook, student)):
                refused[student] = reason
            elif names is not None:
                _name(gradebook, student, names)
        gradebook.db.commit()
    return refused


def _name(gradebook: Any, student: str, names: Names) -> None:
    entry = gradebook.find_student(student)
    if entry.first_name is None and entry.last_name is None and (person := names.find(student)):
        entry.first_name, entry.last_name = person.first, person.last
        entry.email = entry.email or person.email or None


def _add(gradebook: Any, student: str) -> str:
    """Add a student; return why that can't be done, or nothing."""
    for tries_left in reversed(range(TRIES)):
        try:
            gradebook.add_student(student)
            break
        except InvalidEntry as error:
            if _is_known(gradebook, student):  # somebody else was faster
                break
            cause = error.__context__
            if not isinstance(cause, OperationalError):
                return str(getattr(cause, "orig", error)).strip().split("\n")[0]
            if not tries_left:
                raise cause from None
    return ""


def _is_known(gradebook: Any, student: str) -> bool:
    try:
        gradebook.find_student(student)
    except MissingEntry:
        return False
    return True


@contextmanager
def _own_words() -> Iterator[None]:
    """Keep nbgrader's tracebacks out of the log: what happens does no harm, or we say it."""

    def is_needed(record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], StatementError))

    log = logging.getLogger("tornado.application")  # nbgrader's gradebook writes to it
    log.addFilter(is_needed)
    try:
        yield
    finally:
        log.removeFilter(is_needed)
