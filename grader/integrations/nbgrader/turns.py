"""One autograde of an assignment at a time in a course root.

Two of them (formgrader's button and the command line, say) would remove each other's files:
nbgrader looks whether a submission is autograded, and grades it later.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from grader.errors import GraderError, OutputBusy
from grader.store.output import PRIVATE, RESULTS, make_folder, try_lock

PATIENCE_S = 60.0
"""How long to wait for another autograde before giving up."""

_POLL_S = 0.1


@contextmanager
def turn(
    coursedir: Any, assignment: str, log: logging.Logger, mode: int = PRIVATE
) -> Iterator[None]:
    """Wait until nobody else autogrades the assignment in this course root; keep others waiting.

    The lock is the operating system's: it ends with the process, however that ends. Where the disk
    has no locks there is none.

    Args:
        coursedir: nbgrader's, which knows the course root; results will be kept there.
        assignment: what is autograded.
        log: where to say that somebody else is at it.
        mode: of the files that hold results.

    Raises:
        OutputBusy: the other one takes too long.
        GraderError: the course root can't be written to.
    """
    descriptor = _open(coursedir, assignment, mode)
    try:
        if not _is_free(descriptor):
            log.warning("another nbgrader is autograding `%s`: waiting for it", assignment)
            _wait(descriptor, assignment, coursedir.root)
        yield
    finally:
        os.close(descriptor)


def _open(coursedir: Any, assignment: str, mode: int) -> int:
    folder = Path(coursedir.root) / RESULTS
    try:
        for place in (folder, folder / "runs", folder / "suites"):
            make_folder(place, mode)
            if coursedir.groupshared:
                with contextlib.suppress(PermissionError):  # it belongs to another instructor
                    place.chmod(0o2770 | place.stat().st_mode & 0o777)
        # for reading is enough for a lock, also on what another instructor has made
        return os.open(folder / f"{assignment}.lock", os.O_RDONLY | os.O_CREAT, 0o666)
    except OSError as error:
        raise GraderError(
            f"the course root can't be used ({(error.strerror or type(error).__name__).lower()})",
            where=str(error.filename or folder),
            hint="results are kept there: see that you may write to it",
        ) from error


def _is_free(descriptor: int) -> bool:
    try:
        return try_lock(descriptor)
    except OSError:  # no locks on this disk
        return True


def _wait(descriptor: int, assignment: str, root: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not _is_free(descriptor):
        if time.monotonic() > deadline:
            raise OutputBusy(
                "another nbgrader is still autograding",
                where=f"{assignment}, {root}",
                hint="autograde again when it has ended; what it has graded is not graded again",
            )
        time.sleep(_POLL_S)
