"""Downloads of learning platforms, told by their names and put into the shape of any other class.

| platform | a file or folder at the top |
| --- | --- |
| Canvas | `NAME[_LATE]_USER_ATTACHMENT_FILE`; without names `anon_CODE[_LATE]_ATTACHMENT_FILE` |
| Moodle | `FULL NAME_NUMBER_assignsubmission_file_/FILE`, or flat, `…_assignsubmission_file_FILE` |

Each becomes `NAME_ID/FILE`: the id is what the platform's grade sheet knows a student by.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import msgspec

from grader.intake import clean_name, printable
from grader.matching import Matcher
from grader.model import Problem, Value
from grader.tree import Tree

_CANVAS = re.compile(
    r"(?:(?!LATE_anon_|anon_)(?P<name>\w+?)_)?(?:(?P<early>LATE)_)?(?P<user>anon_[^_]+|\d+)_"
    r"(?:(?P<late>LATE)_)?(?P<attachment>\d+)_(?P<file>.+)",
    re.S,
)
_MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<user>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)", re.S
)


class Owned(Value, frozen=True):
    """What a name at the top of a download says. `file` is empty when it is a folder's."""

    student: str
    file: str = ""
    late: bool = False


def read_canvas(name: str) -> Owned | None:
    """Read a name that Canvas gave."""
    match = _CANVAS.fullmatch(name)
    if match is None or not (match["name"] or match["user"].startswith("anon_")):
        return None
    student = f"{match['name']}_{match['user']}" if match["name"] else match["user"]
    return Owned(student=student, file=match["file"], late=bool(match["early"] or match["late"]))


def read_moodle(name: str) -> Owned | None:
    """Read a name that Moodle gave."""
    match = _MOODLE.fullmatch(name)
    if match is None:
        return None
    return Owned(student=f"{match['name']}_{match['user']}", file=match["file"])


def unpacked(tree: Tree, matcher: Matcher) -> tuple[Tree, list[Problem]]:
    """Give a download the shape `STUDENT/FILE`, and report who was late; leave other trees alone.

    Every notebook, script and archive must have a name of the same platform: one that has not is
    no reason to guess.
    """
    tops = {node.parts[0] for node in tree.nodes}
    for read in (read_moodle, read_canvas):
        owned = [one for name in tops if (one := read(name)) is not None]
        if owned and len(owned) == len(tops) and all(_is_person(one, matcher) for one in owned):
            return _reshaped(tree, read), _late(owned)
    return tree, []


def _is_person(owned: Owned, matcher: Matcher) -> bool:
    """Whether the name is somebody's: `lab_1_2_final.ipynb` only looks like Canvas."""
    return bool(matcher.read(owned.student.rpartition("_")[0]).owner)


def _reshaped(tree: Tree, read: Callable[[str], Owned | None]) -> Tree:
    def moved(parts: tuple[str, ...]) -> tuple[str, ...]:
        owned = read(parts[0]) if parts else None
        if owned is None:
            return parts
        return (owned.student, *([owned.file] if owned.file else []), *parts[1:])

    replace = msgspec.structs.replace
    folders = {moved(parts) for parts in tree.folders}
    return replace(
        tree,
        nodes=tuple(replace(node, parts=moved(node.parts)) for node in tree.nodes),
        folders=tuple(sorted(folders | {moved(node.parts)[:1] for node in tree.nodes})),
        others=tuple(moved(parts) for parts in tree.others),
        faults=tuple(replace(fault, parts=moved(fault.parts)) for fault in tree.faults),
    )


def _late(owned: Iterable[Owned]) -> list[Problem]:
    students = sorted({one.student for one in owned if one.late})
    return [
        Problem(
            kind="late",
            message="the platform marks it as late",
            where=printable(student),
            student=clean_name(student),
        )
        for student in students
    ]
