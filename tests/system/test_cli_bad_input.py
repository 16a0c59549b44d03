"""Bad input is told in a sentence, and nothing is lost."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import RIGHT, assert_clear, grader
from toy import HIDDEN, TABLE, notebook, write, write_course


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
