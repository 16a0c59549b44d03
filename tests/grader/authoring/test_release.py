"""From lessons to notebooks."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import msgspec
import nbformat
import pytest
from toy import write

from grader.authoring.lessons import lesson_path, lesson_paths, read_lesson
from grader.authoring.release import (
    build_notebook,
    code_cells,
    notebook_bytes,
    release,
    solved_cells,
    template_cells,
)
from grader.config.course import Course
from grader.errors import ReleaseError
from grader.intake.notebook import metadata_assignment, read_cells
from grader.model import Assignment, Check, Question, Suite

LESSON = '''
    # %% [markdown]
    # # Sums

    # %%
    import operator

    # %% solution="add"
    # %% question="any"

    # %% solution="Counter" given=["__init__"]

    # %% solution="LIMIT"
    first = "given"
    ### BEGIN SOLUTION
    LIMIT = 4 * 250  # CANARY
    ### END SOLUTION

    # %% question="small"

    # %% tags=["instructor"]
    # CANARY: they all forget this.

    # %% [markdown] tags=["instructor"]
    # CANARY too.

    # %% tags=["wide"]
    text = """
    # %% solution="add"
    """
'''


def check(question: str, points: float, *, public: bool = False) -> Check:
    return Check(id=question, question=question, title="A", points=points, public=public)


SUITE = Suite(
    assignment=Assignment(
        id="adding",
        title="Adding",
        questions=(
            Question(id="small", title="Small numbers", points=1),
            Question(id="any", title="Any\nnumbers", points=2.5),
        ),
    ),
    checks=(check("small", 1, public=True), check("any", 2.5)),
    files=(),
    digest="",
)


@pytest.fixture
def course(toy_course: Course, toy: Path) -> Course:
    write(toy / "lessons/01_adding.py", LESSON)
    write(
        toy / "reference/sums/__init__.py",
        """
        def add(a, b):
            '''The sum.'''
            return a + b  # CANARY

        class Counter:
            '''Counts.'''
            def __init__(self): self.n = 0
            def up(self):
                # CANARY
                self.n += 1
        """,
    )
    (toy / "notebooks").mkdir()
    return msgspec.structs.replace(toy_course, lessons=toy / "lessons", notebooks=toy / "notebooks")


def rewrite(course: Course, old: str, new: str) -> Path:
    path = lesson_path(course, "adding")
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def build(course: Course, *, solved: bool = False) -> dict:
    return build_notebook(lesson_path(course, "adding"), course, SUITE, solved=solved)


def by_id(notebook: dict) -> dict:
    return {cell["id"]: cell for cell in notebook["cells"]}


def test_solutions_never_reach_a_student(course: Course) -> None:
    assert b"CANARY" in notebook_bytes(build(course, solved=True))
    student = notebook_bytes(build(course))
    for secret in (b"CANARY", b"a + b", b"LIMIT = ", b"instructor", b"SOLUTION"):
        assert secret not in student
    for given in (b"self.n = 0", b"The sum.", b'first = \\"given', b"YOUR CODE HERE"):
        assert given in student


def test_instructor_cells_stay_in_the_lesson(course: Course) -> None:
    assert b"forget" not in notebook_bytes(build(course, solved=True))


def test_notebook_is_valid_and_has_no_results(course: Course) -> None:
    for solved in (False, True):
        notebook = nbformat.reads(notebook_bytes(build(course, solved=solved)).decode(), 4)
        nbformat.validate(notebook)
        assert notebook.metadata.kernelspec.name == "python3"
        for cell in notebook.cells:
            assert cell.get("outputs", []) == []
            assert cell.get("execution_count") is None


def test_notebook_says_which_assignment_it_is(course: Course) -> None:
    assert metadata_assignment(notebook_bytes(build(course))) == "adding"


def test_cells_carry_what_nbgrader_needs(course: Course) -> None:
    cells = by_id(build(course))
    assert cells["add"]["metadata"]["nbgrader"] == {
        "grade": False, "grade_id": "add", "locked": False, "schema_version": 3,
        "solution": True, "task": False,
    }  # fmt: skip
    assert cells["any"]["metadata"]["nbgrader"] == {
        "grade": True, "grade_id": "any", "locked": True, "points": 2.5, "schema_version": 3,
        "solution": False, "task": False,
    }  # fmt: skip
    assert cells["small"]["metadata"]["nbgrader"]["points"] == 1


def test_a_bonus_question_adds_nothing_to_what_nbgrader_asks_for(course: Course) -> None:
    small, other = SUITE.assignment.questions
    bonus = msgspec.structs.replace(other, bonus=True)
    assignment = msgspec.structs.replace(SUITE.assignment, questions=(small, bonus))
    suite = msgspec.structs.replace(SUITE, assignment=assignment)
    made = build_notebook(lesson_path(course, "adding"), course, suite)
    assert by_id(made)["any"]["metadata"]["nbgrader"]["points"] == 0
    assert by_id(made)["small"]["metadata"]["nbgrader"]["points"] == 1


def test_nbgrader_makes_the_student_notebook_of_the_solved_one(course: Course) -> None:
    preprocessors = pytest.importorskip("nbgrader.preprocessors")
    solved = nbformat.from_dict(build(course, solved=True))
    cleared, _ = preprocessors.ClearSolutions().preprocess(solved, {})
    assert cleared == nbformat.from_dict(build(course))


def test_nbgrader_accepts_the_notebook(course: Course) -> None:
    nbgraderformat = pytest.importorskip("nbgrader.nbgraderformat")
    notebook = nbformat.from_dict(build(course))
    nbgraderformat.MetadataValidator().validate_nb(notebook)


def test_public_question_checks_and_hidden_one_only_tells(course: Course) -> None:
    cells = by_id(build(course))
    assert cells["small"]["source"] == 'check("small")'
    assert cells["any"]["source"] == "# Any numbers (2.5 points): graded after you hand in."


def test_same_lesson_gives_the_same_bytes(course: Course) -> None:
    content = notebook_bytes(build(course))
    assert content == notebook_bytes(build(course))
    ids = [cell["id"] for cell in json.loads(content)["cells"]]
    assert ids == ["start-1", "start-2", "add", "any", "Counter", "LIMIT", "small", "small-1"]


def test_a_new_paragraph_leaves_later_ids_alone(course: Course) -> None:
    before = by_id(build(course))
    rewrite(course, "# %%\nimport", "# %% [markdown]\n# New.\n\n# %%\nimport")
    assert set(by_id(build(course))) - set(before) == {"start-3"}


def test_cells_are_those_that_a_submission_would_have(course: Course) -> None:
    content = notebook_bytes(build(course, solved=True))
    assert code_cells(json.loads(json.dumps(build(course, solved=True)))) == read_cells(
        content, "x"
    )


def test_solved_cells_work_and_template_cells_do_not(course: Course) -> None:
    names: dict = {}
    for cell in solved_cells(course, "adding"):
        exec(cell.source, names)
    assert names["add"](1, 2) == 3
    assert names["LIMIT"] == 1000
    stubs: dict = {}
    for cell in template_cells(course, "adding"):
        if "LIMIT" not in cell.source and "first" not in cell.source:
            exec(cell.source, stubs)
    with pytest.raises(NotImplementedError):
        stubs["add"](1, 2)


def test_release_writes_and_check_agrees(course: Course) -> None:
    (path,) = release(course, [SUITE])
    assert path == course.notebooks / "01_adding.ipynb"
    assert release(course, [SUITE], check=True) == (path,)


@pytest.mark.parametrize("damage", ["differs", "is missing", "no lesson gives it"])
def test_check_names_each_stale_notebook_and_the_command(course: Course, damage: str) -> None:
    (path,) = release(course, [SUITE])
    if damage == "differs":
        path.write_bytes(path.read_bytes() + b" ")
    elif damage == "is missing":
        path.unlink()
    else:
        (path.parent / "02_gone.ipynb").write_text("{}")
    before = sorted(path.parent.iterdir())
    with pytest.raises(ReleaseError, match=damage) as caught:
        release(course, [SUITE], check=True)
    assert "grader release" in caught.value.hint
    assert sorted(path.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('question="any"', 'question="all"', 8, "no check asks the question `all`"),
        ('# %% question="any"', "# %%", None, "question `any` has no cell"),
        ('solution="add"\n', 'solution="sub"\n', 7, "no class or function `sub`"),
        ('solution="Counter" given=["__init__"]', 'solution="Counter" given="init"', 10, "`init`"),
        (
            'solution="Counter" given=["__init__"]',
            'solution="add"',
            10,
            "two cells are called `add`",
        ),
        ('question="small"', 'qestion="small"', 18, "marked with `qestion`"),
        ('question="small"', 'question="sm-all"', 18, "is not a name"),
        ('question="small"', 'question="small" solution="x"', 18, "not several"),
        ('question="small"', 'question="small"\nx = 1', 18, "text of its own"),
        ('given=["__init__"]', 'without=["tell"]', 10, "`without` names no function: `tell`"),
        ('question="small"', 'given="up"', 18, "`given`, but no `solution`"),
        ("# %%\nimport", '# %% [markdown] solution="add"\n# Hm', 4, "markdown cell"),
        ("# %%\nimport", "# %% [raw]\nimport", 4, "raw cell"),
        ("### END SOLUTION", "#", 12, "region"),
    ],
)
def test_mistakes_in_a_lesson_are_named_with_their_line(
    course: Course, old: str, new: str, line: int | None, message: str
) -> None:
    path = rewrite(course, old, new)
    with pytest.raises(ReleaseError) as caught:
        build_notebook(path, course, SUITE)
    assert message in str(caught.value)
    if line is not None:
        assert f"01_adding.py:{line}" in caught.value.where


def test_lesson_that_is_no_python_is_refused(course: Course) -> None:
    path = rewrite(course, "import operator", "x = '''")
    with pytest.raises(ReleaseError, match="not valid Python"):
        read_lesson(path)


def test_lesson_needs_an_assignment_of_its_own(course: Course) -> None:
    write(course.lessons / "02_adding.py", "# %%\n")
    with pytest.raises(ReleaseError, match="two lessons for `adding`"):
        lesson_paths(course)
    (course.lessons / "02_adding.py").rename(course.lessons / "02_other.py")
    with pytest.raises(ReleaseError, match="no assignment is called `other`"):
        lesson_paths(course)


def test_lesson_without_checks_is_not_released(course: Course) -> None:
    with pytest.raises(ReleaseError, match="no checks"):
        release(course, [])


def test_assignment_without_lesson_is_named(course: Course) -> None:
    lesson_path(course, "adding").unlink()
    with pytest.raises(ReleaseError, match="`adding` has no lesson"):
        solved_cells(course, "adding")


@pytest.mark.parametrize("tool", ["jupytext", "nbformat"])
def test_no_notebook_tool_has_to_be_installed(
    course: Course, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    monkeypatch.setitem(sys.modules, tool, None)
    assert release(course, [SUITE])


ANSWERS = """
    # %% solution
    def add(a, b):
        \"\"\"The sum.\"\"\"
        return a + b  # CANARY

    # %% question="add"

    # %% solution sizes
    SIZES = {"small": 1}  # CANARY
    assert SIZES

    # %% solution
    größe: int = 3  # CANARY
"""


@pytest.fixture
def written_here(course: Course) -> dict:
    path = write(course.lessons / "01_adding.py", ANSWERS)
    questions = (Question(id="add", title="Adding", points=1),)
    assignment = msgspec.structs.replace(SUITE.assignment, questions=questions)
    suite = msgspec.structs.replace(SUITE, assignment=assignment, checks=(check("add", 1),))
    made = build_notebook(path, course, suite)
    nbformat.validate(nbformat.reads(notebook_bytes(made).decode(), 4))
    return by_id(made)


def test_answers_without_markers_become_stubs(written_here: dict) -> None:
    assert "CANARY" not in json.dumps(written_here)
    assert written_here["add_answer"]["source"] == (
        'def add(a, b):\n    """The sum."""\n    # YOUR CODE HERE\n    raise NotImplementedError()'
    )
    assert written_here["sizes"]["source"] == "# YOUR CODE HERE\nraise NotImplementedError()"


def test_an_answer_may_be_called_as_its_question(written_here: dict) -> None:
    grade_ids = [cell["metadata"]["nbgrader"]["grade_id"] for cell in written_here.values()]
    assert grade_ids[:2] == ["add_answer", "add"]


def test_an_id_is_one_that_every_notebook_tool_takes(written_here: dict) -> None:
    assert [name for name in written_here if not name.isascii()] == []
    assert len(written_here) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# %% solution\nprint(1)\n", "defines no name"),
        ("# %% solution a b\nx = 1\n", "marked with `b`"),
        ("# %% solutoin\nx = 1\n", "marked with `solutoin`"),
        ("# %% solution\nx = = 1\n", "not valid Python"),
    ],
)
def test_mistakes_in_an_answer_are_named_with_their_line(
    course: Course, text: str, message: str
) -> None:
    path = write(course.lessons / "01_adding.py", f"# %% [markdown]\n# x\n{text}")
    with pytest.raises(ReleaseError, match=message) as caught:
        read_lesson(path)
    assert re.search(r"01_adding\.py:[34]$", caught.value.where)
