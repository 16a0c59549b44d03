"""What the members of a zip archive are called, in whatever way somebody's system wrote it.

A zip says of a name that it is UTF-8 (a flag, or the Unicode Path field beside it), or says
nothing. Then it is UTF-8 all the same, if it can be; else in the code page of the system that made
it: Shift-JIS in Japan, GBK in China, cp437 or cp850 in the West. Names of the roster tell which,
and where there are none, charset-normalizer guesses; a guess is reported.

A name is decoded before it is taken apart: the second byte of a character may be a backslash.
"""

from __future__ import annotations

import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Collection, Sequence

from grader.model import Value

_UTF8_NAME = 0x800
_UNICODE_PATH = 0x7075
MAX_GUESSED_BYTES = 8 << 10
# Code pages of systems and of the tools that write zips, the most usual first.
USUAL_PAGES = (
    "cp932",
    "gbk",
    "big5",
    "cp949",
    "cp866",
    "cp1251",
    "cp850",
    "cp437",
    "cp852",
    "cp1250",
    "cp1252",
)
CODE_PAGES = (
    *USUAL_PAGES, "cp1253", "cp737", "cp1254", "cp857", "cp1255", "cp862", "cp1256", "cp720",
    "cp874", "euc_jp", "euc_kr", "koi8_r", "gb18030",
)  # fmt: skip
SHOWN = {
    "cp932": "Shift-JIS (cp932)", "gbk": "GBK", "gb18030": "GB 18030", "big5": "Big5",
    "cp949": "Korean (cp949)", "cp866": "Cyrillic (cp866)", "cp1251": "Cyrillic (cp1251)",
}  # fmt: skip


_MAYBE_HALF = re.compile(r"(?<=[^\x00-\x7f])\\")


class MemberNames(Value, frozen=True):
    """Names as text, in the order of the archive. `guessed`: how those were read that don't say."""

    names: tuple[str, ...]
    guessed: str = ""


def read_names(
    infos: Sequence[zipfile.ZipInfo], hints: Collection[str] = (), *, guess: bool = True
) -> MemberNames:
    """Return what the members of an archive are called.

    Args:
        infos: the members.
        hints: names that people have here.
        guess: whether to find out a code page that nothing tells; else it is cp437.
    """
    names = [_told(info) for info in infos]
    raws = {n: _raw(infos[n]) for n, name in enumerate(names) if name is None}
    unclear = {}
    for n, raw in raws.items():
        try:
            names[n] = raw.decode("utf-8")
        except UnicodeDecodeError:
            unclear[n] = raw
    guessed = ""
    if unclear:
        raws_of = sorted(set(unclear.values()))
        guessed = guess_encoding(raws_of, hints) if guess else "cp437"
        for n, raw in unclear.items():
            names[n] = _decode(raw, guessed)
    return MemberNames(names=tuple(name or "" for name in names), guessed=guessed)


def _decode(raw: bytes, page: str) -> str:
    """Decode a name. A backslash that may be half of a character is no separator.

    Where the guess is wrong, such halves must not cut two people's names down to one.
    """
    return _MAYBE_HALF.sub("_", raw.decode(page))


def _told(info: zipfile.ZipInfo) -> str | None:
    """Return a name that the archive says how to read; None if it doesn't."""
    name = info.orig_filename
    if info.flag_bits & _UTF8_NAME:
        return name
    raw = _raw(info)
    return _unicode_path(info.extra, raw)


def _raw(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("cp437")  # which is how zipfile reads what has no flag


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    """Return the name in the Unicode Path field, if it is about this very name."""
    place = 0
    while place + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, place)
        field = extra[place + 4 : place + 4 + size]
        place += 4 + size
        if kind == _UNICODE_PATH and len(field) == size > 5 and field[0] == 1:
            (checksum,) = struct.unpack_from("<L", field, 1)
            if checksum == zlib.crc32(raw):
                try:
                    return field[5:].decode("utf-8")
                except UnicodeDecodeError:
                    return None
    return None


def guess_encoding(raws: Sequence[bytes], hints: Collection[str] = ()) -> str:
    """Return the code page in which names are written that are not UTF-8.

    Args:
        raws: the names' bytes.
        hints: names that people have here.
    """
    possible = [page for page in CODE_PAGES if _fits(raws, page)]
    usual = [page for page in possible if page in USUAL_PAGES]
    return (
        _best_by_hints(raws, possible, hints)
        or _best_by_looks(raws, usual)
        or _best_by_looks(raws, possible)
        or "cp437"
    )


def _fits(raws: Sequence[bytes], page: str) -> bool:
    try:
        return all(raw.decode(page).isprintable() for raw in raws)
    except UnicodeDecodeError:
        return False


def _best_by_hints(raws: Sequence[bytes], pages: Sequence[str], hints: Collection[str]) -> str:
    """Return the page in which most people's names are found; empty if none is."""
    words = {word for hint in hints for word in hint.split() if not word.isascii()}
    found = {page: _count(raws, page, words) for page in pages} if words else {}
    return max(found, key=lambda page: found[page]) if any(map(any, found.values())) else ""


def _count(raws: Sequence[bytes], page: str, words: Collection[str]) -> tuple[int, int]:
    """How many words are found, however they are spelt; and how many as they are."""
    texts = [raw.decode(page) for raw in raws]
    written, plain = "\n".join(texts), "\n".join(map(_plain, texts))
    return sum(_plain(word) in plain for word in words), sum(word in written for word in words)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _best_by_looks(raws: Sequence[bytes], pages: Sequence[str]) -> str:
    """Return the page that makes most sense of the names, taken together."""
    from charset_normalizer import from_bytes

    if not pages:
        return ""
    # what is ASCII says nothing, and makes a short name look like any language
    parts = {part: None for raw in raws for part in raw.split(b"/") if not part.isascii()}
    text = b"\n".join(part.split(b".")[0] for part in parts)[:MAX_GUESSED_BYTES]
    match = from_bytes(text, cp_isolation=list(pages), enable_fallback=False).best()
    return match.encoding if match is not None and match.encoding in pages else ""
