"""What a file's or folder's name says: for which assignment it is, and whose."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
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
        for identity, known in names.items():
            for name in known:
                key = _key(word for _, _, word in _words(name))
                if key:
                    self._ids.setdefault(key, set()).add(identity)
        self.read = lru_cache(maxsize=8192)(self._read)

    def _read(self, name: str) -> NameReading:
        name = unicodedata.normalize("NFKC", name)[:MAX_STEM_CHARS]
        spans = self._spans(name)
        found = sorted(set().union(*spans.values())) if spans else []
        return NameReading(assignments=tuple(found), owner=_owner(name, list(spans)))

    def _spans(self, name: str) -> dict[tuple[int, int], set[str]]:
        words = _words(name)
        longest = max((sum(map(len, key)) for key in self._ids), default=0)
        spans: dict[tuple[int, int], set[str]] = {}
        for first in range(len(words)):
            run: list[str] = []
            for _, end, word in words[first:]:
                run.append(word)
                if sum(map(len, run)) > longest:
                    break
                if ids := self._ids.get(_key(run)):
                    spans[words[first][0], end] = ids
        return {
            span: ids
            for span, ids in spans.items()
            if not any(o != span and o[0] <= span[0] and span[1] <= o[1] for o in spans)
        }


def _words(name: str) -> list[tuple[int, int, str]]:
    """Return the words of a name with their places; numbers are words without leading zeros."""
    name = unicodedata.normalize("NFKC", name)[:MAX_STEM_CHARS]
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


def _key(words: Iterable[str]) -> tuple[str, ...]:
    """Join neighbouring words, so that `full model` is `fullmodel`, but `lab 1 2` not `lab 12`."""
    key: list[str] = []
    for word in words:
        if key and not word.isdigit() and not key[-1].isdigit():
            key[-1] += word
        else:
            key.append(word)
    return tuple(key)


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
