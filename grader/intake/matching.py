"""What a file's or folder's name says: for which assignment it is, and whose."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise

from grader.model import Value

MAX_STEM_CHARS = 200

_CHUNK = re.compile(r"[^\W_]+")
# Words within a chunk: digits, CamelCase, ACRONYMS, scripts without cases.
_WORD = re.compile(r"\d+|[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# What people, browsers and systems add to a file name: it says neither what nor whose.
_FILLER = re.compile(
    r"(copy|copie|copia|kopie|of|the|my|and|a|final|finished|done|complete[d]?|draft|new|old|latest"
    r"|version|ver|rev|revised|fixed|updated?|corrected|solutions?|solved|answers?|submi(t|tted|ssions?)"
    r"|resubmi(t|tted|ssions?)|assignments?|homework|hw|labs?|exercises?|ex|project|notebooks?|nb|jupyter|work"
    r"|week|untitled|student_?release|v)\d*",
    re.I,
)
_COUNTER = re.compile(r"\d{1,2}")


class NameReading(Value, frozen=True):
    """What a name says.

    assignments: the ids it mentions; more than one when it can't be told which is meant.
    owner: what remains when those and filler words are taken away: perhaps a student.
    """

    assignments: tuple[str, ...] = ()
    owner: str = ""

    @property
    def plain(self) -> bool:
        """Whether it names one assignment and nothing else."""
        return len(self.assignments) == 1 and not self.owner


class Matcher:
    """Finds assignments in names.

    Upper and lower case, accents' encoding, spaces and punctuation make no difference, nor do
    leading zeros: `01-Full Model (2)` and `fullModel_v2` both name `full_model`. A longer match
    wins over one that lies inside it.

    Args:
        names: the names that each assignment goes by, by its id.
    """

    def __init__(self, names: Mapping[str, Iterable[str]]) -> None:
        self._ids: dict[tuple[str, ...], set[str]] = {}
        self._begun: set[tuple[str, ...]] = set()  # what more words can make one of them
        for identity, known in names.items():
            for name in known:
                keys = list(_keys(word for _, _, word in _words(name)))
                if keys:
                    self._ids.setdefault(keys[-1], set()).add(identity)
                    self._begun |= _beginnings(keys[-1])
        self.read = lru_cache(maxsize=8192)(self._read)

    def _read(self, name: str) -> NameReading:
        name = _normal(name)
        spans = self._spans(name)
        found = sorted(set().union(*spans.values())) if spans else []
        return NameReading(assignments=tuple(found), owner=_owner(name, list(spans)))

    def _spans(self, name: str) -> dict[tuple[int, int], set[str]]:
        """Return where assignments are named, without what lies inside of a longer match."""
        words = _words(name)
        spans: dict[tuple[int, int], set[str]] = {}
        reach = 0
        for first, (start, _, _) in enumerate(words):
            longest: tuple[int, set[str]] | None = None
            run = words[first:]
            for (_, end, _), key in zip(run, _keys(word for _, _, word in run), strict=False):
                if key not in self._begun:
                    break
                if ids := self._ids.get(key):
                    longest = end, ids
            if longest is not None and longest[0] > reach:
                reach = longest[0]
                spans[start, reach] = longest[1]
        return spans


def _normal(name: str) -> str:
    # cut before and after: characters grow when normalised, and long runs of accents take long
    return unicodedata.normalize("NFKC", name[: 4 * MAX_STEM_CHARS])[:MAX_STEM_CHARS]


def _words(name: str) -> list[tuple[int, int, str]]:
    """Return the words of a name with their places; numbers are words without leading zeros."""
    name = _normal(name)
    words = []
    for match in _WORD.finditer(name):
        cuts = [0, *(cut.start() for cut in _CAMEL.finditer(match[0])), len(match[0])]
        for start, end in pairwise(cuts):
            word = match[0][start:end].casefold()
            words.append(
                (
                    match.start() + start,
                    match.start() + end,
                    word.lstrip("0") or "0" if word.isdigit() else word,
                )
            )
    return words


def _keys(words: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Join more and more words, so that `full model` is `fullmodel`, but `lab 1 2` not `lab 12`."""
    key: tuple[str, ...] = ()
    for word in words:
        if key and not word.isdigit() and not key[-1].isdigit():
            key = (*key[:-1], key[-1] + word)
        else:
            key = (*key, word)
        yield key


def _beginnings(key: tuple[str, ...]) -> set[tuple[str, ...]]:
    return {
        (*key[:place], part[:length])
        for place, part in enumerate(key)
        for length in range(1, len(part) + 1)
    }


def _owner(name: str, spans: list[tuple[int, int]]) -> str:
    """Return what a name says beside assignments and filler words."""
    if not spans:
        chunks = _CHUNK.findall(name)
        fillers = [chunk for chunk in chunks if _FILLER.fullmatch(chunk)]
        others = [
            c
            for c in chunks
            if not _FILLER.fullmatch(c) and not (fillers and _COUNTER.fullmatch(c))
        ]
        return name.strip() if others or not fillers else ""
    edges = [0, *(edge for span in sorted(spans) for edge in span), len(name)]
    pieces = [_strip_filler(name[a:b]) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return "_".join(piece for piece in pieces if piece)


def _strip_filler(text: str) -> str:
    chunks = list(_CHUNK.finditer(text))
    kept = [c for c in chunks if not _FILLER.fullmatch(c[0]) and not _COUNTER.fullmatch(c[0])]
    return text[kept[0].start() : kept[-1].end()] if kept else ""
