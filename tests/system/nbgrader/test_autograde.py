"""The real `nbgrader autograde` over a class of good, broken and hostile notebooks."""

from __future__ import annotations

import copy
import json
import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from nbgrader_course import NbgraderCourse, fresh_copy, write_nbgrader_course
from toy import Silent

from grader.model import State
from grader.pipeline import Options, check
from grader.store.output import try_lock

pytestmark = pytest.mark.slow

FULL = {"small": 1.0, "any": 2.0, "state": 2.0}
NONE = {"small": 0.0, "any": 0.0, "state": 0.0}
WAITING = {"small": None, "any": None, "state": None}


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> NbgraderCourse:
    return write_nbgrader_course(tmp_path_factory.mktemp("nbgrader"))


@pytest.fixture
def course(untouched: NbgraderCourse, tmp_path: Path) -> NbgraderCourse:
    return fresh_copy(untouched, tmp_path)


# ---------------------------------------------------------------- one class, everybody in it


def edited(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[dict[str, Any]], object]:
    """A solved notebook after somebody has changed its cells."""

    def make(solved: dict[str, Any]) -> object:
        notebook = copy.deepcopy(solved)
        change(notebook["cells"])
        return notebook

    return make


def named(cells: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(c for c in cells if c["metadata"].get("nbgrader", {}).get("grade_id") == name)


def with_metadata(**metadata: object) -> Callable[[dict[str, Any]], object]:
    return lambda solved: {**solved, "metadata": metadata}


PATCHES = """
from IPython import get_ipython
from IPython.core.interactiveshell import InteractiveShell
if get_ipython() is not None:
    get_ipython().input_transformers_cleanup.append(lambda lines: ["pass"])
InteractiveShell.run_cell = lambda self, *a, **k: None
import sys
sys.modules["course"] = sys
class Always:
    def __eq__(self, other): return True
def add(a, b): return Always()
class Counter:
    def __init__(self, *a): pass
    def up(self): return Always()
"""


def add_code(text: str) -> Callable[[dict[str, Any]], object]:
    return edited(
        lambda cells: cells.append(
            {"cell_type": "code", "id": "mine", "metadata": {}, "source": text, "outputs": [],
             "execution_count": None}
        )
    )  # fmt: skip


CLASS: dict[str, tuple[Callable[[dict[str, Any]], object], dict[str, Any]]] = {
    "right": (lambda solved: solved, FULL),
    "no metadata": (
        edited(lambda cells: [c.update(metadata={}) for c in cells]), FULL,
    ),
    "no metadata at all": (lambda solved: {**solved, "metadata": {}, "nbformat_minor": 0}, FULL),
    "removed questions": (
        edited(lambda cells: [cells.remove(named(cells, n)) for n in ("small", "state")]), FULL,
    ),
    "removed answer": (
        edited(lambda cells: cells.remove(named(cells, "Counter"))), FULL | {"state": 1.0},
    ),
    "duplicated question": (
        edited(lambda cells: cells.extend([copy.deepcopy(named(cells, "small"))] * 2)), FULL,
    ),
    "duplicated answer": (
        edited(lambda cells: cells.append(copy.deepcopy(named(cells, "add")))), FULL,
    ),
    "retyped": (
        edited(lambda cells: named(cells, "small").update(cell_type="markdown")), FULL,
    ),
    "reordered": (edited(lambda cells: cells.reverse()), FULL),
    "renamed": (
        edited(lambda cells: named(cells, "any")["metadata"]["nbgrader"].update(grade_id="mine")),
        FULL,
    ),
    "more points": (
        edited(lambda cells: named(cells, "any")["metadata"]["nbgrader"].update(points=9999)), FULL,
    ),
    "old schema": (
        edited(lambda cells: [
            c["metadata"]["nbgrader"].update(schema_version=1) for c in cells
            if "nbgrader" in c["metadata"]
        ]), FULL,
    ),
    "newer schema": (
        edited(lambda cells: named(cells, "any")["metadata"]["nbgrader"].update(schema_version=99)),
        FULL,
    ),
    "other kernel name": (
        with_metadata(kernelspec={"name": "conda-x", "display_name": "X", "language": "python"}),
        FULL,
    ),
    "Zoë, M. O'Neil": (lambda solved: solved, FULL),
    "=cmd()": (lambda solved: solved, FULL),
    "stderr": (add_code("import sys; print('a warning', file=sys.stderr)"), FULL),
    "hostile": (add_code(PATCHES), NONE),
    "endless": (add_code("def add(a, b):\n    while True: pass"), {**NONE, "state": 1.0}),
    "exits": (add_code("import os; os._exit(0)"), FULL),
    "kernelspecs in a list": (with_metadata(kernelspec=[{"name": "a"}, {"name": "b"}]), FULL),
    "another language": (
        with_metadata(kernelspec={"name": "ir", "display_name": "R", "language": "R"}), WAITING,
    ),
    "two kernelspecs": (
        lambda solved: json.dumps(solved)
        .replace('"kernelspec": {', '"kernelspec": {"name": "conda-x"}, "kernelspec": {')
        .encode(),
        WAITING,
    ),
    "not a notebook": (lambda _: b"<html>", WAITING),
    "empty file": (lambda _: b"", WAITING),
    "json": (lambda _: b'{"cells": 3}', WAITING),
    "too deep": (lambda _: b"[" * 100_000, WAITING),
}  # fmt: skip
"""Students by what is special about them: their notebook, and their points."""


@pytest.fixture(scope="module")
def graded(
    untouched: NbgraderCourse, tmp_path_factory: pytest.TempPathFactory
) -> tuple[NbgraderCourse, str]:
    """The whole class, autograded at once; and nbgrader's log."""
    course = fresh_copy(untouched, tmp_path_factory.mktemp("class"))
    for student, (work, _) in CLASS.items():
        course.hand_in(student, work(course.solved()))
    (course.root / "submitted/nothing/adding").mkdir(parents=True)
    (course.root / "roster.csv").write_text("id,name\nright,Ann Example\nhostile,<b>Eve</b> X\n")
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text().replace("(c, ", '(c, roster="roster.csv", '))
    return course, course.run("autograde", "adding", status=3)


@pytest.mark.parametrize("student", CLASS)
def test_everybody_gets_their_points(graded: tuple[NbgraderCourse, str], student: str) -> None:
    assert graded[0].points(student) == CLASS[student][1]


def test_the_scores_are_those_of_grader_check(graded: tuple[NbgraderCourse, str]) -> None:
    course, _ = graded
    book = check([course.root / "submitted"], course.course, Options(), Silent())
    scores = {one.student: one for one in book.scores}
    for student in CLASS:
        score = scores[student]
        points = WAITING if score.state is State.UNGRADED else score.questions
        assert course.points(student) == points, student


def test_who_is_ungraded_is_named_with_the_reason(graded: tuple[NbgraderCourse, str]) -> None:
    _, log = graded
    assert "not a notebook: adding: not graded: it is a web page" in log
    assert "another language: adding: not graded: it is written for another language: 'r'" in log
    assert "nothing: adding: not graded: no `adding.ipynb` was handed in" in log
    assert "adding: not graded: another language, empty file, json" in log
    assert "Traceback" not in log


def test_repairs_are_told(graded: tuple[NbgraderCourse, str]) -> None:
    _, log = graded
    assert "removed questions: adding: the cell `state` was missing, and is put back" in log
    assert "retyped: adding: the cell `small` had become another type" in log
    assert "duplicated question: adding: the cell `small` occurs more than once" in log


def test_feedback_stands_under_each_question(graded: tuple[NbgraderCourse, str]) -> None:
    cells = graded[0].graded("endless")["cells"]
    shown = "".join(named(cells, "any")["outputs"][0]["data"]["text/plain"])
    assert shown.startswith("**Any numbers: 0 of 2 points**")
    state = "".join(named(cells, "state")["outputs"][0]["data"]["text/plain"])
    assert "✓ **Counts up from where it starts** (hidden): passed, 1 of 1" in state


def test_a_file_that_cannot_be_read_can_still_be_graded_by_hand(
    graded: tuple[NbgraderCourse, str],
) -> None:
    cells = graded[0].graded("not a notebook")["cells"]
    assert "could not be read" in "".join(cells[0]["source"])
    assert named(cells, "any")["metadata"]["nbgrader"]["points"] == 2


def test_names_survive_the_export(graded: tuple[NbgraderCourse, str]) -> None:
    rows = {row["student_id"]: row for row in graded[0].exported()}
    assert rows["Zoë, M. O'Neil"]["score"] == "5.0"
    assert rows["'=cmd()"]["score"] == "5.0"
    assert rows["not a notebook"]["needs_manual_grade"] == "True"
    assert rows["right"]["needs_manual_grade"] == "False"


def test_students_are_called_what_the_roster_says(graded: tuple[NbgraderCourse, str]) -> None:
    with graded[0].gradebook() as gradebook:
        people = {one.id: (one.first_name, one.last_name) for one in gradebook.students}
    assert people["right"] == ("Ann", "Example")
    assert people["hostile"] == ("bEve/b", "X")  # nbgrader writes names into its pages as they are
    assert people["empty file"] == (None, None)


def test_a_roster_that_cannot_be_read_is_named_and_stops_nobody(course: NbgraderCourse) -> None:
    course.hand_in("ann", course.solved())
    log = course.run("autograde", "adding", "--GradingExporter.roster=nowhere.csv")
    assert "students stay without names" in log
    assert "nowhere.csv" in log


def test_feedback_pages_hold_no_hidden_source(graded: tuple[NbgraderCourse, str]) -> None:
    course, _ = graded
    course.run("generate_feedback", "adding")
    page = (course.root / "feedback/hostile/adding/adding.html").read_text(encoding="utf-8")
    assert "Adds numbers of any size" in page
    secrets = ("reference.add", "rng.random", "assert_close", "test_adding.py", "Traceback (")
    assert [secret for secret in secrets if secret in page] == []


# ---------------------------------------------------------------- what nbgrader does besides


def test_who_handed_in_no_notebook_is_named_in_every_run(course: NbgraderCourse) -> None:
    course.hand_in("ann", course.solved())
    (course.root / "submitted/nothing/adding").mkdir(parents=True)
    course.run("autograde", "adding", status=3)
    log = course.run("autograde", "adding", status=3)  # with nobody to grade
    assert "nothing: adding: not graded: no `adding.ipynb` was handed in" in log


def test_one_student_with_an_unusual_name(course: NbgraderCourse) -> None:
    for student in ("Zoë, M. O'Neil", "Zoë"):
        course.hand_in(student, course.solved())
    course.run("autograde", "adding", "--student", "Zoë, M. O'Neil")
    with course.gradebook() as gradebook:
        assert [student.id for student in gradebook.students] == ["Zoë, M. O'Neil"]


def test_two_autogrades_of_one_assignment_take_turns(course: NbgraderCourse) -> None:
    for student in ("ann", "bob", "cleo"):
        course.hand_in(student, course.solved())
    with ThreadPoolExecutor() as both:
        logs = [*both.map(lambda _: course.run("autograde", "adding"), range(2))]
    assert "Traceback" not in "".join(logs)
    assert sorted(log.count("Sanitizing") for log in logs) == [0, 3]
    for student in ("ann", "bob", "cleo"):
        assert course.points(student) == FULL
        assert course.graded(student)


def test_one_that_never_ends_is_not_waited_for(course: NbgraderCourse) -> None:
    course.hand_in("ann", course.solved())
    lock = course.root / ".results/adding.lock"
    lock.parent.mkdir(exist_ok=True)
    config = course.root / "nbgrader_config.py"
    impatient = "from grader.integrations.nbgrader import turns\nturns.PATIENCE_S = 0.5\n"
    config.write_text(impatient + config.read_text())
    with lock.open("w") as file:
        assert try_lock(file.fileno())
        log = course.run("autograde", "adding", status=1)
    assert "another nbgrader is autograding `adding`: waiting for it" in log
    assert "nothing is graded: another nbgrader is still autograding: adding" in log
    course.run("autograde", "adding")


def test_a_second_run_grades_only_what_is_new(course: NbgraderCourse) -> None:
    course.hand_in("ann", course.solved())
    course.run("autograde", "adding")
    course.hand_in("bob", course.released())
    log = course.run("autograde", "adding")
    assert "Grading 1 submissions" in log
    assert "Skipping existing assignment" in log
    assert course.points("bob") == NONE


def test_what_is_known_from_an_earlier_run_is_not_graded_again(course: NbgraderCourse) -> None:
    course.hand_in("ann", course.solved())
    course.run("autograde", "adding")
    shutil.rmtree(course.root / "autograded")
    with course.gradebook() as gradebook:
        gradebook.remove_student("ann")
    log = course.run("autograde", "adding")
    assert "Grading 0 submissions" in log
    assert "1 more are known from an earlier run" in log
    assert course.points("ann") == FULL
    assert "Grading 1 submissions" in course.run("autograde", "adding", "--force")


def test_rules_that_nbgrader_does_not_know_are_named(
    course: NbgraderCourse, tmp_path: Path
) -> None:
    strict = shutil.copytree(course.course.root, tmp_path / "strict course")
    table = strict / "pyproject.toml"
    table.write_text(table.read_text() + '[tool.grader.policy]\nbonus = "cap"\n')
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text().replace(str(course.course.root), str(strict)))
    course.hand_in("ann", course.solved())
    log = course.run("autograde", "adding")
    assert "points are stored without the rules of [tool.grader.policy]" in log
    assert course.points("ann") == FULL


def test_only_the_student_who_is_named(course: NbgraderCourse) -> None:
    for student in ("ann", "bob"):
        course.hand_in(student, course.solved())
    assert "Grading 1 submissions" in course.run("autograde", "adding", "--student", "bob")
    with course.gradebook() as gradebook:
        assert [student.id for student in gradebook.students] == ["bob"]


def test_an_ungraded_student_is_graded_once_the_file_is_right(course: NbgraderCourse) -> None:
    course.hand_in("ann", b"oops")
    course.run("autograde", "adding", status=3)
    course.hand_in("ann", course.solved())
    course.run("autograde", "adding", "--force")
    assert course.points("ann") == FULL


def test_a_late_submission_loses_what_the_course_says(course: NbgraderCourse) -> None:
    config = course.root / "nbgrader_config.py"
    config.write_text(
        config.read_text() + "from nbgrader.plugins import LateSubmissionPlugin\n"
        "class Half(LateSubmissionPlugin):\n"
        "    def late_submission_penalty(self, student_id, score, total_seconds_late):\n"
        "        return score / 2\n"
        "c.AssignLatePenalties.plugin_class = Half\n"
    )
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment("adding", duedate="2020-01-01 00:00:00 UTC")
    for student, day in (("late", "02"), ("punctual", "01")):
        path = course.hand_in(student, course.solved())
        stamp = f"20{'20' if student == 'late' else '19'}-01-{day} 00:00:00 UTC"
        (path.parent / "timestamp.txt").write_text(stamp)
    course.run("autograde", "adding")
    scores = {row["student_id"]: row["score"] for row in course.exported()}
    assert scores == {"late": "2.5", "punctual": "5.0"}


def test_what_a_person_decided_stays_and_wants_another_look(course: NbgraderCourse) -> None:
    course.hand_in("ann", course.released())
    course.run("autograde", "adding")
    with course.gradebook() as gradebook:
        grade = gradebook.find_grade("any", "adding", "adding", "ann")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        comment = gradebook.find_comment("add", "adding", "adding", "ann")
        assert comment.auto_comment == "No response."
        comment.manual_comment = "Come and see me."
        gradebook.db.commit()
    course.hand_in("ann", course.solved())
    course.run("autograde", "adding", "--force")
    with course.gradebook() as gradebook:
        grade = gradebook.find_grade("any", "adding", "adding", "ann")
        assert (grade.auto_score, grade.manual_score, grade.score) == (2.0, 1.5, 1.5)
        assert grade.needs_manual_grade
    course.run("generate_feedback", "adding")
    page = (course.root / "feedback/ann/adding/adding.html").read_text(encoding="utf-8")
    assert "Come and see me." in page


def test_a_written_answer_waits_for_a_person_who_decides_for_good(course: NbgraderCourse) -> None:
    path = course.root / "source/adding/adding.ipynb"
    source = json.loads(path.read_bytes())
    asked = {
        "grade": True, "grade_id": "essay", "locked": False, "points": 3, "schema_version": 3,
        "solution": True, "task": False,
    }  # fmt: skip
    essay = {"cell_type": "markdown", "id": "essay", "source": "Because."}
    source["cells"].append(essay | {"metadata": {"nbgrader": asked}})
    path.write_text(json.dumps(source))
    course.run("generate_assignment", "adding", "--force")

    stripped = edited(lambda cells: [c.update(metadata={}) for c in cells])(source)
    handed = {"answered": source, "stripped": stripped, "broken": b"<html>"}
    handed["untouched"] = course.released()
    for student, work in handed.items():
        course.hand_in(student, work)
    course.run("autograde", "adding", status=3)
    assert course.points("answered") == {**FULL, "essay": None}
    assert course.points("untouched") == {**NONE, "essay": 0.0}
    assert course.points("stripped") == {**FULL, "essay": None}  # a person finds it
    assert course.points("broken") == {**WAITING, "essay": None}

    with course.gradebook() as gradebook:
        grade = gradebook.find_grade("essay", "adding", "adding", "answered")
        grade.manual_score, grade.needs_manual_grade = 2.5, False
        gradebook.db.commit()
    course.run("autograde", "adding", "--student", "answered", "--force")
    rows = {row["student_id"]: row for row in course.exported()}
    assert (rows["answered"]["score"], rows["answered"]["max_score"]) == ("7.5", "8.0")


def test_an_older_release_is_graded_by_todays_questions(course: NbgraderCourse) -> None:
    handed = course.solved()
    handed["cells"] = [c for c in handed["cells"] if c["id"] != "state"]
    course.hand_in("ann", handed)
    course.run("generate_assignment", "adding", "--force")
    course.run("autograde", "adding")
    assert course.points("ann") == FULL


def test_a_symbolic_link_is_not_followed(course: NbgraderCourse, tmp_path: Path) -> None:
    secret = tmp_path / "solved.ipynb"
    secret.write_text(json.dumps(course.solved()))
    path = course.hand_in("mallory", b"")
    path.unlink()
    path.symlink_to(secret)
    log = course.run("autograde", "adding", status=3)
    assert "mallory: adding: not graded: it is a symbolic link" in log
    assert course.points("mallory") == WAITING


# ---------------------------------------------------------------- nothing can be graded


def test_a_gradebook_of_other_points_is_refused(course: NbgraderCourse) -> None:
    course.hand_in("ann", course.solved())
    with course.gradebook() as gradebook:
        gradebook.find_grade_cell("any", "adding", "adding").max_score = 7
        gradebook.db.commit()
    log = course.run("autograde", "adding", status=1)
    assert "the gradebook and the checks disagree on questions or points: adding: any" in log
    assert not (course.root / "autograded/ann").exists()


def test_an_assignment_that_was_never_generated_is_named(
    untouched: NbgraderCourse, tmp_path: Path
) -> None:
    course = fresh_copy(untouched, tmp_path)
    (course.root / "gradebook.db").unlink()
    course.hand_in("ann", course.solved())
    log = course.run("autograde", "adding", status=1)
    assert "the gradebook does not know `adding`" in log
    assert "nbgrader generate_assignment adding" in log


def test_a_course_that_is_not_there_lets_nothing_run(course: NbgraderCourse) -> None:
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text().replace("toy course", "gone"))
    marker = course.root / "ran"
    course.hand_in("ann", add_code(f"open({str(marker)!r}, 'w')")(course.solved()))
    log = course.run("autograde", "adding", status=1)
    assert "no `pyproject.toml`" in log
    assert not marker.exists()


def test_a_locked_gradebook_is_named_and_nothing_lost(course: NbgraderCourse) -> None:
    course.hand_in("ann", course.solved())
    holder = sqlite3.connect(course.root / "gradebook.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        log = course.run("autograde", "adding", status=1)
    finally:
        holder.rollback()
        holder.close()
    assert "the gradebook can't be used (database is locked): adding" in log
    course.run("autograde", "adding")
    assert course.points("ann") == FULL


def test_a_read_only_gradebook_is_named(course: NbgraderCourse) -> None:
    course.hand_in("ann", course.solved())
    url = f"sqlite:///file:{course.root / 'gradebook.db'}?mode=ro&uri=true"
    log = course.run("autograde", "adding", f"--CourseDirectory.db_url={url}", status=1)
    assert "the gradebook can't be used (attempt to write a readonly database)" in log


def test_a_gradebook_that_is_none_is_named(course: NbgraderCourse) -> None:
    course.hand_in("ann", course.solved())
    (course.root / "gradebook.db").write_text("dear diary " * 100)
    log = course.run("autograde", "adding", status=1)
    assert "the gradebook can't be used (file is not a database): adding" in log
    assert "Traceback" not in log
