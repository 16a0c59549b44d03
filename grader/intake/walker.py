"""Walks over a folder or an archive, and lists what matters.

Left out without a word: hidden files and folders (`.ipynb_checkpoints`, `.git`, `.DS_Store`,
`._*`), `__pycache__`, `__MACOSX`, `Thumbs.db`, `desktop.ini`, virtual environments (a folder with
`pyvenv.cfg`), and within archives the same. Everything else that is a notebook, a script or an
archive is listed, with a reason when it can't be used. Other files (texts, data, pictures) are
only counted as something that a folder contains.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec

from grader.errors import IntakeError
from grader.intake.archive import Archive, Member
from grader.intake.listing import Fault, Listing, Node
from grader.intake.markdown_cells import ENDINGS as MARKDOWN
from grader.intake.member_names import SHOWN
from grader.intake.platforms import RECEIPT

MAX_DEPTH = 16
MAX_ENTRIES = 50_000
MAX_LISTED = 500_000
"""What lies below one name at the top, with the members of its archives."""
ARCHIVE_COUNTS = 20
"""Opening an archive takes as long as listing so many files."""
MAX_NAMED = 20
"""Files of an archive that are named where all of them have the same fault."""
MAX_INNER_BYTES = 256 << 20
"""Of one student's archives inside an archive, together."""
MAX_GUESSES = 20
"""Archives of one student's whose names are puzzled over."""
LITTER = frozenset(
    {
        "__pycache__", "__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r",
        "$recycle.bin", "system volume information", "@eadir",
    }
)  # fmt: skip
PACKED = (
    ".7z",
    ".7z.001",
    ".rar",
    ".tar",
    ".tgz",
    ".tar.gz",
    ".tar.bz2",
    ".tar.xz",
    ".txz",
    ".zipx",
)
"""Archives that are not opened here."""
USABLE = (".ipynb", ".py", *MARKDOWN)

# Browsers that save a notebook as text give it these names.
MISNAMED = (".ipynb.txt", ".ipynb.json", ".ipynb.html")

# Small files in which a platform, or `grader collect`, says what it knows of submissions.
RECORDS = frozenset({"timestamp.txt", "submission_metadata.yml", "collected.json"})


def list_files(
    path: Path, shown: str, apart: Collection[Path] = (), names: Collection[str] = ()
) -> Listing:
    """List what lies below a folder or in an archive. Links are not followed.

    Args:
        path: the folder or archive, free of links.
        shown: what to call it in messages.
        apart: folders, free of links, that are not looked into.
        names: what people are called here.

    Raises:
        IntakeError: the folder or archive itself can't be read.
    """
    listing = _Surveyor(shown, apart, names)
    try:
        if path.is_dir():
            listing.folder(path)
        else:
            listing.archive(path, (), shown)
    except IntakeError as error:
        raise IntakeError(error.message, where=shown, hint=error.hint) from None
    return listing.tree(path.name if path.is_dir() else path.stem)


def is_litter(name: str) -> bool:
    """Whether a name belongs to the system or an editor, not to a person."""
    return name.startswith((".", "~$")) or name.lower() in LITTER


def _is_litter(parts: tuple[str, ...]) -> bool:
    return any(is_litter(part) for part in parts if part != "..")


def _without_litter(members: Iterable[Member]) -> list[Member]:
    """Leave out what belongs to the system or an editor, and virtual environments."""
    members = [member for member in members if not _is_litter(member.parts)]
    environments = {m.parts[:-1] for m in members if m.parts[-1] == "pyvenv.cfg"}
    return [
        member
        for member in members
        if not any(
            member.parts[:depth] in environments
            for depth in range(1, min(len(member.parts), MAX_DEPTH))
        )
    ]


class _Surveyor:
    """Collects the parts of a tree."""

    def __init__(
        self, shown: str, apart: Collection[Path] = (), names: Collection[str] = ()
    ) -> None:
        self.shown = shown
        self.names = names
        self.apart = frozenset(map(str, apart))
        self.nodes: list[Node] = []
        self.folders: list[tuple[str, ...]] = []
        self.others: list[tuple[str, ...]] = []
        self.faults: list[Fault] = []
        self.records: list[Node] = []
        # by the name at the top, so that one student can't use up what the others need
        self._entered: Counter[str] = Counter()
        self._listed: Counter[str] = Counter()
        self._unpacked: Counter[str] = Counter()
        self._guesses: Counter[str] = Counter()
        self._remarks: list[tuple[str, str]] = []

    def tree(self, name: str) -> Listing:
        return Listing(
            name=name,
            nodes=tuple(sorted(self.nodes, key=lambda node: (node.parts, node.entry))),
            folders=tuple(sorted(set(self.folders))),
            others=tuple(sorted(self.others)),
            faults=tuple(sorted(self.faults, key=lambda fault: fault.parts)),
            records=tuple(sorted(self.records, key=lambda node: node.parts)),
            remarks=tuple(self._remarks),
        )

    # ------------------------------------------------------------ on disk

    def _entry(self, parts: tuple[str, ...]) -> str:
        return str(Path(self.shown, *parts))

    def folder(self, path: Path) -> None:
        """List a folder; one below it that can't be read is a fault, itself an error."""
        pending: list[tuple[str, tuple[str, ...]]] = [(str(path), ())]
        while pending:
            place, parts = pending.pop()
            if parts and self._entered[parts[0]] > MAX_ENTRIES:
                continue  # that was said
            try:
                entries = self._entries(place, parts)
            except (OSError, IntakeError) as error:
                message = error.message if isinstance(error, IntakeError) else _denied(error)
                if not parts:
                    raise IntakeError(message) from None
                self.faults.append(Fault(parts=parts, entry=self._entry(parts), message=message))
                continue
            if parts:
                self.folders.append(parts)
            for entry in entries:
                below = (*parts, entry.name)
                if not entry.is_dir(follow_symlinks=False):
                    self._file(entry, below)
                elif entry.path in self.apart:
                    continue
                elif _encodable(entry.name):
                    pending.append((entry.path, below))
                else:
                    self.faults.append(
                        Fault(
                            parts=below,
                            entry=self._entry(below),
                            message="its name is not valid UTF-8",
                            hint="rename it",
                        )
                    )

    def _entries(self, place: str, parts: tuple[str, ...]) -> list[os.DirEntry[str]]:
        if len(parts) > MAX_DEPTH:
            raise IntakeError(f"it lies more than {MAX_DEPTH} folders deep")
        found = []
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.name == "pyvenv.cfg":
                    return []
                if is_litter(entry.name):
                    continue
                if parts:
                    self._entered[parts[0]] += 1
                    if self._entered[parts[0]] > MAX_ENTRIES:
                        raise IntakeError(f"it holds more than {MAX_ENTRIES} files")
                found.append(entry)
        return sorted(found, key=lambda entry: entry.name)

    def _file(self, entry: os.DirEntry[str], parts: tuple[str, ...]) -> None:
        name = entry.name.lower()
        if not _encodable(entry.path):
            self._refuse(entry, parts, "its name is not valid UTF-8", "rename it")
        elif entry.is_symlink():
            self._refuse(entry, parts, "it is a symbolic link", "replace it by the file itself")
        elif name.endswith(PACKED):
            self.faults.append(_packed(parts, self._entry(parts)))
        elif not name.endswith((*USABLE, *MISNAMED, ".zip")):
            self.others.append(parts)
            if name in RECORDS or RECEIPT.fullmatch(name):
                self.records.append(Node(parts=parts, path=entry.path, entry=self._entry(parts)))
        elif not entry.is_file(follow_symlinks=False):
            self._refuse(entry, parts, "it is not a regular file")
        elif name.endswith(".zip"):
            self._zip(entry, parts)
        elif name.endswith(MISNAMED):
            self._refuse(entry, parts, *_misnamed(entry.name))
        else:
            self.nodes.append(Node(parts=parts, path=entry.path, entry=self._entry(parts)))

    def _refuse(
        self, entry: os.DirEntry[str], parts: tuple[str, ...], message: str, hint: str = ""
    ) -> None:
        self.nodes.append(
            Node(parts=parts, path=entry.path, entry=self._entry(parts), refused=message, hint=hint)
        )

    # ------------------------------------------------------------ in archives

    def _zip(self, entry: os.DirEntry[str], parts: tuple[str, ...]) -> None:
        folder = (*parts[:-1], parts[-1][: -len(".zip")])
        try:
            self.archive(Path(entry.path), folder, self._entry(parts))
        except IntakeError as error:
            self.faults.append(
                Fault(
                    parts=folder, entry=self._entry(parts), message=error.message, hint=error.hint
                )
            )

    def archive(self, path: Path, parts: tuple[str, ...], shown: str) -> None:
        """List an archive as if it were a folder of its name."""
        self._enter(parts)
        guess = self._may_guess(parts)
        with Archive(path, of_class=not parts, hints=self.names, guess=guess) as archive:
            self._members(archive, Node(parts=parts, path=str(path), entry=shown))

    def _enter(self, parts: tuple[str, ...]) -> None:
        """Count an archive below the root."""
        if parts:
            self.folders.append(parts)
            self._require_few(parts[0], ARCHIVE_COUNTS)

    def _may_guess(self, parts: tuple[str, ...]) -> bool:
        return not parts or self._guesses[parts[0]] < MAX_GUESSES

    def _members(self, archive: Archive, place: Node) -> None:
        """List the members of an archive. `place` says where it lies itself."""
        parts, shown = place.parts, place.entry
        members = archive.members()
        if parts:
            self._require_few(parts[0], len(members))
        if archive.guessed:
            self._guesses[parts[0] if parts else ""] += 1
            self._remarks.append((shown, SHOWN.get(archive.guessed, archive.guessed)))
        for folder in archive.folders():
            if len(folder) <= MAX_DEPTH and not _is_litter(folder) and ".." not in folder:
                self.folders.append((*parts, *folder))
        misplaced: Counter[tuple[tuple[str, ...], str]] = Counter()
        for member in _without_litter(members):
            entry = f"{shown}!{'/'.join(member.parts)}"
            wrong = self._misplaced(member, within_class=not parts)
            if not wrong:
                self._member(archive, member, place, entry)
                continue
            whose = parts or (() if ".." in member.parts else member.parts[:1])
            misplaced[whose, wrong] += 1
            if misplaced[whose, wrong] <= MAX_NAMED:
                self.faults.append(Fault(parts=whose, entry=entry, message=wrong))
        for (whose, wrong), number in misplaced.items():
            if number > MAX_NAMED:
                more = f"{number - MAX_NAMED} more of its files: {wrong}"
                self.faults.append(Fault(parts=whose, entry=shown, message=more))

    def _inner(self, archive: Archive, member: Member, place: Node) -> None:
        """List an archive that lies in that of a class, as each student's does in a download."""
        try:
            self._enter(place.parts)
            self._unpacked[place.parts[0]] += member.size
            if self._unpacked[place.parts[0]] > MAX_INNER_BYTES:
                limit = f"{MAX_INNER_BYTES >> 20} MiB"
                raise IntakeError(f"with the other archives there it is larger than {limit}")
            guess = self._may_guess(place.parts)
            with archive.inner(member.index, self.names, guess=guess) as inner:
                self._members(inner, place)
        except IntakeError as error:
            fault = Fault(
                parts=place.parts, entry=place.entry, message=error.message, hint=error.hint
            )
            self.faults.append(fault)

    def _require_few(self, top: str, more: int) -> None:
        self._listed[top] += more
        if self._listed[top] > MAX_LISTED:
            raise IntakeError(f"it holds more than {MAX_LISTED} files, those in archives included")

    def _misplaced(self, member: Member, *, within_class: bool) -> str:
        """Say why a member can't be listed where its name says; empty if it can."""
        if ".." in member.parts:
            return member.refused
        if len(member.parts) > MAX_DEPTH:
            return f"it lies more than {MAX_DEPTH} folders deep"
        if within_class:
            self._entered[member.parts[0]] += 1
            if self._entered[member.parts[0]] > MAX_ENTRIES:
                return f"its folder holds more than {MAX_ENTRIES} files"
        return ""

    def _member(self, archive: Archive, member: Member, place: Node, entry: str) -> None:
        parts = (*place.parts, *member.parts)
        name = parts[-1].lower()
        numbers = (member.index, None) if place.member is None else (place.member, member.index)
        node = Node(
            parts=parts, path=place.path, entry=entry, member=numbers[0], inner=numbers[1],
            refused=member.refused,
        )  # fmt: skip
        if member.refused:
            self.nodes.append(node)
        elif name.endswith(PACKED):
            self.faults.append(_packed(parts, entry))
        elif not name.endswith((*USABLE, *MISNAMED, ".zip")):
            self.others.append(parts)
            if not place.parts and (name in RECORDS or RECEIPT.fullmatch(name)):
                self.records.append(node)
        elif name.endswith(".zip") and not place.parts:
            folder = (*parts[:-1], parts[-1][: -len(".zip")])
            inside = Node(parts=folder, path=place.path, entry=entry, member=member.index)
            self._inner(archive, member, inside)
        else:
            refused, hint = _misnamed(parts[-1]) if name.endswith(MISNAMED) else ("", "")
            if name.endswith(".zip"):
                refused = "it is an archive inside an archive"
                hint = "unpack it and hand in its files"
            self.nodes.append(msgspec.structs.replace(node, refused=refused, hint=hint))


def _packed(parts: tuple[str, ...], entry: str) -> Fault:
    ending = next(one for one in PACKED if parts[-1].lower().endswith(one))
    kind = ending.split(".")[1]
    return Fault(
        parts=(*parts[:-1], parts[-1][: -len(ending)] or parts[-1]),
        entry=entry,
        message=f"it is a {kind} archive, and only zip archives are opened",
        hint="unpack it, and hand in its files, or a zip of them",
    )


def _misnamed(name: str) -> tuple[str, str]:
    right = name[: name.lower().rindex(".ipynb") + len(".ipynb")]
    return "a notebook's name ends with .ipynb", f"rename it to {right}, if it is one"


def _encodable(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _denied(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "permission to look into it is denied"
    return f"it can't be looked into ({error.strerror or type(error).__name__})"
