"""Source notebooks of Otter as lessons."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import assert_clear, grader
from source_notebooks import OTTER, Cell, code, prose, raw, write_notebook

from grader.authoring.importing.lesson_text import read_notebook
from grader.authoring.importing.otter import read_otter
from grader.authoring.new_course import new_course
from grader.authoring.release import build_notebooks, notebook_bytes
from grader.config.course import load_course
from grader.errors import ReleaseError
from grader.judging.engine import load_suites


def lesson_of(path: Path, *cells: Cell) -> str:
    return read_otter(read_notebook(write_notebook(path / "hw.ipynb", *cells))).text()[0]


def question(*cells: Cell, config: str = "name: q1") -> tuple[Cell, ...]:
    return (raw(f"# BEGIN QUESTION\n{config}"), *cells, raw("# END QUESTION"))


def in_tests(*cells: Cell) -> tuple[Cell, ...]:
    return (raw("# BEGIN TESTS"), *cells, raw("# END TESTS"))


@pytest.fixture
def course(tmp_path: Path) -> Path:
    new_course(tmp_path / "course", empty=True, assignments=["first"])
    write_notebook(tmp_path / "hw01.ipynb", *OTTER)
    return tmp_path / "course"


def test_a_notebook_becomes_the_next_lesson_and_is_released(course: Path) -> None:
    done = grader("import", "otter", "../hw01.ipynb", cwd=course)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(course / "lessons/02_hw01.py")
    lines = (course / "lessons/02_hw01.py").read_text().split("\n")
    looks = [line for line in done.stderr.split("\n") if line.startswith("look: ")]
    assert len(looks) == 4
    for look in looks:
        assert "LOOK" in "".join(lines[int(look.rpartition(":")[2]) - 1 :][:3]), look
    loaded = load_course(course)
    suites = load_suites(loaded)
    found = {q.id: (q.title, q.points) for q in suites["hw01"].assignment.questions}
    assert found == {"q1": ("Q1", 2), "q_2": ("Q 2", 2)}
    public = {check.id: check.public for check in suites["hw01"].checks}
    assert public == {
        "test_q1_1": True,
        "test_q1_2": False,
        "test_q_2_1": False,
        "test_q_2_2": True,
    }
    for lesson, made in build_notebooks(loaded, suites.values()):
        if lesson.assignment == "hw01":
            given = notebook_bytes(made)
            for secret in (b"SECRET", b"LOOK", b"x * x", b"square(3)", b"sqrt", b"ValueError"):
                assert secret not in given, secret
            assert b"Return x times x." in given


@pytest.mark.slow
def test_its_checks_hold_its_answers(course: Path) -> None:
    grader("import", "otter", "../hw01.ipynb", cwd=course)
    path = course / "lessons/02_hw01.py"
    text = path.read_text().replace(
        'raise NotImplementedError("write this check")', "submission.root(4).done()"
    )
    path.write_text(text)
    done = grader("verify", "hw01", cwd=course)
    assert "not graded" not in done.stdout
    assert "✗ reference" not in done.stdout
    assert "✗ template" not in done.stdout


@pytest.mark.parametrize(
    ("config", "points", "worth"),
    [
        ("name: q1", [None, None], [0.5, 0.5]),
        ("name: q1\npoints: 4", [None, None], [2, 2]),
        ("name: q1\npoints: 4", [3, None], [3, 1]),
        ("name: q1\npoints:\n  each: 2", [None, None], [2, 2]),
        ("name: q1\npoints: [1, 3]", [None, None], [1, 3]),
        ("name: q1\npoints: 2", [0, None], [1, 1]),
    ],
)
def test_points_are_those_of_the_test_or_shares_of_the_questions(
    tmp_path: Path, config: str, points: list[float | None], worth: list[float]
) -> None:
    from grader.lesson.one_file import read_one_file

    cells = [
        code("assert x" if p is None else f'""" # BEGIN TEST CONFIG\npoints: {p}\n""" # END TEST CONFIG\nassert x')
        for p in points
    ]  # fmt: skip
    text = lesson_of(tmp_path, *question(*in_tests(*cells), config=config))
    (tmp_path / "01_hw.py").write_text(text)
    lesson = read_one_file(tmp_path / "01_hw.py")
    assert [f.points for one in lesson.checks for f in one.functions] == worth


@pytest.mark.parametrize(
    ("answer", "made"),
    [
        ("x = 1 # SOLUTION\ny = 2", "### BEGIN SOLUTION\nx = 1\n### END SOLUTION\ny = 2"),
        ("# BEGIN SOLUTION\nx = 1\n# END SOLUTION", "### BEGIN SOLUTION\nx = 1\n### END SOLUTION"),
        ("a = 1\nx = a # SEED\nz = x # SOLUTION NO PROMPT", "a = 1\n### BEGIN SOLUTION\nx = a\nz = x\n### END SOLUTION"),
        ('""" # BEGIN PROMPT\nx = ...\n""" # END PROMPT\nx = 1 # SOLUTION', "# x = ...\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION"),
    ],
)  # fmt: skip
def test_marked_lines_are_an_answers(tmp_path: Path, answer: str, made: str) -> None:
    cells = question(
        raw("# BEGIN SOLUTION"), code(answer), raw("# END SOLUTION"), *in_tests(code("assert x"))
    )
    assert f"\n{made}\n" in lesson_of(tmp_path, *cells)


def test_an_answer_without_a_marked_line_is_told(tmp_path: Path) -> None:
    cells = question(
        raw("# BEGIN SOLUTION"), code("x = 1"), raw("# END SOLUTION"), *in_tests(code("assert x"))
    )
    assert "# LOOK: no line of this answer is marked" in lesson_of(tmp_path, *cells)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ((prose("# Plain"), code("x = 1")), "no source notebook of Otter"),
        ((raw("# BEGIN QUESTION\nname: q1"),), "has no end"),
        ((raw("# END TESTS"),), "has not begun"),
        ((raw("# BEGIN QUESTION\nname: [q1"), raw("# END QUESTION")), "not YAML"),
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, cells: tuple[Cell, ...], message: str) -> None:
    with pytest.raises(ReleaseError, match=message):
        lesson_of(tmp_path, *cells)


def test_the_command_tells_what_is_wrong(course: Path) -> None:
    (course / "no.ipynb").write_text("no")
    assert_clear(grader("import", "otter", "no.ipynb", cwd=course), 2, "no notebook", "hint: ")
    assert_clear(grader("import", "otter", "gone.ipynb", cwd=course), 2, "No such file")
    assert grader("import", "otter", "../hw01.ipynb", cwd=course).returncode == 0
    again = grader("import", "otter", "../hw01.ipynb", cwd=course)
    assert_clear(again, 2, "would be called `hw01`")
    elsewhere = grader("import", "otter", "hw01.ipynb", "--output", "x.py", cwd=course.parent)
    assert elsewhere.stdout == "x.py\n"
