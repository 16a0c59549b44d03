"""The checks of a lesson in one file, as the judge loads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from one_file import as_notebook, write_lesson, write_one_file_course

from grader.config.course import load_course
from grader.errors import SuiteError
from grader.judging.engine import load_suites
from grader.judging.lesson_suite import LessonSuite
from grader.testing.suites import question_id


@pytest.fixture
def suite(tmp_path: Path) -> LessonSuite:
    return LessonSuite(write_lesson(tmp_path / "01_adding.py"), None)


def test_a_question_is_a_class_and_its_functions_are_checks(suite: LessonSuite) -> None:
    classes = {n: c for n, c in vars(suite.module).items() if n.startswith("Test")}
    assert [question_id(name) for name in classes] == ["examples", "totals", "half"]
    assert classes["Testtotals"].__doc__ == "Totals of numbers"
    spec = classes["Testexamples"].test_small.__grader_check__
    assert (spec.points, spec.public, spec.hint) == (1, True, "Begin with nothing.")
    assert classes["Testtotals"].test_text.__grader_check__.public is False


def test_nothing_but_these_classes_looks_like_a_test(suite: LessonSuite) -> None:
    assert not [name for name in vars(suite.module) if name.startswith("test")]


def test_a_traceback_has_the_lines_of_the_lesson(suite: LessonSuite) -> None:
    function = vars(suite.module)["Testhalf"].test_half
    lines = suite.lesson.path.read_text(encoding="utf-8").split("\n")
    assert function.__code__.co_filename == str(suite.lesson.path)
    assert lines[function.__code__.co_firstlineno - 1].startswith("def test_half")


def test_the_reference_is_the_answers_and_what_they_build_on(suite: LessonSuite) -> None:
    assert suite.reference.total([1, 2]) == 3
    assert suite.reference.HALF == 0.5


def test_what_is_only_shown_is_not_run_and_what_students_alone_have_is_passed_by(
    tmp_path: Path,
) -> None:
    cell = "%matplotlib inline\nfrom nowhere_at_all import check\nraise SystemExit\nSTART = 0"
    path = write_lesson(tmp_path / "01_adding.py", "START = 0  # where every total begins", cell)
    assert LessonSuite(path, None).reference.total([1, 2]) == 3


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("LIMIT = 1000", "LIMIT = unknown", "LIMIT =", "NameError"),
        ("HALF = 0.5  #", "HALF = 1 / 0  #", "HALF =", "ZeroDivisionError"),
        ("from grader.testing import", "from grader.testin import", "from grader", "No module"),
    ],
)
def test_what_raises_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, place: str, message: str
) -> None:
    path = write_lesson(tmp_path / "01_adding.py", old, new)
    text = path.read_text(encoding="utf-8")
    line = text.count("\n", 0, text.index(place)) + 1
    with pytest.raises(SuiteError, match=message) as caught:
        LessonSuite(path, None)
    assert caught.value.where == f"{path}:{line}"


def test_an_answer_that_fails_tells_what_failed_before_it(tmp_path: Path) -> None:
    path = write_lesson(tmp_path / "01_adding.py", "START = 0", "START = unknown")
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("result = START", "result = 0").replace("HALF = 0.5  #", "HALF = START  #")
    )
    with pytest.raises(SuiteError, match="START") as caught:
        LessonSuite(path, None)
    assert "unknown" in caught.value.hint


@pytest.mark.parametrize("form", ["script", "notebook", "tags"])
def test_the_judge_describes_every_form_alike(tmp_path: Path, form: str) -> None:
    root = write_one_file_course(tmp_path / "sums")
    if form != "script":
        as_notebook(root / "lessons/01_adding.py", tags=form == "tags")
    suite = load_suites(load_course(root))["adding"]
    assert [(one.id, one.title, one.points) for one in suite.assignment.questions] == [
        ("examples", "Examples", 1), ("totals", "Totals of numbers", 3), ("half", "Half", 2),
    ]  # fmt: skip
    assert [(one.id, one.public) for one in suite.checks] == [
        ("test_small", True), ("test_any", False), ("test_text", False), ("test_half", False),
    ]  # fmt: skip


def test_a_fixture_that_does_not_exist_is_named_with_its_line(tmp_path: Path) -> None:
    root = write_one_file_course(tmp_path / "sums", "test_text(submission)", "test_text(nobody)")
    path = root / "lessons/01_adding.py"
    text = path.read_text(encoding="utf-8")
    line = text.count("\n", 0, text.index("def test_text")) + 1
    with pytest.raises(SuiteError, match="`nobody`") as caught:
        load_suites(load_course(root))
    assert caught.value.where == f"{path}:{line}"


def test_other_files_of_checks_of_the_same_assignment_count_as_well(tmp_path: Path) -> None:
    root = write_one_file_course(tmp_path / "sums")
    (root / "pyproject.toml").write_text('[tool.grader]\nsuites = "more"\n')
    (root / "more").mkdir()
    (root / "more/test_adding.py").write_text(
        "from grader.testing import check\n\n\nclass TestMore:\n    '''More'''\n\n"
        "    @check(points=4)\n    def test_more(self, submission, reference):\n"
        "        '''More'''\n        assert reference.total([1]) == submission.total([1]).value()\n"
    )
    suite = load_suites(load_course(root))["adding"]
    assert suite.assignment.questions[0].id == "more"
    assert sum(question.points for question in suite.assignment.questions) == 10
