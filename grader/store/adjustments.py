"""`adjustments.jsonl` in the output folder: what an instructor changed by hand, line by line.

Lines are only ever added: one that takes another back names it by its digest. So it can always be
told who changed what, when and why; and whatever is graded again, they stay.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

import msgspec

from grader.config.policy import Adjustment
from grader.errors import GraderError
from grader.store.output import GRADEBOOK, PRIVATE

NAME = "adjustments.jsonl"


def read(folder: Path) -> tuple[Adjustment, ...]:
    """Return the adjustments of an output folder, the oldest first.

    Raises:
        GraderError: the file can't be read, or a line is none: it is never passed over in silence.
    """
    path = folder / NAME
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise _failed("read", path, error) from None
    found = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                found.append(msgspec.json.decode(line, type=Adjustment))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise GraderError(
                    f"this line is no adjustment ({error})",
                    where=f"{path}:{number}",
                    hint="repair it, or take the line out",
                ) from None
    return tuple(found)


def in_force(adjustments: Iterable[Adjustment]) -> tuple[Adjustment, ...]:
    """Return those that nobody has taken back."""
    found: list[Adjustment] = []
    for one in adjustments:
        if not one.undoes:
            found.append(one)
            continue
        for place in reversed(range(len(found))):
            if digest(found[place]) == one.undoes:
                del found[place]
                break
    return tuple(found)


def digest(adjustment: Adjustment) -> str:
    """Name an adjustment by what it says; fields that a later version has change no name."""
    said = {name: value for name, value in msgspec.to_builtins(adjustment).items() if value != ""}
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:16]


def add(folder: Path, adjustment: Adjustment) -> Path:
    """Add one line and wait until the disk has it; return the file.

    Raises:
        GraderError: it can't be written.
    """
    path = folder / NAME
    line = msgspec.json.encode(adjustment) + b"\n"
    try:
        if _unfinished(path):
            line = b"\n" + line
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _mode_of(folder))
        with os.fdopen(descriptor, "wb") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _failed("write", path, error) from None
    return path


def _mode_of(folder: Path) -> int:
    """The mode of the gradebook that is adjusted, as far as the umask lets us."""
    try:
        return stat.S_IMODE((folder / GRADEBOOK).stat().st_mode)
    except OSError:
        return PRIVATE


def _unfinished(path: Path) -> bool:
    """Whether the last line has no end: an editor left it out, or a power cut."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return False
    return bool(content) and not content.endswith(b"\n")


def _failed(what: str, path: Path, error: OSError) -> GraderError:
    reason = (error.strerror or type(error).__name__).lower()
    return GraderError(f"can't {what} the adjustments ({reason})", where=str(path))
