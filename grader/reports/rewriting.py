"""The reports of a folder, written anew when people have changed scores: nothing is graded."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

from grader.gradebook import Gradebook
from grader.reports.choices import Format, Hidden
from grader.reports.writing import write_reports
from grader.store import printed
from grader.store.output import GRADEBOOK


def rewrite(
    gradebook: Gradebook, folder: Path, change: Callable[[Gradebook], Gradebook]
) -> Gradebook | None:
    """Write the reports as they were asked for, of what a gradebook is changed into.

    Args:
        gradebook: what the folder holds.
        folder: the output folder, held by this process.
        change: gives the new one, with the same scores in the same order.

    Returns:
        The new gradebook; None where nobody knows how the reports were made.

    Raises:
        GraderError: a file can't be written.
    """
    asked = gradebook.run.asked
    if asked is None:
        return None
    gradebook = printed.restore(gradebook, folder)
    after = change(gradebook)
    same = {
        (new.student, new.assignment)
        for old, new in zip(gradebook.scores, after.scores, strict=True)
        if old == new
    }
    mode = stat.S_IMODE((folder / GRADEBOOK).stat().st_mode)
    formats = tuple(map(Format, asked.formats))
    write_reports(after, folder, formats, Hidden(asked.show_hidden), mode, same)
    return after
