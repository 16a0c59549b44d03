"""Comments and strings of Python text, found in linear time and in text that may be broken."""

from __future__ import annotations

import re
from collections.abc import Iterator

# In the whole of a text, comments and what opens a string; a short string ends with its line.
_TOKEN = re.compile(
    r"""#[^\n]*|\"\"\"|'''|"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"?|'[^'\\\n]*(?:\\[^\n][^'\\\n]*)*'?"""
)
_INSIDE = {quote: re.compile(r"\\.?|" + quote, re.S) for quote in ('"""', "'''")}


def comments_of_lines(text: str) -> list[tuple[int, int]]:
    """Return where the comments are that are lines of their own, outside of all strings."""
    return [
        (begin, end)
        for begin, end in _spans(text)
        if text[begin] == "#" and (begin == 0 or text[begin - 1] == "\n")
    ]


def spans_of_strings(text: str) -> list[tuple[int, int]]:
    """Return where the strings in triple quotes are, in which line breaks mean nothing."""
    return [(begin, end) for begin, end in _spans(text) if text[begin : begin + 3] in _INSIDE]


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Where comments and strings begin and end."""
    place = 0
    while token := _TOKEN.search(text, place):
        place = token.end()
        if token[0] in _INSIDE:
            place = _after_string(text, place, _INSIDE[token[0]])
        yield token.start(), place


def _after_string(text: str, place: int, inside: re.Pattern[str]) -> int:
    """Return where a string ends, given where its text begins; the end if it is never closed."""
    for match in inside.finditer(text, place):
        if not match[0].startswith("\\"):
            return match.end()
    return len(text)
