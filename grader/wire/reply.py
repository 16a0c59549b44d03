"""What a worker answers: the value of the last operation, or what was raised.

    {"id", "ok": true, "value"}                                        the value
    {"id", "ok": false, "error": {"kinds", "message", "cell", "line"}}     the code raised
    {"id", "ok": false, "undefined": NAME}                              there is no such name
    {"id", "ok": false, "unsendable": TEXT}                             the value can't cross

The near side believes none of it: `grader/judging/reported.py` looks at every type and length.
"""

from __future__ import annotations

from typing import Any

ID, OK, VALUE = "id", "ok", "value"
ERROR, UNDEFINED, UNSENDABLE = "error", "undefined", "unsendable"
ERROR_KEYS = frozenset({"kinds", "message", "cell", "line"})
"""What crosses of an exception. The judge has its own copy of the source."""


def value_reply(number: int, value: Any) -> dict[str, Any]:
    """The answer to a question by its number: a value."""
    return {ID: number, OK: True, VALUE: value}


def error_reply(number: int, raised: dict[str, Any]) -> dict[str, Any]:
    """The answer to a question by its number: what was raised, under one of the keys above."""
    return {ID: number, OK: False, **raised}
