"""The canaries of the self-test: they find a hole where there is one."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from walled import LIMITS, MODES, ready_zygote

from grader.worker.jail.properties import PROPERTIES
from grader.worker.jail.selftest import self_test
from grader.worker.launch import Zygote

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the wall is made of parts of Linux"
)


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with ready_zygote() as zygote:
        yield zygote


@pytest.mark.parametrize("mode", MODES)
def test_everything_holds(zygote: Zygote, mode: str) -> None:
    results = self_test(zygote, LIMITS, forbidden=MODES[mode])
    assert [result.property for result in results] == [item.title for item in PROPERTIES]
    assert [result.property for result in results if not result.held] == []
    assert all(result.tried and result.layers for result in results)


def test_without_a_wall_the_canaries_come_through(zygote: Zygote) -> None:
    results = self_test(zygote, LIMITS, sandbox=False)
    held = {result.property for result in results if result.held}
    assert "memory, disk, thread and time limits" in held
    # whoever runs the tests may have given up privileges already
    assert held <= {"memory, disk, thread and time limits", "no new privileges"}


def test_what_is_missing_comes_with_advice(zygote: Zygote) -> None:
    results = self_test(zygote, LIMITS, forbidden=("seccomp",))
    advice = {result.property: result.advice for result in results if not result.held}
    assert "CONFIG_SECCOMP_FILTER" in advice["a bounded kernel surface"]
