"""When nothing can be graded, it is said and nothing is lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from nbgrader_course import FULL, NbgraderCourse, add_code, fresh_copy


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
