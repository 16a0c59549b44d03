"""Python as it is read: lines of code in colours. All of its text is made harmless here."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from markupsafe import Markup, escape
from pygments.lexers.python import PythonLexer
from pygments.token import Token, _TokenType

from grader.text import printable

MOST_CHARACTERS = 300
"""Of a line that are shown."""

COLOURED = 20_000
"""Characters of a text up to which it has colours: a stranger may write what takes a second."""

_CLASSES = {
    Token.Keyword: "k", Token.Operator.Word: "k", Token.Name.Builtin: "b", Token.Name.Function: "f",
    Token.Name.Class: "f", Token.Name.Decorator: "d", Token.Literal.String: "s",
    Token.Literal.Number: "n", Token.Comment: "c",
}  # fmt: skip


@lru_cache(maxsize=2048)  # most cells are handed out, and the same in every submission
def highlighted(source: str, *, colours: bool = True) -> tuple[Markup, ...]:
    r"""The lines of a text, in colours, by `\n` alone, as Python counts them; long ones are cut."""
    lines = [_cut(line) for line in source.split("\n")]
    text = "\n".join(lines)
    if not colours or len(text) > COLOURED:
        return tuple(_harmless(line) for line in lines)
    found: list[list[Markup]] = [[]]
    for kind, value in _tokens(text):
        for place, piece in enumerate(value.split("\n")):
            if place:
                found.append([])
            if piece:
                found[-1].append(_coloured(kind, piece))
    return tuple(Markup("").join(pieces) for pieces in found)


def _tokens(text: str) -> Iterator[tuple[_TokenType, str]]:
    # no line is stripped or added, so that numbers stay; a lone `\r` would become a newline
    lexer = PythonLexer(stripnl=False, ensurenl=False)
    for _, kind, value in lexer.get_tokens_unprocessed(text):
        yield kind, value


def _coloured(kind: _TokenType, text: str) -> Markup:
    name = next((_CLASSES[one] for one in reversed(kind.split()) if one in _CLASSES), "")
    shown = _harmless(text)
    return Markup('<span class="t{}">{}</span>').format(name, shown) if name else shown


def _harmless(text: str) -> Markup:
    return escape(printable(text).replace("\n", " "))


def _cut(line: str) -> str:
    return line if len(line) <= MOST_CHARACTERS else line[: MOST_CHARACTERS - 1] + "…"
