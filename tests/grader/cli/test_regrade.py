"""A suite is repaired, and the class graded anew: nothing is written before somebody agrees."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import assert_clear, grader
from runs import end, start
from toy import RIGHT, notebook, write, write_course

ROOT = Path(__file__).parents[3]
FORMER = ROOT / "tests/former/gradebook_1.json"
CLASS = {
    "ann": RIGHT,
    "bob": RIGHT.replace("a + b", "int(a + b)"),
    "cy": RIGHT.replace("self.n += 1", "self.n += 1.5"),
}

pytestmark = pytest.mark.skipif(os.name != "posix", reason="grading needs POSIX")


def break_suite(toy: Path) -> None:
    """Let the counter's check ask for one more than is right: cy has that."""
    edit_suite(toy, "start + 2", "start + 3")


def edit_suite(toy: Path, old: str, new: str) -> None:
    hidden = toy / "hidden/test_adding.py"
    text = hidden.read_text()
    assert old in text
    hidden.write_text(text.replace(old, new))


def hand_in(folder: Path, work: dict[str, str]) -> Path:
    for student, source in work.items():
        write(folder / student / "adding.ipynb", notebook(source))
    return folder


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course whose suite was repaired after the class was graded; the new results are known."""
    toy = write_course(tmp_path_factory.mktemp("graded") / "toy course")
    break_suite(toy)
    hand_in(toy / "submissions", CLASS)
    assert_clear(grader("check", "submissions", "-q", "--seed", 3, cwd=toy), 0)
    edit_suite(toy, "start + 3", "start + 2")
    assert_clear(grader("regrade", cwd=toy), 0)
    return toy


@pytest.fixture
def repaired(graded: Path, tmp_path: Path) -> Path:
    """A copy of it, as if it had been graded there."""
    toy = tmp_path / "a class"
    shutil.copytree(graded, toy)
    gradebook = toy / "reports/gradebook.json"
    gradebook.write_text(gradebook.read_text().replace(str(graded), str(toy)))
    return toy


def book(folder: Path) -> dict:
    found: dict = json.loads((folder / "reports/gradebook.json").read_text())
    return found


def earned(folder: Path) -> dict[str, float]:
    return {one["student"]: one["earned"] for one in book(folder)["scores"]}


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file of the reports, without what is kept for the next run."""
    return {
        path: path.read_bytes()
        for path in sorted((folder / "reports").rglob("*"))
        if path.is_file() and ".results" not in path.parts
    }


def test_who_gains_and_loses_is_shown_before_anything_is_written(repaired: Path) -> None:
    before = contents(repaired)
    shown = grader("regrade", cwd=repaired)
    assert_clear(shown, 0, "nothing is written")
    assert contents(repaired) == before
    for line in (
        "test_counts: it tests otherwise",
        "Adding: 3 submissions to grade again",
        "ann adding  4 → 5 (+1.00)",
        "cy adding  5 → 4 (-1.00)",
        "+1.00  adding test_counts: failed → passed, 2 students",
        "-1.00  adding test_counts: passed → failed, 1 student",
        "2 gained, 1 lost, 0 the same",
    ):
        assert line in shown.stdout

    applied = grader("regrade", "--apply", "--because", "one too many", cwd=repaired)
    assert_clear(applied, 0)
    assert shown.stdout == applied.stdout
    new = book(repaired)
    assert new["run"]["kept"] == 3  # the second time takes no time
    assert earned(repaired) == {"ann": 5, "bob": 3, "cy": 4}
    (line,) = new["regrades"]
    assert (line["gained"], line["lost"], line["because"]) == (2, 1, "one too many")
    former = repaired / "reports" / line["former"]
    assert former.read_bytes() == before[repaired / "reports/gradebook.json"]
    changed = grader("diff", former, "reports", cwd=repaired).stdout
    assert "3 changed, 0 the same" in changed
    assert "test_counts: it tests otherwise" in changed
    assert "2 gained, 1 lost" in (repaired / "reports/index.html").read_text()
    assert "nothing to regrade" in grader("regrade", cwd=repaired).stdout


@pytest.mark.slow
def test_nobody_loses_where_only_gains_count(repaired: Path) -> None:
    grader("regrade", "--apply", "--only-gains", "--because", "our mistake", cwd=repaired)
    assert earned(repaired) == {"ann": 5, "bob": 3, "cy": 5}
    told = (repaired / "reports/feedback/cy/adding.md").read_text()
    assert "our mistake" in told
    assert "better score of before" in told
    # whatever is graded later, the promise holds for this file, and for no other
    assert_clear(grader("check", "submissions", "-q", "--seed", 3, "--force", cwd=repaired), 0)
    assert earned(repaired)["cy"] == 5
    assert len(book(repaired)["regrades"]) == 1
    write(repaired / "submissions/cy/adding.ipynb", notebook(CLASS["cy"], "# again"))
    assert_clear(grader("check", "submissions", "-q", "--seed", 3, cwd=repaired), 0)
    assert earned(repaired)["cy"] == 4


@pytest.mark.slow
def test_points_given_by_hand_for_the_wrong_check_are_not_given_twice(repaired: Path) -> None:
    because = ("--because", "the check is wrong")
    grader("adjust", "ann", "adding", 1, "--for", "test_counts", *because, cwd=repaired)
    assert earned(repaired)["ann"] == 5
    shown = json.loads(grader("regrade", "--apply", "--json", cwd=repaired).stdout)
    assert earned(repaired)["ann"] == 5
    assert (shown["gained"], shown["lost"], shown["same"]) == (1, 1, 1)
    assert shown["former"].startswith("reports/gradebook-before-")


@pytest.mark.slow
def test_a_gradebook_of_the_first_version_is_regraded(toy: Path) -> None:
    (toy / "reports").mkdir()
    shutil.copy(FORMER, toy / "reports/gradebook.json")
    hand_in(toy / "work", CLASS)
    silent = grader("regrade", cwd=toy)
    assert_clear(silent, 2, "doesn't say where its submissions are", "grader regrade PATH")
    done = grader("regrade", "work", "--seed", 3, "--apply", cwd=toy)
    assert_clear(done, 0, "of an earlier version")
    assert "what its checks do or use, or the grader, has changed" in done.stdout
    assert earned(toy) == {"ann": 5, "bob": 3, "cy": 4}
    assert (book(toy)["schema_version"], len(book(toy)["regrades"])) == (3, 1)


def no_gradebook(toy: Path) -> None:
    shutil.rmtree(toy / "reports")


def another_course(toy: Path) -> None:
    table = toy / "pyproject.toml"
    table.write_text(table.read_text().replace('id = "sums"', 'id = "products"', 1))


def damaged(toy: Path) -> None:
    (toy / "reports/gradebook.json").write_text("{")


def moved(toy: Path) -> None:
    (toy / "submissions").rename(toy / "elsewhere")


def one_gone(toy: Path) -> None:
    shutil.rmtree(toy / "submissions/bob")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (no_gradebook, ["no gradebook here", "--output"]),
        (another_course, ["another course, `sums`"]),
        (damaged, ["no gradebook"]),
        (moved, ["not where they were", "grader regrade PATH"]),
        (one_gone, ["1 of 3 submissions", "bob adding (adding.ipynb)", "--leave-missing"]),
    ],
)
def test_what_can_not_be_regraded_is_a_clear_error(
    repaired: Path, spoil: Callable[[Path], None], words: list[str]
) -> None:
    spoil(repaired)
    before = contents(repaired)
    assert_clear(grader("regrade", "--apply", cwd=repaired), 2, *words)
    assert contents(repaired) == before
    assert (repaired / "reports").exists() == bool(before)


@pytest.mark.slow
def test_who_is_gone_or_new_is_left_as_they_are(repaired: Path) -> None:
    one_gone(repaired)
    hand_in(repaired / "submissions", {"dee": RIGHT})
    done = grader("regrade", "--apply", "--leave-missing", cwd=repaired)
    assert_clear(done, 3)
    assert "bob adding: its file was not found" in done.stdout
    assert earned(repaired) == {"ann": 5, "bob": 2, "cy": 4}
    outdated = {one["student"]: one["outdated"] for one in book(repaired)["scores"]}
    assert outdated == {"ann": False, "bob": True, "cy": False}


@pytest.mark.slow
def test_a_regrade_that_fails_while_it_writes_loses_nothing(repaired: Path) -> None:
    former = (repaired / "reports/gradebook.json").read_bytes()
    page = repaired / "reports/scores.csv"
    page.unlink()
    page.mkdir()
    assert_clear(grader("regrade", "--apply", cwd=repaired), 2, "scores.csv")
    assert (repaired / "reports/gradebook.json").read_bytes() == former
    page.rmdir()
    assert_clear(grader("regrade", "--apply", cwd=repaired), 0)
    assert earned(repaired) == {"ann": 5, "bob": 3, "cy": 4}


@pytest.mark.slow
def test_a_regrade_that_is_stopped_writes_nothing_and_goes_on_later(toy: Path) -> None:
    break_suite(toy)
    slow = {f"s{number}": f"import time; time.sleep(0.4)\n{RIGHT}" for number in range(4)}
    hand_in(toy / "submissions", slow)
    assert_clear(grader("check", "submissions", "-q", cwd=toy), 0)
    edit_suite(toy, "start + 3", "start + 2")
    before = contents(toy)
    runs = toy / "reports/.results/runs"
    had = len(list(runs.glob("*.json")))
    command = [sys.executable, "-m", "grader.cli", "regrade", "--apply", "--jobs", "1"]
    process = subprocess.Popen(command, cwd=toy, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    deadline = time.monotonic() + 60
    while len(list(runs.glob("*.json"))) == had and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert contents(toy) == before
    assert_clear(grader("regrade", "--apply", cwd=toy), 0)
    assert book(toy)["run"]["kept"] >= 1
    assert set(earned(toy).values()) == {5}


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "cy"), [("n", 5), ("y", 4)])
def test_on_a_terminal_it_asks(repaired: Path, answer: str, cy: float) -> None:
    mine, theirs = pty.openpty()
    command = [sys.executable, "-m", "grader.cli", "regrade"]
    process = subprocess.Popen(command, cwd=repaired, stdin=theirs, stdout=theirs, stderr=theirs,
                               env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    os.close(theirs)
    said = b""
    while b"Write these scores?" not in said:
        said += os.read(mine, 4096)
    os.write(mine, f"{answer}\n".encode())
    with contextlib.suppress(OSError):  # the other end is closed
        while os.read(mine, 4096):
            pass
    os.close(mine)
    assert process.wait(timeout=60) == 0
    assert b"2 gained, 1 lost" in said
    assert earned(repaired)["cy"] == cy


@pytest.mark.slow
def test_a_larger_class_is_regraded(toy: Path) -> None:
    break_suite(toy)
    hand_in(toy / "submissions", {f"s{n:02}": f"# {n}\n{RIGHT}" for n in range(24)})
    assert end(start(toy, toy / "submissions", toy / "reports")) == 0
    edit_suite(toy, "start + 3", "start + 2")
    done = grader("regrade", "--apply", cwd=toy)
    assert_clear(done, 0)
    assert "+1.00  adding test_counts: failed → passed, 24 students" in done.stdout
    assert "24 gained, 0 lost, 0 the same" in done.stdout
    assert set(earned(toy).values()) == {5}
