"""A lesson in one file, taken apart."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from commands import grader
from one_file import FIRST_ONLY, RIGHT, as_notebook, write_lesson, write_one_file_course
from toy import write

from grader.authoring.release import build_notebooks
from grader.authoring.split import split
from grader.config.course import Course, load_course
from grader.errors import UsageError
from grader.judging.engine import load_suites


def described(course: Course) -> tuple[list[object], list[object]]:
    """Questions and checks, in one order."""
    suite = load_suites(course)["adding"]
    questions = sorted((q.id, q.title, q.points, q.bonus) for q in suite.assignment.questions)
    checks = sorted((c.id, c.question, c.title, c.points, c.hint, c.public) for c in suite.checks)
    return list(questions), list(checks)


def given(course: Course) -> list[str]:
    """What students get, without the cells that import `check`."""
    ((_, made),) = build_notebooks(course, load_suites(course).values())
    return [c["source"] for c in made["cells"] if "import check" not in c["source"]]


@pytest.mark.parametrize("form", ["script", "tags"])
def test_both_forms_describe_the_same_and_give_students_the_same(tmp_path: Path, form: str) -> None:
    root = write_one_file_course(tmp_path / "sums")
    if form == "tags":
        as_notebook(root / "lessons/01_adding.py", tags=True)
    before = load_course(root)
    described_before, given_before = described(before), given(before)
    split(before, "adding")
    after = load_course(root)
    assert after.one_file == {}
    assert after.assignments == before.assignments
    assert described(after) == described_before
    assert given(after) == given_before


@pytest.mark.slow
def test_both_forms_verify_and_score_alike(tmp_path: Path) -> None:
    root = write_one_file_course(tmp_path / "sums")
    write(root / "submissions/ann/adding.py", RIGHT)
    write(root / "submissions/bob/adding.py", FIRST_ONLY)
    write(root / "submissions/eve/adding.py", "def total(numbers):\n    return 3\n")

    def judged() -> tuple[list[str], list[dict[str, str]]]:
        verified = grader("verify", cwd=root)
        assert verified.returncode == 0, verified.stdout + verified.stderr
        graded = grader("check", "submissions", "-q", "--force", cwd=root)
        assert graded.returncode == 0, graded.stderr
        with (root / "reports/scores.csv").open(newline="") as file:
            rows = [
                {key: row[key] for key in sorted(row) if row[key]} for row in csv.DictReader(file)
            ]
        return sorted(" ".join(line.split()) for line in verified.stdout.splitlines()), rows

    def order_of_columns_aside(lines: list[str]) -> list[str]:
        kept = [line for line in lines if not line.startswith("case ")]
        return [line.replace("style adding_builtin", "style builtin") for line in kept]

    verdicts, scores = judged()
    split(load_course(root), "adding")
    verdicts_after, scores_after = judged()
    assert scores_after == scores
    assert order_of_columns_aside(verdicts_after) == order_of_columns_aside(verdicts)
    assert [row["earned"] for row in scores] == ["6", "2", "1"]


def test_a_second_assignment_goes_into_the_same_places(tmp_path: Path) -> None:
    root = write_one_file_course(tmp_path / "sums")
    write_lesson(root / "lessons/02_more.py")
    split(load_course(root), "adding")
    split(load_course(root), "more")
    course = load_course(root)
    assert [one.id for one in course.assignments] == ["adding", "more"]
    assert set(load_suites(course)) == {"adding", "more"}
    assert (root / "private/reference/__init__.py").read_text().count("import *") == 2


def test_what_the_header_said_stands_in_pyproject(tmp_path: Path) -> None:
    header = '# title = "Adding up"\n# due = "2026-03-01 12:00 UTC"\n# policy.late.penalty = "10 %"'
    root = write_one_file_course(tmp_path, '# title = "Adding up"', header)
    before = load_course(root).assignments
    split(load_course(root), "adding")
    assert load_course(root).assignments == before


HEADER = """# title = "Adding up"
# due = "2026-03-01 12:00 UTC"
# [[manual]]
# id = "why"
# title = "Why?"
# points = 2
# [policy]
# round_to = 0.5"""
ENTRY = '[[tool.grader.assignments]]\nid = "other"\ntitle = "O"\ndue = "2026-04-01 12:00 UTC"\n'
TABLES = {
    "nothing": "[tool.grader]",
    "a course of the same name": '[tool.grader]\nid = "adding"\ntitle = "A course"\n',
    "its id in another table": '[tool.grader]\n[tool.mine]\nid = "adding"\nsuites = "x"\n',
    "another assignment right below": f"[tool.grader]\n{ENTRY}",
    "quoted keys": '[tool.grader]\n"id" = "adding"\n"title" = "A course"\n',
    "its own entry": f"[tool.grader]\n{ENTRY}\n{ENTRY.replace('other', 'adding')}\n[tool.mine]\n",
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_whatever_stands_in_pyproject_the_header_goes_there(tmp_path: Path, table: str) -> None:
    root = write_one_file_course(tmp_path / "adding", '# title = "Adding up"\n', f"{HEADER}\n")
    write(root / "pyproject.toml", table)
    before = load_course(root)
    split(before, "adding")
    after = load_course(root)
    assert after.one_file == {}
    assert (after.id, after.title) == (before.id, before.title)
    assert after.assignments == before.assignments
    assert [one.id for one in after.assignment("adding").manual] == ["why"]
    assert set(load_suites(after)["adding"].checks)


@pytest.mark.parametrize(
    "entry", ["", '{id = "adding", title = "Mine"}', '{id = "x", title = "X"}']
)
def test_a_table_that_takes_no_entry_leaves_all_as_it_was(tmp_path: Path, entry: str) -> None:
    root = write_one_file_course(tmp_path, '# title = "Adding up"\n', f"{HEADER}\n")
    write(root / "pyproject.toml", f"[tool.grader]\nassignments = [{entry}]\n")
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="can't be written into this file") as caught:
        split(load_course(root), "adding")
    assert caught.value.where == str(root / "pyproject.toml")
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def test_nothing_is_written_over(tmp_path: Path) -> None:
    root = write_one_file_course(tmp_path)
    mine = write(root / "private/suites/test_adding.py", "# mine\n")
    files = sorted(root.rglob("*"))
    with pytest.raises(UsageError, match="there already") as caught:
        split(load_course(root), "adding")
    assert caught.value.where == str(mine)
    assert sorted(root.rglob("*")) == files


def test_what_is_not_in_one_file_is_told(toy_course: Course) -> None:
    with pytest.raises(UsageError, match="`adding` is not in one file"):
        split(toy_course, "adding")


def test_a_reference_of_one_file_is_told(tmp_path: Path) -> None:
    root = write_one_file_course(tmp_path)
    write(root / "right.py", "")
    write(root / "pyproject.toml", '[tool.grader]\nreference = "right.py"\n')
    with pytest.raises(UsageError, match="reference is one file"):
        split(load_course(root), "adding")
