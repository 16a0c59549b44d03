"""kill -9 of any process of a grading at any moment: the next run ends as if nothing had been."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from processes import descendants, eventually
from toy import RIGHT

from grader.store import RESULTS

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


def start(toy: Path, folder: Path, output: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "grader.cli", "check", str(folder)),
            *("--output", str(output), "--jobs", "3", "--json"),
        ],
        cwd=toy,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def end(process: subprocess.Popen[bytes]) -> int:
    _, errors = process.communicate(timeout=180)
    assert b"Traceback" not in errors, errors.decode()
    return process.returncode


def reports(output: Path) -> dict[str, Any]:
    """Everything that a run writes for people, without what may differ."""
    book = json.loads((output / "gradebook.json").read_bytes())
    book.pop("run")
    texts = {
        str(path.relative_to(output)): path.read_bytes()
        for path in [output / "scores.csv", *sorted((output / "feedback").rglob("*.md"))]
    }
    return {"gradebook": book, **texts}


def differences(found: Any, wanted: Any, where: str = "") -> list[str]:
    """Where two reports differ, and by what."""
    if isinstance(found, dict) and isinstance(wanted, dict) and found.keys() == wanted.keys():
        pairs = [(f"{where}/{key}", found[key], wanted[key]) for key in found]
    elif isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        pairs = [
            (f"{where}/{at}", *both) for at, both in enumerate(zip(found, wanted, strict=True))
        ]
    else:
        return [] if found == wanted else [f"{where}: {found!r} instead of {wanted!r}"]
    return [line for name, one, other in pairs for line in differences(one, other, name)]


def kept(output: Path) -> int:
    return len(list((output / RESULTS / "runs").glob("*.json")))


class Disturbed:
    """A class, its undisturbed reports, and gradings of it in which one process is killed."""

    def __init__(self, toy: Path, folder: Path, outputs: Path) -> None:
        self.toy, self.folder, self.outputs = toy, folder, outputs
        began = time.monotonic()
        assert end(start(toy, folder, outputs / "calm")) == 0
        self.seconds = time.monotonic() - began
        self.calm = reports(outputs / "calm")

    def kill_and_compare(self, number: int, whom: str) -> str | None:
        """Kill one process of a kind at a random moment, let runs follow until one is through.

        Returns the victim; None when the grading was over before one was found.
        """
        chance = random.Random(f"{number} {whom}")
        output = self.outputs / f"{number}"
        process = start(self.toy, self.folder, output)
        victim = self._kill(process, whom, chance)
        code, finished = end(process), kept(output)
        for _ in range(3):
            if code == 0:
                break
            process = start(self.toy, self.folder, output)
            code = end(process)
            assert json.loads((output / "gradebook.json").read_bytes())["run"]["kept"] == finished
            finished = kept(output)
        assert code == 0, victim
        assert differences(reports(output), self.calm) == [], victim
        assert kept(output) == len(CLASS), victim
        assert not list(output.rglob("*.tmp"))
        return victim

    def _kill(
        self, process: subprocess.Popen[bytes], whom: str, chance: random.Random
    ) -> str | None:
        time.sleep(chance.uniform(0.1, 0.8 * self.seconds))
        family = ROLES[whom]
        victims: list[int] = []

        def found() -> bool:
            victims[:] = sorted(family(process.pid))
            return bool(victims) or process.poll() is not None

        eventually(found, 60)
        if not victims or process.poll() is not None:
            return None
        victim = chance.choice(victims)
        command = _command(victim)
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            return None
        return f"{whom}: {command}"


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()[:200]
    except OSError:
        return "gone"


def children(pid: int, depth: int, command: str) -> set[int]:
    """Processes so many steps below the first process of a kind."""
    roots = {p for p in descendants(pid, steps=1) if command in _command(p)}
    if depth == 0:
        return roots
    return {
        below
        for root in roots
        for below in descendants(root, steps=depth) - descendants(root, steps=depth - 1)
    }


ROLES: dict[str, Callable[[int], set[int]]] = {
    "grader": lambda pid: {pid},
    "judge": lambda pid: children(pid, 0, "grader.judge"),
    "judge at work": lambda pid: children(pid, 1, "grader.judge"),
    "zygote": lambda pid: children(pid, 0, "recv_fds"),
    "supervisor": lambda pid: children(pid, 1, "recv_fds"),
    "worker": lambda pid: children(pid, 2, "recv_fds"),
    "anyone": lambda pid: {pid} | descendants(pid),
}


@pytest.fixture
def disturbed(toy: Path, class_of: Callable[..., Path], tmp_path: Path) -> Disturbed:
    work: dict[str, str | list[str]] = dict(CLASS)
    return Disturbed(toy, class_of(**work), tmp_path / "out")


def test_whoever_is_killed_the_reports_are_the_same(disturbed: Disturbed) -> None:
    for number, whom in enumerate(["grader", "judge", "zygote", "worker"]):
        assert disturbed.kill_and_compare(number, whom), f"no {whom} was killed"


@pytest.mark.slow
def test_fifty_kills_at_random_moments_change_nothing(disturbed: Disturbed) -> None:
    roles = sorted(ROLES)
    victims = [
        disturbed.kill_and_compare(number, roles[number % len(roles)]) for number in range(50)
    ]
    assert sum(victim is not None for victim in victims) > 40
