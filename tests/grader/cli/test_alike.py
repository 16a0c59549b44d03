"""`grader alike` as a person meets it."""

from __future__ import annotations

import json
from pathlib import Path

from alike_class import write_class
from commands import assert_clear, grader

from grader.exit_status import ExitStatus


def test_a_class_is_compared(tmp_path: Path) -> None:
    home = write_class(tmp_path)
    done = grader("alike", "class", "--course", "course", "--json", cwd=home)
    assert_clear(done, ExitStatus.OK, "Report: alike/index.html")
    (found,) = json.loads(done.stdout)["assignments"]
    assert found["works"][found["pairs"][0]["left"]]["students"] == ["student0"]
    assert (home / "alike/index.html").is_file()
    # its own pages are nobody's submissions
    again = grader("alike", ".", "--course", "course", "--json", cwd=home)
    assert_clear(again, ExitStatus.OK)


def test_what_can_not_be_compared_is_said(tmp_path: Path) -> None:
    home = write_class(tmp_path)
    (home / "class/empty").mkdir()
    for arguments, code, word in (
        (["nowhere"], ExitStatus.USAGE, "nowhere"),
        (["class", "-a", "addin"], ExitStatus.USAGE, "did you mean `adding`?"),
        (["class", "--against", "2020"], ExitStatus.USAGE, "2020"),
        (["class/empty"], ExitStatus.NOTHING_TO_GRADE, "no submission"),
    ):
        assert_clear(grader("alike", *arguments, "--course", "course", cwd=home), code, word)
