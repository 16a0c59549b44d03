"""Values as JSON and back; a moment is written with its zone's name, as RFC 9557 has it."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from grader.model import Moment
from grader.times import format_iso, parse_time

T = TypeVar("T")


def to_json(value: Any) -> bytes:
    """Return a value as one line of JSON, with `?` for what UTF-8 can't hold."""
    try:
        return msgspec.json.encode(value, enc_hook=_written)
    except UnicodeEncodeError:  # a lone surrogate, in what a submission or a check said
        return msgspec.json.encode(_without_surrogates(to_builtins(value)))


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


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(item) for item in value]
    return value


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
