"""A suite is validated before any submission is touched; errors name file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy import write, write_course

from grader.config.course import Course, load_course
from grader.errors import SuiteError
from grader.judging.engine import load_suites
from grader.model import Suite
from grader.testing.suites import question_id


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TestShapes", "shapes"),
        ("TestDtypeDevice", "dtype_device"),
        ("TestMaxLen", "max_len"),
        ("TestGELUValues", "gelu_values"),
        ("TestTopP", "top_p"),
        ("Causality", "causality"),
    ],
)
def test_a_question_is_called_like_its_class(name: str, expected: str) -> None:
    assert question_id(name) == expected


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    root = write_course(tmp_path_factory.mktemp("course"))
    return load_suites(load_course(root))["adding"]


def test_public_and_hidden_files_make_one_suite(loaded: Suite) -> None:
    assert [(q.id, q.title, q.points) for q in loaded.assignment.questions] == [
        ("small", "Small numbers", 1.0),
        ("any", "Any numbers", 2.0),
        ("state", "A counter counts", 2.0),
    ]
    assert [check.id for check in loaded.checks if check.public] == ["test_small_sum"]
    assert loaded.assignment.points == 5.0


def test_variants_share_their_points_equally(loaded: Suite) -> None:
    variants = [check for check in loaded.checks if check.id.startswith("test_any_sum")]
    assert [check.title for check in variants] == [
        f"Adds numbers of any size [{scale}]" for scale in (1, 10, 100)
    ]
    assert {check.points for check in variants} == {2 / 3}


def with_hidden(course: Course, text: str) -> Path:
    assert course.suites is not None
    return write(
        course.suites / "test_adding.py", "from grader.testing import check\nimport pytest\n" + text
    )


BROKEN = {
    "has points but only practises": '''
class TestA:
    """A"""
    practice = True
    @check(points=1)
    def test_x(self): "t"
''',
    "earns no points": '''
class TestA:
    """A"""
    def test_x(self): "t"
''',
    "has 0 points": '''
class TestA:
    """A"""
    @check(points=0)
    def test_x(self): "t"
''',
    "has nan points": '''
class TestA:
    """A"""
    @check(points=float("nan"))
    def test_x(self): "t"
''',
    "has no title": '''
class TestA:
    """A"""
    @check(points=1)
    def test_x(self): pass
''',
    "question `TestA` has no title": """
class TestA:
    @check(points=1)
    def test_x(self): "t"
""",
    "belongs to no question": """
@check(points=1)
def test_x(): "t"
""",
    "two checks are called `test_x`": '''
class TestA:
    """A"""
    @check(points=1)
    def test_x(self): "t"
class TestB:
    """B"""
    @check(points=1)
    def test_x(self): "t"
''',
    "two checks are called `test_small_sum`": '''
class TestA:
    """A"""
    @check(points=1)
    def test_small_sum(self): "t"
''',
    "requires `test_nothing`, which no check is called": '''
class TestA:
    """A"""
    @check(points=1, requires=["test_nothing"])
    def test_x(self): "t"
''',
    "requires `test_none`, which no check is called": '''
class TestA:
    """A"""
    @check(points=1, requires="test_none")
    def test_x(self): "t"
''',
    "requires itself": '''
class TestA:
    """A"""
    @check(points=1, requires=["test_y"])
    def test_x(self): "t"
    @check(points=1, requires=["test_x"])
    def test_y(self): "t"
''',
    "asks for the fixture `submision`, which does not exist": '''
class TestA:
    """A"""
    @check(points=1)
    def test_x(self, submision): "t"
''',
    "a suite can't be loaded: NameError: name 'nonsense' is not defined": "nonsense",
    "a suite can't be loaded: SyntaxError": "def (:",
}


@pytest.mark.parametrize("reason", BROKEN)
def test_a_broken_suite_is_refused_with_file_and_line(toy_course: Course, reason: str) -> None:
    path = with_hidden(toy_course, BROKEN[reason])
    with pytest.raises(SuiteError) as caught:
        load_suites(toy_course)
    assert reason in caught.value.message
    assert f"{path}:" in caught.value.where


def test_a_reference_that_can_not_be_imported_is_told(toy_course: Course) -> None:
    assert toy_course.reference is not None
    write(toy_course.reference / "__init__.py", "1 / 0")
    with pytest.raises(SuiteError, match="reference can't be imported: ZeroDivisionError"):
        load_suites(toy_course)


def test_the_digest_changes_with_a_suite(toy_course: Course) -> None:
    before = load_suites(toy_course)["adding"].digest
    assert load_suites(toy_course)["adding"].digest == before
    assert toy_course.suites is not None
    path = toy_course.suites / "test_adding.py"
    write(path, path.read_text(encoding="utf-8") + "\n# a comment\n")
    assert load_suites(toy_course)["adding"].digest != before


def test_practice_is_not_graded(toy_course: Course) -> None:
    text = """
class TestTry:
    'Try'
    practice = True
    @check(points=0)
    def test_try(self, submission): 't'
"""
    with_hidden(toy_course, text)
    assert [check.id for check in load_suites(toy_course)["adding"].checks] == ["test_small_sum"]


@pytest.mark.parametrize(
    "numbers",
    ["points=float('inf')", "points=float('nan')", "points=1e300", "points=1, timeout_s=float('nan')",
     "points=1, timeout_s=-1", "points=1, timeout_s=1e9"],
)  # fmt: skip
def test_a_number_that_is_none_is_refused(toy_course: Course, numbers: str) -> None:
    text = f"""
class TestTry:
    'Try'
    @check({numbers})
    def test_try(self, submission): 't'
"""
    with_hidden(toy_course, text)
    with pytest.raises(SuiteError, match="`test_try` has"):
        load_suites(toy_course)
