"""What a check asked of a submission, as the Python that asked it: evidence for a complaint.

    model = submission.TinyLM(vocab_size=12, d_model=16, max_len=8)
    submission.generate(model, tensor(1x3, int64: 7, 3, 1), 2) -> tensor(1x5, int64: 7, 3, 1, 8, …)

While a check runs, its operations are held as they are; only of a check that fails anything is
written. So a check that passes costs nothing but room, and that is bounded.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from grader.model import Value
from grader.testing.excerpts import excerpt
from grader.testing.links import Ref
from grader.testing.operations import Op

KEPT = 400
"""Operations that are held: the last ones, for they led to what the check raised."""

LARGE = 1 << 16
"""Elements of a tensor that is not held, only what is to be written of it."""

MAX_LINES, MAX_LINE, MAX_VALUE = 12, 240, 90
NAMED_FROM = 24
"""Characters of a call from which on its object gets a name, if it is used again."""

_SCAFFOLD = re.compile(r"__globals__|\bbuiltins\.exec\(")
"""How a check puts parts of its own in the place of the submission's: no question to it."""

_NUMBER = re.compile(r"\d+")

_GIVING = frozenset({Op.NAME, Op.MODULE, Op.GET, Op.ITEM, Op.CALL, Op.SEND})


class _Entry(Value, frozen=True):
    op: Op
    fields: dict[str, Any]
    value: str = ""


class Transcript:
    """Hears of a check's operations, and writes down the last of them."""

    def __init__(self) -> None:
        self._entries: deque[_Entry] = deque(maxlen=KEPT)

    def heard(self, op: Op, fields: dict[str, Any], value: Any = None) -> None:
        """An operation was asked for, or, with its value, performed."""
        if op in _GIVING or op in (Op.SET, Op.FETCH, Op.AWAIT, Op.ELEMENTS):
            fields = {name: _brief(field) for name, field in fields.items()}
            # what a submission returned may be as large as it likes
            told = _written(value) if op in (Op.FETCH, Op.ELEMENTS) else ""
            self._entries.append(_Entry(op=op, fields=fields, value=told))

    def lines(self) -> tuple[str, ...]:
        """What was asked last, as lines of Python, the oldest first."""
        found = (line for line in _Writer(self._entries).lines() if not _SCAFFOLD.search(line))
        last = deque(_folded(found), maxlen=MAX_LINES)
        return tuple(line if len(line) <= MAX_LINE else f"{line[: MAX_LINE - 1]}…" for line in last)


def _folded(lines: Iterable[str]) -> Iterator[str]:
    """Of several lines in a row that ask the same of different objects, the first and a count."""
    for _, group in groupby(lines, key=lambda line: _NUMBER.sub("", line.partition("(tensor(")[0])):
        first, *others = group
        yield first
        if len(others) == 1:
            yield others[0]
        elif others:
            yield f"# and {len(others)} more of the same"


class _Written(str):
    """Stands for a value that is too large to be held."""

    __slots__ = ()


def _brief(value: Any) -> Any:
    kind = type(value)
    if kind in (list, tuple):
        return kind(_brief(item) for item in value[:KEPT])
    if kind is dict:
        return {key: _brief(item) for key, item in value.items()}
    return _Written(_written(value)) if _elements(value) > LARGE else value


def _elements(value: Any) -> int:
    count = getattr(value, "numel", None) or getattr(value, "__len__", None)
    try:
        return 0 if count is None else int(count())
    except TypeError:  # an array without dimensions has a `__len__` all the same
        return 1


class _Writer:
    """Writes entries as Python: an object is what gave it, or a name where that is long."""

    def __init__(self, entries: Iterable[_Entry]) -> None:
        self._entries = tuple(entries)
        self._uses = Counter(ref for entry in self._entries for ref in _refs(entry.fields))
        self._texts: dict[int, str] = {}
        self._names = 0

    def lines(self) -> Iterator[str]:
        for entry in self._entries:
            if entry.op in _GIVING:
                yield from self._given(entry, int(entry.fields["into"]))
            elif entry.op is Op.ELEMENTS:
                self._name_elements(entry)
            else:
                yield self._told(entry)

    def _given(self, entry: _Entry, into: int) -> Iterator[str]:
        text = self._texts[into] = self._expression(entry)
        if entry.op is not Op.CALL:
            return
        if not self._uses[into]:
            yield text  # nobody asked what it gave: it raised, or should have
        elif self._uses[into] > 1 and len(text) >= NAMED_FROM:
            self._names += 1
            self._texts[into] = f"v{self._names}"
            yield f"v{self._names} = {text}"

    def _name_elements(self, entry: _Entry) -> None:
        whose, first = self._text(entry.fields["object"]), int(entry.fields["into"])
        for index in range(int(entry.value)):
            self._texts[first + index] = f"list({whose})[{index}]"

    def _expression(self, entry: _Entry) -> str:
        fields = entry.fields
        if entry.op is Op.NAME:
            return f"submission.{fields['name']}"
        if entry.op is Op.MODULE:
            return str(fields["name"])
        if entry.op is Op.SEND:
            return self._text(fields["value"])
        whose = self._text(fields["object"])
        if entry.op is Op.GET:
            return f"{whose}.{fields['name']}"
        if entry.op is Op.ITEM and whose == "{}":
            return str(fields["key"])  # what a part of the check's own has defined
        if entry.op is Op.ITEM:
            return f"{whose}[{self._text(fields['key'])}]"
        arguments = [self._text(value) for value in fields["args"]]
        arguments += [f"{name}={self._text(value)}" for name, value in fields["kwargs"].items()]
        return f"{whose}({', '.join(arguments)})"

    def _told(self, entry: _Entry) -> str:
        whose = self._text(entry.fields["object"])
        if entry.op is Op.SET:
            return f"{whose}.{entry.fields['name']} = {self._text(entry.fields['value'])}"
        return whose if entry.op is Op.AWAIT else f"{whose} -> {entry.value}"

    def _text(self, value: Any) -> str:
        kind = type(value)
        if kind is Ref:
            return self._texts.get(value.id, "…")
        if kind is list and any(_refs(value)):
            return (
                f"[{', '.join(self._text(item) for item in value[:6])}{', …' * (len(value) > 6)}]"
            )
        if kind is tuple and any(_refs(value)):
            return f"({', '.join(self._text(item) for item in value[:6])},)"
        if kind is dict and any(_refs(value)):
            return f"{{{', '.join(f'{key!r}: {self._text(item)}' for key, item in value.items())}}}"
        if kind is _Written:
            return str(value)
        return _written(value)


def _written(value: Any) -> str:
    """A value in a few words; a text in quotes."""
    return repr(value[:MAX_VALUE]) if type(value) is str else excerpt(value, MAX_VALUE)


def _refs(value: Any) -> Iterator[int]:
    """The numbers of the objects that are named anywhere in a field."""
    kind = type(value)
    if kind is Ref:
        yield value.id
    elif kind in (list, tuple):
        for item in value:
            yield from _refs(item)
    elif kind is dict:
        for item in value.values():
            yield from _refs(item)
