"""What a file's or folder's name says: for which assignment it is, and whose."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise

import msgspec

from grader.model import Value

MAX_STEM_CHARS = 200

_CHUNK = re.compile(r"[^\W_]+")
# Words within a chunk: digits, CamelCase, ACRONYMS, scripts without cases.
_WORD = re.compile(r"\d+|[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# What people, browsers and systems add to a file name: it says neither what nor whose.
_MARKS = (
    r"copy|copie|c[oóò]pia|kopi[ea]?|копи[яї]|копія|副本|コピー|사본|final|finished|done|complete[d]?|draft|latest|version|ver|rev|revised"
    r"|fixed|updated?|corrected|solutions?|solved|answers?|submi(?:t|tted|ssions?)"
    r"|resubmi(?:t|tted|ssions?)|untitled|student_?release"
)
# What an assignment is called besides its name, whatever its number.
_TASK = (
    r"assignments?|homework|exercises?|project|aufgaben?|hausaufgaben?|übung(?:en)?|exercices?"
    r"|ejercicios?|esercizio?|esercizi|exercícios?|tareas?|opdracht|uppgift"
)
_WORK = rf"{_TASK}|hw|labs?|ex|notebooks?|nb|jupyter|work|week"
_SMALL = r"of|the|my|and|a|new|old|v"
_FILLER = re.compile(rf"(?:{_MARKS}|{_WORK}|{_SMALL})\d{{0,2}}", re.I)
# Beside a name only these are no part of it: `Anna New` and `Ben Work` are people.
_MARK = re.compile(rf"(?:{_MARKS}|{_TASK}|notebooks?|jupyter)\d{{0,2}}", re.I)
_TASK_ALONE = re.compile(_TASK, re.I)
# What Drive and Colab put before the name of a copy. Alone `de` and `von` are part of many names.
_COPY_OF = (
    r"(?:copy[ _+-]+of|kopie[ _+-]+v[ao]n|copie[ _+-]+de|c[oóò]pia[ _+-]+d[ei]|kopia[ _+-]+av"
    r"|kopia[ _+-]+pliku|kopi[ _+-]+a[fv]|kopie[ _+-]+souboru|bản[ _+-]+sao[ _+-]+của"
    r"|копи[яї]|копія|αντίγραφο)"
)
_COPIED = re.compile(rf"[\W_]*(?:{_COPY_OF}(?:[\W_]+|$))+", re.I)
_COPIED_HERE = re.compile(
    rf"(?<![^\W_])(?:{_COPY_OF}[\W_]+)+(?=(?:(?:{_TASK})?[\W_]*\d{{0,2}}[\W_]*)$)", re.I
)
_VERSION = re.compile(r"v\d{1,2}", re.I)
_COUNTER = re.compile(r"\d{1,2}")
# What universities call people by: initials or a letter and a number, or a number alone.
_ID = re.compile(r"[^\W\d_]{0,3}\d+|[^\W\d_]{1,3}|[^\W_]*\d{3,}")
_AFTER_HEAD = re.compile(r"(?: - |[-_. ])(?P<login>[^\W_].*)", re.S)
_EMAIL = re.compile(r"[\w.+-]+@(?:[^\W_]|-)+(?:\.(?:[^\W_]|-)+)+")


# What folders that hold a whole class are called, with whatever year or number.
_CONTAINER = re.compile(
    r"(?:submi(?:t|tted|ssions?)|hand(?:ed)?|handins?|students?|class(?:es)?|cours(?:e|es)"
    r"|downloads?|exports?|collected|inbox|abgaben?|entregas?|rendus?|devoirs?|consegne"
    r"|canvas|moodle|blackboard|brightspace|sakai|gradescope|repos(?:itories)?"
    r"|spring|summer|fall|autumn|winter|term|semester)\d{0,4}",
    re.I,
)
_BETWEEN = re.compile(r"in|of|the|and|all|\d{1,4}", re.I)


def is_container(name: str) -> bool:
    """Whether a name is one that folders of a whole class have, as `Class of 2026`."""
    chunks = [c for c in _CHUNK.findall(_normal(name)) if not _BETWEEN.fullmatch(c)]
    return bool(chunks) and all(_CONTAINER.fullmatch(chunk) for chunk in chunks)


class NameReading(Value, frozen=True):
    """What a name says.

    assignments: the ids it mentions; more than one when it can't be told which is meant.
    owner: what remains when those and the filler words around them are taken away: perhaps a
        student. Of a name without an assignment, all of it, unless it is filler words alone.
    number: what was taken for the number of a draft or an exercise, where that is all that
        remains; several files of one assignment can't each be of another exercise.
    goes_on: whether anything, filler words or not, follows the assignment.
    """

    assignments: tuple[str, ...] = ()
    owner: str = ""
    number: str = ""
    goes_on: bool = False

    @property
    def plain(self) -> bool:
        """Whether it names one assignment and nothing else."""
        return len(self.assignments) == 1 and not self.owner


class Repository(Value, frozen=True):
    """A way to read a name as `ASSIGNMENT-LOGIN`. `head` is what stands before the login."""

    assignment: str
    head: str
    login: str


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
        if not spans:
            return NameReading(owner="" if _is_filler(name) else name.strip())
        edges = [0, *(edge for span in sorted(spans) for edge in span), len(name)]
        pieces = [name[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]
        owner = _owner(pieces)
        number = "" if owner else _number(pieces)
        return NameReading(
            assignments=tuple(found),
            owner=owner,
            number=number,
            goes_on=bool(_CHUNK.search(pieces[-1])),
        )

    def repositories(self, name: str) -> list[Repository]:
        """Return the ways to read a folder's name as a repository's, that of most login first.

        There are several where the assignment is named twice: `hw1-embeddings-ann`.
        """
        text = unicodedata.normalize("NFC", name)
        if _normal(name) != text:
            return []  # too long or too strange to be a login: another's might look like it
        found: list[Repository] = []
        place = 0
        for (start, end), ids in sorted(self._spans(text).items()):
            before = text[place:start]
            said = _CHUNK.search(before) if found else _name_in(before, first=True, last=False)
            after = _AFTER_HEAD.fullmatch(text, end)
            if said or len(ids) > 1 or (found and {found[0].assignment} != ids) or not after:
                break
            found.append(
                Repository(
                    assignment=next(iter(ids)), head=text[:end].casefold(), login=after["login"]
                )
            )
            place = end
        return found

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


def read_together(names: Iterable[str], matcher: Matcher) -> dict[str, NameReading]:
    """Read names that lie side by side.

    No assignment is the twelfth and the thirteenth exercise at once, so `embeddings_hw12` and
    `embeddings_hw13` are people, as is one of these beside `embeddings_ann`.
    """
    readings = {name: matcher.read(name) for name in names}
    by_assignment: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, reading in readings.items():
        if len(reading.assignments) == 1:
            by_assignment[reading.assignments].append(name)
    for group in by_assignment.values():
        numbers = [readings[name].number for name in group if not readings[name].owner]
        owners = len(group) - len(numbers)
        telling = all(_may_be_id(number) for number in numbers) and len(set(numbers)) == len(
            numbers
        )
        if numbers and telling and len(group) > 1 and (owners or min(map(_digits, numbers)) > 1):
            for name in group:
                reading = readings[name]
                owner = reading.owner or reading.number
                readings[name] = msgspec.structs.replace(reading, owner=owner)
    return readings


def is_repository(reading: NameReading, common: set[str]) -> bool:
    """Whether a folder is called as others are, after an assignment and somebody's login."""
    return reading.goes_on and not common.isdisjoint(reading.assignments)


def common_assignments(readings: dict[str, NameReading]) -> set[str]:
    """Return the assignments after which several students' folders are named: repositories."""
    counts: dict[str, int] = defaultdict(int)
    for reading in readings.values():
        if reading.owner and len(reading.assignments) == 1:
            counts[reading.assignments[0]] += 1
    return {assignment for assignment, number in counts.items() if number > 1}


def _may_be_id(number: str) -> bool:
    """Whether somebody may be called so. `v2` is a version, `3` a copy's number."""
    letters = number.rstrip("0123456789").casefold()
    if not letters:
        return len(number) > 1
    return letters not in ("v", "ver", "rev")


def _digits(number: str) -> int:
    return sum(c.isdigit() for c in number)


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


def _is_filler(name: str) -> bool:
    """Whether a name that mentions no assignment says nothing: `homework 3`, but not `hw12`."""
    named = _COPIED.sub("", name, count=1) if _COPIED.match(name) else name
    chunks = _CHUNK.findall(named)
    if not chunks and named != name:
        return True
    if len(chunks) == 1 and _ID.fullmatch(chunks[0]):
        return False
    fillers = [chunk for chunk in chunks if _FILLER.fullmatch(chunk)]
    others = [c for c in chunks if not _FILLER.fullmatch(c) and not _COUNTER.fullmatch(c)]
    return bool(fillers) and not others and "@" not in name


def _owner(pieces: list[str]) -> str:
    """Return what stands around assignments, without filler words.

    Filler words alone are nobody. Beside a name only what can be no part of one is taken away, and
    only at its ends: who is called `anna_new` is not `anna`.
    """
    last = len(pieces) - 1
    kept = [_name_in(piece, first=n == 0, last=n == last) for n, piece in enumerate(pieces)]
    return "_".join(piece for piece in kept if piece)


def _name_in(piece: str, *, first: bool, last: bool) -> str:
    """Return the name in a piece of text that lies before, between or after assignments."""
    piece = _not_copied(piece, first=first, last=last)
    chunks = _chunks(piece)
    texts = [piece[start:end] for start, end in chunks]
    if all(_FILLER.fullmatch(text) or _COUNTER.fullmatch(text) for text in texts):
        return ""
    low, high = 0, len(chunks)
    while low < high and (
        _is_mark(texts[low], beside=low == 0 and not first)
        or (low > 0 and _TASK_ALONE.fullmatch(texts[low - 1]) and _COUNTER.fullmatch(texts[low]))
    ):
        low += 1
    while high > low and (
        _is_mark(texts[high - 1], beside=high == len(chunks) and not last)
        or (high - 1 > low and _VERSION.fullmatch(texts[high - 1]))
        or _is_copy(piece, chunks[high - 1])
    ):
        high -= 1
    # all of it marks, in the end: rather a strange name than nobody's
    low, high = (low, high) if low < high else (0, len(chunks))
    return piece[chunks[low][0] : chunks[high - 1][1]]


def _not_copied(piece: str, *, first: bool, last: bool) -> str:
    """Take away what says `copy of`, where a program puts it: first of all, or before a name."""
    if first and (copied := _COPIED.match(piece)):
        piece = piece[copied.end() :]
    return piece if last else _COPIED_HERE.sub("", piece)


def _is_mark(text: str, *, beside: bool) -> bool:
    """Whether a word is no part of a name. `beside`: it touches the assignment's name."""
    return bool(_MARK.fullmatch(text) or (beside and _COUNTER.fullmatch(text)))


def _is_copy(piece: str, span: tuple[int, int]) -> bool:
    """Whether a number stands in brackets, as browsers number downloads."""
    start, end = span
    counted = _COUNTER.fullmatch(piece[start:end])
    return bool(counted) and piece[start - 1 : start] == "(" and piece[end : end + 1] == ")"


def _chunks(piece: str) -> list[tuple[int, int]]:
    """Return the places of a text's chunks; an e-mail address is one."""
    spans = []
    place = 0
    for address in _EMAIL.finditer(piece):
        spans += [chunk.span() for chunk in _CHUNK.finditer(piece, place, address.start())]
        start, end = address.span()
        while piece[start] == "_":
            start += 1
        spans.append((start, end))
        place = end
    return spans + [chunk.span() for chunk in _CHUNK.finditer(piece, place)]


def _number(pieces: list[str]) -> str:
    """Return the only chunk that has a number, where no name remains."""
    chunks = [chunk for piece in pieces for chunk in _CHUNK.findall(piece)]
    numbered = [c for c in chunks if _ID.fullmatch(c) and c[-1].isdigit()]
    return numbered[0] if len(chunks) == len(numbered) == 1 else ""
