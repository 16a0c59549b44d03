"""The course's own answers find their data where a notebook finds it."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy import Silent, write

from grader.config.course import load_course
from grader.judging.beside_data import beside_data
from grader.pipeline import Options, check

LESSON = '''
    # %%
    with open("towns.csv") as file:
        pass
    TOWNS = open("towns.csv").read()

    # %% solution
    def first(path):
        """Return the first town of a file with the number of all characters."""
        with open("left.txt", "w") as file:
            file.write("x")
        return {open(path).read().split(",")[0]: len(TOWNS)}

    # %% check hidden question=first points=1
    def test_first(submission, reference):
        found = submission.first("towns.csv").value()
        assert found["Ulm"] == reference.first("towns.csv")["Ulm"]
'''


def test_a_file_or_folder_lies_there_under_its_name_while_inside(tmp_path: Path) -> None:
    one = write(tmp_path / "a/towns.csv", "Ulm")
    write(tmp_path / "b/data/rivers.csv", "Elbe")
    other = write(tmp_path / "c/towns.csv", "another of this name")
    before = Path.cwd()
    with beside_data(map(str, (one, tmp_path / "b/data", other))):
        inside = Path.cwd()
        assert Path("towns.csv").read_text() == "Ulm"
        assert Path("data/rivers.csv").read_text() == "Elbe"
        Path("new.txt").write_text("x")
    assert Path.cwd() == before
    assert not inside.exists()
    with pytest.raises(ZeroDivisionError), beside_data([]):
        raise ZeroDivisionError
    assert Path.cwd() == before


def test_lessons_and_their_reference_read_data_and_leave_nothing(tmp_path: Path) -> None:
    root = tmp_path / "towns"
    write(root / "pyproject.toml", '[tool.grader]\ndata = ["towns.csv"]\n')
    write(root / "towns.csv", "Ulm,Jena\n")
    write(root / "lessons/01_towns.py", LESSON)
    right = "def first(path):\n    return {open(path).read().split(',')[0]: 9}\n"
    write(tmp_path / "in/ann/towns.py", right)
    write(tmp_path / "in/bob/towns.py", "def first(path):\n    return {}\n")
    book = check([tmp_path / "in"], load_course(root), Options(), Silent())
    assert {one.student: one.earned for one in book.scores} == {"ann": 1.0, "bob": 0.0}
    assert not list(root.rglob("left.txt"))
    assert not Path("/left.txt").exists()
