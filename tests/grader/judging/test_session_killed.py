"""Somebody else kills workers, in cells and in checks: whose they were loses no point by it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import indent

import msgspec
import pytest
from toy import RIGHT, Silent, write

from grader.config.course import Course
from grader.gradebook import Score, State
from grader.model import EndingKind
from grader.pipeline import Options, check

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]

TESTS = Path(__file__).parents[2]
OUTSIDER = '''
import contextlib, os, signal, sys, threading, time
from pathlib import Path

sys.path.insert(0, {tests!r})
from processes import children, eventually, parent_of
sys.path.pop(0)

from grader.testing import assert_equal, check

DONE = Path({done!r})


def workers():
    return children(parent_of(os.getppid()), 2, "grader-zygote")


def kill(old=frozenset(), after_s=0.0):
    assert eventually(lambda: workers() - old), "there is nobody to kill"
    time.sleep(after_s)
    for pid in workers() - old:
        with contextlib.suppress(ProcessLookupError):  # gone with another
            os.kill(pid, signal.SIGKILL)


def outsider(submission, here):
    """Kill this worker, or it and the one that replaces it, once in a check and for each student."""
    once = DONE / f"{{submission.student.value()}} {{here}}"
    how = submission.doomed.value().get(here)
    if how is None or once.exists():
        return
    once.touch()
    old = workers()
    kill()
    if how == "and the next":  # it sleeps in its first cell
        threading.Thread(target=kill, args=(old, 0.3)).start()


class TestAny:
    """Any numbers"""

'''
KILLS_ITSELF = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
EVERYWHERE = {"test_0": "now", "test_1": "now", "test_2": "now"}
CELLS = {"test_1": "and the next"}


def with_outsider(course: Course, done: Path) -> Course:
    """The small course, whose three hidden checks, worth a point each, kill workers first."""
    assert course.suites is not None
    text = OUTSIDER.format(tests=str(TESTS), done=str(done))
    for number, first in enumerate((9, 1, 2)):
        body = (
            f"@check(points=1)\ndef test_{number}(self, submission):\n    '''Adds {first} and 2'''\n"
            f"    outsider(submission, 'test_{number}')\n"
            f"    assert_equal(submission.add({first}, 2).value(), {first + 2}, 'the sum')\n\n"
        )
        text += indent(body, "    ")
    done.mkdir()
    write(course.suites / "test_adding.py", text)
    return course


def doomed(student: str, places: dict[str, str], *, pause_s: float = 0.6) -> str:
    """The first cell of who is killed there."""
    return f"import time\nstudent, doomed = {student!r}, {places!r}\ntime.sleep({pause_s})\n"


def graded(
    course: Course, class_of: Callable[..., Path], work: dict[str, list[str]], **limits: float
) -> dict[str, Score]:
    limited = msgspec.structs.replace(
        course, limits=msgspec.structs.replace(course.limits, **limits)
    )
    book = check([class_of(**work)], limited, Options(jobs=1), Silent())
    return {score.student: score for score in book.scores}


def test_whoever_else_kills_a_worker_takes_no_point(
    toy_course: Course, class_of: Callable[..., Path], tmp_path: Path
) -> None:
    """Not once for each check, not after the submission has killed itself elsewhere, and though it
    may be started again only as often as it needs itself."""
    in_a_check = "def add(a, b):\n    if a == 9:\n        " + KILLS_ITSELF.replace("\n", "; ")
    work = {
        "ann": [doomed("ann", EVERYWHERE), RIGHT],
        "bob": [doomed("bob", CELLS), RIGHT],
        "cat": [doomed("cat", EVERYWHERE), KILLS_ITSELF, RIGHT],
        "dan": [doomed("dan", CELLS), KILLS_ITSELF, RIGHT],
        "eve": [doomed("eve", {"test_1": "now"}), in_a_check + "\n    return a + b"],
        "fay": [doomed("fay", CELLS), in_a_check + "\n    return a + b"],
    }
    course = with_outsider(toy_course, tmp_path / "done")
    found = graded(course, class_of, work, restarts=1, cell_s=10, check_s=10)
    assert {name: score.questions for name, score in found.items()} == {
        name: {"small": 1.0, "any": 2.0 if name in ("eve", "fay") else 3.0} for name in work
    }
    ended = {name for name, one in found.items() if one.ending.kind is EndingKind.SIGNAL}
    assert ended == {"cat", "dan", "eve", "fay"}
    assert len(list((tmp_path / "done").iterdir())) == 10


def test_who_kills_itself_wherever_it_is_comes_to_an_end(
    toy_course: Course, class_of: Callable[..., Path], tmp_path: Path
) -> None:
    """Each place is tried twice, and each start but the second ones counts."""
    later = (
        "import os, signal, threading, time\n"
        "threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGKILL)).start()\n"
        "student, doomed = 'eve', {}\n"
        "def add(a, b):\n    if b == 2 and a > 1: time.sleep(1)\n    return a + b\n"
    )
    course = with_outsider(toy_course, tmp_path / "done")
    score = graded(course, class_of, {"eve": [later]}, check_s=10, restarts=2)["eve"]
    assert (score.state, score.ending.kind) == (State.GRADED, EndingKind.SIGNAL)
    assert score.questions["any"] <= 1.0
