"""kill -9 of any process of a grading at any moment: the next run ends as if nothing had been."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from processes import alive, children, descendants, eventually, name_of
from runs import differences, end, kept, reports, reused, start
from toy import RIGHT

from grader.store.output import LOCK_NAME

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

PAUSE = "import time\ntime.sleep(0.4)\n"
CLASS = {
    "ann": PAUSE + RIGHT,
    "bob": PAUSE + "def add(a, b): return 3",
    "cat": [PAUSE, "1 / 0", RIGHT, "print('cat was here')"],
    "dan": PAUSE + RIGHT.replace("self.n += 1", "while True: pass"),
    "eve": "while True: pass",
    "fay": [PAUSE + "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", RIGHT],
    "gil": PAUSE + "import os; os._exit(0)",
    "hal": "Dear teacher",
}


JOBS = ("--jobs", "3")


class Disturbed:
    """A class, its undisturbed reports, and gradings of it in which one process is killed."""

    def __init__(self, toy: Path, folder: Path, outputs: Path) -> None:
        self.toy, self.folder, self.outputs = toy, folder, outputs
        began = time.monotonic()
        assert end(start(toy, folder, outputs / "calm", *JOBS)) == 0
        self.seconds = time.monotonic() - began
        self.calm = reports(outputs / "calm")

    def kill_somebody(self, number: int, whom: str) -> str | None:
        """See `kill_and_compare`; where nobody was there to be killed, come earlier the next time.

        Under load a grading takes longer than the next one, so that a moment in it may be too late.
        """
        for attempt, share in enumerate((0.8, 0.4, 0.2, 0.1, 0.0, 0.0, 0.0, 0.0)):
            victim = self.kill_and_compare(number + 50 * attempt, whom, share)
            if victim:
                return victim
        return None

    def kill_and_compare(self, number: int, whom: str, share: float) -> str | None:
        """Kill one process of a kind at a random moment, let runs follow until one is through.

        The moment is in this share of the time that a grading took; when there is no such process
        yet, it is that in which there is one.

        Returns the victim; None when the grading was over before one was found.
        """
        chance = random.Random(f"{number} {whom}")
        output = self.outputs / f"{number}"
        process, began = start(self.toy, self.folder, output, *JOBS), time.monotonic()
        time.sleep(chance.uniform(0, share * self.seconds))
        victim = self._kill(process, began, whom, chance)
        told = f"number {number}, {victim}"
        code, finished = end(process), kept(output)
        for _ in range(3):
            if code == 0:
                break
            process = start(self.toy, self.folder, output, *JOBS)
            code = end(process)
            assert reused(output) == finished
            finished = kept(output)
        assert code == 0, told
        assert differences(reports(output), self.calm) == [], told
        assert kept(output) == len(CLASS), told
        assert not list(output.rglob("*.tmp"))
        return victim

    def _kill(
        self, process: subprocess.Popen[bytes], began: float, whom: str, chance: random.Random
    ) -> str | None:
        family = ROLES[whom]
        victims: list[int] = []

        def found() -> bool:
            victims[:] = sorted(family(process.pid))
            return bool(victims) or process.poll() is not None

        while True:
            eventually(found, 60)
            if not victims or process.poll() is not None:
                return None
            victim = chance.choice(victims)
            name = name_of(victim)
            with contextlib.suppress(ProcessLookupError):  # some live for a moment only
                os.kill(victim, signal.SIGKILL)
                return f"{whom}, {time.monotonic() - began:.2f} s after its beginning: {name}"


ROLES: dict[str, Callable[[int], set[int]]] = {
    "grader": lambda pid: {pid},
    "judge": lambda pid: children(pid, 0, "grader-judge"),
    "judge at work": lambda pid: children(pid, 1, "grader-judge"),
    "zygote": lambda pid: children(pid, 0, "grader-zygote"),
    "supervisor": lambda pid: children(pid, 1, "grader-zygote"),
    "worker": lambda pid: children(pid, 2, "grader-zygote"),
    "anyone": lambda pid: {pid} | descendants(pid),
}


@pytest.fixture
def disturbed(toy: Path, class_of: Callable[..., Path], tmp_path: Path) -> Disturbed:
    work: dict[str, str | list[str]] = dict(CLASS)
    return Disturbed(toy, class_of(**work), tmp_path / "out")


def test_whoever_is_killed_the_reports_are_the_same(disturbed: Disturbed) -> None:
    for number, whom in enumerate(["grader", "judge", "zygote", "worker"]):
        assert disturbed.kill_somebody(number, whom), f"no {whom} was killed"


@pytest.mark.slow
def test_fifty_kills_at_random_moments_change_nothing(disturbed: Disturbed) -> None:
    roles = sorted(ROLES)

    def kill(number: int) -> str | None:
        return disturbed.kill_somebody(number, roles[number % len(roles)])

    with ThreadPoolExecutor(3) as pool:  # they mostly wait
        victims = list(pool.map(kill, range(50)))
    assert None not in victims, "eight times in a row nobody was there to be killed"


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 1000], ids=["once", "until it ends"])
def test_whenever_somebody_presses_ctrl_c_the_next_run_completes_it(
    disturbed: Disturbed, times: int
) -> None:
    def interrupt(number: int) -> int:
        chance = random.Random(f"{times} {number}")
        output = disturbed.outputs / f"{number}"
        process = start(disturbed.toy, disturbed.folder, output, *JOBS)
        # before that it has done nothing, and may still be importing
        assert eventually((output / LOCK_NAME).exists, 30)
        time.sleep(chance.uniform(0, disturbed.seconds))
        family = descendants(process.pid)
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            time.sleep(chance.uniform(0, 0.01))
            if process.poll() is not None:
                break
        code = end(process)
        assert eventually(lambda: not alive(family)), number
        assert end(start(disturbed.toy, disturbed.folder, output, *JOBS)) == 0
        assert differences(reports(output), disturbed.calm) == [], number
        return code

    with ThreadPoolExecutor(3) as pool:
        codes = set(pool.map(interrupt, range(10)))
    # a shell shows 130 for both: Python may be on its way out already
    assert codes & {130, -signal.SIGINT}
    assert codes <= {0, 130, -signal.SIGINT}
