"""The real `nbgrader autograde` over a class of good, broken and hostile notebooks."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from nbgrader_course import (
    FULL,
    NONE,
    WAITING,
    NbgraderCourse,
    edited,
)

from grader.store.output import try_lock

pytestmark = pytest.mark.slow


# ---------------------------------------------------------------- one class, everybody in it


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
