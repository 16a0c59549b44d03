"""The link's own mistakes are told from a check's by their types."""

from __future__ import annotations

import pytest

from grader.errors import GraderFault
from grader.judging.link_faults import MEANT, ours
from grader.testing.links import StudentError


def test_what_a_link_gets_wrong_is_a_fault_of_ours() -> None:
    @ours
    def step() -> None:
        None.shape  # type: ignore[attr-defined]  # noqa: B018

    with pytest.raises(GraderFault, match="the link to a worker raised: AttributeError"):
        step()


@pytest.mark.parametrize("kind", MEANT)
def test_what_a_link_says_on_purpose_passes(kind: type[Exception]) -> None:
    error = StudentError(("ValueError",), "no") if kind is StudentError else kind("said")

    @ours
    def step() -> None:
        raise error

    with pytest.raises(kind) as caught:
        step()
    assert caught.value is error


def test_an_interrupt_passes() -> None:
    @ours
    def step() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        step()
