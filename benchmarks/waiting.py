"""How long somebody waits for an answer, beside what no grader can do without.

A first result is measured in the same round as one `import torch` or, where a course needs none,
one start of the interpreter: a machine that slows down slows both.
"""

from __future__ import annotations

import contextlib
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.accounting import Cost, measure
from benchmarks.classroom import ASSIGNMENT, Work, code, write_notebook, write_plain
from benchmarks.environments import CACHE, ROOT
from benchmarks.report import Target, at_most
from benchmarks.tools import emptied, quiet_environment
from grader.exit_status import ExitStatus

LIGHT = ROOT / "examples/courses/first-python"
BUSY_PROCESSES = 2
RESULT = r"^\W? ?\d+(\.\d+)?/\d+ "
"""How the line of a result begins."""


@contextlib.contextmanager
def busy_machine(processes: int = BUSY_PROCESSES) -> Iterator[None]:
    """Keep some processes computing while this lasts."""
    command = [sys.executable, "-c", "while True: pass"]
    running = [subprocess.Popen(command) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


class Waits:
    """Gradings of one submission, and of one again in a class that is kept.

    Args:
        works: the class whose results are kept.
        rounds: how often each figure is measured; medians of quotients are told.
    """

    def __init__(self, works: Sequence[Work], rounds: int) -> None:
        self._rounds = rounds
        self._folder = emptied(CACHE / "runs/waiting")
        self._works = works
        write_plain(works[:1], self._folder / "one")
        write_plain(works, self._folder / "class")

    def targets(self) -> list[Target]:
        """Measure everything."""
        quiet, again = self._first_result(), self._again()
        with busy_machine():
            busy = self._first_result()
        return [
            at_most("first result over one `import torch`", 1.15, quiet),
            at_most(f"the same beside {BUSY_PROCESSES} busy processes", 1.5, busy),
            at_most("first result without torch, over one start of Python", 25, self._light()),
            at_most(f"one of {len(self._works)} again, over a first result", 1.1, again),
        ]

    def _first_result(self) -> float:
        quotients = []
        for _ in range(self._rounds):
            shutil.rmtree(self._folder / "reports", ignore_errors=True)
            cost = self._check("one", "reports", course=ROOT)
            quotients.append(_first(cost) / self._python("import torch"))
        return statistics.median(quotients)

    def _light(self) -> float:
        quotients = []
        for _ in range(self._rounds):
            shutil.rmtree(self._folder / "light", ignore_errors=True)
            cost = self._check(LIGHT / "submissions", "light", course=LIGHT)
            quotients.append(_first(cost) / self._python("pass"))
        return statistics.median(quotients)

    def _again(self) -> float:
        """The whole command, for one edited notebook, over the first result of a class of one."""
        self._check("class", "kept", course=ROOT)
        quotients = []
        edited = self._works[0]
        path = self._folder / "class" / edited.student / f"{ASSIGNMENT}.ipynb"
        for number in range(self._rounds):
            cells = (*edited.cells, f"edited = {number}")
            write_notebook(path, [code(cell, f"own-{at}") for at, cell in enumerate(cells)])
            again = self._check("class", "kept", course=ROOT)
            shutil.rmtree(self._folder / "reports", ignore_errors=True)
            quotients.append(again.wall_s / _first(self._check("one", "reports", course=ROOT)))
        return statistics.median(quotients)

    def _check(self, submissions: str | Path, output: str, *, course: Path) -> Cost:
        grader = Path(sys.executable).with_name("grader")
        command = [str(grader), "check", str(submissions), "--verbose", "--course", str(course)]
        return measure(
            [*command, "--output", output],
            log=self._folder / "log",
            cwd=self._folder,
            env=quiet_environment(),
            first_result=RESULT,
            statuses=(0, ExitStatus.UNGRADED),
        )

    def _python(self, program: str) -> float:
        log = self._folder / "log-python"
        return measure([sys.executable, "-c", program], log=log, env=quiet_environment()).wall_s


def _first(cost: Cost) -> float:
    assert cost.first_s is not None, "no line of the output is a result"
    return cost.first_s
