"""What a worker says that was raised over there, from a sender who lies.

Replies are those of `grader/wire/reply.py`. Every field has one exact type and a length; a reply in
which any has not breaks the protocol. Nothing is turned into text here: a "message" of a hundred
thousand tensors would take minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grader.testing.links import NotDefined, StudentError
from grader.testing.objects import MAX_KINDS, MAX_MESSAGE, MAX_NAME
from grader.testing.refusals import not_fetched
from grader.wire.reply import ERROR, ERROR_KEYS, OK, UNDEFINED, UNSENDABLE

MAX_CELL = 1 << 20
MAX_LINE = 1 << 24


def reported(reply: dict[str, Any], asked_names: Sequence[str]) -> Exception | None:
    """The exception that a reply reports; None if the reply breaks the protocol.

    Args:
        reply: a decoded reply that is not "ok".
        asked_names: the names that were asked for; no other can be said to be undefined.
    """
    if reply.get(OK) is not False or len(reply) != 3:
        return None
    if UNDEFINED in reply:
        name = reply[UNDEFINED]
        return NotDefined(name) if type(name) is str and name in asked_names else None
    if UNSENDABLE in reply:
        return _unfetched(reply[UNSENDABLE])
    return _raised(reply.get(ERROR))


def _unfetched(reason: Any) -> Exception | None:
    return not_fetched(reason) if _is_text(reason, MAX_MESSAGE) else None


def _raised(error: Any) -> Exception | None:
    if type(error) is not dict or error.keys() != ERROR_KEYS:
        return None
    kinds, message = error["kinds"], error["message"]
    if type(kinds) is not list or not 0 < len(kinds) <= MAX_KINDS:
        return None
    if not all(_is_text(name, MAX_NAME) for name in kinds) or not _is_text(message, MAX_MESSAGE):
        return None
    cell, line = error["cell"], error["line"]
    if not (_is_number(cell, MAX_CELL) and _is_number(line, MAX_LINE)):
        return None
    return StudentError(tuple(kinds), message, cell=cell, line=line)


def _is_text(value: Any, most: int) -> bool:
    return type(value) is str and len(value) <= most


def _is_number(value: Any, most: int) -> bool:
    return value is None or (type(value) is int and 0 <= value <= most)
