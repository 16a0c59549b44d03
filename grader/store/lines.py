"""Files that only grow, a line for each thing that a person has decided: nothing is ever changed.

A line is on the disk when it has been added, and two processes that add at once lose nothing: each
waits until the other has done.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from pathlib import Path
from typing import TypeVar

import msgspec

from grader.errors import GraderError
from grader.store.output import GRADEBOOK, PRIVATE, try_lock

T = TypeVar("T", bound=msgspec.Struct)

PATIENCE_S, PAUSE_S = 10.0, 0.005


def read_lines(path: Path, type_: type[T], what: str) -> tuple[T, ...]:
    """Return what a file holds, the oldest first; nothing where there is none.

    Args:
        path: the file.
        type_: what a line is.
        what: what to call it in an error, such as `adjustment`.

    Raises:
        GraderError: the file can't be read, or a line is none: it is never passed over in silence.
    """
    try:
        content = path.read_bytes()
        if not content.endswith(b"\n"):  # somebody may be adding to it this very moment
            time.sleep(10 * PAUSE_S)
            content = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise _failed("read", what, path, error) from None
    found = []
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            try:
                found.append(msgspec.json.decode(line, type=type_))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                article = "an" if what[0] in "aeiou" else "a"
                raise GraderError(
                    f"this line is not {article} {what} ({error})",
                    where=f"{path}:{number}",
                    hint="repair it, or take the line out",
                ) from None
    return tuple(found)


def add_lines(path: Path, lines: tuple[T, ...], what: str) -> None:
    """Add lines and wait until the disk has them.

    Raises:
        GraderError: they can't be written.
    """
    text = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, _mode_of(path.parent))
        try:
            _wait_for(descriptor, path, what)
            _write(descriptor, b"\n" + text if _unfinished(descriptor) else text)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)  # which ends the lock, too
    except OSError as error:
        raise _failed("write", what, path, error) from None


def digest(line: msgspec.Struct) -> str:
    """Name a line by what it says; fields that a later version has change no name."""
    usual = dict(zip(line.__struct_fields__[::-1], line.__struct_defaults__[::-1], strict=False))
    said = {
        name: value
        for name, value in msgspec.to_builtins(line).items()
        if value != "" and (name not in usual or getattr(line, name) != usual[name])
    }
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:16]


def _write(descriptor: int, text: bytes) -> None:
    while text:
        text = text[os.write(descriptor, text) :]


def _wait_for(descriptor: int, path: Path, what: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not try_lock(descriptor):
        if time.monotonic() > until:
            raise GraderError(
                f"can't write the {what}s: somebody else holds the file", where=str(path)
            )
        time.sleep(PAUSE_S)


def _unfinished(descriptor: int) -> bool:
    """Whether the last line has no end: an editor left it out, or a power cut."""
    size = os.fstat(descriptor).st_size
    if not size:
        return False
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1) != b"\n"


def _mode_of(folder: Path) -> int:
    """The mode of the gradebook that is beside it, as far as the umask lets us."""
    try:
        return stat.S_IMODE((folder / GRADEBOOK).stat().st_mode)
    except OSError:
        return PRIVATE


def _failed(verb: str, what: str, path: Path, error: OSError) -> GraderError:
    reason = (error.strerror or type(error).__name__).lower()
    return GraderError(f"can't {verb} the {what}s ({reason})", where=str(path))
