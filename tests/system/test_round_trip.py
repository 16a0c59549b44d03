"""From a platform's download and sheet to the sheet that it takes back: nobody is lost."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from platform_sheets import SCORES, SHEETS, PlatformSheet
from toy import notebook

from grader.config.course import Course
from grader.gradebook import AssignmentReport, Score, State
from grader.gradesheets.columns import layout
from grader.gradesheets.filling import fill
from grader.gradesheets.roster import read_roster
from grader.gradesheets.sheet import Sheet
from grader.intake.discovery import discover
from grader.model import Ending

EMBEDDINGS = AssignmentReport(id="embeddings", title="Embeddings", points=15, questions=())
# how a platform names what it packs; others are taken as folders that are named after ids
PACKED = {
    "canvas": ("{name}_{number}_90{place}_hw.ipynb", "{name}_LATE_{number}_90{place}_hw-1.ipynb"),
    "moodle": ("{name}_{number}_assignsubmission_file_/hw.ipynb",
               "{name}_{number}_assignsubmission_file_hw.ipynb"),
    "brightspace": (
        "{number}-900{place} - {name} - Mar 1, 2026 1159 PM/hw.ipynb",
        "{number}-900{place} - {name} - 1 March, 2026 2359 - hw.ipynb",
    ),
    "blackboard": (
        "Week_1_{number}_attempt_2026-03-01-23-59-59_hw.ipynb",
        "Embeddings_{number}_attempt_2026-03-01-23-59-59_hw.ipynb",
    ),
}  # fmt: skip


def download(path: Path, sheet: PlatformSheet, shape: int) -> Path:
    forms = PACKED.get(sheet.platform, ("{student}/hw.ipynb", "{student}.ipynb"))
    with zipfile.ZipFile(path, "w") as archive:
        for place, student in enumerate(names[0] for names in sheet.people.values()):
            name, _, number = student.rpartition("_")
            if sheet.platform == "blackboard":  # logins may hold `_`, and names stand in no file
                number = student.partition("_")[2] if " " in student else student
            member = forms[shape].format(name=name, number=number, place=place, student=student)
            archive.writestr(member, notebook(f"x = {place}", assignment="adding"))
    return path


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
@pytest.mark.parametrize("shape", [0, 1])
def test_everybody_of_a_download_is_in_the_roster_and_in_the_sheet(
    tmp_path: Path, toy_course: Course, sheet: PlatformSheet, shape: int
) -> None:
    (tmp_path / "Grades.csv").write_bytes(sheet.content)
    found = discover([download(tmp_path / "download.zip", sheet, shape)], toy_course)
    roster = read_roster(tmp_path / "Grades.csv")
    assert len(found.submissions) == len(found.students) == len(sheet.people)
    assert (roster.unseen(found.students), roster.strangers(found.students)) == ((), ())
    names = roster.names(found.students)
    assert sorted(names.values()) == sorted(sheet.people)

    earned = dict(zip(sheet.people, map(float, SCORES), strict=False))
    scores = [
        Score(
            student=student, assignment="embeddings", earned=earned[names[student]],
            state=State.GRADED, possible=15, ending=Ending(),
        )
        for student in found.students
        if names[student] in earned
    ]  # fmt: skip
    read = Sheet.read(tmp_path / "Grades.csv")
    where = layout(sheet.platform, read, EMBEDDINGS, "Grades.csv", None)
    result = fill(read, where, scores)
    assert read.encode() == sheet.upload
    assert sorted(result.filled) == sorted(score.student for score in scores)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_who_handed_nothing_in_is_missing_once(
    tmp_path: Path, toy_course: Course, sheet: PlatformSheet
) -> None:
    """Rows that are no person are nobody who is missing."""
    (tmp_path / "Grades.csv").write_bytes(sheet.content)
    roster = read_roster(tmp_path / "Grades.csv")
    present = [names[0] for names in sheet.people.values()][1:]
    (absent,) = roster.unseen(present)
    assert absent in roster.people[0].ids
