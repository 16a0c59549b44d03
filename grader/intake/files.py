"""Open and read files that somebody else put there: every limit before the work it bounds."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from grader.errors import IntakeError

MAX_FILE_BYTES = 10 << 20
MAX_NOTEBOOK_BYTES = 64 << 20
"""Of a notebook with its outputs, of which nothing is read; without them it is like any file."""


def limit_of(name: str) -> int:
    """Return how many bytes a file of this name may have as it lies there."""
    return MAX_NOTEBOOK_BYTES if name.lower().endswith(".ipynb") else MAX_FILE_BYTES


# Windows has no such flags; there O_BINARY keeps line ends as they are.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)


def open_regular(path: str | Path) -> BinaryIO:
    """Open a regular file: no symbolic link, no pipe, no device, no borrowed hard link.

    A hard link is refused when its owner is not the owner of the folder it lies in: that is
    somebody else's file. Snapshots made of hard links keep their owners and stay readable.

    Raises:
        IntakeError: it is something else, gone, or not ours to read.
    """

    def opened(name: str, _flags: int) -> int:
        descriptor = os.open(name, _FLAGS)
        try:
            _require_own_regular(descriptor, Path(name))
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    try:
        # whose the descriptor is, and who closes it, is clear whenever somebody presses Ctrl-C
        return open(path, "rb", opener=opened)
    except OSError as error:
        raise IntakeError(_why(path, error)) from None


def _require_own_regular(descriptor: int, path: Path) -> None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise IntakeError("it is not a regular file")
    if status.st_nlink > 1 and path.parent.stat().st_uid != status.st_uid:
        raise IntakeError("it is a hard link to a file of somebody else")


def read_regular(path: str | Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """Read a regular file of at most `limit` bytes; a larger one is not read at all.

    Raises:
        IntakeError: it can't be opened (see `open_regular`), or is too large.
    """
    with open_regular(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > limit:
            raise too_large(size, limit)
        try:
            content = stream.read(size + 1)
        except OSError as error:
            raise IntakeError(_why(path, error)) from None
    if len(content) > size:
        raise IntakeError(
            "it is being written to", hint="when it is complete, the next grading takes it"
        )
    return content


def too_large(size: int, limit: int = MAX_FILE_BYTES, hint: str = "") -> IntakeError:
    """Return the error for a file of `size` bytes where `limit` are allowed.

    Where nobody has looked into it, the hint is what a file with such a limit is large of.
    """
    if not hint and limit == MAX_NOTEBOOK_BYTES:
        hint = "clear the notebook's outputs and hand it in again"
    return IntakeError(
        f"it is too large: {mebibytes(size)} MiB, the limit is {mebibytes(limit)} MiB",
        hint=hint or "take data and pictures out of it, and hand it in again",
    )


def mebibytes(size: int) -> str:
    """Return a size in MiB, to one decimal."""
    return f"{size / (1 << 20):.1f}".removesuffix(".0")


def _why(path: str | Path, error: OSError) -> str:
    if Path(path).is_symlink():
        return "it is a symbolic link"
    if isinstance(error, PermissionError):
        return "permission to read it is denied"
    if isinstance(error, FileNotFoundError):
        return "it is gone"
    return f"it can't be read ({error.strerror or type(error).__name__})"
