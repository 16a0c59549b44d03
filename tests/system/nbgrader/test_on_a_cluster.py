"""nbgrader's autograde on a Dask cluster: one more argument of `configure`."""

from __future__ import annotations

import pytest
from nbgrader_course import FULL, NONE, NbgraderCourse

pytest.importorskip("distributed")
pytestmark = [pytest.mark.slow, pytest.mark.e2e]


def test_a_class_has_the_points_that_it_has_on_one_machine(course: NbgraderCourse) -> None:
    config = course.root / "nbgrader_config.py"
    text = config.read_text()
    config.write_text(text.replace("configure(c, ", 'configure(c, cluster="local:2", '))
    assert config.read_text() != text
    course.hand_in("ann", course.solved())
    course.hand_in("bob", course.released())
    log = course.run("autograde", "adding")
    assert "Traceback" not in log
    assert course.points("ann") == FULL
    assert course.points("bob") == NONE


def test_an_address_that_is_none_grades_nobody(course: NbgraderCourse) -> None:
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text().replace("configure(c, ", 'configure(c, cluster="x", '))
    course.hand_in("ann", course.solved())
    log = course.run("autograde", "adding", status=1)
    assert "nothing is graded: no scheduler file" in log
