from __future__ import annotations

from pathlib import Path

from toy import write

from grader.config.course import load_course
from grader.config.suite_files import assignment_of, suite_files
from grader.judging.engine import load_suites

SECOND = """
from adding_by_hand import TITLE
from grader.testing import check


class TestMore:
    "More sums"

    @check(points=1)
    def test_{name}(self, submission):
        "{name}"
        assert TITLE
"""


def test_one_file_or_a_folder_in_the_order_of_names(tmp_path: Path) -> None:
    names = ["words/test_2_last.py", "words/test_1_first.py", "test_words.py"]
    for name in [*names, "words/by_hand.py", "words/deep/test_no.py", "others/test_1.py"]:
        write(tmp_path / name, "")
    found = suite_files(tmp_path, "words")
    assert found == [tmp_path / name for name in reversed(names)]
    assert suite_files(tmp_path, "nothing") == suite_files(None, "words") == []


def test_each_file_belongs_to_the_assignment_that_it_is_found_for(tmp_path: Path) -> None:
    for name in ("test_words.py", "words/test_1.py", "words/test_words.py", "test_letters.py"):
        write(tmp_path / name, "")
    for assignment in ("words", "letters"):
        for path in suite_files(tmp_path, assignment):
            assert assignment_of(path, [None, tmp_path]) == assignment


def test_other_files_belong_to_none(tmp_path: Path) -> None:
    for name in ("by_hand.py", "test_words.json", "words/by_hand.py", "words/deep/test_1.py"):
        assert assignment_of(tmp_path / name, [None, tmp_path]) is None
    assert assignment_of(tmp_path / "test_words.py", [tmp_path / "elsewhere"]) is None


def test_a_suite_of_several_files_keeps_their_order(toy: Path) -> None:
    write(toy / "hidden/adding_by_hand.py", "TITLE = True")
    for number, name in ((2, "later"), (1, "sooner")):
        write(toy / f"hidden/adding/test_{number}.py", SECOND.format(name=name))
    checks = load_suites(load_course(toy))["adding"].checks
    assert [check.id for check in checks[-2:]] == ["test_sooner", "test_later"]
    assert len(checks) > 2  # `test_adding.py` comes first
    assert not any(check.public for check in checks[-2:])
