"""What a check asked, written down as Python for whoever must explain a lost point."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from grader.judging.transcript import KEPT, MAX_LINE, MAX_LINES, Transcript
from grader.testing import elements, values
from grader.testing.handles import SubmissionNames
from grader.testing.links import StudentError, check_run
from grader.testing.local import LocalLink


def boom(_: object) -> None:
    raise ValueError("no")


class Model:
    def __init__(self, width: int) -> None:
        self.width = width
        self.parts = [SimpleNamespace(size=n) for n in range(3)]

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return self.width * x


NAMES = {"add": lambda a, b: a + b, "Model": Model, "boom": boom, "many": lambda: "x" * 10**6}


def asked(body: Callable[[SubmissionNames], object]) -> tuple[str, ...]:
    transcript = Transcript()
    with check_run(transcript), suppress(StudentError):
        body(SubmissionNames(LocalLink(dict(NAMES))))
    return transcript.lines()


def test_a_call_stands_beside_what_it_gave() -> None:
    assert asked(lambda names: names.add(1, b=[2.5, "x"]).value()) == (
        "submission.add(1, b=[2.5, 'x'])",
    )
    assert asked(lambda names: names.add("a", "b").value()) == ("submission.add('a', 'b') -> 'ab'",)


def test_an_object_that_is_used_again_has_a_name() -> None:
    def body(names: SubmissionNames) -> None:
        model = names.Model(width=2_000_000)
        model.width = 3
        model(torch.tensor([1.5, 2.0])).tensor()

    assert asked(body) == (
        "v1 = submission.Model(width=2000000)",
        "v1.width = 3",
        "v1(tensor(2, float32: 1.5, 2)) -> tensor(2, float32: 4.5, 6)",
    )


def test_what_raised_is_the_last_line() -> None:
    def body(names: SubmissionNames) -> None:
        names.add(1, 1).value()
        names.boom({"a": names.add}).value()

    assert asked(body)[-1] == "submission.boom({'a': submission.add})"


def test_elements_are_known_by_their_place() -> None:
    def body(names: SubmissionNames) -> None:
        values([part.size for part in elements(names.Model(1).parts)[1:]])

    assert asked(body) == (
        "[list(submission.Model(1).parts)[1].size, list(submission.Model(1).parts)[2].size] -> [1, 2]",
    )


def test_lines_that_ask_the_same_are_folded() -> None:
    def body(names: SubmissionNames) -> None:
        for part in elements(names.Model(1).parts):
            part.size = 7
        names.add(1, 2).value()

    assert asked(body) == (
        "list(submission.Model(1).parts)[0].size = 7",
        "# and 2 more of the same",
        "submission.add(1, 2) -> 3",
    )


def test_the_last_lines_are_kept() -> None:
    def body(names: SubmissionNames) -> None:
        for number in range(2 * KEPT):
            names.add(number, torch.zeros(2)).tensor()
        for number in range(2 * MAX_LINES):
            names.add([number], ["x" * number]).value()

    lines = asked(body)
    assert len(lines) == MAX_LINES
    assert lines[-1].startswith("submission.add([23], ['xxx")


def test_no_value_makes_a_line_long() -> None:
    def body(names: SubmissionNames) -> None:
        names.many().value()
        names.add(torch.zeros(1000, 1000), [0] * 10**5).done()

    lines = asked(body)
    assert len(lines) == 2
    assert all(len(line) <= MAX_LINE for line in lines)


@pytest.mark.parametrize("value", [np.array(3.5), np.zeros((0, 2)), np.float32(1), torch.tensor(2)])
def test_writing_an_argument_down_decides_no_verdict(value: object) -> None:
    transcript = Transcript()
    with check_run(transcript):
        submission = SubmissionNames(LocalLink({"same": lambda x: x}))
        assert np.array_equal(submission.same(value).value(), value)
