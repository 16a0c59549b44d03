"""Two processes that add to a file at once lose nothing, and neither does one that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.config.policy import Mark
from grader.errors import GraderError
from grader.store.lines import add_lines, digest, read_lines

ROOT = Path(__file__).parents[3]
ADD = """
import sys
from pathlib import Path
from grader.config.policy import Mark
from grader.store.lines import add_lines
path, who, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(count):
    comment = f"{number} " + who * (number % 50) * 100
    add_lines(path, (Mark("s", "a", f"q{number}", "d", comment=comment, by=who),), "mark")
    print(number, flush=True)
"""


def adding(path: Path, who: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", ADD, str(path), who, str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_processes_that_add_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "marks.jsonl"
    running = [adding(path, who, 60) for who in "abc"]
    for one in running:
        one.communicate()
        assert one.returncode == 0
    found = read_lines(path, Mark, "mark")
    for who in "abc":
        theirs = [one.question for one in found if one.by == who]
        assert theirs == [f"q{number}" for number in range(60)]


@pytest.mark.slow
def test_what_was_added_is_there_after_a_kill_and_the_next_line_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "marks.jsonl"
    running = adding(path, "a", 100_000)
    assert running.stdout is not None
    told = [int(running.stdout.readline()) for _ in range(50)][-1]
    os.kill(running.pid, signal.SIGKILL)
    told = max([told, *(int(line) for line in running.stdout.read().split("\n")[:-1])])
    running.wait()
    running.stdout.close()
    add_lines(path, (Mark("s", "a", "last", "d"),), "mark")  # nobody holds the lock any more
    found = read_lines(path, Mark, "mark")
    assert [one.question for one in found[: told + 1]] == [f"q{n}" for n in range(told + 1)]
    assert found[-1].question == "last"


def test_who_waits_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from grader.store import lines

    path = tmp_path / "marks.jsonl"
    path.touch()
    holding = os.open(path, os.O_RDWR)
    assert lines.try_lock(holding)
    monkeypatch.setattr(lines, "PATIENCE_S", 0.05)
    began = time.monotonic()
    with pytest.raises(GraderError, match="somebody else holds the file"):
        add_lines(path, (Mark("s", "a", "q", "d"),), "mark")
    assert time.monotonic() - began < 5
    os.close(holding)


def test_a_name_says_what_differs_from_the_usual() -> None:
    one = Mark("s", "a", "q", "d")
    assert digest(one) == digest(Mark("s", "a", "q", "d", comment="", rubric=(), withdrawn=False))
    assert digest(one) != digest(Mark("s", "a", "q", "d", withdrawn=True))
    assert digest(one) != digest(Mark("s", "a", "q", "d", points=1))
