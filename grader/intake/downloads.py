"""Downloads of learning platforms, told by their names and put into the shape of any other class.

| platform | a file or folder at the top |
| --- | --- |
| Canvas | `NAME[_LATE]_USER_ATTACHMENT_FILE`; without names `anon_CODE[_LATE]_ATTACHMENT_FILE` |
| Moodle | `FULL NAME_NUMBER_assignsubmission_file_/FILE`, or flat, `…_assignsubmission_file_FILE` |
| Gradescope | `submission_NUMBER/FILE` beside `submission_metadata.yml`: whose, and of when |
| nbgrader's exchange | `STUDENT+ASSIGNMENT+TIME[+CODE]/FILE` |

Of the first two each becomes `NAME_ID/FILE`: the id is what the platform's grade sheet knows a
student by. Canvas appends `-1`, `-2`, … to the names of files that are handed in again: these are
attempts, as are several folders of one student in nbgrader's exchange.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC

import msgspec

from grader.intake.gradescope_yaml import METADATA, Upload, read_metadata
from grader.intake.listing import Listing, Node, Origin
from grader.intake.matching import Matcher
from grader.intake.reading import Reader
from grader.model import Moment, Problem, ProblemKind, Value
from grader.text import shown_name
from grader.times import parse_time

STAMP = "timestamp.txt"
MAX_STAMP_CHARS = 100

_CANVAS = re.compile(
    r"(?:(?!LATE_anon_|anon_)(?P<name>\w+?)_)?(?:(?P<early>LATE)_)?(?P<user>anon_[^_]+|\d+)_"
    r"(?:(?P<late>LATE)_)?(?P<attachment>\d+)_(?P<file>.+)",
    re.S,
)
_MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<user>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)", re.S
)
_AGAIN = re.compile(r"-(\d{1,3})(?=(?:\.[^.]+)?$)")
_GRADESCOPE = re.compile(r"submission_(\d+)")


class Owned(Value, frozen=True):
    """What a name at the top of a download says. `file` is empty when it is a folder's.

    `origin` is what it says of where the files come from.
    """

    student: str
    file: str = ""
    origin: Origin = Origin()


def read_canvas(name: str) -> Owned | None:
    """Read a name that Canvas gave."""
    match = _CANVAS.fullmatch(name)
    if match is None or not (match["name"] or match["user"].startswith("anon_")):
        return None
    student = f"{match['name']}_{match['user']}" if match["name"] else match["user"]
    file = match["file"]
    again = _AGAIN.search(file)
    origin = Origin(
        late=bool(match["early"] or match["late"]),
        series=_AGAIN.sub("", file),
        attempt=(int(again[1]) if again else 0, int(match["attachment"])),
    )
    return Owned(student=student, file=file, origin=origin)


def read_moodle(name: str) -> Owned | None:
    """Read a name that Moodle gave."""
    match = _MOODLE.fullmatch(name)
    if match is None:
        return None
    return Owned(student=f"{match['name']}_{match['user']}", file=match["file"])


def read_nbgrader(name: str) -> Owned | None:
    """Read a name that `nbgrader submit` gave. The student's own process writes it."""
    student, assignment, time, *_ = [*name.split("+"), "", ""]
    moment = _utc(time)
    if not (student and assignment and moment):
        return None
    origin = Origin(
        submitted_at=moment,
        time_from="the folder's name in nbgrader's exchange, which the student's side writes",
        attempt=(int(moment.timestamp()), 0),
    )
    return Owned(student=student, file=assignment, origin=origin)


def read_stamp(content: bytes) -> Origin | None:
    """Read nbgrader's `timestamp.txt`; None if it holds no time."""
    text = content[:MAX_STAMP_CHARS].decode("utf-8", "replace")
    moment = _utc(text.strip())
    if moment is None:
        return None
    return Origin(
        submitted_at=moment,
        time_from="nbgrader's timestamp.txt, which the student's side writes",
    )


def _utc(text: str) -> Moment | None:
    """A time of nbgrader's, which means UTC where it names no zone."""
    try:
        return parse_time(text, "UTC").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


Read = Callable[[str], Sequence[Owned]]


def unpack_download(tree: Listing, matcher: Matcher) -> tuple[Listing, list[Problem]]:
    """Give a download the shape `STUDENT/FILE`; leave other trees alone.

    Every notebook, script and archive must have a name of the same platform: one that has not is
    no reason to guess.
    """
    tops = {node.parts[0] for node in tree.nodes} | {
        parts[0] for parts in tree.folders if _GRADESCOPE.fullmatch(parts[0])
    }
    if tops and all(map(_GRADESCOPE.fullmatch, tops)):
        record = next((one for one in tree.records if one.parts == (METADATA,)), None)
        if record is not None:
            return _gradescope(tree, record, tops)
    for read in (read_moodle, read_canvas, read_nbgrader):
        owned = [one for name in tops if (one := read(name)) is not None]
        named = read is read_nbgrader or all(_is_person(one, matcher) for one in owned)
        if owned and len(owned) == len(tops) and named:
            return _reshaped(tree, _alone(read)), []
    return tree, []


def _alone(read: Callable[[str], Owned | None]) -> Read:
    def owners(name: str) -> Sequence[Owned]:
        owned = read(name)
        return () if owned is None else (owned,)

    return owners


def _gradescope(tree: Listing, record: Node, tops: set[str]) -> tuple[Listing, list[Problem]]:
    with Reader() as reader:
        known, problems = read_metadata(record, reader)
    unnamed = sorted(name for name in tops if not known.get(name))
    if known and unnamed:
        problems.append(
            Problem(
                kind=ProblemKind.UNOWNED,
                message=f"{METADATA} does not say whose these are",
                where=", ".join(map(shown_name, unnamed)),
            )
        )

    def owners(name: str) -> Sequence[Owned]:
        handed = known.get(name) or ((Upload(student=name),) if name in tops else ())
        return [
            Owned(
                student=one.student,
                origin=Origin(
                    submitted_at=one.submitted_at,
                    time_from=f"Gradescope's {METADATA}" if one.submitted_at else "",
                ),
            )
            for one in handed
        ]

    return _reshaped(tree, owners), problems


def _is_person(owned: Owned, matcher: Matcher) -> bool:
    """Whether the name is somebody's: `lab_1_2_final.ipynb` only looks like Canvas."""
    return bool(matcher.read(owned.student.rpartition("_")[0]).owner)


def _reshaped(tree: Listing, read: Read) -> Listing:
    """Put everything into its owners' folders: what a group has handed in, each of them has."""
    replace = msgspec.structs.replace

    def moved(parts: tuple[str, ...]) -> list[tuple[Owned, tuple[str, ...]]]:
        return [
            (one, (one.student, *([one.file] if one.file else []), *parts[1:]))
            for one in (read(parts[0]) if parts else ())
        ]

    def everywhere(parts: tuple[str, ...]) -> list[tuple[str, ...]]:
        return [place for _, place in moved(parts)] or [parts]

    nodes = [
        replace(node, parts=parts, origin=_of_file(owned.origin, parts))
        for node in tree.nodes
        for owned, parts in moved(node.parts)
    ]
    folders = {parts for found in tree.folders for parts in everywhere(found)}
    return replace(
        tree,
        nodes=tuple(nodes),
        folders=tuple(sorted(folders | {node.parts[:1] for node in nodes})),
        others=tuple(parts for found in tree.others for parts in everywhere(found)),
        faults=tuple(
            replace(fault, parts=parts)
            for fault in tree.faults
            for parts in everywhere(fault.parts)
        ),
        records=(),
    )


def _of_file(origin: Origin, parts: tuple[str, ...]) -> Origin:
    """Tell files apart that came together: each is an attempt among those of its own name."""
    if not origin.attempt:
        return origin
    below = parts[2:] if origin.series else parts[1:]
    series = "/".join((origin.series, *below)).casefold()
    return msgspec.structs.replace(origin, series=series)
