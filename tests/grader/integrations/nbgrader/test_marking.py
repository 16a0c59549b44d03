"""Files as they lie in nbgrader's folders, as submissions."""

from __future__ import annotations

import os
from pathlib import Path

from grader.gradebook import State
from grader.integrations.nbgrader.marking import _read
from grader.integrations.nbgrader.submitted import HandIn
from grader.model import Assignment, ProblemKind, Suite
from grader.scoring.points import assignment_report

SUITE = Suite(Assignment("adding", "Adding"), (), (), "")


def handed_in(root: Path, student: str, mebibytes: int) -> HandIn:
    one = HandIn(student, "adding", root / student)
    one.folder.mkdir()
    one.notebook.touch()
    os.truncate(one.notebook, mebibytes << 20)
    return one


def test_a_notebook_may_be_as_large_with_its_outputs_as_elsewhere(tmp_path: Path) -> None:
    handed = [handed_in(tmp_path, "ann", 20), handed_in(tmp_path, "bob", 65)]
    submissions, marked = _read(handed, SUITE, assignment_report(SUITE))
    assert [one.student for one in submissions] == ["ann"]
    (score,) = (one.score for one in marked.values())
    assert (score.student, score.state) == ("bob", State.UNGRADED)
    assert score.ending.problem is ProblemKind.UNREADABLE
    assert "outputs" in score.ending.hint
