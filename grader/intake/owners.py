"""Whose files these are: from trees to one holding per student. The rules: `discovery.py`."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

import msgspec

from grader.errors import UsageError
from grader.intake.downloads import STAMP, Download, unpack_download
from grader.intake.listing import (
    Fault,
    Listing,
    Node,
    split_by_folder,
    without_documents,
    without_packages,
)
from grader.intake.matching import (
    Matcher,
    common_assignments,
    is_container,
    is_repository,
    read_together,
)
from grader.intake.walker import MISNAMED, USABLE, list_files
from grader.model import Problem, ProblemKind, Value
from grader.store.output import GRADEBOOK, SCORES
from grader.text import shown_name


class Held(Value, frozen=True):
    """A file, and the folders that may name its assignment, the nearest first.

    `stamp` is nbgrader's note of when it was handed in.
    """

    node: Node
    folders: tuple[str, ...] = ()
    stamp: Node | None = None


class Holding(Value, frozen=True):
    """What one student handed in, under the name as it was found. `others` are unusable files.

    `platform` is the one that the name is from, where it may be a group's; `folder` is the folder
    that the student is called after, where it may be a repository: `students.py`.
    """

    student: str
    entry: str
    files: tuple[Held, ...] = ()
    faults: tuple[Fault, ...] = ()
    others: tuple[str, ...] = ()
    platform: str = ""
    folder: str = ""


_EXPORT = re.compile(r"assignment_\d+_export")
_SAKAI_SHEETS = ("grades.csv", "grades.xls", "grades.xlsx")

Found = tuple[list[Holding], list[Problem]]


def find_holdings(
    path: Path,
    matcher: Matcher,
    handed_out: Collection[str] = (),
    apart: Collection[Path] = (),
    names: Collection[str] = (),
) -> Found:
    """Find out what each student has below a path.

    Args:
        path: a folder, an archive or a file.
        matcher: finds assignments in names.
        handed_out: the packages that come with the course: who hands them in again means nothing.
        apart: folders of the grader's own, which hold nobody's work.
        names: what people are called here, as a hint for archives that don't say how names are
            written.

    Raises:
        UsageError: there is no such path, or it is nothing that can hold submissions.
        IntakeError: it can't be read.
    """
    shown = shown_name(str(path))
    try:
        real = path.resolve(strict=True)
        is_folder, is_file = real.is_dir(), real.is_file()
    except (OSError, RuntimeError, ValueError) as error:
        denied = isinstance(error, PermissionError)
        what = "permission to read the path is denied" if denied else "no such file or folder"
        raise UsageError(what, where=shown, hint="name a folder, a zip, a notebook") from None
    if is_file and real.name.lower().endswith(USABLE):
        return [_single(real, shown, matcher)], []
    if not is_folder and not (is_file and real.suffix.lower() == ".zip"):
        raise UsageError(
            "not a folder, a zip archive, a notebook (.ipynb) or a script (.py)", where=shown
        )
    tree = without_packages(list_files(real, shown, apart, names), handed_out)
    tree = without_documents(tree, lambda name: matcher.read(stem(name)).assignments)
    found, problems = _find_in(tree, real, shown, matcher)
    return found, [*problems, *(_guessed(*remark) for remark in tree.remarks)]


def _find_in(tree: Listing, path: Path, shown: str, matcher: Matcher) -> Found:
    download = unpack_download(tree, matcher) or _wrapped_download(tree, matcher, path)
    if download is not None:
        return _of_download(download, shown, matcher)
    if path.is_file():
        tree = _unwrapped(tree, matcher)
    above = [tree.name, *(folder.name for folder in path.parents)]
    return _sort_out(tree, shown, above, matcher)


def _guessed(entry: str, encoding: str) -> Problem:
    return Problem(
        kind=ProblemKind.RENAMED,
        message=f"the names in this archive don't say how they are written: read as {encoding}",
        where=shown_name(entry),
        hint="if they look wrong, use --roster, or make the archive again with UTF-8 names",
    )


def _wrapped_download(tree: Listing, matcher: Matcher, path: Path) -> Download | None:
    """Look for a download in the only folder of an archive, or in that of Gradescope's export.

    A folder that may be a person's is not looked into: its files are called as a student likes.
    """
    inner = _around(tree)
    if inner is None:
        return None
    name = inner.name
    export = _EXPORT.fullmatch(name) is not None
    in_archive = path.is_file() and (is_nobodys(name, matcher) or name == tree.name)
    may_be_titled = path.is_file() or is_nobodys(name, matcher)
    titled = may_be_titled and any(
        len(parts) == 2 and parts[1] in _SAKAI_SHEETS for parts in tree.others
    )
    if not (export or in_archive or titled):
        return None
    return unpack_download(_inner(tree, inner, matcher), matcher)


def _of_download(download: Download, shown: str, matcher: Matcher) -> Found:
    tree = download.tree
    found, problems = holdings_of_class(
        tree, split_by_folder(tree), shown, matcher, download.people, download.platform
    )
    return found, [*problems, *download.problems]


def is_nobodys(name: str, matcher: Matcher) -> bool:
    """Whether a folder's name is no person's: `submissions`, `embeddings`, `Class of 2026`."""
    return not matcher.read(name).owner or is_container(name)


def stem(name: str) -> str:
    """Return a file name without the ending that makes it a submission."""
    for ending in (*MISNAMED, *USABLE, ".zip"):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


def _single(path: Path, shown: str, matcher: Matcher) -> Holding:
    above = [folder.name for folder in path.parents]
    name = stem(path.name)
    reading = matcher.read(name)
    owner = (reading.owner if reading.assignments else name) if reading.owner else ""
    nearest, folders = ("", ()) if owner else _nearest_person(above, matcher)
    node = Node(parts=(path.name,), path=str(path), entry=shown)
    return Holding(
        student=owner or nearest or name,
        entry=shown,
        files=(Held(node=node, folders=(*folders, *_outer(above[0], matcher))),),
        folder=nearest,
    )


def _outer(root: str, matcher: Matcher) -> tuple[str, ...]:
    """Return a root's name if it is an assignment's: by chance it may mention one."""
    return (root,) if matcher.read(root).plain else ()


def _nearest_person(names: list[str], matcher: Matcher) -> tuple[str, tuple[str, ...]]:
    """Return the first of these names that is more than an assignment's, and those before it."""
    for index, name in enumerate(names):
        reading = matcher.read(name)
        if name and (reading.owner or not reading.assignments):
            return name, tuple(names[:index])
    return "", ()


def _unwrapped(tree: Listing, matcher: Matcher) -> Listing:
    """Take the only folder in an archive for the archive. It keeps the better name of the two."""
    inner = _around(tree)
    if inner is None:
        return tree
    if inner.name != tree.name and not is_nobodys(inner.name, matcher):
        return tree  # somebody's: whoever is named within is not somebody else
    return _inner(tree, inner, matcher)


def _inner(tree: Listing, inner: Listing, matcher: Matcher) -> Listing:
    name = inner.name if matcher.read(inner.name).owner else tree.name
    outer = tuple(fault for fault in tree.faults if not fault.parts)
    return msgspec.structs.replace(inner, name=name, faults=(*outer, *inner.faults))


def _sort_out(tree: Listing, shown: str, above: list[str], matcher: Matcher) -> Found:
    folders = split_by_folder(tree)
    if _is_one_students(tree, folders, matcher):
        student, outer = _nearest_person(above, matcher)
        if _by_assignment(folders, matcher):
            return _several(tree, list(folders.values()), shown, above, matcher)
        whole = _whole(tree, student or tree.name, shown, outer)
        return [msgspec.structs.replace(whole, folder=student)], []
    inner = _wrapped(tree, matcher)
    if inner is not None and _holds_class(inner, matcher):
        return _several(tree, [inner], shown, above, matcher)
    return holdings_of_class(tree, folders, shown, matcher)


def _around(tree: Listing) -> Listing | None:
    """Return the single folder in which everything lies."""
    folders = split_by_folder(tree)
    return next(iter(folders.values())) if len(folders) == 1 and not _loose(tree) else None


def _wrapped(tree: Listing, matcher: Matcher) -> Listing | None:
    """Return the single folder in which everything lies, if its name is nobody's."""
    inner = _around(tree)
    return inner if inner is not None and is_nobodys(inner.name, matcher) else None


def _holds_class(tree: Listing, matcher: Matcher) -> bool:
    """Whether a folder with a name that is nobody's holds a download, or what is somebody's.

    In `submissions` files with persons' names are enough; in `embeddings` they may be helpers.
    """
    if unpack_download(tree, matcher) is not None:
        return True
    inner = _wrapped(tree, matcher)
    if inner is not None and _holds_class(inner, matcher):
        return True
    folders = split_by_folder(tree)
    if not is_container(tree.name):
        return _holds_people(tree, matcher)
    if _is_one_students(tree, folders, matcher):
        return _by_assignment(folders, matcher)
    names = [stem(node.name) for node in _loose(tree)]
    names += [name for name, folder in folders.items() if folder.nodes]
    return any(reading.owner for reading in read_together(names, matcher).values())


def _several(
    tree: Listing, inner: list[Listing], shown: str, above: list[str], matcher: Matcher
) -> Found:
    """Look at each of some folders as a root of its own."""
    found: list[Holding] = []
    problems = [_unplaced(fault) for fault in tree.faults if not fault.parts]
    for node in _loose(tree):
        problems.append(_unowned(node.entry, matcher.read(stem(node.name)).assignments))
    for folder in inner:
        place = str(Path(shown, folder.name))
        if download := unpack_download(folder, matcher):
            more = _of_download(download, place, matcher)
        else:
            more = _sort_out(folder, place, [folder.name, *above], matcher)
        found += more[0]
        problems += more[1]
    return found, problems


def _loose(tree: Listing) -> list[Node]:
    return [node for node in tree.nodes if len(node.parts) == 1]


def _is_one_students(tree: Listing, folders: dict[str, Listing], matcher: Matcher) -> bool:
    files = list(read_together((stem(node.name) for node in _loose(tree)), matcher).values())
    holding = [name for name, folder in folders.items() if folder.nodes]
    holders = list(read_together(holding, matcher).values())
    if any(reading.owner or len(reading.assignments) > 1 for reading in holders):
        return False
    named = sum(not reading.owner for reading in files)
    speaking = named or any(reading.plain for reading in holders)
    return bool(speaking) and 2 * named >= len(files)


def _by_assignment(folders: dict[str, Listing], matcher: Matcher) -> bool:
    holders = [folder for folder in folders.values() if folder.nodes]
    return all(matcher.read(folder.name).plain for folder in holders) and any(
        _holds_class(folder, matcher) for folder in holders
    )


def _holds_people(tree: Listing, matcher: Matcher) -> bool:
    """Whether it holds folders with files that have persons' names, and no other files.

    One such folder is enough where the tree's own name is nobody's: `submissions`, `embeddings`.
    """
    holders = [name for name, folder in split_by_folder(tree).items() if folder.nodes]
    people = [name for name in holders if matcher.read(name).owner]
    enough = 1 if is_nobodys(tree.name, matcher) else 2
    return len(people) == len(holders) >= enough and not _loose(tree)


def holdings_of_class(
    tree: Listing,
    folders: dict[str, Listing],
    shown: str,
    matcher: Matcher,
    people: Collection[str] = (),
    platform: str = "",
) -> Found:
    """Take a tree for a class: each folder is a student, as is each file with a person's name.

    Args:
        tree: the class.
        folders: its folders.
        shown: what to call it in messages.
        matcher: finds assignments in names.
        people: folders that a platform has named after people, whatever they are called.
        platform: which one.
    """
    found: list[Holding] = []
    problems = [_unplaced(fault) for fault in tree.faults if not fault.parts]
    readings = read_together((name for name in folders if name not in people), matcher)
    common = common_assignments(readings)
    outer = _outer(tree.name, matcher)
    for name, folder in folders.items():
        entry = str(Path(shown, name))
        if _is_output(folder):
            continue
        if name in people:
            whole = _whole(folder, name, entry, outer)
            found.append(msgspec.structs.replace(whole, platform=platform))
        elif readings[name].plain and folder.nodes and not is_repository(readings[name], common):
            problems += [_unowned(node.entry, readings[name].assignments) for node in folder.nodes]
            problems += [_unplaced(fault) for fault in folder.faults]
        else:
            repository = (name,) if set(readings[name].assignments) & common else ()
            whole = _whole(folder, name, entry, (*repository, *outer))
            found.append(msgspec.structs.replace(whole, folder=name))
    loose = read_together((stem(node.name) for node in _loose(tree)), matcher)
    for node in _loose(tree):
        name = stem(node.name)
        reading = loose[name]
        if not reading.owner:
            problems.append(_unowned(node.entry, reading.assignments))
            continue
        student = reading.owner if reading.assignments else name
        held = Held(node=node, folders=outer)
        found.append(Holding(student=student, entry=node.entry, files=(held,)))
    return found, problems


def _is_output(folder: Listing) -> bool:
    """Whether it is what an earlier check has written, and holds no work."""
    return not folder.nodes and {(GRADEBOOK,), (SCORES,)} <= set(folder.others)


def _whole(tree: Listing, student: str, shown: str, outer: tuple[str, ...]) -> Holding:
    stamps = {node.parts[0]: node for node in tree.records if node.parts[1:] == (STAMP,)}
    return Holding(
        student=student,
        entry=shown,
        files=tuple(
            Held(
                node=node,
                folders=(*reversed(node.parts[:-1]), *outer),
                stamp=stamps.get(node.parts[0]) if len(node.parts) > 1 else None,
            )
            for node in tree.nodes
        ),
        faults=tree.faults,
        others=tuple(parts[-1] for parts in tree.others),
    )


def _unplaced(fault: Fault) -> Problem:
    return Problem(
        kind=ProblemKind.UNREADABLE,
        message=f"left out: {fault.message}",
        where=shown_name(fault.entry),
        hint=fault.hint,
    )


def _unowned(entry: str, assignments: tuple[str, ...]) -> Problem:
    return Problem(
        kind=ProblemKind.UNOWNED,
        message="it can't be told whose this is",
        where=shown_name(entry),
        hint="put it into a folder that is named after the student",
        assignment=assignments[0] if len(assignments) == 1 else None,
    )
