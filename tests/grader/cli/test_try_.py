"""A lost point explained: one check again, for one student, behind the same wall."""

from __future__ import annotations

import json
import os
import pty
import select
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from commands import assert_clear, grader
from toy import RIGHT, notebook, write

WRONG = RIGHT.replace("self.n = start", "self.n = 0")
CORRECTED = RIGHT[RIGHT.index("class") :]
ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small course with a class that has been graded."""
    from toy import write_course

    root = write_course(tmp_path_factory.mktemp("graded") / "course")
    write(root / "class/ann/adding.py", WRONG)
    raises = "def add(a, b):\n    x = 1 / 0\n    return x\n"
    write(root / "class/bob/adding.ipynb", notebook("import math", raises))
    assert grader("check", "class", "-q", "--seed", 7, cwd=root).returncode == 0
    return root


def before(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def lost_by_ann(course: Path) -> dict[str, Any]:
    book = json.loads((course / "reports/gradebook.json").read_bytes())
    (ann,) = (one for one in book["scores"] if one["student"] == "ann")
    (lost,) = (one for one in ann["outcomes"] if one["check"] == "test_counts")
    return lost  # type: ignore[no-any-return]


def test_what_is_tried_is_what_was_graded_and_nothing_is_stored(graded: Path) -> None:
    kept = before(graded / "reports")
    tried = grader("try", "ann", "adding", "test_counts", cwd=graded)
    assert_clear(tried, 1)
    lost = lost_by_ann(graded)
    assert lost["detail"] in tried.stdout  # the same seed, so the same numbers
    assert all(line in tried.stdout for line in lost["asked"])
    assert "seed 7" in tried.stdout
    assert ">    7      assert counter.up().value() == start + 2" in tried.stdout
    assert "        self.n = 0" in tried.stdout
    assert before(graded / "reports") == kept


def test_a_line_that_raised_is_marked(graded: Path) -> None:
    tried = grader("try", "bob", "adding", "small", cwd=graded)
    assert_clear(tried, 1)
    assert "  >    2      x = 1 / 0" in tried.stdout
    assert "The student's code, cell 2" in tried.stdout


def test_what_a_check_requires_is_tried_too(graded: Path) -> None:
    tried = grader("try", "bob", "adding", "test_any_sum[10]", cwd=graded)
    assert "`test_small_sum` must pass first" in tried.stdout
    assert "test_small_sum)" in tried.stdout
    assert "test_any_sum[100]" not in tried.stdout


def test_a_script_comes_after_the_students_cells_and_a_notebook_instead(graded: Path) -> None:
    write(graded / "corrected.py", CORRECTED)
    write(graded / "instead.ipynb", notebook(CORRECTED))
    arguments = ("try", "ann", "adding", "test_counts", "test_rejects_text", "--code")
    after = grader(*arguments, "corrected.py", cwd=graded)
    assert_clear(after, 0)
    instead = grader(*arguments, "instead.ipynb", cwd=graded)
    assert_clear(instead, 1)
    assert "✓ Counts up" in instead.stdout
    assert "`add` is not defined" in instead.stdout


def test_a_check_that_depends_on_luck_is_found_out(graded: Path) -> None:
    lucky = RIGHT.replace("return a + b", "return a + b if a + b < 10 else -1")
    write(graded / "others/cyd/adding.py", lucky)
    tried = grader("try", "cyd", "adding", "test_any_sum[10]", "--times", 8,
                   "--submissions", "others", cwd=graded)  # fmt: skip
    assert_clear(tried, 1)
    assert "passed 8 of 8" in tried.stdout  # of the check that it requires
    found = next(line for line in tried.stdout.splitlines() if "not with seed" in line)
    assert "of 8" in found
    assert "passed 0" not in found


def test_the_seed_can_be_another_one(graded: Path) -> None:
    tried = grader("try", "ann", "adding", "test_counts", "--seed", 1, cwd=graded)
    assert_clear(tried, 1)
    assert not any(line in tried.stdout for line in lost_by_ann(graded)["asked"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ann", "adding", "test_count"], ["no check is called", "did you mean `test_counts`?"]),
        (["anna", "adding"], ["no student is called `anna`", "did you mean `ann`?"]),
        (["ann", "addings"], ["no assignment is called", "did you mean `adding`?"]),
        (["ann", "adding", "--code", "none.py"], ["the code can't be read", "none.py"]),
        (["ann", "adding", "--results", "none"], ["no gradebook can be read here"]),
        (["ann", "adding", "--submissions", "class/bob"], ["no such student, ann"]),
        (["ann", "adding", "--pdb"], ["need a terminal"]),
        (["ann", "adding", "--pdb", "--shell"], ["exclude each other"]),
    ],
)
def test_what_can_not_be_tried_is_told(
    graded: Path, arguments: list[str], words: list[str]
) -> None:
    assert_clear(grader("try", *arguments, cwd=graded), 2, *words)


def test_a_file_that_has_changed_since_is_not_taken_for_what_was_graded(
    toy: Path, tmp_path: Path
) -> None:
    file = write(tmp_path / "class/ann/adding.py", WRONG)
    grader("check", tmp_path / "class", "-q", cwd=toy)
    file.write_text(RIGHT)
    assert_clear(grader("try", "ann", "adding", cwd=toy), 2, "has changed since it was found")


# ---------------------------------------------------------------- by hand


def typed(cwd: Path, lines: Sequence[str], prompt: str, *arguments: str) -> str:
    """What a terminal shows of a command at whose prompts these lines are typed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        program = [sys.executable, "-m", "grader.cli", "try", *arguments]
        os.execve(sys.executable, program, {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"})
    shown, asked = b"", list(lines)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            part = os.read(terminal, 4096)
        except OSError:  # it has ended
            break
        shown += part
        if asked and shown.endswith(prompt.encode()):
            os.write(terminal, asked.pop(0).encode() + b"\n")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, shown
    return shown.decode()


def test_a_debugger_opens_at_the_failing_line_and_the_submission_answers(graded: Path) -> None:
    lines = ["counter.up().value()", "start", "print(chr(27) + ']0;title')", "q"]
    shown = typed(graded, lines, "(Pdb) ", "ann", "adding", "test_counts", "--pdb")
    assert "-> assert counter.up().value() == start + 2" in shown
    assert "\r\n3\r\n" in shown  # the third time that it counts up
    assert "\x1b" not in shown
    assert "\\x1b]0;title" in shown


def test_a_prompt_has_the_submission_the_reference_and_the_inputs(graded: Path) -> None:
    lines = [
        "submission.add(1, 'x')", "submission.add(20, 2)", "reference.add(rng.randrange(1), 5)",
        "submission.Counter.__init__.__globals__", "import os; os.getppid() > 1", "exit()",
    ]  # fmt: skip
    shown = typed(graded, lines, ">>> ", "ann", "adding", "--shell")
    assert "StudentError: TypeError" in shown
    assert "code cell 1, line 2" in shown
    assert "-> 22" in shown
    assert "\r\n5\r\n" in shown
    assert "Traceback" not in shown
