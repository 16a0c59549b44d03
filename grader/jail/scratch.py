"""Scratch folders on the host, for workers that have no file system of their own.

What lies in them was made by a submission: it is never opened, and no name in it is followed. Data
of the course is there as links to it, which stand in folders that are its own.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

MOST_COUNTED = 20_000
MOST_LINKED = 1000
"""Of folders with more files than this, the folder is a link."""


def make_scratch(state: str, user: int | None, data: Sequence[tuple[str, str]] = ()) -> str:
    """Make a folder that only `user` (None: this process's) may enter.

    Args:
        state: where to.
        user: whose it is.
        data: what is linked to in there, and under which name.
    """
    path = tempfile.mkdtemp(prefix="scratch-", dir=state)
    for source, name in data:
        _link(Path(source), Path(path, name))
    if user is not None:
        os.chown(path, user, user)
    return path


def _link(source: Path, target: Path) -> None:
    """Show a file or folder: folders as folders, as at home, for what walks through them."""
    inside = list(source.rglob("*")) if source.is_dir() else []
    if not source.is_dir() or len(inside) > MOST_LINKED:
        target.symlink_to(source)
        return
    folders = [source, *(path for path in inside if path.is_dir())]
    for folder in folders:
        (target / folder.relative_to(source)).mkdir()
    for path in inside:
        if not path.is_dir():
            (target / path.relative_to(source)).symlink_to(path)
    for folder in folders:
        (target / folder.relative_to(source)).chmod(0o555)


def disk_use(path: str) -> tuple[int, int]:
    """Return bytes on disk and number of entries below a folder; stops counting at 20,000."""
    total = entries = 0
    folders = [path]
    while folders and entries < MOST_COUNTED:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as listing:
            for entry in listing:
                entries += 1
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total, entries


def remove_tree(path: str) -> None:
    """Remove a folder, however deep or unreadable what was made in it; links are not followed.

    Deep trees are flattened, since both recursion and paths have limits.
    """
    with contextlib.suppress(OSError):
        Path(path).chmod(0o700)
        top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            _empty(top)
        finally:
            os.close(top)
        Path(path).rmdir()


def _empty(top: int) -> None:
    fresh = (f"grader-removes-{number}" for number in count())
    while names := os.listdir(top):
        for name in names:
            try:
                os.unlink(name, dir_fd=top)
            except OSError:
                _lift_contents(top, name, fresh)


def _lift_contents(top: int, name: str, fresh: Iterator[str]) -> None:
    """Remove a folder after moving the folders in it up to `top`."""
    # a folder must be writable by its owner to lose what is in it; it can't be a link here
    os.chmod(name, 0o700, dir_fd=top)
    folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
    try:
        for inner in os.listdir(folder):  # noqa: PTH208 (a descriptor, not a path)
            try:
                os.unlink(inner, dir_fd=folder)
            except OSError:
                os.chmod(inner, 0o700, dir_fd=folder)  # or it can't be moved
                os.rename(inner, next(fresh), src_dir_fd=folder, dst_dir_fd=top)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=top)
