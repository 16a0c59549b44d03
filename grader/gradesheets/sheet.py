"""A CSV file in which a cell can be changed while every other byte stays what it was.

Python's `csv` module forgets which cells were quoted, and how lines ended: a platform that compares
what it gave out with what it gets back may care.

Read are UTF-8, UTF-16 (Blackboard, Excel's "Unicode text") and Windows-1252 (Excel's "CSV"), with a
byte order mark or without, and the line `sep=;` by which Excel is told the separator.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from grader.errors import UsageError

BOM = "\ufeff"
MAX_BYTES = 64 << 20
DELIMITERS = ",;\t"
_SEPARATOR_LINE = re.compile(r"sep=(.)(\r\n|\r|\n)", re.I)


class Sheet:
    """The rows of a CSV file.

    Args:
        content: the file. What is no text in its encoding is kept as it is.
        where: what to call the file in an error.

    Raises:
        UsageError: it is not a CSV file.
    """

    def __init__(self, content: bytes, where: str) -> None:
        self._encoding, self._errors = _encoding(content)
        try:
            text = content.decode(self._encoding, self._errors)
        except UnicodeDecodeError:  # UTF-16 that is cut off
            text = "\0"
        if content.startswith((b"PK", b"\xd0\xcf")) or "\0" in text:
            raise UsageError("this is no CSV file", where=where, hint="download or save it as CSV")
        self._before = BOM if text.startswith(BOM) else ""
        told = _SEPARATOR_LINE.match(text, len(self._before))
        self._before += told[0] if told else ""
        text = text[len(self._before) :]
        self.delimiter = told[1] if told and told[1] in DELIMITERS else _delimiter(text)
        self._rows, self._ends = _split(text, self.delimiter, where)
        self.rows = [[_value(cell) for cell in row] for row in self._rows]

    @classmethod
    def read(cls, path: Path) -> Sheet:
        """Read a file.

        Raises:
            UsageError: it can't be read, is too large, or is not a CSV file.
        """
        try:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise UsageError(f"the sheet can't be read ({reason})", where=str(path)) from None
        if len(content) > MAX_BYTES:
            raise UsageError("the sheet is larger than 64 MiB", where=str(path))
        return cls(content, str(path))

    def set(self, row: int, column: int, value: str) -> None:
        """Write one cell, quoted when it must be; a row that is too short is made longer."""
        raw = self._rows[row]
        raw += [""] * (column + 1 - len(raw))
        quoted = any(character in value for character in f'{self.delimiter}"\r\n')
        keep = raw[column].lstrip().startswith('"')  # a sheet that quotes everything still does
        raw[column] = '"' + value.replace('"', '""') + '"' if quoted or keep else value
        self.rows[row] += [""] * (column + 1 - len(self.rows[row]))
        self.rows[row][column] = value

    def encode(self) -> bytes:
        """Return the file: what was not set is what was read."""
        lines = (
            self.delimiter.join(row) + end for row, end in zip(self._rows, self._ends, strict=True)
        )
        return (self._before + "".join(lines)).encode(self._encoding, self._errors)


def _encoding(content: bytes) -> tuple[str, str]:
    """The codec that gives every byte back, and what it does with what is no text."""
    headings = content[:200].partition(b"\n")[0]  # people may have names in any script
    if content.startswith(codecs.BOM_UTF16_LE) or _every_second_is_zero(headings[1:]):
        return "utf-16-le", "surrogatepass"
    if content.startswith(codecs.BOM_UTF16_BE) or _every_second_is_zero(headings):
        return "utf-16-be", "surrogatepass"
    if content.startswith(codecs.BOM_UTF8):
        return "utf-8", "surrogateescape"
    for codec in ("utf-8", "cp1252"):
        try:
            content.decode(codec)
        except UnicodeDecodeError:
            continue
        return codec, "strict"
    return "latin-1", "strict"


def _every_second_is_zero(content: bytes) -> bool:
    """Whether this looks like UTF-16 that does not say so: the headings are mostly ASCII."""
    zeros = content[::2].count(0)
    return zeros > len(content[::2]) // 2 and zeros > content[1::2].count(0)


def _delimiter(text: str) -> str:
    """The separator that the first line has most often outside of quotes."""
    line = re.split(r"[\r\n]", re.sub(r'"(?:[^"]|"")*"', "", text), maxsplit=1)[0]
    return max(DELIMITERS, key=line.count)


def _split(text: str, delimiter: str, where: str) -> tuple[list[list[str]], list[str]]:
    quoted = r'[ \t]*"(?:[^"]|"")*"' if delimiter != "\t" else r'"(?:[^"]|"")*"'
    cell = re.compile(rf"{quoted}|[^{re.escape(delimiter)}\r\n]*")
    rows: list[list[str]] = []
    ends: list[str] = []
    row: list[str] = []
    at = 0
    while at < len(text):
        found = cell.match(text, at)
        assert found is not None  # an empty cell always matches
        row.append(found[0])
        at = found.end()
        if text.startswith(delimiter, at):
            at += 1
            if at == len(text):
                row.append("")
            continue
        end = "\r\n" if text.startswith("\r\n", at) else text[at : at + 1]
        if end not in ("", "\n", "\r", "\r\n"):
            raise UsageError(
                f"row {len(rows) + 1} has text after a closing quote", where=where,
                hint="download the sheet again: it is damaged",
            )  # fmt: skip
        rows.append(row)
        ends.append(end)
        row = []
        at += len(end)
    if row:
        rows.append(row)
        ends.append("")
    return rows, ends


def _value(cell: str) -> str:
    """What a cell says: without quotes, and without the `=` by which Canvas disarms a formula."""
    stripped = cell.strip()
    if stripped.startswith('"') and stripped.endswith('"') and len(stripped) >= 2:
        return stripped[1:-1].replace('""', '"')
    return cell
