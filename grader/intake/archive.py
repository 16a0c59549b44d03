"""Zip archives from strangers: listed and read in memory, never extracted to disk.

What is refused, is refused by name; the other members stay usable:

- names that lead outside (`..`, absolute, a drive letter), links, devices, encrypted members
- two members of one name: neither is used
- members that share bytes with another one, or that grow more than 200-fold: bombs
- members over the size limit, whatever their header says: reading stops there
- compression other than deflate

An archive inside an archive is opened in memory, within the same limits; `walker.py` says when.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NoReturn, cast

from grader.errors import IntakeError
from grader.intake.files import MAX_FILE_BYTES, open_regular, too_large
from grader.intake.member_names import read_names
from grader.model import Value

MAX_MEMBERS = 20_000
MAX_READ_BYTES = 4 << 20
# of an archive that holds a whole class, which is the instructor's
MAX_CLASS_MEMBERS = 200_000
MAX_CLASS_READ_BYTES = 64 << 20
MAX_RATIO = 200
RATIO_MATTERS_BYTES = 1 << 20
LOCAL_HEADER_BYTES = 30
MAX_INNER_BYTES = 64 << 20
"""Of an archive inside an archive, which is held in memory."""

_ENCRYPTED = 0x1
_CHUNK = 64 << 10
_BAD_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    IndexError,
    ValueError,
    OverflowError,
    OSError,
)


class Member(Value, frozen=True):
    """A file of an archive. `refused` says why it is not used; `parts` are its path's names.

    size: what it says to have, in bytes.
    """

    index: int
    parts: tuple[str, ...]
    refused: str = ""
    size: int = 0


class _BoundedFile:
    """A file that reads no more at once than a sane archive asks for.

    zipfile believes the size that an archive gives for its own directory.
    """

    def __init__(self, stream: BinaryIO, most: int) -> None:
        self._stream = stream
        self._most = most
        self.seek = stream.seek
        self.tell = stream.tell
        self.seekable = stream.seekable

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(min(size, self._most) if size >= 0 else self._most)
        if len(content) == self._most:
            raise zipfile.BadZipFile("its directory is too large")
        return content


class Archive:
    """An open zip archive.

    Args:
        source: the file, or a stream of its bytes, which is closed with it.
        of_class: whether it may hold as much as a whole class; else it is one student's.
        hints: names that people have here, which tell how names are written that don't say.
        guess: whether to find that out where nothing tells.

    Raises:
        IntakeError: it can't be opened, is not a zip archive, is damaged, or has too many members.
    """

    def __init__(
        self,
        source: str | Path | BinaryIO,
        *,
        of_class: bool = False,
        hints: Collection[str] = (),
        guess: bool = True,
    ) -> None:
        most = MAX_CLASS_MEMBERS if of_class else MAX_MEMBERS
        self._stream = open_regular(source) if isinstance(source, (str, Path)) else source
        try:
            bounded = _BoundedFile(
                self._stream, MAX_CLASS_READ_BYTES if of_class else MAX_READ_BYTES
            )
            self._zip = zipfile.ZipFile(cast("BinaryIO", bounded))
            self._infos = self._zip.infolist()
        except UnicodeDecodeError:
            self._refuse("its member names are not valid UTF-8")
        except _BAD_ZIP as error:
            self._refuse(f"it is not a usable zip archive ({_reason(error)})")
        if len(self._infos) > most:
            self._refuse(f"it has {len(self._infos)} members, the limit is {most}")
        found = read_names(self._infos, hints, guess=guess)
        self._names = found.names
        self.guessed = found.guessed

    def _refuse(self, message: str) -> NoReturn:
        self._stream.close()
        raise IntakeError(message, hint="make the archive again, or hand in its files without one")

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._zip.close()
        self._stream.close()

    def members(self) -> tuple[Member, ...]:
        """Return every file in the archive, the refused ones with their reason."""
        paths = [_parts(name) for name in self._names]
        counts = Counter(paths)
        shared = _sharing(self._infos)
        members = []
        for index, (info, parts) in enumerate(zip(self._infos, paths, strict=True)):
            if _is_folder(self._names[index]) or not parts:
                continue
            refused = _refusal(info, self._names[index])
            if counts[parts] > 1:
                refused = "another member of the archive has the same name"
            elif not refused and index in shared:
                refused = "it shares its bytes with another member, as in a zip bomb"
            size = info.file_size
            members.append(Member(index=index, parts=parts, refused=refused, size=size))
        return tuple(members)

    def folders(self) -> tuple[tuple[str, ...], ...]:
        """Return the folders that have an entry of their own, as path names.

        The archive's own folder, which some tools list as `./`, is none of them.
        """
        found = (_parts(name) for name in self._names if _is_folder(name))
        return tuple(parts for parts in found if parts)

    def read(self, index: int, limit: int = MAX_FILE_BYTES) -> bytes:
        """Read a member of at most `limit` bytes.

        Raises:
            IntakeError: it is too large, damaged, or refused for what its header says.
        """
        if not 0 <= index < len(self._infos):
            raise IntakeError("the archive has changed: that member is gone")
        info = self._infos[index]
        refused = _refusal(info, self._names[index])
        if refused:
            raise IntakeError(refused)
        if info.file_size > limit:
            raise too_large(info.file_size, limit)
        content = bytearray()
        try:
            with self._zip.open(info) as stream:
                while chunk := stream.read(_CHUNK):
                    content += chunk
                    if len(content) > limit:
                        break
        except _BAD_ZIP as error:
            raise IntakeError(f"it is damaged in the archive ({_reason(error)})") from None
        if len(content) > limit:
            raise too_large(len(content), limit)
        return bytes(content)

    def inner(self, index: int, hints: Collection[str] = (), *, guess: bool = True) -> Archive:
        """Open a member that is an archive itself.

        Raises:
            IntakeError: it can't be read, is too large, or is no archive.
        """
        content = self.read(index, MAX_INNER_BYTES)
        return Archive(io.BytesIO(content), hints=hints, guess=guess)


def _is_folder(name: str) -> bool:
    return name.endswith(("/", "\\"))


def _parts(name: str) -> tuple[str, ...]:
    # Some Windows tools write backslashes.
    return tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))


def _refusal(info: zipfile.ZipInfo, name: str) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if ".." in _parts(name) or name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        return "its name leads outside the archive"
    if "\0" in name:
        return "its name contains a NUL character"
    if stat.S_ISLNK(kind):
        return "it is a symbolic link"
    if kind and not stat.S_ISREG(kind):
        return "it is not a regular file"
    if info.flag_bits & _ENCRYPTED:
        return "it is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "it is compressed by a method other than deflate"
    grown = info.file_size > RATIO_MATTERS_BYTES
    if grown and info.file_size > MAX_RATIO * max(info.compress_size, 1):
        return f"it grows more than {MAX_RATIO}-fold when unpacked, as in a zip bomb"
    return ""


def _sharing(infos: list[zipfile.ZipInfo]) -> set[int]:
    """Return the indices of members whose bytes overlap those of another one."""
    order = sorted(range(len(infos)), key=lambda index: infos[index].header_offset)
    shared: set[int] = set()
    end, last = -1, -1
    for index in order:
        info = infos[index]
        if info.header_offset < end:
            shared |= {index, last}
        reach = info.header_offset + LOCAL_HEADER_BYTES + info.compress_size
        if reach > end:
            end, last = reach, index
    return shared


def _reason(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return "".join(c if c.isprintable() else "?" for c in text)[:120]
