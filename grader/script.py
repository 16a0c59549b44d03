"""Python scripts: their encoding and the cells that an editor marked in them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from grader.errors import IntakeError

# PEP 263
_DECLARATION = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK_OR_COMMENT = re.compile(rb"^[ \t\f]*(#.*)?$")
# Character sets only: codecs such as punycode or unicode_escape are slow or change what is read.
_CHARACTER_SETS = re.compile(
    r"utf-8|utf-8-sig|ascii|iso8859.*|cp\d+|koi8.*|mac.*|gb.*|big5.*|shift.*|euc.*|johab|tis-620|kz1048|ptcp154"
)

_MARIMO = re.compile(r"^app = marimo\.App\(", re.M)
_PERCENT = re.compile(r"#[ \t]*%%+(?P<rest>.*)")
_PROSE = re.compile(r"[^\[\]]*\[(markdown|md|raw)\]", re.I)
_INPUT = re.compile(r"# In ?\[[ \d]*\]:[ \t]*")
_TOKEN = re.compile(r"""#|\"\"\"|'''|"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?""")


def decode_script(content: bytes) -> str:
    """Return a script's text as Python itself would read it, with Unix line ends.

    Raises:
        IntakeError: it is empty, not text in the encoding that it declares, or for marimo.
    """
    if not content.strip():
        raise IntakeError("the file is empty", hint="save it and hand it in again")
    encoding = _encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise IntakeError(
            f"it is not {encoding} text (line {line})", hint="save it as UTF-8"
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _MARIMO.search(text):
        raise IntakeError(
            "it is a marimo notebook: its definitions lie inside of functions",
            hint="hand in what `marimo export ipynb` makes of it",
        )
    return text


def _encoding(content: bytes) -> str:
    if content.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for line in content[:4096].splitlines()[:2]:
        declared = _DECLARATION.match(line)
        if declared:
            name = declared[1].decode("ascii", errors="replace")
            try:
                encoding = codecs.lookup(name).name
            except LookupError:
                encoding = ""
            if not _CHARACTER_SETS.fullmatch(encoding):
                raise IntakeError(
                    f"it declares the unknown encoding {name!r}", hint="save it as UTF-8"
                )
            return encoding
        if not _BLANK_OR_COMMENT.match(line):
            break
    return "utf-8"


def split_script(text: str) -> Iterator[str]:
    """Yield the code cells of a script: all of it when nothing marks any.

    Markers inside a string mark nothing. What stands before the first marker is a cell of its
    own, unless it is only comments.
    """
    lines = text.split("\n")
    free = _outside_strings(lines)
    percent = [i for i in free if _PERCENT.fullmatch(lines[i])]
    marks = percent or [i for i in free if _INPUT.fullmatch(lines[i])]
    if not marks:
        yield text
        return
    preamble = lines[: marks[0]]
    if any(line.strip() and not line.lstrip().startswith("#") for line in preamble):
        yield "\n".join(preamble)
    for start, end in zip(marks, [*marks[1:], len(lines)], strict=True):
        percent_mark = _PERCENT.fullmatch(lines[start])
        if percent_mark is None or not _PROSE.match(percent_mark["rest"]):
            yield "\n".join(lines[start + 1 : end]).strip("\n")


def _outside_strings(lines: list[str]) -> list[int]:
    """Return the indices of the lines that do not begin inside a triple-quoted string."""
    free = []
    quote = ""
    for index, line in enumerate(lines):
        if not quote:
            free.append(index)
        quote = _quote_after(line, quote)
    return free


def _quote_after(line: str, quote: str) -> str:
    """Return the triple quote that is open after this line, given the one open before it."""
    position = 0
    while True:
        if quote:
            end = re.compile(r"(?:\\.|(?!" + quote + r").)*").match(line, position)
            position = end.end() if end else len(line)
            if not line.startswith(quote, position):
                return quote
            position += len(quote)
            quote = ""
        token = _TOKEN.search(line, position)
        if token is None or token[0] == "#":
            return ""
        position = token.end()
        if token[0] in ('"""', "'''"):
            quote = token[0]
