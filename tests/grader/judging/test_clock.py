"""Time that a worker is made to wait by a busy machine is given back, once and within bounds."""

from __future__ import annotations

import os
import sys

import pytest

from grader.judging import clock as clocks
from grader.judging.clock import Clock, Spent, spent_by


class Machine:
    """A clock whose worker and whose time are the test's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.spent = Spent()
        monkeypatch.setattr(clocks.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(clocks, "spent_by", lambda _: self.spent)
        self.clock = Clock()
        self.clock.watch(1)

    def passes(self, seconds: float, *, cpu_s: float = 0.0, waited_s: float = 0.0) -> None:
        with self.clock.running():
            self.now += seconds
        self.spent = Spent(self.spent.cpu_s + cpu_s, self.spent.waited_s + waited_s)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def test_a_loop_on_an_idle_machine_has_its_limit(machine: Machine) -> None:
    machine.clock.start(2, 6)
    machine.passes(2, cpu_s=2)
    assert machine.clock.left_s() <= 0


def test_sleep_is_no_wait(machine: Machine) -> None:
    machine.clock.start(2, 6)
    machine.passes(2)
    assert machine.clock.left_s() <= 0


def test_waits_for_a_core_are_given_back(machine: Machine) -> None:
    machine.clock.start(2, 6)
    machine.passes(2, cpu_s=0.5, waited_s=1.5)
    assert machine.clock.left_s() == pytest.approx(1.5)
    machine.passes(1.5, cpu_s=0.5, waited_s=1.0)
    assert machine.clock.left_s() == pytest.approx(1.0)


def test_they_are_not_given_back_beyond_the_most(machine: Machine) -> None:
    machine.clock.start(2, 6)
    machine.passes(5.5, cpu_s=0.1, waited_s=5.4)
    assert machine.clock.left_s() == pytest.approx(0.5)


def test_who_waits_for_threads_of_its_own_pays_for_these(machine: Machine) -> None:
    machine.clock.start(2, 6)
    machine.passes(2, cpu_s=4, waited_s=1.9)
    assert machine.clock.left_s() <= 0


def test_a_full_limit_is_plain_time(machine: Machine) -> None:
    machine.clock.start(2, 2)
    machine.passes(2, waited_s=2)
    assert machine.clock.left_s() <= 0


def test_what_passes_outside_does_not_count(machine: Machine) -> None:
    machine.clock.start(2, 6)
    machine.now += 50
    assert machine.clock.left_s() == 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_kernel_tells_what_a_process_has_used() -> None:
    before = spent_by(os.getpid())
    while spent_by(os.getpid()).cpu_s < before.cpu_s + 0.02:
        pass
    assert spent_by(2**22 + 1) == Spent()
