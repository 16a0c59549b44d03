"""The example course with written answers, from its notebook to marks that outlive a regrading."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from commands import grader

from grader.config.policy import Mark
from grader.gradebook import Gradebook, State
from grader.reports.gradebook_json import decode
from grader.store import marks

COURSE = Path(__file__).parents[2] / "examples/courses/written-answers"
SAID = {
    "ada": (("detail", "bound"), 0.5), "ben": (("detail", "bound", "circular"), 0.0),
    "cleo": (("detail",), 0.0), "dora": ((), 0.0),
}  # fmt: skip
"""Rubric items for the first question, points for the second."""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return Path(shutil.copytree(COURSE, tmp_path / "coast"))


def gradebook(course: Path) -> Gradebook:
    return decode((course / "reports/gradebook.json").read_bytes())


def rows(course: Path) -> dict[str, dict[str, str]]:
    with (course / "reports/scores.csv").open(newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def mark_all(course: Path) -> None:
    for score in gradebook(course).scores:
        rubric, points = SAID[score.student]
        why, line = score.marks
        place = score.student, "coast"
        marks.add(
            course / "reports",
            Mark(*place, "why_longer", why.answer, rubric=rubric, comment="*So* <it> is", by="ina"),
            Mark(*place, "own_line", line.answer, points=points, by="ben"),
        )


def check(course: Path, *options: str) -> None:
    done = grader("check", "submissions", *options, cwd=course)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_class_waits_is_marked_and_stays_so(course: Path) -> None:
    check(course)
    assert {one.state for one in gradebook(course).scores} == {State.UNMARKED}
    assert {row["earned"] for row in rows(course).values()} == {""}
    mark_all(course)
    ada = course / "submissions/ada/coast.py"
    ada.write_text(ada.read_text().replace("result = 0.0", "result = 0"))  # nothing that was read
    ben = course / "submissions/ben/coast.py"
    ben.write_text(ben.read_text().replace("you get more", "you get much more"))
    lesson = course / "lessons/01_coast.py"
    repaired = lesson.read_text().replace("rng.uniform(-9, 9), rng", "rng.uniform(-8, 8), rng")
    lesson.write_text(repaired)
    again = grader("regrade", "--apply", cwd=course)
    assert again.returncode == 0, again.stderr
    found = rows(course)
    assert [found[one]["earned"] for one in SAID] == ["7.5", "", "2", "0"]
    waits = {one.student: [m.waits for m in one.marks] for one in gradebook(course).scores}
    assert waits["ben"][0] == "the answer is another one since it was marked"
    said = (course / "reports/feedback/ada/coast.html").read_text()
    assert "*So* &lt;it&gt; is" in said
    assert "follows bays that a longer one cuts off" in said

    lesson.write_text(repaired.replace("# points = 2", "# points = 1"))  # of the rubric
    (course / "none.jsonl").touch()
    written = grader("mark", "--merge", "none.jsonl", cwd=course)  # grades nothing
    assert written.returncode == 0, written.stderr
    found = rows(course)
    assert [found[one]["earned"] for one in SAID] == ["5.5", "", "1", "0"]


@pytest.mark.slow
def test_what_is_handed_out_is_what_dora_hands_in(course: Path) -> None:
    released = grader("release", "--course", course, cwd=course)
    assert released.returncode == 0, released.stderr
    made = json.loads((course / "notebooks/01_coast.ipynb").read_bytes())
    assert made == json.loads((course / "submissions/dora/01_coast.ipynb").read_bytes())
    named = {
        cell["metadata"]["nbgrader"]["grade_id"]: cell["metadata"]["nbgrader"]
        for cell in made["cells"]
        if "nbgrader" in cell["metadata"]
    }
    why = named["why_longer"]
    assert (why["grade"], why["solution"], why["locked"], why["points"]) == (True, True, False, 4)
    assert named["own_line"]["points"] == 0  # a bonus


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("answer=why_longer", "answer=why", "no question that a person marks is called `why`"),
        (" answer=own_line", "", "question `own_line` has no cell to be answered in"),
        ("answer=own_line", "answer=own_line question=length", "not several"),
        ("answer=own_line", "answer=why_longer", "two cells are called `why_longer`"),
    ],
)
def test_a_lesson_that_asks_otherwise_is_refused(
    course: Path, old: str, new: str, words: str
) -> None:
    from grader.authoring.release import build_notebook
    from grader.config.course import load_course
    from grader.errors import ReleaseError

    lesson = course / "lessons/01_coast.py"
    lesson.write_text(lesson.read_text().replace(old, new, 1))
    with pytest.raises(ReleaseError, match=words):
        build_notebook(lesson, load_course(course), None)


@pytest.mark.slow
def test_students_do_not_get_the_answer_and_nbgrader_clears_the_same(course: Path) -> None:
    from nbformat.v4 import reads
    from nbgrader import preprocessors

    from grader.authoring.release import build_notebook, notebook_bytes
    from grader.config.course import load_course

    lesson = course / "lessons/01_coast.py"
    solved = notebook_bytes(build_notebook(lesson, load_course(course), None, solved=True)).decode()
    given = notebook_bytes(build_notebook(lesson, load_course(course), None)).decode()
    assert "grains of sand" in solved
    assert "grains of sand" not in given
    assert "koch" not in given
    cleared, _ = preprocessors.ClearSolutions().preprocess(reads(solved), {})
    assert [cell["source"] for cell in cleared["cells"]] == [
        cell["source"] for cell in reads(given)["cells"]
    ]


def test_a_part_of_an_answer_may_be_given(course: Path) -> None:
    from grader.authoring.release import build_notebook
    from grader.config.course import load_course

    lesson = course / "lessons/01_coast.py"
    marked = "answer=why_longer\n# Begin with bays.\n# ### BEGIN SOLUTION\n# Like this.\n# ### END SOLUTION\n# %%\n#"
    lesson.write_text(lesson.read_text().replace("answer=why_longer\n#", marked, 1))
    cells = build_notebook(lesson, load_course(course), None)["cells"]
    assert "Begin with bays.\nYOUR ANSWER HERE" in [cell["source"] for cell in cells]
