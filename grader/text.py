"""Text of unknown origin made harmless for one medium each, and numbers as people write them.

What a submission printed, raised or was called may hold terminal escapes, invisible or
right-to-left controls, HTML, Markdown or spreadsheet formulas. Every report passes such text
through the function that is named for its medium; all of them build on `printable`.
"""

from __future__ import annotations

import html as _html
import json
import re
import unicodedata
from functools import lru_cache

WITHOUT_ISOLATION = (
    "submissions could read and change files, and each other's results. Do not trust these scores."
)
"""What `--sandbox off` means, as every report for instructors says."""

INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's control, format (bidi, zero-width, tags) and surrogate characters, and separators."""

_NEWLINES = re.compile(r"\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_NOT_PLAIN = re.compile(r"[^\n -~]+")
_FORMULA_SIGNS = frozenset("=+-@\u2212")
# an underscore in a word and a full stop outside `www.` stay as they are, for readers of raw text
_MARKDOWN_ACTIVE = re.compile(r"[\\`*{}\[\]#|~$^]|_(?![^\W_])|(?<![^\W_])_|:(?=//)|(?<=[wW]{3})\.")
_MARKDOWN_BLOCK_START = re.compile(r"^(\d{0,9})([-+=:.)])")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}


class _Shown(dict[int, str]):
    """What stands for a character, by its number; filled as characters come along."""

    def __missing__(self, code: int) -> str:
        self[code] = shown = _escape(code) if _is_active(chr(code)) else chr(code)
        return shown


def _is_active(character: str) -> bool:
    return character != "\n" and unicodedata.category(character) in INVISIBLE


def _escape(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_SHOWN = _Shown()


class _JsonShown(_Shown):
    """The same as an escape of JSON, which means the same character."""

    def __missing__(self, code: int) -> str:
        shown = chr(code)
        if _is_active(shown):
            shown = json.dumps(shown)[1:-1] if code > 0x7F else f"\\u{code:04x}"
        self[code] = shown
        return shown


_JSON_SHOWN = _JsonShown()


def sentence(text: str) -> str:
    """Begin a text with a capital letter."""
    return text[:1].upper() + text[1:]


@lru_cache(maxsize=4096)
def points(value: float) -> str:
    """Write points as people do: no `.0`, at most two decimals."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def printable(text: str) -> str:
    """Show every invisible or active character as its escape; keep letters, symbols and newlines.

    Any kind of line break becomes one newline, a tab four spaces.
    """
    if text.isprintable():  # most are
        return text
    return _NEWLINES.sub("\n", text).replace("\t", "    ").translate(_SHOWN)


def one_line(text: str) -> str:
    """`printable` on a single line: line breaks and runs of spaces become one space."""
    return " ".join(printable(text).split())


def shown_name(name: str, limit: int = 300) -> str:
    """A name on a line of a message: every invisible or active character is its escape.

    Args:
        name: a file's, an archive member's, a person's.
        limit: characters of it that are shown.
    """
    shown = "".join(_escape(ord(c)) if _is_active(c) or c == "\n" else c for c in name[:limit])
    return shown if len(name) <= limit else f"{shown}…"


def shortened(text: str, limit: int) -> str:
    """Keep the beginning and the end of a long text; say how much was left out between."""
    if len(text) <= limit:
        return text
    head, tail = limit // 2, limit - limit // 2
    return f"{text[:head]}\n… {len(text) - limit} characters left out …\n{text[-tail:]}"


def json_document(document: bytes) -> bytes:
    """A JSON document, equal in meaning, whose texts hold no invisible or active character."""
    if document.isascii() and b"\x7f" not in document:  # most are, and JSON escapes the others
        return document
    # to look every character of a long text up takes twenty times as long
    return _NOT_PLAIN.sub(lambda odd: odd[0].translate(_JSON_SHOWN), document.decode()).encode()


def csv_text(text: str) -> str:
    """One line that no spreadsheet takes for a formula: a leading `'` marks it as text.

    Full-width, small and superscript forms of the signs are signs as well: some programs fold them.
    """
    line = one_line(text)
    first = unicodedata.normalize("NFKC", line.lstrip("'")[:1])[:1]
    return f"'{line}" if first and first in _FORMULA_SIGNS else line


def xml(text: str) -> str:
    """Text without the two characters that are no text in XML; its writer escapes the rest."""
    return printable(text).replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


def html(text: str) -> str:
    """Text for an HTML element or a quoted attribute."""
    return _html.escape(printable(text), quote=True)


@lru_cache(maxsize=4096)  # the same titles and hints stand in every student's feedback
def markdown(text: str) -> str:
    """One line of Markdown that shows the text as it is; `code` between backticks stays code.

    HTML goes by entities, for not every renderer knows a backslash before `<`.
    """
    pieces = one_line(text).split("`")
    if len(pieces) % 2 == 0:  # a backtick without a partner is a backtick
        pieces[-2:] = ["`".join(pieces[-2:])]
    return "".join(
        _markdown_code(piece) if place % 2 else _markdown_prose(piece, first=place == 0)
        for place, piece in enumerate(pieces)
    )


def code_span(text: str) -> str:
    """Inline Markdown code: the fence is longer than any run of backticks inside."""
    line = one_line(text)
    if not line:
        return ""
    fence = "`" * (_longest_run(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def code_block(text: str) -> str:
    """Fence text as a Markdown block: the fence is longer than any run of backticks inside."""
    body = printable(text).strip("\n")
    fence = "`" * max(3, _longest_run(body) + 1)
    return f"{fence}text\n{body}\n{fence}"


def _markdown_code(piece: str) -> str:
    return code_span(piece) if piece.strip() else f"\\`{piece}\\`"


def _markdown_prose(text: str, *, first: bool) -> str:
    text = _MARKDOWN_ACTIVE.sub(r"\\\g<0>", text)
    if first:
        text = _MARKDOWN_BLOCK_START.sub(r"\1\\\2", text)
    return re.sub(r"[<>&]", lambda match: _ENTITIES[match.group()], text)


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
