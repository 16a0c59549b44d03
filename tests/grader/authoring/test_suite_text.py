"""Check cells as files of checks."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from one_file import write_lesson
from toy import write

from grader.authoring.suite_text import class_name, suite_text
from grader.lesson.one_file import read_one_file
from grader.testing.suites import question_id


@pytest.mark.parametrize(
    "question", ["counts", "word_counts", "part_2", "a1b", "_x", "dtype_device"]
)
def test_a_class_is_called_so_that_its_question_is_found(question: str) -> None:
    assert question_id(class_name(question)) == question


def test_public_checks_hold_nothing_hidden(tmp_path: Path) -> None:
    text = suite_text(read_one_file(write_lesson(tmp_path / "01_adding.py")), public=True)
    assert "test_small" in text
    assert "CANARY" not in text
    assert "test_any" not in text
    assert "test_half" not in text


def test_hidden_checks_have_what_public_cells_define(tmp_path: Path) -> None:
    text = suite_text(read_one_file(write_lesson(tmp_path / "01_adding.py")), public=False)
    assert "LIMIT = 1000" in text
    assert "test_small" not in text


def test_strings_over_several_lines_keep_what_they_hold(tmp_path: Path) -> None:
    lesson = read_one_file(write_lesson(tmp_path / "01_adding.py"))
    names: dict[str, object] = {}
    exec(suite_text(lesson, public=False), names)
    tree = ast.parse(suite_text(lesson, public=False))
    kept = [
        n.value
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and "indented" in str(n.value)
    ]
    assert "\nnot indented" in kept
    assert "\n# %% no marker\n  indented" in kept


SOURCES = [
    "def test_a(submission): assert submission.f().value()",
    "def test_a(\n    submission,\n    rng,\n):\n    pass",
    "@pytest.mark.parametrize('n', [1, 2])\n# why\ndef test_a(submission, n):\n    '''Title \"quoted\"'''\n    pass",
    'def test_a():\n    """Title\n\n    Hint: Say "it" with a \' or \\\\.\n    """\n    pass',
    "# a comment\nasync def test_a(submission):\n    return None",
    "def test_a(submission):\n    text = '''\nleft\n    '''\n    assert text == '\\nleft\\n    '",
]


@pytest.mark.parametrize("source", SOURCES)
def test_every_form_of_a_function_becomes_a_method_that_says_the_same(
    tmp_path: Path, source: str
) -> None:
    cell = f"# %% check hidden question=q points=2\nimport pytest\n\n{source}\n"
    lesson = read_one_file(write(tmp_path / "01_x.py", cell))
    (function,) = lesson.checks[0].functions
    names: dict[str, object] = {}
    exec(suite_text(lesson, public=False), names)
    method = vars(names["TestQ"])["test_a"]
    spec = method.__grader_check__
    assert (spec.points, spec.hint) == (2, function.hint)
    assert method.__doc__.strip().partition("\n")[0].strip() == function.title
    before = ast.parse(source).body[0]
    assert isinstance(before, (ast.FunctionDef, ast.AsyncFunctionDef))
    wanted = ("self", *(one.arg for one in before.args.args))
    assert method.__code__.co_varnames[: len(wanted)] == wanted
    assert set(before.body[-1:] and map(type, before.body[-1:])) == {type(before.body[-1])}
