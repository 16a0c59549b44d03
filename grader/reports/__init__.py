"""The gradebook as files: `gradebook.json`, `scores.csv`, `feedback/STUDENT/ASSIGNMENT.md`."""

from __future__ import annotations

from pathlib import Path

from grader.model import Gradebook, State
from grader.reports import csv_file, feedback, gradebook_json
from grader.reports.paths import component, components
from grader.store import FEEDBACK, GRADEBOOK, SCORES, write_atomically


def write_reports(gradebook: Gradebook, output: Path) -> tuple[Path, ...]:
    """Write every report into a folder and return their paths.

    Who handed nothing in gets no feedback file. The gradebook is written last: where it is new,
    everything else is.

    Raises:
        GraderError: a file can't be written.
    """
    written = [*_write_feedback(gradebook, output / FEEDBACK)]
    for name, content in (
        (SCORES, csv_file.encode(gradebook)),
        (GRADEBOOK, gradebook_json.encode(gradebook)),
    ):
        write_atomically(output / name, content)
        written.insert(0, output / name)
    return tuple(written)


def _write_feedback(gradebook: Gradebook, folder: Path) -> list[Path]:
    assignments = {assignment.id: assignment for assignment in gradebook.assignments}
    folders = components(score.student for score in gradebook.scores)
    written = []
    for score in gradebook.scores:
        if score.state is State.MISSING or score.assignment not in assignments:
            continue
        path = folder / folders[score.student] / f"{component(score.assignment)}.md"
        text = feedback.render(score, assignments[score.assignment], gradebook.isolation)
        # hundreds of files that the gradebook can give again: no need to wait for the disk
        write_atomically(path, text, durable=False)
        written.append(path)
    return written
