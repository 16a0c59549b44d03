"""Results on disk: a file is whole or not there, a folder belongs to one run at a time.

What holds students' data is made for its owner alone, whatever the umask; a course's `report_mode`
may let others read it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from grader.errors import GraderError, OutputBusy

# what lies in an output folder
LOCK_NAME = ".grader.lock"
GRADEBOOK = "gradebook.json"
SCORES = "scores.csv"
FEEDBACK = "feedback"
INDEX = "index.html"
STUDENTS = "students"
CODE = "code"
CHECKS = "checks"
JUNIT = "junit.xml"
GRADESCOPE = "gradescope"
RESULTS = ".results"

PRIVATE = 0o600
"""The mode of a file with students' data; whoever may read it may enter its folder."""

_UNFINISHED = re.compile(r"\..{1,40}\.[0-9a-f]{12}\.tmp", re.S)

_NEXT_STEPS = {
    errno.ENOSPC: "free some disk space and run again: the old file is untouched",
    errno.EDQUOT: "your disk quota is used up: free some space and run again",
    errno.EACCES: "choose a folder that you may write to with `--output`",
    errno.EPERM: "choose a folder that you may write to with `--output`",
    errno.EROFS: "the disk is read-only: choose another folder with `--output`",
    errno.ENOTDIR: "a file is in the way: choose another folder with `--output`",
    errno.EEXIST: "a file is in the way: choose another folder with `--output`",
    errno.EISDIR: "a folder is in the way: move it, or choose another folder with `--output`",
    errno.ENAMETOOLONG: "the path is too long: choose a shorter one with `--output`",
}


def write_atomically(
    path: Path, content: bytes | str, *, durable: bool = True, mode: int | None = PRIVATE
) -> None:
    """Replace a file in one step: readers see the old content or the new, never a part.

    Args:
        path: the file; its folder is created when it is missing.
        content: text is written as UTF-8, with `?` for what UTF-8 can't hold.
        durable: wait until the disk has it, so that it also outlives a power failure. What needn't
            be is left alone where the file holds it already: replacing thousands of files takes
            some file systems as long as writing them safely.
        mode: who may read and write it, whatever the umask; None leaves it to the umask, for what
            is about no student.

    Raises:
        GraderError: it can't be written; what was there before is still there.
    """
    # surrogates can't be encoded; an unwritable character must not cost a whole report
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    if not durable and _holds(path, data, mode):
        return
    fresh = path.parent / f".{path.name[:40]}.{secrets.token_hex(6)}.tmp"
    try:
        make_folder(path.parent, mode)
        try:
            _write(fresh, data, durable, mode)
            os.replace(fresh, path)  # noqa: PTH105 (the one call whose atomicity this is about)
        except BaseException:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise
        if durable:
            _flush_folder(path.parent)
    except OSError as error:
        raise _explained("can't write the file", path, error) from error


def make_folder(path: Path, mode: int | None = PRIVATE) -> None:
    """Make a folder, and those above it, for whoever may read files of this mode in it.

    Raises:
        OSError: it can't be made; nothing is changed of one that exists.
    """
    if mode is None:
        path.mkdir(parents=True, exist_ok=True)
        return
    wanted = mode | (mode & 0o444) >> 2
    missing = []
    for folder in (path, *path.parents):
        if folder.is_dir():
            break
        missing.append(folder)
    for folder in reversed(missing):
        with contextlib.suppress(FileExistsError):  # somebody else made it just now, or see below
            folder.mkdir(mode=wanted & 0o700)
            if wanted != wanted & 0o700:
                _let(folder, wanted)
    if missing and not path.is_dir():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))


def _let(place: Path | int, mode: int) -> None:
    """Give a file or folder of ours its mode, where the disk has modes."""
    if os.name == "posix":
        with contextlib.suppress(OSError):
            os.chmod(place, mode)  # noqa: PTH101 (a descriptor, perhaps)


def _holds(path: Path, data: bytes, mode: int | None) -> bool:
    try:
        found = path.stat()
        if mode is not None and os.name == "posix" and stat.S_IMODE(found.st_mode) & ~mode:
            return False  # an earlier version let others read it
        return found.st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


class OutputFolder:
    """An output folder, created when needed and held by this run alone.

        with OutputFolder(Path("reports")) as folder: ...

    The lock is the operating system's: it ends with the process, however that ends.

    Args:
        path: the folder.
        mode: that of the files that will be in it.
    """

    def __init__(self, path: Path, mode: int = PRIVATE) -> None:
        self.path = path
        self._mode = mode
        self._lock: int | None = None

    def __enter__(self) -> Path:
        """Create and lock the folder.

        Raises:
            OutputBusy: another run holds it.
            GraderError: it can't be created or locked.
        """
        try:
            make_folder(self.path, self._mode)
            lock = os.open(self.path / LOCK_NAME, os.O_RDWR | os.O_CREAT, self._mode)
        except OSError as error:
            raise _explained("can't use the output folder", self.path, error) from error
        try:
            free = try_lock(lock)
        except OSError as error:
            os.close(lock)
            raise GraderError(
                f"can't lock the output folder ({error.strerror})",
                where=str(self.path),
                hint="this disk has no file locks: choose a local folder with `--output`",
            ) from error
        if not free:
            os.close(lock)
            raise OutputBusy(
                "another run is writing to the output folder",
                where=str(self.path),
                hint="wait until it ends, or choose another folder with `--output`",
            )
        self._lock = lock
        self._sweep()
        return self.path

    def _sweep(self) -> None:
        """Remove what earlier runs that were killed had begun to write."""
        folders = [
            self.path,
            self.path / STUDENTS,
            self.path / RESULTS,
            *self.path.glob(f"{CODE}/*"),
            *self.path.glob(f"{CHECKS}/*"),
            *self.path.glob(f"{FEEDBACK}/*"),
            *self.path.glob(f"{RESULTS}/*"),
        ]
        for path in [path for folder in folders for path in _unfinished(folder)]:
            with contextlib.suppress(OSError):
                path.unlink()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # the lock file stays: unlinking it would let two later runs lock two different files
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _unfinished(folder: Path) -> Iterator[Path]:
    """Files that `write_atomically` had begun in a folder when its process was killed."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if _UNFINISHED.fullmatch(path.name):
                yield path


def _write(path: Path, data: bytes, durable: bool, mode: int | None) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o666 if mode is None else mode & 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if mode is not None and mode != mode & 0o600:
            _let(descriptor, mode)
        file.write(data)
        file.flush()
        if durable:
            os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the rename itself durable, where folders can be flushed; the file is in place anyhow."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Take the lock on a file that is open, unless somebody has it."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EDEADLK):
                return False
            raise
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _explained(message: str, path: Path, error: OSError) -> GraderError:
    reason = error.strerror or type(error).__name__
    hint = _NEXT_STEPS.get(error.errno or 0, "choose another folder with `--output`")
    return GraderError(f"{message} ({reason.lower()})", where=str(path), hint=hint)
