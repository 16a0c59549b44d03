"""What platforms call things, and what their people call themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from class_folders import COURSE, NB, fill, kinds, notebook, pairs, zipped

from grader.intake.discovery import discover
from grader.intake.platforms import (
    canvas_readings,
    read_blackboard_class,
    read_brightspace,
    read_canvas_class,
    read_sakai,
    receipt_user,
)
from grader.intake.reading import read_submission

STRANGE = [
    "homework", "final", "project", "embeddings", "embeddingsfinal", "hw3", "week2", "a", "v2",
    "blocks", "copy", "LATE", "x_1", "roebob_102", "submissions", "anon",
]  # fmt: skip


@pytest.mark.parametrize("name", STRANGE)
def test_what_one_person_is_called_changes_nobody_elses_id(tmp_path, name):
    files = {
        "doeann_101_9001_embeddings.ipynb": notebook(source="a"),
        "roebob_102_9002_embeddings.ipynb": notebook(source="b"),
        "roebob_102_9003_embeddings-1.ipynb": notebook(source="c"),
        f"{name}_103_9004_embeddings.ipynb": notebook(source="d"),
    }
    found = discover([zipped(tmp_path / "d.zip", files)], COURSE)
    others = [(s, a) for s, a, _ in pairs(found) if not s.endswith("_103")]
    assert others == [("doeann_101", "embeddings"), *[("roebob_102", "embeddings")] * 2]
    assert f"{name}_103" in found.students


def test_a_name_that_ends_as_anothers_number_does_is_not_the_other(tmp_path):
    owned, unclear = read_canvas_class(["roebob_102_103_9004_x.py", "doeann_101_9001_x.py"])
    assert owned["roebob_102_103_9004_x.py"].student == "roebob_102_103"
    assert unclear == []
    owned, unclear = read_canvas_class(["roebob_1020_1030_9004_x.py", "doeann_1010_9001_x.py"])
    assert unclear == ["roebob_1020_1030_9004_x.py"]
    assert len(canvas_readings("doeann_101_9001_01_embeddings.ipynb")) == 1


def test_what_lies_beside_a_download_changes_nobodys_id(tmp_path):
    files = {"doeann_101_9001_embeddings.ipynb": NB, "roebob_102_9002_hw1.py": b"", "cy.ipynb": NB}
    found = discover([zipped(tmp_path / "d.zip", files)], COURSE)
    assert found.students == ("cy", "doeann_101", "roebob_102")


@pytest.mark.parametrize(
    "name",
    [
        "poecy_103_text.html",
        "poecy_LATE_103_link.html",
        "poecy_103_9004_text.html",
        "Cy Poe_103_assignsubmission_onlinetext_/onlinetext.html",
        "Cy Poe_103_assignsubmission_onlinetext_onlinetext.html",
    ],
)
def test_text_is_handed_in_and_can_not_be_graded(tmp_path, name):
    other = name.replace("poecy_LATE_", "poecy_").replace("103", "101")
    head = other.partition("text")[0].partition("link")[0] if "assign" not in name else ""
    rest = "9001_embeddings.ipynb" if head else "Ann_101_assignsubmission_file_/embeddings.ipynb"
    for files in ({name: b"<p>"}, {name: b"<p>", f"{head.removesuffix('9004_')}{rest}": NB}):
        if len(files) == 1:
            files["Ann_101_assignsubmission_file_/x.txt" if not head else "a_101_9_x.txt"] = b""
        found = discover([zipped(tmp_path / "d.zip", files)], COURSE)
        whose = next(one for one in found.students if one.endswith("_103"))
        assert ("nothing-usable", whose, None) in kinds(found)
        (problem,) = [p for p in found.problems if p.student == whose and p.kind != "late"]
        assert "text or a link" in problem.hint


# ---------------------------------------------------------------- Blackboard

NOTE = "Name: {name} ({user})\nAssignment: Week 1\nDate Submitted: ...\n"


def blackboard(*attempts: tuple[str, str, str]) -> dict[str, bytes]:
    files = {}
    for user, date, file in attempts:
        stem = f"Week_1_Embeddings_{user}_attempt_2026-03-{date}-10-00-00"
        files[f"{stem}.txt"] = NOTE.format(name="Ann (bo_lee)", user=user).encode()
        if file:
            files[f"{stem}_{file}"] = notebook(source=f"{user} {date}")
    return files


def test_a_download_of_blackboard_with_its_attempts(tmp_path):
    files = blackboard(
        ("ann_lee", "01", "embeddings.ipynb"),
        ("ann_lee", "02", "embeddings final.ipynb"),
        ("bo_lee", "01", "hw_attempt_2026-03-01-10-00-00_1.ipynb"),
        ("homework", "03", "embeddings.ipynb"),
        ("a1700000", "01", ""),
    )
    for path in (zipped(tmp_path / "gradebook.zip", files), fill(tmp_path / "b", files)):
        found = discover([path], COURSE, assignments=["embeddings"])
        assert [(s.student, s.attempt, read_submission(s)) for s in found.submissions] == [
            ("ann_lee", 1, notebook(source="ann_lee 01")),
            ("ann_lee", 2, notebook(source="ann_lee 02")),
            ("bo_lee", 1, notebook(source="bo_lee 01")),
            ("homework", 1, notebook(source="homework 03")),
        ]
        assert kinds(found) == [("nothing-usable", "a1700000", None)]


def test_without_blackboards_notes_users_are_what_differs(tmp_path):
    names = [f"A_1_{user}_attempt_2026-03-01-10-00-00_x.py" for user in ("ann_lee", "bo_lee")]
    owned, _ = read_blackboard_class(names, {})
    assert [owned[name].student for name in names] == ["ann_lee", "bo_lee"]


def test_a_note_of_blackboards_names_its_user_last():
    assert receipt_user(b"Name: Ann (bo) Lee (ann)\r\nx (y)") == "ann"
    assert receipt_user(b"Hello") == ""


# ---------------------------------------------------------------- Brightspace, Sakai, repositories


@pytest.mark.parametrize(
    "date",
    ["Mar 1, 2026 1059 PM", "Mar 1, 2026 959 AM", "1 March, 2026 2259", "March 1, 2026 959 AM"],
)
def test_a_download_of_brightspace(tmp_path, date):
    later = date.replace("2026", "2027")
    files = {
        f"4711-900 - Ann - Doe - {date}/embeddings.ipynb": notebook(source="a"),
        f"4711-900 - Ann - Doe - {later}/embeddings v2.ipynb": notebook(source="b"),
        f"4712-900 - homework - {date}/embeddings.ipynb": notebook(source="c"),
        "index.html": b"",
    }
    found = discover([zipped(tmp_path / "d.zip", files)], COURSE)
    assert [(s.student, s.attempt) for s in found.submissions] == [
        ("Ann - Doe_4711", 1), ("Ann - Doe_4711", 2), ("homework_4712", 1),
    ]  # fmt: skip
    assert read_brightspace(f"4711-900 - Ann Doe - {date} - a - b.py").file == "a - b.py"


def test_a_download_of_sakai(tmp_path):
    files = {
        "Week 1/grades.csv": b"",
        "Week 1/Doe, Ann(adoe)/Submission attachment(s)/embeddings.ipynb": NB,
        "Week 1/Doe, Ann(adoe)/Feedback Attachment(s)/embeddings.ipynb": notebook(source="marked"),
        "Week 1/Doe, Ann(adoe)/timestamp.txt": b"20260301225900000",
        "Week 1/Lee, Bo(blee)/Lee, Bo(blee)_submissionText.html": b"<p>",
    }
    found = discover([zipped(tmp_path / "d.zip", files)], COURSE)
    assert pairs(found) == [("Doe, Ann_adoe", "embeddings", "embeddings.ipynb")]
    assert kinds(found) == [("nothing-usable", "Lee, Bo_blee", None)]
    assert read_sakai("(adoe)") is None


def test_repositories_without_a_roster_are_called_as_their_folders_are(tmp_path):
    files = {f"embeddings-{login}/work.ipynb": NB for login in ("annd", "boli", "hw12", "final")}
    found = discover([fill(tmp_path / "repositories", files)], COURSE)
    assert [(one.student, one.assignment) for one in found.submissions] == [
        (f"embeddings-{login}", "embeddings") for login in ("annd", "boli", "final", "hw12")
    ]


UNPACKED = [
    (["Ann Doe_111_assignsubmission_file_/embeddings.ipynb"], ["Ann Doe_111"]),
    ([f"12-9 - Bo - Mar {day}, 2026 1201 AM/embeddings.ipynb" for day in (1, 2)], ["Bo_12"] * 2),
    (["doeann_101_9001_01_embeddings.ipynb"], ["doeann_101"]),
    (["doeann_101_9001_hw1.ipynb", "leebo_LATE_102_9002_hw1-1.ipynb"], ["doeann_101", "leebo_102"]),
    (["grades.csv", "Doe, Ann(ad)/Submission attachment(s)/embeddings.ipynb"], ["Doe, Ann_ad"]),
    (["ann+embeddings+2026-03-01 10:00:00 UTC/embeddings.ipynb"], ["ann"]),
]


@pytest.mark.parametrize(("names", "students"), UNPACKED)
@pytest.mark.parametrize("above", ["", "submissions/", "Spring 2026/handed in/", "embeddings/"])
def test_a_download_is_told_in_a_folder_of_nobodys(tmp_path, names, students, above):
    files = {f"{above}{name}": notebook(source=name) for name in names}
    for path in (fill(tmp_path / "x", files), zipped(tmp_path / "x.zip", files)):
        found = discover([path], COURSE)
        assert [one.student for one in found.submissions] == students
        assert found.students == tuple(dict.fromkeys(students))


@pytest.mark.parametrize("above", ["ann", "ann/submissions", "submissions/ann", "embeddings/ann"])
@pytest.mark.parametrize(("names", "students"), UNPACKED)
def test_a_download_in_a_persons_folder_is_theirs(tmp_path, names, students, above):
    files = {f"{above}/{name}": notebook(source=name) for name in names}
    if above.startswith("embeddings"):
        files["embeddings/bo/work.ipynb"] = files["blocks/bo/work.ipynb"] = NB
    paths = [fill(tmp_path / "all", files), zipped(tmp_path / "all.zip", files)]
    for path in paths[: 1 if "grades.csv" in names else 2]:  # Sakai's zip has a title above it
        assert set(discover([path], COURSE).students) <= {"ann", "bo"}


# ---------------------------------------------------------------- a folder is a person


FORGED = {
    "bob/embeddings.ipynb": NB,
    "carl/embeddings.ipynb": NB,
    "roebob_102_9002_embeddings.ipynb": NB,
    "Bob_212_assignsubmission_file_/embeddings.ipynb": NB,
    "submission_1/embeddings.ipynb": NB,
    "submission_metadata.yml": b"submission_1:\n  :submitters:\n  - :name: Bob\n    :sid: '2'\n",
    "collected.json": b"{}",
    "bob+embeddings+2026-03-01 10:00:00 UTC/embeddings.ipynb": NB,
}
NAMES = [[name] for name in FORGED] + [["bob/embeddings.ipynb", "carl/embeddings.ipynb"], [*FORGED]]


@pytest.mark.parametrize(
    "names", [*NAMES, ["submission_1/embeddings.ipynb", "submission_metadata.yml"]]
)
@pytest.mark.parametrize("others", [0, 1])
def test_what_lies_in_somebodys_folder_is_nobody_elses(tmp_path, names, others):
    files = {f"ann/{name}": FORGED[name] for name in names} | {"ann/embeddings.ipynb": NB}
    for number, more in enumerate(({}, {"ann/embeddings.ipynb": NB})):
        mine = {f"ann/{name}": FORGED[name] for name in names} | more
        files = {**mine, **({"dora/embeddings.ipynb": NB} if others else {})}
        inner = zipped(tmp_path / "i.zip", {n[4:]: c for n, c in mine.items()}).read_bytes()
        for path in (
            fill(tmp_path / f"class{number}", files),
            zipped(tmp_path / f"class{number}.zip", files),
            fill(tmp_path / f"zips{number}", {"ann.zip": inner}),
            zipped(tmp_path / f"zips{number}.zip", {"ann.zip": inner}),
        ):
            assert set(discover([path], COURSE).students) <= {"ann", "dora"}


# ---------------------------------------------------------------- the grader's own folders


def test_reports_below_the_class_are_no_student(tmp_path: Path):
    root = fill(tmp_path / "class", {"ann/embeddings.ipynb": NB})
    fill(root / "reports", {"gradebook.json": b"{}", "scores.csv": b"", "feedback/ann.md": b""})
    assert discover([root], COURSE).students == ("ann",)
    fill(root / "reports", {"students/bo.ipynb": NB})
    assert discover([root], COURSE, apart=[root / "reports"]).students == ("ann",)
