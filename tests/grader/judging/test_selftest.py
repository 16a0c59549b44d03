"""The canaries of the self-test: they find a hole where there is one."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from walled import LIMITS, MODES, ready_zygote

from grader.errors import GraderFault
from grader.jail.properties import PROPERTIES
from grader.judging import selftest
from grader.judging.selftest import self_test
from grader.judging.spawning import WorkerPipes, Zygote, spawn
from grader.wire.events import Failed
from grader.worker.watchdog import children_of

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


def test_the_folder_for_temporary_files_may_have_a_long_path(
    zygote: Zygote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    assert all(result.held for result in self_test(zygote, LIMITS))
    open_to_all = self_test(zygote, LIMITS, sandbox=False)
    assert "no network" not in {result.property for result in open_to_all if result.held}


def test_what_is_missing_comes_with_advice(zygote: Zygote) -> None:
    results = self_test(zygote, LIMITS, forbidden=("seccomp",))
    advice = {result.property: result.advice for result in results if not result.held}
    assert "CONFIG_SECCOMP_FILTER" in advice["a bounded kernel surface"]


def has_told(pipes: WorkerPipes) -> bool:
    """Whether a worker that is being killed has said anything; it is gone then."""
    end = select.poll()
    end.register(pipes.replies, 0)  # tells only that the other end is closed
    end.poll()
    unread = fcntl.ioctl(pipes.replies, termios.FIONREAD, bytes(4))
    return int.from_bytes(unread, sys.byteorder) > 0


@pytest.fixture
def killing(zygote: Zygote, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[WorkerPipes]]:
    """Kill the supervisors of the first so many workers; gives the list of all workers."""

    def kill_first(number: int) -> list[WorkerPipes]:
        spawned: list[WorkerPipes] = []

        def spawn_killed(*arguments: Any, **options: Any) -> WorkerPipes:
            before = set(children_of(zygote.pid))
            pipes = spawn(*arguments, **options)
            while not (new := set(children_of(zygote.pid)) - before):
                time.sleep(0.001)
            os.kill(new.pop(), signal.SIGKILL)
            if not has_told(pipes):
                return pipes
            pipes.close()  # on a busy machine it had told before it was killed: another one
            return spawn_killed(*arguments, **options)

        def spawn_or_kill(*arguments: Any, **options: Any) -> WorkerPipes:
            make = spawn_killed if len(spawned) < number else spawn
            spawned.append(make(*arguments, **options))
            return spawned[-1]

        monkeypatch.setattr(selftest, "spawn", spawn_or_kill)
        return spawned

    return kill_first


def test_a_worker_that_is_killed_before_it_tells_counts_for_nothing(
    zygote: Zygote, killing: Callable[[int], list[WorkerPipes]]
) -> None:
    spawned = killing(1)
    assert all(result.held for result in self_test(zygote, LIMITS, quick=True))
    assert len(spawned) == 2


def test_when_all_are_killed_nobody_knows(
    zygote: Zygote, killing: Callable[[int], list[WorkerPipes]]
) -> None:
    killing(100)
    with pytest.raises(GraderFault, match="can't be tested"):
        self_test(zygote, LIMITS, quick=True)


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[int]]:
    """Let the first so many workers of the self-test say that they could not be started."""

    def refuse_first(number: int) -> list[int]:
        asked: list[int] = []
        listen = selftest._listen

        def told(pipes: WorkerPipes) -> tuple[Any, Any]:
            claims, events = listen(pipes)
            asked.append(1)
            if len(asked) <= number:
                return None, selftest.Told(failed=Failed("its group was removed"))
            return claims, events

        monkeypatch.setattr(selftest, "_listen", told)
        return asked

    return refuse_first


def test_a_worker_that_could_not_be_started_is_tried_again(
    zygote: Zygote, refusing: Callable[[int], list[int]]
) -> None:
    asked = refusing(2)
    assert all(result.held for result in self_test(zygote, LIMITS, quick=True))
    assert len(asked) == 3


def test_when_none_can_be_started_the_message_says_what_happened(
    zygote: Zygote, refusing: Callable[[int], list[int]]
) -> None:
    refusing(100)
    with pytest.raises(GraderFault, match="could not be started: its group was removed"):
        self_test(zygote, LIMITS, quick=True)
