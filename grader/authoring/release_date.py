"""Which date the files of a release carry: the same course gives the same one, on every machine.

1. `SOURCE_DATE_EPOCH`, seconds since 1970, where it is set: what reproducible builds agree on.
2. The date of the last commit in the course's folder, where Git has one.
3. The newest file that the release is made of.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from grader.config.course import Course
from grader.config.pyproject import PYPROJECT
from grader.errors import ReleaseError

SET = "SOURCE_DATE_EPOCH"
FIRST, LAST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2107, 12, 31, tzinfo=UTC)
"""What a zip can say."""
GIT_S = 10


def release_date(course: Course) -> datetime:
    """Return the date, in UTC, of whatever is released of a course as it stands.

    Raises:
        ReleaseError: `SOURCE_DATE_EPOCH` is set to something else than seconds.
    """
    seconds = _set() or _committed(course.root) or max(_modified(course), default=0)
    try:
        found = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        found = LAST
    return min(max(found, FIRST), LAST)


def _set() -> int:
    text = os.environ.get(SET, "").strip()
    if text and not (text.isascii() and text.isdecimal()):
        raise ReleaseError(
            f"{SET} is {text[:40]!r}, which is no number of seconds",
            hint=f"unset it, or write {SET}=$(git log -1 --format=%ct)",
        )
    return int(text[:20] or 0)


def _committed(root: Path) -> int:
    """The time of the last commit that concerns a folder, 0 if there is none or no Git."""
    command = ("git", "-C", str(root), "log", "-1", "--format=%ct", "--", ".")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_S, check=False)
    except (OSError, subprocess.SubprocessError):
        return 0
    text = done.stdout.strip()
    return int(text) if done.returncode == 0 and text.isdecimal() else 0


def _modified(course: Course) -> Iterator[int]:
    """The times of all files that a release is made of."""
    data = (place for one in course.assignments for place in course.data_of(one.id))
    made_of = (*course.public, *filter(None, (course.lessons, course.practice, course.reference)))
    for place in (course.root / PYPROJECT, *made_of, *data):
        for path in (place, *place.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield int(path.stat().st_mtime)
