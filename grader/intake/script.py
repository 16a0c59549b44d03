"""Python scripts: their encoding and the cells that an editor marked in them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from grader.errors import IntakeError
from grader.lesson.comments import comments_of_lines

# PEP 263
_DECLARATION = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK_OR_COMMENT = re.compile(rb"^[ \t\f]*(#.*)?$")
# Character sets only: codecs such as punycode or unicode_escape are slow or change what is read.
_CHARACTER_SETS = re.compile(
    r"utf-8|utf-8-sig|ascii|iso8859.*|cp\d+|koi8.*|mac.*|gb.*|big5.*|shift.*|euc.*|johab|tis-620|kz1048|ptcp154"
)

_MARK = re.compile(r"^#[ \t]*(?:%%|In ?\[)", re.M)
_PERCENT = re.compile(r"#[ \t]*%%+(?P<rest>.*)")
_PROSE = re.compile(r"\[(markdown|md|raw)\]", re.I)  # a title before it may have brackets, too
_INPUT = re.compile(r"# In ?\[[ \d]*\]:[ \t]*")


def decode_script(content: bytes) -> str:
    """Return a script's text as Python itself would read it, with Unix line ends.

    Raises:
        IntakeError: it is empty, or not text in the encoding that it declares.
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
    return text.replace("\r\n", "\n").replace("\r", "\n")


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
    comments = comments_of_lines(text) if _MARK.search(text) else []
    percent = [span for span in comments if _PERCENT.fullmatch(text, *span)]
    marks = percent or [span for span in comments if _INPUT.fullmatch(text, *span)]
    if not marks:
        yield text
        return
    preamble = text[: marks[0][0]].removesuffix("\n")
    if any(line.strip() and not line.lstrip().startswith("#") for line in preamble.split("\n")):
        yield preamble
    ends = [start for start, _ in marks[1:]] + [len(text)]
    for (start, end), next_start in zip(marks, ends, strict=True):
        mark = _PERCENT.fullmatch(text, start, end)
        if mark is None or not _PROSE.search(mark["rest"]):
            yield text[end:next_start].strip("\n")
