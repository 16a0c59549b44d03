"""Downloads of learning platforms, told by their names and put into the shape of any other class.

What is called how: `platforms.py`; Gradescope's export, `submission_NUMBER/FILE` beside
`submission_metadata.yml`, says itself whose its folders are, and of when.

Each name becomes `NAME_ID/FILE`: the id is what the platform's grade sheet knows a student by
(Blackboard's user names stand alone). Canvas appends `-1`, `-2`, … to the names of files that are
handed in again: these are attempts, as are several folders of one student in nbgrader's exchange,
and what Blackboard and Brightspace date.

A name of a platform's shape is evidence, whatever its owner is called. What has another name, as a
file that somebody has put beside a download, is looked at as in any other class.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

import msgspec

from grader.errors import IntakeError
from grader.intake.gradescope_yaml import METADATA, Upload, read_metadata
from grader.intake.listing import Listing, Node, Origin
from grader.intake.matching import Matcher
from grader.intake.platforms import (
    BY_DATE,
    RECEIPT,
    SAKAI_FILES,
    SAKAI_WORDS,
    Owned,
    is_surely_canvas,
    read_blackboard_class,
    read_brightspace,
    read_canvas_class,
    read_moodle,
    read_nbgrader,
    read_sakai,
    receipt_user,
)
from grader.intake.reading import Reader
from grader.model import Problem, ProblemKind, Value
from grader.text import shown_name

STAMP = "timestamp.txt"

_GRADESCOPE = re.compile(r"submission_(\d+)")


class Download(Value, frozen=True):
    """A tree in the shape of a class. `people` are the folders that a platform's names stand for.

    platform: which one, empty for Gradescope and nbgrader, which never hand out groups.
    """

    tree: Listing
    people: frozenset[str]
    problems: tuple[Problem, ...] = ()
    platform: str = ""


Read = Callable[[str], Sequence[Owned]]
Names = dict[str, Owned]


def unpack_download(tree: Listing, matcher: Matcher) -> Download | None:
    """Give a download the shape `STUDENT/FILE`; None for what is none."""
    files = {node.parts[0] for node in tree.nodes}
    tops = files | {parts[0] for parts in (*tree.folders, *tree.others)}
    tops |= {fault.parts[0] for fault in tree.faults if fault.parts}
    if record := _gradescope_record(tree, files):
        return _gradescope(tree, record, files | set(filter(_GRADESCOPE.fullmatch, tops)))
    for platform, read in (("moodle", read_moodle), ("brightspace", read_brightspace)):
        if owned := _each(tops, read):
            return _download(tree, owned, [], platform)
    if any(RECEIPT.fullmatch(name) or "_attempt_" in name for name in tops):
        owned, unclear = read_blackboard_class(tops, _receipts(tree))
        if owned or unclear:
            return _download(tree, owned, unclear, "blackboard")
    if sakai := _sakai(tree, tops):
        return sakai
    owned, unclear = read_canvas_class(tops)
    if _is_canvas(owned, unclear, files, matcher):
        return _download(tree, owned, unclear, "canvas")
    owned = _each(files or tops, read_nbgrader)
    if owned and len(owned) == len(files or tops):
        return _download(tree, owned, [], "")
    return None


def _each(names: Collection[str], read: Callable[[str], Owned | None]) -> Names:
    return {name: owned for name in names if (owned := read(name)) is not None}


def _is_canvas(owned: Names, unclear: Collection[str], files: set[str], matcher: Matcher) -> bool:
    """Whether the names that look like Canvas's are: all of them do, or some surely do."""
    named = {*owned, *unclear}
    if not named:
        return False
    if files <= named and any(_is_person(one, matcher) for one in owned.values()):
        return True
    surely = [name for name in named if is_surely_canvas(name)]
    return bool(surely) and 2 * len(files & named) >= len(files)


def _is_person(owned: Owned, matcher: Matcher) -> bool:
    """Whether the name is somebody's: `lab_1_2_final.ipynb` only looks like Canvas."""
    return bool(matcher.read(owned.student.rpartition("_")[0]).owner)


def _receipts(tree: Listing) -> dict[str, str]:
    """Return the users whom Blackboard's notes name, by the notes' names."""
    users = {}
    with Reader() as reader:
        for node in tree.records:
            if len(node.parts) == 1 and RECEIPT.fullmatch(node.name):
                try:
                    content = reader.read(node.path, node.member)
                except IntakeError:
                    continue
                users[node.name[: -len(".txt")]] = receipt_user(content)
    return users


def _sakai(tree: Listing, tops: Collection[str]) -> Download | None:
    """Take only what students have handed in: Sakai puts feedback into folders beside it."""

    def is_word(parts: tuple[str, ...]) -> bool:
        return len(parts) > 1 and (
            parts[1].casefold() == SAKAI_FILES or parts[1].casefold().endswith(SAKAI_WORDS)
        )

    owned = _each(tops, read_sakai)
    speaking = {parts[0] for parts in (*tree.folders, *tree.others) if is_word(parts)}
    speaking |= {node.parts[0] for node in tree.nodes if is_word(node.parts)}
    if not owned or not speaking & set(owned):
        return None

    def keep(parts: tuple[str, ...]) -> bool:
        return not parts or parts[0] not in owned or len(parts) == 1 or is_word(parts)

    cut = msgspec.structs.replace(
        tree,
        nodes=tuple(node for node in tree.nodes if keep(node.parts)),
        folders=tuple(parts for parts in tree.folders if keep(parts)),
        others=tuple(parts for parts in tree.others if keep(parts)),
        faults=tuple(fault for fault in tree.faults if keep(fault.parts)),
    )
    return _download(cut, owned, [], "sakai")


def _download(tree: Listing, owned: Names, unclear: Collection[str], platform: str) -> Download:
    problems = [
        Problem(
            kind=ProblemKind.UNOWNED,
            message="it can't be told whose this is: its name has more than one number that may "
            "be a student's",
            where=shown_name(name),
            hint="look it up on the platform, and put it into a folder that is named after the "
            "student",
        )
        for name in sorted(unclear)
    ]
    unclear = set(unclear)

    def owners(name: str) -> Sequence[Owned]:
        return (owned[name],) if name in owned else ()

    kept = msgspec.structs.replace(
        tree,
        nodes=tuple(node for node in tree.nodes if node.parts[0] not in unclear),
        folders=tuple(parts for parts in tree.folders if parts[0] not in unclear),
        others=tuple(parts for parts in tree.others if parts[0] not in unclear),
    )
    people = frozenset(one.student for one in owned.values())
    return Download(_reshaped(kept, owners), people, tuple(problems), platform)


# ---------------------------------------------------------------- Gradescope


def _gradescope_record(tree: Listing, files: Collection[str]) -> Node | None:
    """Return what says whose the folders are, where every file lies in one of them."""
    folders = {parts[0] for parts in tree.folders}
    tops = {*files, *filter(_GRADESCOPE.fullmatch, folders)}
    if not tops or not all(map(_GRADESCOPE.fullmatch, tops)):
        return None
    return next((one for one in tree.records if one.parts == (METADATA,)), None)


def _gradescope(tree: Listing, record: Node, tops: set[str]) -> Download:
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

    people = frozenset(one.student for name in tops for one in owners(name))
    return Download(_reshaped(tree, owners), people, tuple(problems))


# ---------------------------------------------------------------- the shape of a class


def _reshaped(tree: Listing, read: Read) -> Listing:
    """Put everything into its owners' folders: what a group has handed in, each of them has."""
    replace = msgspec.structs.replace

    def moved(parts: tuple[str, ...]) -> list[tuple[Owned | None, tuple[str, ...]]]:
        return [
            (one, (one.student, *([one.file] if one.file else []), *parts[1:]))
            for one in (read(parts[0]) if parts else ())
        ]

    def everywhere(parts: tuple[str, ...]) -> list[tuple[str, ...]]:
        return [place for _, place in moved(parts)] or [parts]

    nodes = [
        node if owned is None else replace(node, parts=parts, origin=_of_file(owned.origin, parts))
        for node in tree.nodes
        for owned, parts in moved(node.parts) or _as_it_is(node)
    ]
    folders = {parts for found in tree.folders for parts in everywhere(found)}
    others = [parts for found in tree.others for parts in everywhere(found)]
    return replace(
        tree,
        nodes=tuple(nodes),
        folders=tuple(sorted(folders | {node.parts[:1] for node in nodes if len(node.parts) > 1})),
        others=tuple(others),
        faults=tuple(
            replace(fault, parts=parts)
            for fault in tree.faults
            for parts in everywhere(fault.parts)
        ),
        records=(),
    )


def _as_it_is(node: Node) -> list[tuple[Owned | None, tuple[str, ...]]]:
    return [(None, node.parts)]


def _of_file(origin: Origin, parts: tuple[str, ...]) -> Origin:
    """Tell files apart that came together: each is an attempt among those of its own name."""
    if not origin.attempt or origin.series == BY_DATE:
        return origin
    below = parts[2:] if origin.series else parts[1:]
    series = "/".join((origin.series, *below)).casefold()
    return msgspec.structs.replace(origin, series=series)
