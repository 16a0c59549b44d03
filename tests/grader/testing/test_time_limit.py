"""Code that runs too long in this process is stopped, whatever it catches, in any thread."""

# ruff: noqa: B012, SIM105 (this is what students write)

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

import pytest

from grader.testing.time_limit import TimeIsUp, TimeLimit


def runs() -> None:
    while True:
        pass


def catches_exceptions() -> None:
    while True:
        try:
            sum(range(10))
        except Exception:
            pass


def catches_everything() -> None:
    while True:
        try:
            while True:
                pass
        except:  # noqa: E722
            pass


def goes_on_finally() -> None:
    while True:
        try:
            sum(range(100))
        finally:
            continue


def catches_in_functions() -> None:
    def inner() -> None:
        while True:
            try:
                max(range(20))
            except BaseException as error:
                str(error)

    while True:
        try:
            inner()
        except BaseException:
            continue


def catches_in_a_generator() -> None:
    def numbers():
        while True:
            try:
                yield 1
            except BaseException:
                pass

    for _ in numbers():
        pass


def sleeps_a_little() -> None:
    while True:
        time.sleep(0.01)


STUBBORN = [
    runs, catches_exceptions, catches_everything, goes_on_finally, catches_in_functions,
    catches_in_a_generator, sleeps_a_little,
]  # fmt: skip


def stopped(code: Callable[[], None]) -> bool:
    """Whether a limit ends this code, and nothing of that arrives later."""
    with TimeLimit() as limit:
        limit.allow(0.05)
        try:
            limit.run(code)
        except TimeIsUp:
            limit.allow(60)
            return limit.run(lambda: sum(range(200_000))) == 19999900000
    return False


@pytest.mark.parametrize("code", STUBBORN)
def test_code_that_does_not_end_is_stopped(
    code: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)  # the generator's; off in checks
    assert stopped(code)


def test_code_in_another_thread_is_stopped() -> None:
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(stopped(catches_everything)))
    thread.start()
    thread.join()
    assert found == [True]


def test_parts_share_what_is_allowed() -> None:
    with TimeLimit() as limit:
        limit.allow(0.05)
        with pytest.raises(TimeIsUp):  # noqa: PT012
            for _ in range(1000):
                limit.run(lambda: sum(range(20_000)))


def test_what_ends_in_time_is_left_alone() -> None:
    with TimeLimit() as limit:
        assert limit.run(lambda: 1) == 1  # nothing said: no limit
        limit.allow(60)
        assert limit.run(lambda: 2) == 2
        with pytest.raises(ZeroDivisionError):
            limit.run(lambda: 1 // 0)


def test_a_step_that_can_not_be_cut_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.testing.time_limit.PATIENCE_S", 0.1)
    told = threading.Event()
    with TimeLimit(stuck=told.set) as limit:
        limit.allow(0.01)
        with pytest.raises(TimeIsUp):
            limit.run(lambda: (time.sleep(0.6), sum(range(100))))
    assert told.is_set()
