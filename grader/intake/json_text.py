"""JSON from strangers: no more of it is looked into than an answer needs, in linear time.

A value that nobody asks for, such as a notebook's pictures, is passed over in compiled code: it
becomes no object, and costs some milliseconds for ten megabytes. Python's own module makes
millions of objects of the same bytes, for seconds.

Taken as well is what JSON does not have and notebooks do: `NaN` and `Infinity`, halves of
characters (half a surrogate pair), byte order marks, UTF-16.
"""

from __future__ import annotations

import codecs
import re

import msgspec

from grader.errors import IntakeError

MAX_KEYS = 10_000
MAX_KEY_CHARS = 1_000

HINT = "open it in Jupyter, save it as .ipynb and hand it in again"

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What is taken although it is no JSON. Each begins with letters that never vary, which `re` finds
# many times sooner than one of several.
_CONSTANTS = (re.compile(rb"NaN"), re.compile(rb"Infinity"))
_HALVES = re.compile(
    rb"\\u[dD](?:(?P<whole>[89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|[89a-fA-F][0-9a-fA-F]{2})"
)
_TO_VALUE = re.compile(rb"[\s,]*\"(?:[^\"\\]|\\.){0,%d}\"\s*:\s*" % MAX_KEY_CHARS, re.S)
_MARKS = re.compile(r"^(?:(?P<ours><{7}) |(?P<middle>={7})\r?$|(?P<theirs>>{7}) )", re.M)
_BYTE = re.compile(r"\(byte (\d{1,9})\)")


def load(content: bytes) -> dict[str, msgspec.Raw]:
    """Return the members of the object that a file holds, each still unread.

    Raises:
        IntakeError: it holds none; the message says what it seems to be instead.
    """
    content = _utf8(content)
    try:
        try:
            found = _OBJECT.decode(content)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            content = _tolerated(content)
            found = _OBJECT.decode(content)
    except msgspec.ValidationError:
        raise IntakeError("it is JSON, but not a notebook", hint=HINT) from None
    except msgspec.DecodeError as error:
        raise _not_json(content, error) from None
    except RecursionError:
        raise IntakeError("it is nested too deeply to be a notebook", hint=HINT) from None
    _require_unique(content, found)
    return found


def members(value: msgspec.Raw | None) -> dict[str, msgspec.Raw]:
    """Return the members of an object, each still unread; none of what is no object.

    Raises:
        IntakeError: it is damaged: a key occurs twice.
    """
    if value is None:
        return {}
    try:
        found = _OBJECT.decode(value)
    except msgspec.DecodeError:
        return {}
    _require_unique(bytes(value), found)
    return found


def items(value: msgspec.Raw | None) -> list[msgspec.Raw] | None:
    """Return the items of an array, each still unread; None if it is no array."""
    try:
        return None if value is None else _ARRAY.decode(value)
    except msgspec.DecodeError:
        return None


def text_of(value: msgspec.Raw | None) -> str | None:
    """Return a text; None if it is none."""
    try:
        return None if value is None else _TEXT.decode(value)
    except msgspec.DecodeError:
        return None


def _utf8(content: bytes) -> bytes:
    if not content.strip():
        raise IntakeError("the file is empty", hint="save the notebook and hand it in again")
    encoding = next((name for mark, name in _BOMS if content.startswith(mark)), "utf-8")
    if encoding == "utf-8" and content[1:2] == b"\0":
        encoding = "utf-16-le"
    elif encoding == "utf-8" and content[:1] == b"\0":
        encoding = "utf-16-be"
    if content.startswith(b"version https://git-lfs"):
        raise IntakeError(
            "it is a Git LFS pointer, not the notebook itself",
            hint="run `git lfs pull`, then hand in the file that you get",
        )
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        kind = "a zip archive" if content.startswith(b"PK\3\4") else "not text"
        raise IntakeError(f"it is {kind}, so not a notebook", hint=HINT) from None
    return content if encoding == "utf-8" else text.encode("utf-8")


def _tolerated(content: bytes) -> bytes:
    """Write constants that JSON does not have as 0, and halves of characters as U+FFFD."""
    for constant in _CONSTANTS:
        content = _replaced(content, constant, b"0", within_strings=False)
    return _replaced(content, _HALVES, rb"\ufffd", within_strings=True)


def _replaced(
    content: bytes, pattern: re.Pattern[bytes], by: bytes, *, within_strings: bool
) -> bytes:
    # without escaped quotes and backslashes, every quote opens or closes a string
    masked = content.replace(rb"\\", b"..").replace(rb"\"", b"..")
    parts = []
    place = quotes = 0
    for match in pattern.finditer(masked):
        quotes += masked.count(b'"', place, match.start())
        parts.append(content[place : match.start()])
        meant = quotes % 2 == within_strings and match.lastgroup is None
        parts.append(by if meant else match[0])
        place = match.end()
    return b"".join((*parts, content[place:]))


def _require_unique(text: bytes, found: dict[str, msgspec.Raw]) -> None:
    """Refuse an object in which a key occurs twice: which of the two counts is anybody's guess.

    The last one was found; so when each value stands where its key is first met, and nothing
    follows the last, there was no other.
    """
    if len(found) > MAX_KEYS:
        raise IntakeError(f"it is damaged: an object has more than {MAX_KEYS} keys", hint=HINT)
    place = text.index(b"{") + 1
    for value in map(bytes, found.values()):
        gap = _TO_VALUE.match(text, place)
        if gap is None or not text.startswith(value, gap.end()):
            break
        place = gap.end() + len(value)
    else:
        if text[place:].strip() == b"}":
            return
    raise IntakeError("it is damaged: a key occurs twice in one object, or is too long", hint=HINT)


def _not_json(content: bytes, error: msgspec.DecodeError) -> IntakeError:
    text = content.decode("utf-8")
    if _is_conflict(text):
        return IntakeError(
            "it contains the markers of an unresolved merge conflict (<<<<<<<)",
            hint="resolve the conflict in Git and hand it in again",
        )
    start = text.lstrip("\ufeff \t\r\n")[:200].lower()
    if start.startswith(("<!doctype", "<html", "<?xml", "<head", "<body")):
        return IntakeError(
            "it is a web page, not a notebook", hint="download the .ipynb file itself"
        )
    if text.startswith("PK\3\4"):
        return IntakeError("it is a zip archive, not a notebook", hint=HINT)
    found = _BYTE.search(str(error))
    before = content[: int(found[1])] if found else content.rstrip()
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "ignore")) + 1
    return IntakeError(
        f"it is not a notebook: no valid JSON at line {line}, column {column}", hint=HINT
    )


def _is_conflict(text: str) -> bool:
    """Whether the three marks of a merge conflict begin lines, one after the other."""
    wanted = iter(("ours", "middle", "theirs"))
    due = next(wanted)
    for match in _MARKS.finditer(text):
        if match.lastgroup == due:
            due = next(wanted, "")
            if not due:
                return True
    return False
