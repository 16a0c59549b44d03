"""A check's code as a digest: other layout and texts are the same check, another line is not."""

from __future__ import annotations

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


def digest(path: Path, code: str) -> str:
    file = path / f"test_{abs(hash(code))}.py"
    file.write_text(code, encoding="utf-8")
    return code_digest(file, "TestSum", "test_sum")


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


def test_code_elsewhere_has_no_digest(tmp_path: Path) -> None:
    assert digest(tmp_path, "class TestSum(Base):\n    pass\n") == ""
