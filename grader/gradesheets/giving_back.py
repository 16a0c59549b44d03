"""Feedback to where students read it: each page under the name by which a platform knows its owner.

| to | a file in the zip | whose it is, says |
| --- | --- | --- |
| Moodle | `NAME_NUMBER_assignsubmission_file_/ASSIGNMENT.html` | the participant's number |
| Canvas | what the download calls the file that was graded | the user's and the file's number |
| anybody | `STUDENT/ASSIGNMENT.html` | the folder |

Students are matched as for scores. On Canvas it must also be the very file that was graded, byte
for byte, or a zip that holds it; what comes back has its ending, so that it opens as what it is
called.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from grader.errors import IntakeError, UsageError
from grader.gradebook import Score
from grader.gradesheets.filling import Matched
from grader.gradesheets.people import People
from grader.gradesheets.sheet import Sheet
from grader.intake.archive import Archive
from grader.intake.platforms import read_canvas_class
from grader.intake.reading import digest
from grader.intake.walker import MISNAMED, USABLE
from grader.model import Value
from grader.names import clean_name, component, identity
from grader.text import html, printable

DATE = (1980, 1, 1, 0, 0, 0)
"""Of every file in a zip, so that equal feedback makes equal zips."""


class Feedback(Value, frozen=True):
    """What one student is to read: the page, and the same as Markdown."""

    student: str
    page: bytes
    text: str

    @property
    def digest(self) -> str:
        """What tells whether it has changed."""
        return digest(self.page + b"\0" + self.text.encode())


class Parcel(Value, frozen=True):
    """One file of a zip, and whose it is."""

    student: str
    name: str
    content: bytes


class Parcels(Value, frozen=True):
    """What is given back, and who gets nothing, and why."""

    parcels: tuple[Parcel, ...] = ()
    unmatched: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()


def for_everybody(
    feedback: Sequence[Feedback], folders: Mapping[str, str], assignment: str
) -> Parcels:
    """A folder for each student. `folders` are their names, no two of them alike."""
    name = f"{component(assignment)}.html"
    return Parcels(
        tuple(Parcel(f.student, f"{folders[f.student]}/{name}", f.page) for f in feedback)
    )


def for_moodle(
    feedback: Sequence[Feedback], matched: Matched, people: People, assignment: str
) -> Parcels:
    """What Moodle's "Upload multiple feedback files in a zip" takes.

    It tells names apart at each `_` and believes the number alone. `matched` are all of the class:
    whoever has none to be given may stand in somebody's row, too.
    """
    parcels = []
    for one in feedback:
        if one.student in matched.places:
            person = people.people[matched.places[one.student]]
            if not person.ids[0]:
                continue
            name = clean_name(person.name or people.roster.nameless, otherwise="Participant")
            folder = f"{name.replace('_', ' ')}_{person.ids[0]}_assignsubmission_file_"
            parcels.append(Parcel(one.student, f"{folder}/{component(assignment)}.html", one.page))
    return Parcels(tuple(parcels), matched.unmatched, matched.ambiguous)


def for_canvas(
    feedback: Sequence[Feedback], scores: Mapping[str, Score], download: Path
) -> Parcels:
    """What Canvas's "Upload Submissions" takes: files called as in the download of the submissions.

    Raises:
        UsageError: the download can't be read, or is none of Canvas.
    """
    entries = _entries(download)
    if not entries:
        raise UsageError(
            "this is no download of Canvas's submissions",
            where=str(download),
            hint='take the zip of "Download Submissions" that was graded',
        )
    alike = Counter(identity(student) for student in scores)
    parcels: list[Parcel] = []
    left_out: dict[bool, list[str]] = {True: [], False: []}
    for one in feedback:
        key = identity(one.student)
        score = scores[one.student]
        names = entries.get(key, {}).get(score.digest, [])
        content = _in_the_form_of(names[-1], one, score.assignment) if names else None
        if content is not None and alike[key] == 1:
            parcels.append(Parcel(one.student, names[-1], content))
        else:
            left_out[content is not None].append(one.student)
    return Parcels(tuple(parcels), tuple(left_out[False]), tuple(left_out[True]))


def _entries(download: Path) -> dict[str, dict[str, list[str]]]:
    """What each student's files are called, by the digests of their content, the latest last."""
    found: dict[str, dict[str, list[str]]] = {}
    try:
        with Archive(download, of_class=True) as archive:
            members = {
                one.parts[0]: one
                for one in archive.members()
                if len(one.parts) == 1 and not one.refused
            }
            owned, _ = read_canvas_class(members)
            for name, owner in sorted(owned.items(), key=lambda one: one[1].origin.attempt):
                student = found.setdefault(identity(clean_name(owner.student)), {})
                try:
                    content = archive.read(members[name].index)
                except IntakeError:
                    continue  # too large to have been graded, or damaged
                for graded in (content, *_within(content)):
                    student.setdefault(digest(graded), []).append(name)
    except IntakeError as error:
        raise UsageError(error.message, where=str(download), hint=error.hint) from None
    return found


def _within(content: bytes) -> Iterator[bytes]:
    """What a student's own zip holds that may have been graded; nothing if it is no zip."""
    try:
        with Archive(io.BytesIO(content)) as archive:
            for member in archive.members():
                if not member.refused and member.parts[-1].lower().endswith((*USABLE, *MISNAMED)):
                    with suppress(IntakeError):  # too large to have been graded, or damaged
                        yield archive.read(member.index)
    except IntakeError:
        return


def _in_the_form_of(name: str, feedback: Feedback, assignment: str) -> bytes | None:
    """Feedback as a file that opens as what it is called; None if there is no such form."""
    ending, text = Path(name).suffix.casefold(), feedback.text
    if ending == ".zip":
        page = f"{component(assignment)}.html"
        return pack([Parcel(feedback.student, page, feedback.page)])
    if ending == ".ipynb":
        cell = {"cell_type": "markdown", "id": "feedback", "metadata": {}, "source": text}
        book = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        return json.dumps(book, indent=1).encode()
    if ending == ".py":
        return "".join(f"# {line}\n" for line in printable(text).split("\n")).encode()
    return text.encode() if ending in (".md", ".qmd", ".txt") else None


def fill_comments(
    sheet: Sheet, feedback: Sequence[Feedback], rows: Mapping[str, int], column: int
) -> None:
    """Write feedback into a column of Moodle's sheet, as the HTML that it takes, in these rows."""
    for one in feedback:
        if one.student in rows:
            text = "<br>".join(html(line) for line in one.text.strip().split("\n"))
            sheet.set(rows[one.student], column, text)


def pack(parcels: Sequence[Parcel]) -> bytes:
    """Return parcels as a zip; the same parcels give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for parcel in sorted(parcels, key=lambda one: one.name):
            info = zipfile.ZipInfo(parcel.name, DATE)
            archive.writestr(info, parcel.content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
