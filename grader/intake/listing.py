"""A folder, a zip archive or a file, as one flat tree of what matters; `walker.py` makes it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

import msgspec

from grader.model import Moment, ProblemKind, Value

T = TypeVar("T")


class Origin(Value, frozen=True):
    """What the instructor's side knows of where a file comes from.

    submitted_at, time_from: when it was handed in, and what says so. late: a platform's mark.
    attempt: puts files of one `series` in order, each being an attempt; empty where nobody knows.
        Before its two numbers there may be a third: of which collection it is.
    """

    submitted_at: Moment | None = None
    time_from: str = ""
    late: bool = False
    series: str = ""
    attempt: tuple[int, ...] = ()


NOWHERE = Origin()


class Node(Value, frozen=True):
    """A file: the names that lead to it below the root, and where its bytes are.

    `refused` says why it can't be used. `entry` is what to call it: a path, or `archive!member`.
    Of a file in an archive inside an archive, `member` is the latter and `inner` the file in it.
    """

    parts: tuple[str, ...]
    path: str
    entry: str
    member: int | None = None
    inner: int | None = None
    refused: str = ""
    hint: str = ""
    origin: Origin = NOWHERE

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.parts[-1]


class Fault(Value, frozen=True):
    """A place that can't be looked into, as names below the root, or not used: `kind` says why."""

    parts: tuple[str, ...]
    entry: str
    message: str
    hint: str = ""
    kind: ProblemKind = ProblemKind.UNREADABLE


class Listing(Value, frozen=True):
    """What lies below a root. `folders` holds every folder, `others` what is no submission.

    `records` are those of the `others` in which something is said of submissions. An archive below
    the root has none: what lies in it is its owner's word. `remarks` are archives whose names had
    to be guessed, and how they were read.
    """

    name: str
    nodes: tuple[Node, ...] = ()
    folders: tuple[tuple[str, ...], ...] = ()
    others: tuple[tuple[str, ...], ...] = ()
    faults: tuple[Fault, ...] = ()
    records: tuple[Node, ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()


def without_packages(tree: Listing, names: Collection[str]) -> Listing:
    """Leave out the Python packages of these names, wherever they lie below the root."""
    packages = {
        node.parts[:-1]
        for node in tree.nodes
        if node.parts[-1] == "__init__.py" and node.parts[-2:-1] and node.parts[-2] in names
    }

    def outside(parts: tuple[str, ...]) -> bool:
        return not any(parts[:depth] in packages for depth in range(1, len(parts) + 1))

    return msgspec.structs.replace(
        tree,
        nodes=tuple(node for node in tree.nodes if outside(node.parts)),
        folders=tuple(parts for parts in tree.folders if outside(parts)),
        others=tuple(parts for parts in tree.others if outside(parts)),
        records=tuple(node for node in tree.records if outside(node.parts)),
    )


def is_document(name: str) -> bool:
    """Whether a file of this name is more often a text to read than a notebook."""
    return name.lower().endswith(".md")


def without_documents(tree: Listing, says_assignment: Callable[[str], object]) -> Listing:
    """Count Markdown among the `others`, unless its name says for which assignment it is."""

    def is_wanted(node: Node) -> bool:
        return not is_document(node.name) or bool(says_assignment(node.name))

    unwanted = tuple(node.parts for node in tree.nodes if not is_wanted(node))
    return msgspec.structs.replace(
        tree,
        nodes=tuple(node for node in tree.nodes if is_wanted(node)),
        others=(*tree.others, *unwanted),
    )


def split_by_folder(tree: Listing) -> dict[str, Listing]:
    """Return the folders directly below the root as trees of their own, by name and in order.

    An archive that can't be read is a folder with nothing but its fault.
    """
    nodes = _by_top([(node.parts, node) for node in tree.nodes if len(node.parts) > 1])
    folders = _by_top([(parts, parts) for parts in tree.folders])
    others = _by_top([(parts, parts) for parts in tree.others if len(parts) > 1])
    faults = _by_top([(fault.parts, fault) for fault in tree.faults if fault.parts])
    records = _by_top([(node.parts, node) for node in tree.records if len(node.parts) > 1])
    cut = msgspec.structs.replace
    return {
        name: Listing(
            name=name,
            nodes=tuple(cut(node, parts=node.parts[1:]) for node in nodes.get(name, ())),
            folders=tuple(parts[1:] for parts in folders.get(name, ()) if len(parts) > 1),
            others=tuple(parts[1:] for parts in others.get(name, ())),
            faults=tuple(cut(fault, parts=fault.parts[1:]) for fault in faults.get(name, ())),
            records=tuple(cut(node, parts=node.parts[1:]) for node in records.get(name, ())),
        )
        for name in sorted({*nodes, *folders, *others, *faults})
    }


def _by_top(items: list[tuple[tuple[str, ...], T]]) -> dict[str, list[T]]:
    groups: dict[str, list[T]] = {}
    for parts, item in items:
        groups.setdefault(parts[0], []).append(item)
    return groups
