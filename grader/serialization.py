"""Values as JSON and back; a moment is written with its zone's name, as RFC 9557 has it."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from grader.model import Moment
from grader.times import format_iso, parse_time

T = TypeVar("T")


def to_json(value: Any) -> bytes:
    """Return a value as one line of JSON.

    Raises:
        UnicodeEncodeError: a text in it holds a lone surrogate.
    """
    return msgspec.json.encode(value, enc_hook=_written)


def from_json(content: bytes, type_: type[T]) -> T:
    """Read a value back.

    Raises:
        msgspec.MsgspecError, UnicodeDecodeError: it is no JSON, or no such value.
    """
    return msgspec.json.decode(content, type=type_, dec_hook=_read)


def to_builtins(value: Any) -> Any:
    """Return a value as the dicts, lists, texts and numbers that its JSON has."""
    return msgspec.to_builtins(value, enc_hook=_written)


def json_schema(type_: type) -> dict[str, Any]:
    """Return the JSON Schema of a type of values."""
    return msgspec.json.schema(type_, schema_hook=_described)


def _written(value: Any) -> str:
    if isinstance(value, Moment):
        return format_iso(value)
    raise NotImplementedError(f"no JSON for {type(value).__name__}")


def _read(type_: type, text: Any) -> Any:
    if type_ is Moment and isinstance(text, str):
        return parse_time(text)
    raise NotImplementedError(f"no {type_.__name__} in JSON")


def _described(type_: type) -> dict[str, Any]:
    if type_ is Moment:
        return {"type": "string"}
    raise NotImplementedError(f"no schema for {type_.__name__}")
