"""Translated checks must say what the suite's own checks say, or the comparison is worth nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from toy import write

from benchmarks.classroom import make_class
from benchmarks.plain_checks import NotTranslatable, PlainSuite, translate
from grader.config.course import Course, load_course

ROOT = Path(__file__).parents[2]
COURSE = """
[tool.grader]
id = "small"
title = "Small"
suites = "suites"
[[tool.grader.assignments]]
id = "doubling"
title = "Doubling"
"""
SUITE = """
import pytest
import torch
from grader.testing import Handle, SubmissionNames, assert_close, check, raises

KINDS = ("row", "square")


def ones(kind: str) -> torch.Tensor:
    return torch.ones(*{"row": (1, 3), "square": (3, 3)}[kind])


class TestDouble:
    '''Doubling'''

    @pytest.mark.parametrize("kind", KINDS)
    @check(points=3)
    def test_twice(self, submission: SubmissionNames, kind: str) -> None:
        '''Twice as much'''
        assert_close(submission.double(ones(kind)).tensor(), 2 * ones(kind))

    @check(points=1)
    def test_kept(self, submission: SubmissionNames, rng) -> None:
        '''What was fetched stays as it is'''
        tensor: Handle = submission.send(torch.full((2,), float(rng.randrange(5))))
        before = tensor.tensor()
        tensor.add_(1)
        assert_close(tensor.tensor(), before + 1)

    @check(points=1)
    def test_refusal(self, submission: SubmissionNames) -> None:
        '''Text is refused'''
        with raises("TypeError"):
            submission.double("text")
"""
RIGHT = """
def double(x):
    if isinstance(x, str):
        raise TypeError
    return 2 * x
"""


def small_course(folder: Path, suite: str = SUITE) -> Course:
    write(folder / "pyproject.toml", COURSE)
    write(folder / "suites" / "test_doubling.py", suite)
    return load_course(folder)


def passed(suite: PlainSuite, source: str) -> set[str]:
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    exec(suite.definitions, namespace)
    ids = set()
    for check in suite.checks:
        try:
            exec(check.call("globals()"), namespace)
        except Exception:
            continue
        ids.add(check.check.id)
    return ids


def test_parametrised_checks_keep_their_share_of_the_points(tmp_path: Path) -> None:
    suite = translate(small_course(tmp_path), "doubling")
    points = {check.check.id: check.check.points for check in suite.checks}
    assert points == {
        "test_twice[row]": 1.5,
        "test_twice[square]": 1.5,
        "test_kept": 1,
        "test_refusal": 1,
    }


def test_right_code_passes_and_wrong_code_fails_where_it_is_wrong(tmp_path: Path) -> None:
    suite = translate(small_course(tmp_path), "doubling")
    everything = {check.check.id for check in suite.checks}
    assert passed(suite, RIGHT) == everything
    assert passed(suite, RIGHT.replace("TypeError", "KeyError")) == everything - {"test_refusal"}
    assert passed(suite, RIGHT.replace("2 * x", "x * x")) == {"test_kept", "test_refusal"}
    assert passed(suite, "") == {"test_kept"}


def test_names_of_the_notebook_are_left_alone(tmp_path: Path) -> None:
    suite = translate(small_course(tmp_path), "doubling")
    namespace: dict[str, Any] = {"ones": 1, "KINDS": 2, "raises": 3, "assert_close": 4}
    before = dict(namespace)
    exec(suite.definitions, namespace)
    assert {name: namespace[name] for name in before} == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("import Handle,", "import Handle, parameters,"),
        ("submission: SubmissionNames, kind", "submission: SubmissionNames, reference, kind"),
        ("def ones(kind: str)", "def ones(ones: str, kind: str)"),
    ],
)
def test_what_has_no_counterpart_is_refused(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(NotTranslatable):
        translate(small_course(tmp_path, SUITE.replace(old, new)), "doubling")


@pytest.mark.slow
def test_right_answers_of_the_class_pass_and_wrong_ones_do_not() -> None:
    course = load_course(ROOT)
    suite = translate(course, "embeddings")
    for number, work in enumerate(make_class(course, 12)):
        everything = len(passed(suite, "\n".join(work.cells))) == len(suite.checks)
        assert everything == (number % 2 == 0), work.kind
