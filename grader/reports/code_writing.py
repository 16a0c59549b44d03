"""`code/`: a page with the code of every submission, made anew where anything on it has changed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from grader.errors import IntakeError
from grader.gradebook import AssignmentReport, Gradebook, Origin, Score
from grader.intake.originals import Originals, cells_of
from grader.intake.reading import Reader
from grader.model import Submission
from grader.names import component
from grader.reports.case import Neighbours
from grader.reports.html.page import address
from grader.reports.made_from import fingerprint, is_made_from
from grader.store.fingerprint import engine_digest
from grader.store.output import CODE, write_atomically

Key = tuple[str, str]


class _Known(NamedTuple):
    """A submission whose file may be there, and where its page is, below the reports' folder."""

    score: Score
    assignment: AssignmentReport
    submission: Submission
    origin: Origin
    before: Submission | None
    folder: str
    page: str


def write_code(
    gradebook: Gradebook, output: Path, folders: Mapping[str, str], mode: int
) -> tuple[dict[Key, str], list[Path]]:
    """Write the pages; return where they are, from the folder of the reports, and those written.

    To read and colour the files of a class takes seconds, so a page that says what it was made
    from is left alone as long as that is the same.

    Raises:
        GraderError: a page can't be written.
    """
    known = _known(gradebook, folders)
    pages = {(one.score.student, one.assignment.id): one.page for one in known}
    assignments = {one.id: fingerprint(one) for one in gradebook.assignments}
    written = []
    with Reader() as reader:
        for one, beside in zip(known, _neighbours(known), strict=True):
            path = output / CODE / one.folder / f"{component(one.assignment.id)}.html"
            made_from = fingerprint(
                engine_digest(),
                assignments[one.assignment.id],
                msgspec.structs.replace(one.score, output=""),
                gradebook.names.get(one.score.student),
                gradebook.isolation,
                gradebook.course_title,
                *one[2:],
                beside,
                str(output),
            )
            if not is_made_from(path, made_from):
                page = _page(gradebook, one, beside, output, path, reader, made_from)
                write_atomically(path, page, durable=False, mode=mode)
                written.append(path)
    return pages, written


def _known(gradebook: Gradebook, folders: Mapping[str, str]) -> list[_Known]:
    originals = Originals(gradebook)
    assignments = {one.id: one for one in gradebook.assignments}
    known = []
    for score in gradebook.scores:
        found = originals.of(score)
        if found is not None and score.assignment in assignments:
            folder = folders[score.student]
            page = address(CODE, folder, f"{component(score.assignment)}.html")
            before = originals.before(score)
            known.append(_Known(score, assignments[score.assignment], *found, before, folder, page))
    return known


def _neighbours(known: Sequence[_Known]) -> list[Neighbours]:
    """The pages of the same assignment of the students before and after each."""
    places: dict[str, list[int]] = {}
    for place, one in enumerate(known):
        places.setdefault(one.assignment.id, []).append(place)
    found = [Neighbours()] * len(known)
    for row in places.values():
        for at, place in enumerate(row):
            before = f"../../{known[row[at - 1]].page}" if at else ""
            after = f"../../{known[row[at + 1]].page}" if at + 1 < len(row) else ""
            found[place] = Neighbours(before, after)
    return found


def _page(
    gradebook: Gradebook,
    one: _Known,
    beside: Neighbours,
    output: Path,
    path: Path,
    reader: Reader,
    made_from: str,
) -> str:
    from grader.reports.html.code_page import code_page

    refused, earlier = "", None
    try:
        cells = cells_of(one.submission, reader)
        if one.before is not None:
            earlier = one.before.attempt, cells_of(one.before, reader)
    except IntakeError as error:
        cells, refused, made_from = (), error.message, ""  # next time it may be there
    return code_page(
        gradebook,
        one.assignment,
        one.score,
        cells,
        folder=one.folder,
        results=str(output),
        origin=one.origin,
        file=_link(one.origin.path, path.parent),
        neighbours=beside,
        earlier=earlier,
        refused=refused,
        made_from=made_from,
    )


def _link(path: str, folder: Path) -> str:
    """A relative link to a file; empty where none leads there, or its name holds no text."""
    try:
        relative = os.path.relpath(path, folder.absolute())
        return address(*Path(relative).parts)
    except (ValueError, UnicodeError):  # another drive
        return ""
