"""`collected.json`: what `grader collect` knows of the files in its folder, for `grader check`.

It lies at the root of the folder, where no student can put anything. Whatever a download tells and
plain files can't is kept in it: whose a file is, what it was called, of which attempt and of when
it is, and what could not be collected. A file in the folder that it does not name belongs to the
student of its folder, as in any other class.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from grader.errors import IntakeError
from grader.intake.files import read_regular
from grader.intake.listing import Fault, Listing, Node, Origin, split_by_folder
from grader.intake.matching import Matcher
from grader.intake.owners import Held, Holding, holdings_of_class
from grader.intake.walker import list_files
from grader.model import Problem, Value
from grader.serialization import from_json, to_json
from grader.text import shown_name

NAME = "collected.json"
MAX_BYTES = 64 << 20
VERSION = 1


class Kept(Value, frozen=True):
    """A file. `path` is where it lies in the folder, empty if it could not be collected.

    `parts` and `folders` are the names that it had, `source` is where it came from.
    """

    student: str
    path: str
    parts: tuple[str, ...]
    source: str
    folders: tuple[str, ...] = ()
    assignment: str = ""
    digest: str = ""
    origin: Origin = Origin()
    refused: str = ""
    hint: str = ""


class Person(Value, frozen=True):
    """A student: the name as it was found, the folder, and what else was handed in.

    `platform` is the one that the name is from, where it may be a group's.
    """

    student: str
    folder: str
    entry: str
    others: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    platform: str = ""


class Manifest(Value, frozen=True):
    """What is known of a folder. `rounds` counts how often something was collected into it."""

    version: int = VERSION
    rounds: int = 0
    people: tuple[Person, ...] = ()
    files: tuple[Kept, ...] = ()
    problems: tuple[Problem, ...] = ()


def is_collected(folder: Path) -> bool:
    """Whether a folder has a manifest."""
    try:
        return folder.is_dir() and (folder / NAME).is_file()
    except (OSError, ValueError):
        return False


def read(folder: Path) -> Manifest:
    """Read a folder's manifest; an empty one if there is none.

    Raises:
        IntakeError: it can't be read.
    """
    path = folder / NAME
    if not path.exists() and not path.is_symlink():
        return Manifest()
    hint = "repair it, or remove it: then the files are read as any other class's"
    try:
        found = from_json(read_regular(path, MAX_BYTES), Manifest)
    except IntakeError as error:
        raise IntakeError(error.message, where=shown_name(str(path)), hint=hint) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"it is not what `grader collect` has written ({error})"
        raise IntakeError(message, where=shown_name(str(path)), hint=hint) from None
    if found.version != VERSION:
        raise IntakeError("another version of the grader wrote it", where=str(path), hint=hint)
    return found


def encode(manifest: Manifest) -> bytes:
    """Return a manifest as indented JSON with a final newline."""
    return msgspec.json.format(to_json(manifest), indent=2) + b"\n"


def holdings(folder: Path, shown: str, matcher: Matcher) -> tuple[list[Holding], list[Problem]]:
    """Return what each student has in a folder that was collected.

    Raises:
        IntakeError: the manifest can't be read.
    """
    manifest = read(folder)
    tree = list_files(folder, shown)
    there = {"/".join(node.parts): node for node in tree.nodes}
    files: dict[str, list[Held]] = {}
    gone: dict[str, list[Fault]] = {}
    for kept in manifest.files:
        node = _node(kept, there)
        if node is None:
            entry = str(Path(shown, kept.path))
            lost = Fault(parts=(), entry=entry, message="it was collected, but is there no more")
            gone.setdefault(kept.student, []).append(lost)
        else:
            files.setdefault(kept.student, []).append(Held(node=node, folders=kept.folders))
    found = [
        Holding(
            student=person.student,
            entry=person.entry,
            files=tuple(files.get(person.student, ())),
            faults=(*person.faults, *gone.get(person.student, ())),
            others=person.others,
            platform=person.platform,
        )
        for person in manifest.people
    ]
    added, problems = _added(tree, manifest, shown, matcher)
    return [*found, *added], [*manifest.problems, *problems]


def _node(kept: Kept, there: dict[str, Node]) -> Node | None:
    """The file as it was: under its own name, wherever it lies now."""
    if kept.refused:
        return Node(
            parts=kept.parts,
            path="",
            entry=kept.source,
            refused=kept.refused,
            hint=kept.hint,
            origin=kept.origin,
        )
    node = there.get(kept.path)
    if node is None or not kept.parts:
        return None
    return msgspec.structs.replace(node, parts=kept.parts, origin=kept.origin)


def _added(
    tree: Listing, manifest: Manifest, shown: str, matcher: Matcher
) -> tuple[list[Holding], list[Problem]]:
    """What somebody has put into the folder since, under the names that its folders stand for."""
    known = {kept.path for kept in manifest.files}
    nodes = tuple(node for node in tree.nodes if "/".join(node.parts) not in known)
    added = msgspec.structs.replace(tree, nodes=nodes, folders=(), others=(), records=())
    found, problems = holdings_of_class(added, split_by_folder(added), shown, matcher)
    names = {person.folder: person.student for person in manifest.people}
    renamed = [
        msgspec.structs.replace(one, student=names.get(one.student, one.student), folder="")
        for one in found
    ]
    return renamed, problems
