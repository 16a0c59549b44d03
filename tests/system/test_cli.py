"""The command line as a person meets it: exit codes, clear errors, nothing lost."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from toy import HIDDEN, TABLE, notebook, write, write_course

RIGHT = "def add(a, b):\n    return a + b\n"


def grader(
    *arguments: object, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grader.cli", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **(env or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def assert_clear(result: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    for word in words:
        assert word in result.stderr


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
    assert gradebook["schema_version"] == 1


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


def test_a_course_that_was_handed_in_never_runs(toy: Path, class_of: Callable[..., Path]) -> None:
    mark = toy / "it ran"
    folder = class_of(ann=RIGHT, eve="def add(a, b): return 3")
    eve = write_course(folder / "eve")
    write(eve / "hidden/test_adding.py", f"open({str(mark)!r}, 'w')")
    for arguments in (["check", "adding.py"], ["check", "."], ["collect", "."]):
        assert_clear(grader(*arguments, cwd=eve), 2, "--course")
    folder.rename(toy / "submissions")
    eve = toy / "submissions/eve"
    for command in ("checks", "verify", "release", "package gradescope adding"):
        assert_clear(grader(*command.split(), cwd=eve), 2, "--course", str(toy))
    assert grader("check", "../ann", "--course", "../..", "-q", cwd=eve).returncode == 0
    assert not mark.exists()


def test_a_course_without_a_file_of_checks_is_told_so(toy: Path) -> None:
    (toy / "hidden/test_adding.py").unlink()
    (toy / "public/test_adding.py").rename(toy / "public/test_ading.py")
    assert_clear(
        grader("checks", cwd=toy), 2, "no assignment has a file of checks", "test_adding.py"
    )


def test_an_assignment_without_checks_beside_others_is_told_so(toy: Path) -> None:
    more = '\n[[tool.grader.assignments]]\nid = "later"\ntitle = "Later"\n'
    write(toy / "pyproject.toml", TABLE + more)
    result = grader("checks", cwd=toy)
    assert_clear(result, 0, "`later` has no checks")
    assert "Adds 1 and 2" in result.stdout


@pytest.mark.parametrize(
    "option",
    ["--timeout nan", "--timeout inf", "--fail-under nan", f"--seed {2**64}", f"--jobs {10**30}"],
)
def test_what_is_no_number_for_an_option_is_wrong_usage(toy: Path, option: str) -> None:
    assert_clear(grader("check", ".", *option.split(), cwd=toy), 2, option.split()[0])


def mounted(folder: Path, *options: str) -> bool:
    """Whether a small file system could be mounted on a new folder."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "none", str(folder)]
    return shutil.which("mount") is not None and subprocess.run(command).returncode == 0


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root can mount a small disk"
)
@pytest.mark.parametrize("option", ["nr_inodes=2", "nr_inodes=4", "nr_inodes=5", "size=16k"])
def test_a_full_temporary_folder_is_one_sentence(
    toy: Path, class_of: Callable[..., Path], tmp_path: Path, option: str
) -> None:
    write(toy / "large/__init__.py", "#" * 100_000)
    write(toy / "large/more/__init__.py", "#" * 100_000)
    write(toy / "pyproject.toml", TABLE.replace("suites =", 'public = ["large"]\nsuites ='))
    folder = class_of(ann=RIGHT)
    small = tmp_path / "small"
    if not mounted(small, option):
        pytest.skip("no file system can be mounted here")
    try:
        result = grader("check", folder, cwd=toy, env={"TMPDIR": str(small)})
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert_clear(result, 3, "no room in the temporary folder", str(small), "TMPDIR")
    assert len(result.stderr) < 500
    assert "[(" not in result.stderr


def test_a_folder_that_does_not_exist(toy: Path) -> None:
    assert_clear(grader("check", "nowhere", cwd=toy), 2, "error:", "nowhere", "hint:")


def test_an_empty_folder(toy: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert_clear(grader("check", tmp_path / "empty", cwd=toy), 4, "error:", "hint:")


def test_an_unknown_assignment_is_told_with_the_nearest(
    toy: Path, class_of: Callable[..., Path]
) -> None:
    result = grader("check", class_of(ann=RIGHT), "-a", "ading", cwd=toy)
    assert_clear(result, 2, "ading", "did you mean `adding`?")


@pytest.mark.parametrize(
    "arguments",
    [["check"], ["check", ".", "--device", "tpu"], ["check", ".", "--jobs", "0"], ["chek", "."]],
)
def test_wrong_usage_is_exit_code_2(toy: Path, arguments: list[str]) -> None:
    assert_clear(grader(*arguments, cwd=toy), 2)


def test_a_broken_suite_stops_before_any_submission(
    toy: Path, class_of: Callable[..., Path]
) -> None:
    write(toy / "hidden/test_adding.py", HIDDEN.replace("points=2, ", "points=0, "))
    result = grader("check", class_of(ann=RIGHT), cwd=toy)
    assert_clear(result, 2, "0 points", "test_adding.py:")


ODD_FILES: dict[str, bytes] = {
    "binary.ipynb": bytes(range(256)) * 8,
    "empty.ipynb": b"",
    "deep.ipynb": b"[" * 100_000,
    "words.ipynb": b"Dear teacher, my notebook would not open",
    "list.ipynb": b"[1, 2, 3]",
    "cells.ipynb": b'{"nbformat": 4, "cells": "none"}',
}


def test_what_is_not_a_notebook_is_ungraded_and_all_others_are_graded(
    toy: Path, class_of: Callable[..., Path]
) -> None:
    folder = class_of(ann=RIGHT, zoe=RIGHT)
    for name, content in ODD_FILES.items():
        student = folder / name.removesuffix(".ipynb")
        student.mkdir()
        (student / "adding.ipynb").write_bytes(content)
    with (folder / "huge.ipynb").open("wb") as huge:
        huge.truncate(100 << 20)
    result = grader("check", folder, cwd=toy)
    assert_clear(result, 3, "binary", "deep", "huge")
    book = json.loads((toy / "reports/gradebook.json").read_text())
    earned = {score["student"]: (score["state"], score["earned"]) for score in book["scores"]}
    assert earned["ann"] == earned["zoe"] == ("graded", 4.0)
    for name in ODD_FILES:
        assert earned[name.removesuffix(".ipynb")] == ("ungraded", 0.0)


def test_windows_line_ends_and_a_byte_order_mark_are_fine(toy: Path, tmp_path: Path) -> None:
    text = notebook(RIGHT.replace("\n", "\r\n"), assignment="adding")
    path = tmp_path / "class/ann/my work.ipynb"
    path.parent.mkdir(parents=True)
    lines = json.dumps(json.loads(text), indent=1).replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + lines.encode())
    result = grader("check", tmp_path / "class", "--json", cwd=toy)
    assert json.loads(result.stdout)["scores"][0]["earned"] == 4.0


def test_names_with_escapes_do_not_reach_the_terminal(toy: Path, tmp_path: Path) -> None:
    evil = "an\x1b[2Jn\nzoe"
    write(tmp_path / "class" / evil / "adding.py", RIGHT)
    result = grader("check", tmp_path / "class", cwd=toy)
    assert "\x1b" not in result.stdout + result.stderr
    assert (toy / "reports/scores.csv").read_text().count("\n") == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small disk")
def test_a_full_disk_is_told_and_leaves_the_old_report_whole(
    toy: Path, class_of: Callable[..., Path], tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", disk], check=False)
    if mounted.returncode:
        pytest.skip("may not mount here")
    try:
        folder = class_of(ann=RIGHT)
        assert grader("check", folder, "--output", disk / "out", cwd=toy).returncode == 0
        before = (disk / "out/gradebook.json").read_bytes()
        with contextlib.suppress(OSError), (disk / "ballast").open("wb") as ballast:
            while True:
                ballast.write(b"x" * 4096)
                ballast.flush()
        result = grader("check", folder, "--seed", 1, "--output", disk / "out", cwd=toy)
        assert_clear(result, 2, "error:", "hint:")
        assert (disk / "out/gradebook.json").read_bytes() == before
    finally:
        subprocess.run(["umount", disk], check=True)


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
    assert score["applied"] == [
        {"rule": "rounding", "difference": -1, "reason": "rounded to a multiple of 3"}
    ]
