"""`submission_metadata.yml` of Gradescope's export: whose each submission is, and of when.

    submission_123:
      :submitters:
      - :name: Ann Doe
        :sid: '4711'
        :email: ann@example.org
      :created_at: 2026-03-01 22:59:00.000000000 Z

Read as a stream of events into texts, lists and mappings, whatever tags say: nothing is
constructed, an alias stands for a text only, and size and depth are limited.
"""

from __future__ import annotations

from typing import Any

import msgspec

from grader.errors import IntakeError
from grader.intake.listing import Node
from grader.intake.reading import Reader
from grader.model import Moment, Problem, ProblemKind, Value
from grader.text import shown_name
from grader.times import parse_time

METADATA = "submission_metadata.yml"
MAX_DEPTH = 30
MAX_VALUES = 2_000_000


class Upload(Value, frozen=True):
    """A submitter by the name to use, and when the submission came."""

    student: str
    submitted_at: Moment | None = None


class _Submitter(msgspec.Struct):
    name: str = msgspec.field(name=":name", default="")
    sid: str = msgspec.field(name=":sid", default="")
    email: str = msgspec.field(name=":email", default="")

    def known_as(self, submission: str) -> str:
        """`NAME_SID`, as in other downloads; else the address, which is nobody else's."""
        name, sid, email = self.name.strip(), self.sid.strip(), self.email.strip()
        if name and sid:
            return f"{name}_{sid}"
        return email or sid or (f"{name}_{submission}" if name else submission)


class _Submission(msgspec.Struct):
    submitters: list[_Submitter] = msgspec.field(name=":submitters", default_factory=list)
    created_at: Any = msgspec.field(name=":created_at", default="")


def read_metadata(
    record: Node, reader: Reader
) -> tuple[dict[str, tuple[Upload, ...]], list[Problem]]:
    """Return who handed in each folder of an export, and what could not be told."""
    try:
        entries = load(reader.read(record.path, record.member))
    except (IntakeError, ValueError) as error:
        reason = error.message if isinstance(error, IntakeError) else str(error)
        return {}, [
            _problem(
                f"it can't be told whose these submissions are, or of when: {reason}",
                record.entry,
                "export the submissions again",
            )
        ]
    known: dict[str, tuple[Upload, ...]] = {}
    problems: list[Problem] = []
    for name, entry in entries.items():
        try:
            submission = msgspec.convert(entry, _Submission)
        except msgspec.ValidationError as error:
            problems.append(_problem(f"'{shown_name(name, 60)}' is unclear: {error}", record.entry))
            continue
        moment = _moment(submission.created_at)
        known[name] = tuple(
            Upload(student=one.known_as(name.rpartition("_")[2]), submitted_at=moment)
            for one in submission.submitters
        )
    return known, problems


def _problem(message: str, where: str, hint: str = "") -> Problem:
    return Problem(kind=ProblemKind.METADATA, message=message, where=shown_name(where), hint=hint)


def _moment(value: Any) -> Moment | None:
    """A time; of an object of Ruby's, what it says of UTC. None where it can't be read."""
    if isinstance(value, dict):
        value = value.get("utc", "")
    try:
        return parse_time(value, "UTC") if isinstance(value, str) else None
    except ValueError:
        return None


def load(content: bytes) -> dict[str, Any]:
    """Return the mapping that a YAML document holds; every scalar is its text, null is empty.

    Raises:
        ValueError: it is no such document, too large or too deep.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        found = _Builder().build(yaml.parse(content, Loader=loader))
    except (yaml.YAMLError, RecursionError, UnicodeDecodeError):
        raise ValueError("it is not valid YAML") from None
    if not isinstance(found, dict):
        raise ValueError("it is no mapping of submissions")
    return found


class _Builder:
    """Puts a document together from events, without recursion."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._open: list[tuple[Any, list[str]]] = []
        self._count = 0
        self._done: Any = None

    def build(self, events: Any) -> Any:
        """Return the first document of these events."""
        from yaml import events as kinds

        for event in events:
            if isinstance(event, kinds.ScalarEvent):
                text = "" if event.implicit[0] and event.value in ("~", "null") else event.value
                if event.anchor:
                    self._texts[event.anchor] = text
                self._add(text)
            elif isinstance(event, kinds.AliasEvent):
                self._add(self._texts.get(event.anchor))
            elif isinstance(event, (kinds.MappingStartEvent, kinds.SequenceStartEvent)):
                value: Any = {} if isinstance(event, kinds.MappingStartEvent) else []
                self._add(value)
                self._open.append((value, []))
                if len(self._open) > MAX_DEPTH:
                    raise ValueError(f"it is more than {MAX_DEPTH} levels deep")
            elif isinstance(event, (kinds.MappingEndEvent, kinds.SequenceEndEvent)):
                self._open.pop()
            elif isinstance(event, kinds.DocumentEndEvent):
                break
        return self._done

    def _add(self, value: Any) -> None:
        self._count += 1
        if self._count > MAX_VALUES:
            raise ValueError(f"it holds more than {MAX_VALUES} values")
        if not self._open:
            self._done = value
            return
        inside, key = self._open[-1]
        if isinstance(inside, list):
            inside.append(value)
        elif not key:
            key.append(value if isinstance(value, str) else "")
        else:
            inside[key.pop()] = value
