"""A check's code as a digest: other layout and texts are the same check, another line is not."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from grader.testing.check_code import code_digest

CODE = '''
from grader.testing import check


class TestSum:
    """Sums"""

    @check(points=1)
    def test_sum(self, submission):
        """Adds"""
        assert submission.add(1, 2).value() == 3
'''


IN_A_LESSON = '''
def test_sum(submission):
    """Adds"""
    assert submission.add(1, 2).value() == 3
'''

QUOTED = '''
class TestSum:
    def test_sum(self, submission):
        """Reads"""
        assert submission.read("""
one
  two""").value() == 3
'''


def digest(path: Path, code: str) -> str:
    file = path / f"sums_{abs(hash(code))}.py"
    file.write_text(code, encoding="utf-8")
    found = runpy.run_path(str(file))
    return code_digest(found["TestSum"].test_sum if "TestSum" in found else found["test_sum"])


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("Adds", "Adds two numbers", True),
        ("points=1", "points=2", True),
        ("\n        assert", "\n        # why\n        assert", True),
        ("add(1, 2)", "add(\n            1, 2,\n        )", True),
        ("== 3", "== 4", False),
        ("self, submission", "self, submission, rng", False),
        ("assert submission", "submission.add(1, 1)\n        assert submission", False),
    ],
)
def test_only_what_it_does_counts(tmp_path: Path, old: str, new: str, same: bool) -> None:
    assert old in CODE
    assert (digest(tmp_path, CODE) == digest(tmp_path, CODE.replace(old, new))) is same


@pytest.mark.parametrize("code", [IN_A_LESSON, QUOTED])
def test_wherever_it_stands_another_line_is_another_check(tmp_path: Path, code: str) -> None:
    first = digest(tmp_path, code)
    assert first
    assert digest(tmp_path, code.replace("== 3", "== 4")) != first
    assert digest(tmp_path, code.replace('s"""', 's them"""')) == first


def test_what_is_quoted_over_several_lines_counts_as_it_stands(tmp_path: Path) -> None:
    assert digest(tmp_path, QUOTED) != digest(tmp_path, QUOTED.replace("  two", "two"))


def test_code_that_no_file_has_has_no_digest() -> None:
    made: dict[str, object] = {}
    exec("def test_sum(submission): pass", made)
    assert code_digest(made["test_sum"]) == ""
