"""nbgrader's gradebook, opened so that what is wrong with it is said in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nbgrader.api import Gradebook
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from grader.errors import GraderError


@contextmanager
def open_gradebook(coursedir: Any, assignment: str) -> Iterator[Any]:
    """Lend the gradebook.

    Raises:
        GraderError: it can't be read or written: it is locked, say, or no database.
    """
    try:
        with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
            yield gradebook
    except DBAPIError as error:
        raise GraderError(
            f"the gradebook can't be used ({str(error.orig).strip()})",
            where=f"{assignment}, {place(coursedir.db_url)}",
            hint="end what else is using it, see that you may write to it, autograde again",
        ) from None


def place(db_url: str) -> str:
    """Where a gradebook is, without a password."""
    return str(make_url(db_url).render_as_string(hide_password=True))


def require_writable(gradebook: Any) -> None:
    """Write something and take it back: a lock or a missing permission shows now, not midway."""
    if gradebook.engine.dialect.name == "sqlite":
        with gradebook.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.exec_driver_sql("CREATE TABLE trial (number INTEGER)")
            connection.rollback()
