"""Notebooks from a newer Python than the one that grades."""

from __future__ import annotations

import sys

import pytest

from grader.intake.notebook import read
from grader.judging.pythons import with_pythons
from grader.model import CellError, Outcome, ProblemKind, Pythons, Run, Status, Submission

HERE = f"3.{sys.version_info.minor}"
NEWER = f"3.{sys.version_info.minor + 1}"
SUBMISSION = Submission("ann", "adding", "adding.ipynb", "adding.ipynb", "d")
OF_A_VERSION = [
    ("SyntaxError", "f-string: expecting '}'"),
    ("ImportError", "cannot import name 'override' from 'typing' (/usr/lib/python3/typing.py)"),
    ("ModuleNotFoundError", "No module named 'compression'"),
    ("ModuleNotFoundError", "No module named 'string.templatelib'; 'string' is not a package"),
    ("AttributeError", "module 'itertools' has no attribute 'batched'"),
    ("AttributeError", "module 'os.path' has no attribute 'splitroot'"),
]
OF_NONE = [
    ("NameError", "name 'x' is not defined"),
    ("IndentationError", "unexpected indent"),
    ("ModuleNotFoundError", "No module named 'transformers'"),
    ("ImportError", "cannot import name 'nothing' from 'torch' (torch/__init__.py)"),
    ("AttributeError", "'list' object has no attribute 'add'"),
    ("AttributeError", "module 'torch' has no attribute 'nothing'"),
]


def failed(error: str, message: str, *, in_check: bool = False) -> Run:
    """What comes of a notebook in which something raised, in a cell or when it was checked."""
    if in_check:
        said = f"{error}: {message} (code cell 2, line 1: return x)"
        return Run(SUBMISSION, (Outcome("test_a", Status.ERROR, message="raised", detail=said),))
    return Run(SUBMISSION, cell_errors=(CellError(2, error, message),))


@pytest.mark.parametrize("in_check", [False, True])
@pytest.mark.parametrize(("error", "message"), OF_A_VERSION)
def test_what_a_newer_python_knows_is_told_and_listed(error, message, in_check):
    found = with_pythons(failed(error, message, in_check=in_check), NEWER)
    assert found.pythons == Pythons(graded_with=HERE, saved_with=NEWER)
    (problem,) = found.problems
    assert problem.kind is ProblemKind.PYTHON
    assert f"saved with Python {NEWER}, and is graded with Python {HERE}" in problem.message
    assert (problem.student, problem.assignment) == ("ann", "adding")


@pytest.mark.parametrize("saved_with", ["", NEWER, "3.99"])
@pytest.mark.parametrize(("error", "message"), OF_NONE)
def test_other_errors_are_no_matter_of_versions(error, message, saved_with):
    for in_check in (False, True):
        run = failed(error, message, in_check=in_check)
        assert with_pythons(run, saved_with) == run


@pytest.mark.parametrize("saved_with", [HERE, "3.4", "3.9"])
@pytest.mark.parametrize(("error", "message"), OF_A_VERSION)
def test_a_python_that_is_not_newer_explains_nothing(error, message, saved_with):
    run = failed(error, message)
    assert with_pythons(run, saved_with) == run


@pytest.mark.parametrize(("error", "message"), OF_A_VERSION)
def test_of_a_notebook_that_names_none_only_what_a_library_lacks_is_listed(error, message):
    found = with_pythons(failed(error, message), "")
    assert found.pythons == Pythons(graded_with=HERE)
    assert bool(found.problems) is (error != "SyntaxError")


@pytest.mark.parametrize(
    ("said", "version"),
    [
        (b'"3.12.11"', "3.12"), (b'"3.9"', "3.9"), (b'"3.13.0rc1"', "3.13"), (b'"3.120.1"', ""),
        (b'"2.7.18"', ""), (b"3.12", ""), (b"null", ""), (b'["3.12"]', ""), (b'"12"', ""),
    ],
)  # fmt: skip
def test_a_notebook_names_the_python_that_it_was_saved_with(said, version):
    content = b'{"cells": [], "metadata": {"language_info": {"name": "python", "version": %s}}}'
    assert read(content % said, "a.ipynb").python == version
    assert read(b'{"cells": []}', "a.ipynb").python == ""
    assert read(b"x = 1", "a.py").python == ""
