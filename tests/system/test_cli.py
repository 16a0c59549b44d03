"""The command line as a person meets it: exit codes, clear errors, nothing lost."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import RIGHT, assert_clear, grader
from toy import write

# ---------------------------------------------------------------- success


def test_a_class_is_graded_and_reported(toy: Path, class_of: Callable[..., Path]) -> None:
    folder = class_of(ann=RIGHT, bob="def add(a, b): return 3")
    result = grader("check", folder, "--output", "out", cwd=toy)
    assert_clear(result, 0, "out/gradebook.json")
    assert "ann" in result.stdout
    assert (
        (toy / "out/scores.csv").read_text().splitlines()[1].startswith("ann,adding,graded,4,5,80")
    )
    assert (toy / "out/feedback/bob/adding.md").is_file()


def test_json_goes_to_stdout_alone(toy: Path, class_of: Callable[..., Path]) -> None:
    result = grader("check", class_of(ann=RIGHT), "--json", cwd=toy)
    gradebook = json.loads(result.stdout)
    assert gradebook["scores"][0]["questions"] == {"small": 1.0, "any": 2.0, "state": 1.0}
    assert gradebook["schema_version"] == 3


def test_two_runs_write_the_same_scores(toy: Path, class_of: Callable[..., Path]) -> None:
    folder = class_of(ann=RIGHT, bob="x = 1", eve="def add(a, b): return a")
    for output in ("one", "two"):
        grader("check", folder, "--output", output, cwd=toy)
    one, two = toy / "one", toy / "two"
    assert (one / "scores.csv").read_bytes() == (two / "scores.csv").read_bytes()
    books = [json.loads((path / "gradebook.json").read_text()) for path in (one, two)]
    assert [book.pop("run") for book in books]
    assert books[0] == books[1]


def test_fail_under_is_exit_code_1(toy: Path, class_of: Callable[..., Path]) -> None:
    folder = class_of(ann=RIGHT)
    assert grader("check", folder, "--fail-under", 80, cwd=toy).returncode == 0
    assert grader("check", folder, "--fail-under", 81, cwd=toy).returncode == 1


def test_only_grades_the_named_students(toy: Path, class_of: Callable[..., Path]) -> None:
    result = grader("check", class_of(ann=RIGHT, bob=RIGHT), "--only", "bob", "--json", cwd=toy)
    assert [score["student"] for score in json.loads(result.stdout)["scores"]] == ["bob"]


def test_a_file_that_is_nobodys_is_not_graded(toy: Path, class_of: Callable[..., Path]) -> None:
    folder = class_of(ann=RIGHT, bob=RIGHT)
    write(folder / "adding.py", RIGHT)
    assert_clear(grader("check", folder, cwd=toy), 3, "whose this is", "named after the student")
    assert grader("check", folder, "--only", "bob", cwd=toy).returncode == 0


def test_a_notebook_from_a_newer_python_is_named(toy: Path, class_of: Callable[..., Path]) -> None:
    folder = class_of(ann=["from typing import what_comes_later", RIGHT])
    path = folder / "ann/adding.ipynb"
    saved = json.loads(path.read_text())
    saved["metadata"]["language_info"] = {"name": "python", "version": "3.99.1"}
    path.write_text(json.dumps(saved))
    assert_clear(grader("check", folder, cwd=toy), 0, "saved with Python 3.99, and is graded with")
    told = (toy / "reports/feedback/ann/adding.md").read_text()
    assert "Your notebook was saved with Python 3.99, and graded with" in told


def scores(folder: Path) -> dict[str, str]:
    """The points of each student, as `scores.csv` has them."""
    lines = (folder / "scores.csv").read_text().splitlines()[1:]
    return {line.split(",")[0]: line.split(",")[3] for line in lines}


def test_one_student_again_leaves_the_class_as_it_was(
    toy: Path, class_of: Callable[..., Path]
) -> None:
    printed = f"print('hello')\n{RIGHT}"
    folder = class_of(ann=printed, bob="def add(a, b): return 3", eve=RIGHT)
    grader("check", folder, "--format", "csv", "--format", "html", "--format", "junit", cwd=toy)
    reports = toy / "reports"
    others = [reports / "feedback/ann/adding.html", reports / "students/ann.html"]
    before = [path.read_bytes() for path in others]
    assert b"hello" in before[0]
    write(folder / "bob/adding.py", RIGHT)
    alone = ("check", folder / "bob", "--course", toy, "--only", "bob")
    result = grader(
        *alone, "--format", "csv", "--format", "html", "--format", "junit",
        "--format", "terminal", cwd=toy,
    )  # fmt: skip
    assert_clear(result, 0, "2 other scores stand as they were")
    assert "ann" not in result.stdout
    assert scores(reports) == {"ann": "4", "bob": "4", "eve": "4"}
    assert [path.read_bytes() for path in others] == before
    assert all(name in (reports / "index.html").read_text() for name in ("ann", "bob", "eve"))
    assert (reports / "junit.xml").read_text().count("<testsuite ") == 3
    (toy / "Grades.csv").write_text("id,adding\nann,\nbob,\neve,\n")
    done = grader("export", "reports", "--to", "csv", "--template", "Grades.csv", cwd=toy)
    assert_clear(done, 0, "3 scores filled in")


def test_scores_of_before_the_suite_changed_are_marked(
    toy: Path, class_of: Callable[..., Path]
) -> None:
    folder = class_of(ann=RIGHT, bob=RIGHT)
    grader("check", folder, cwd=toy)
    suite = next((toy / "hidden").glob("test_*.py"))
    suite.write_text(suite.read_text() + "\n")
    result = grader("check", folder, "--only", "bob", cwd=toy)
    assert "adding: 1 of the scores that stand" in result.stderr
    book = json.loads((toy / "reports/gradebook.json").read_text())
    assert [one.get("outdated", False) for one in book["scores"]] == [True, False]
    assert "before the suite or the grader changed" in (toy / "reports/index.html").read_text()
    assert "suite or the grader changed" in (toy / "reports/students/ann.html").read_text()
    again = grader("check", folder, cwd=toy)
    assert "stand" not in again.stderr


def test_another_courses_folder_is_left_alone(toy: Path, class_of: Callable[..., Path]) -> None:
    folder = class_of(ann=RIGHT)
    grader("check", folder, cwd=toy)
    path = toy / "reports/gradebook.json"
    path.write_text(path.read_text().replace('"course": "sums"', '"course": "other"'))
    before = path.read_bytes()
    result = grader("check", folder, "--only", "ann", cwd=toy)
    assert_clear(result, 2, "another course", "--output")
    assert path.read_bytes() == before


def test_names_of_a_roster_are_shown_beside_ids(toy: Path, class_of: Callable[..., Path]) -> None:
    folder = class_of(u7=RIGHT)
    (toy / "roster.csv").write_text('id,name\nu7,Ann <Doe>\nu8,"Li, Bo"\n')
    result = grader("check", folder, "--roster", "roster.csv", cwd=toy)
    assert "Ann <Doe> (u7)" in result.stdout
    assert "Bo Li (u8)" in result.stdout
    assert scores(toy / "reports") == {"u7": "4", "u8": "0"}
    reports = toy / "reports"
    assert "Ann &lt;Doe&gt;" in (reports / "index.html").read_text()
    assert "Ann &lt;Doe&gt;" in (reports / "feedback/u7/adding.html").read_text()
    assert "Bo Li (u8)" in (reports / "students/u8.html").read_text()


def test_a_roster_connects_folders_extensions_and_the_sheet(
    toy: Path, class_of: Callable[..., Path]
) -> None:
    folder = class_of(u7=RIGHT)
    write(
        toy / "roster.csv",
        "login,email,id,name\nu7,ann@x.edu,9001,Ann Doe\nu8,bo@x.edu,9002,Bo Li\n",
    )
    write(toy / "longer.csv", "email,days\nANN@x.edu,1\nsomebody@x.edu,1\n")
    write(toy / "sheet.csv", "id,name,Adding\n9001,Ann Doe,\n9002,Bo Li,\n")
    result = grader(
        "check", folder, "--roster", "roster.csv", "--extensions", "longer.csv", cwd=toy
    )
    assert "longer.csv:3" in result.stdout + result.stderr
    assert "longer.csv:2" not in result.stdout + result.stderr
    result = grader("export", "reports", "--to", "csv", "--template", "sheet.csv", cwd=toy)
    assert result.returncode == 0
    assert "9001,Ann Doe,4\n9002,Bo Li,\n" in (toy / "sheet-adding.csv").read_text()


def test_the_course_is_found_upward_or_named(toy: Path, class_of: Callable[..., Path]) -> None:
    folder = class_of(ann=RIGHT)
    deep = toy / "some/where"
    deep.mkdir(parents=True)
    assert grader("check", folder, "-q", cwd=deep).returncode == 0
    elsewhere = folder.parent
    assert_clear(grader("check", folder, cwd=elsewhere), 2, "no course here", "--course")
    assert grader("check", folder, "-q", "--course", toy, cwd=elsewhere).returncode == 0


def test_quiet_says_nothing(toy: Path, class_of: Callable[..., Path]) -> None:
    result = grader("check", class_of(ann=RIGHT), "-q", cwd=toy)
    assert (result.stdout, result.stderr) == ("", "")


def test_no_sandbox_is_loud_and_recorded(toy: Path, class_of: Callable[..., Path]) -> None:
    result = grader("check", class_of(ann=RIGHT), "--sandbox", "off", cwd=toy)
    assert "without isolation" in result.stderr
    assert json.loads((toy / "reports/gradebook.json").read_text())["isolation"]["mode"] == "off"


def test_results_that_somebody_has_changed_are_graded_again_with_a_word(
    toy: Path, class_of: Callable[..., Path]
) -> None:
    folder = class_of(ann=RIGHT, bob="def add(a, b): return 3")
    grader("check", folder, cwd=toy)
    before = (toy / "reports/scores.csv").read_bytes()
    for path in (toy / "reports/.results").rglob("*.json"):
        body = path.read_bytes().partition(b"\n")[2].replace(b"failed", b"passed")
        path.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    result = grader("check", folder, cwd=toy)
    assert_clear(result, 0)
    assert "3 kept files are not signed with your key" in result.stderr
    assert (toy / "reports/scores.csv").read_bytes() == before
    assert "not signed" not in grader("check", folder, cwd=toy).stderr


def test_where_no_key_can_be_made_everything_is_graded_and_nothing_is_kept(
    toy: Path, class_of: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GRADER_KEY_FILE", str(tmp_path / "file/key"))
    for _ in range(2):
        result = grader("check", class_of(ann=RIGHT), cwd=toy)
        assert_clear(result, 0)
        assert result.stderr.count("results are not kept for the next run") == 1
    assert json.loads((toy / "reports/gradebook.json").read_text())["run"]["kept"] == 0


@pytest.mark.skipif(os.name != "posix", reason="POSIX only")
@pytest.mark.parametrize(("setting", "mode"), [("", 0o600), ('report_mode = "0640"', 0o640)])
def test_what_is_written_about_students_is_for_whom_the_course_says(
    toy: Path, class_of: Callable[..., Path], setting: str, mode: int
) -> None:
    table = (toy / "pyproject.toml").read_text()
    (toy / "pyproject.toml").write_text(
        table.replace("[tool.grader]", f"[tool.grader]\n{setting}", 1)
    )
    folder = class_of(ann=RIGHT)
    old = os.umask(0)
    try:
        assert_clear(grader("check", folder, cwd=toy), 0)
        assert_clear(grader("collect", folder, "--into", "kept", cwd=toy), 0)
        because = ("--because", "it is kind")
        assert_clear(grader("adjust", "ann", "adding", "1", *because, cwd=toy), 0)
    finally:
        os.umask(old)
    written = [path for top in ("reports", "kept") for path in (toy / top).rglob("*")]
    assert {path.name for path in written} >= {"adjustments.jsonl", "collected.json", ".results"}
    modes = {path: path.stat().st_mode & 0o777 for path in written}
    assert {modes[path] for path in written if path.is_file()} == {mode}
    assert {modes[path] for path in written if path.is_dir()} == {mode | (mode & 0o444) >> 2}


@pytest.mark.parametrize(
    "mode", ['"0644x"', '"0100"', "640", '"0777"', '"0622"', '"0"', "-1", '"９９９"']
)
def test_a_mode_that_is_none_is_told(toy: Path, mode: str) -> None:
    table = (toy / "pyproject.toml").read_text()
    (toy / "pyproject.toml").write_text(
        table.replace("[tool.grader]", f"[tool.grader]\nreport_mode = {mode}", 1)
    )
    assert_clear(grader("checks", cwd=toy), 2, "report_mode", 'write "0600"')


def test_checks_are_listed(toy: Path) -> None:
    result = grader("checks", cwd=toy)
    assert_clear(result, 0)
    assert "Adds 1 and 2" in result.stdout
    listed = json.loads(grader("checks", "adding", "--json", cwd=toy).stdout)
    assert listed[0]["checks"][0]["id"] == "test_small_sum"


def test_the_course_that_is_used_is_told_once(toy: Path, class_of: Callable[..., Path]) -> None:
    result = grader("check", class_of(ann=RIGHT), "--json", cwd=toy)
    assert result.stderr.count(f"Course: Sums ({toy})") == 1
    assert json.loads(result.stdout)["course"]


# ---------------------------------------------------------------- bad input


def running(toy: Path, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "grader.cli", "check", str(folder), "--jobs", "1", "-v"],
        cwd=toy,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_two_runs_on_one_output_folder_do_not_mix(toy: Path, class_of: Callable[..., Path]) -> None:
    long = RIGHT + "#" * 10_000  # the largest file is graded first
    folder = class_of(ann=long, bob=["import time\ntime.sleep(0.9)"] * 4)
    first = running(toy, folder)
    assert first.stderr is not None
    assert any("ann" in line for line in first.stderr)  # what is said before it is read, too
    os.kill(first.pid, signal.SIGSTOP)  # whatever else is busy, it does not end before the second
    try:
        assert_clear(grader("check", folder, cwd=toy), 2, "another run")
    finally:
        os.kill(first.pid, signal.SIGCONT)
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert (toy / "reports/scores.csv").read_text().count("\n") == 3


def test_ctrl_c_keeps_what_is_finished(toy: Path, class_of: Callable[..., Path]) -> None:
    long = RIGHT + "#" * 10_000  # the largest file is graded first
    folder = class_of(ann=long, bob=["import time\ntime.sleep(0.9)"] * 20, zoe="x = 1")
    process = running(toy, folder)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Course: Sums")
    assert "ann" in process.stderr.readline()
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    book = json.loads((toy / "reports/gradebook.json").read_text())
    states = {score["student"]: score["state"] for score in book["scores"]}
    assert states == {"ann": "graded", "bob": "ungraded", "zoe": "ungraded"}
    assert book["complete"] is False


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom grader.cli import grader\n"
        "try: grader(['check', '--help'])\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'rich', 'nbformat', 'pytest', 'numpy', 'msgspec', 'IPython'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_the_roster_says_who_is_missing(toy: Path, class_of: Callable[..., Path]) -> None:
    folder = class_of(ann=RIGHT, eve=RIGHT)
    write(toy / "roster.csv", "Login,Name\nann,Ann\nbob,Bob\n")
    result = grader("check", folder, "--roster", "roster.csv", cwd=toy)
    assert_clear(result, 0, "eve: not in the roster")
    book = json.loads((toy / "reports/gradebook.json").read_text())
    assert {score["student"]: score["state"] for score in book["scores"]} == {
        "ann": "graded",
        "bob": "missing",
        "eve": "graded",
    }


def test_an_adjustment_survives_regrading_and_shows_in_every_report(
    toy: Path, class_of: Callable[..., Path]
) -> None:
    folder = class_of(ann=RIGHT)
    grader("check", folder, "-q", cwd=toy)
    reason = "the task was ambiguous"
    done = grader("adjust", "ann", "adding", "-1.5", "--because", reason, cwd=toy)
    assert_clear(done, 0)
    assert done.stdout == "reports/adjustments.jsonl\n"
    for more in ([], ["--force"]):
        grader("check", folder, "-q", *more, cwd=toy)
        (score,) = json.loads((toy / "reports/gradebook.json").read_text())["scores"]
        assert (score["earned"], score["applied"][0]["difference"]) == (2.5, -1.5)
    for name in ("feedback/ann/adding.md", "feedback/ann/adding.html", "students/ann.html"):
        assert reason in (toy / "reports" / name).read_text()
    assert "ann,adding,graded,2.5,5,50,-1.5," in (toy / "reports/scores.csv").read_text()
    assert reason in grader("show", "ann", cwd=toy).stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["anm", "adding", "+1", "--because", "x"], ["did you mean `ann`?"]),
        (["ann", "adding", "+1"], ["--because"]),
        (["ann", "adding", "nan", "--because", "x"], ["other than 0"]),
    ],
)
def test_an_adjustment_that_makes_no_sense_is_refused(
    toy: Path, class_of: Callable[..., Path], arguments: list[str], words: list[str]
) -> None:
    grader("check", class_of(ann=RIGHT), "-q", cwd=toy)
    assert_clear(grader("adjust", *arguments, cwd=toy), 2, *words)
    assert not (toy / "reports/adjustments.jsonl").exists()


def test_the_courses_policy_is_applied_and_told(toy: Path, class_of: Callable[..., Path]) -> None:
    table = (toy / "pyproject.toml").read_text()
    (toy / "pyproject.toml").write_text(table + "\n[tool.grader.policy]\nround_to = 3\n")
    grader("check", class_of(ann=RIGHT), "-q", cwd=toy)
    (score,) = json.loads((toy / "reports/gradebook.json").read_text())["scores"]
    assert score["earned"] == 3
    (applied,) = score["applied"]
    assert (applied["rule"], applied["difference"]) == ("rounding", -1)
    assert applied["reason"] == "rounded to a multiple of 3"
