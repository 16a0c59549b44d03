"""The file of adjustments only grows, and is never misread in silence."""

from __future__ import annotations

import msgspec
import pytest

from grader.config.policy import Adjustment
from grader.errors import GraderError
from grader.store import adjustments
from grader.store.lines import digest

FIRST = Adjustment(student="ann", assignment="blocks", points=1.5, because='"ambiguous"\ntask')
SECOND = Adjustment(student="bo", assignment="blocks", points=-1, because="Zoë said so", by="ina")


def test_what_is_added_is_read_back_in_order(tmp_path):
    assert adjustments.read(tmp_path) == ()
    path = adjustments.add(tmp_path, FIRST)
    before = path.read_bytes()
    adjustments.add(tmp_path, SECOND)
    assert path.read_bytes().startswith(before)
    assert adjustments.read(tmp_path) == (FIRST, SECOND)


def test_a_last_line_without_an_end_is_not_glued_to_the_next(tmp_path):
    path = adjustments.add(tmp_path, FIRST)
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    adjustments.add(tmp_path, SECOND)
    assert adjustments.read(tmp_path) == (FIRST, SECOND)


@pytest.mark.parametrize("line", [b"no json", b"{}", b'{"student": "a", "assignment": "b", "points": "1", "because": ""}', b"\xff"])  # fmt: skip
def test_a_line_that_is_none_is_named(tmp_path, line):
    path = adjustments.add(tmp_path, FIRST)
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(GraderError) as caught:
        adjustments.read(tmp_path)
    assert caught.value.where == f"{path}:2"


def taken_back(one: Adjustment) -> Adjustment:
    return msgspec.structs.replace(one, points=-one.points, undoes=digest(one))


def test_what_is_taken_back_is_out_of_force_once():
    again = msgspec.structs.replace(FIRST)
    assert adjustments.in_force([FIRST, SECOND, taken_back(FIRST)]) == (SECOND,)
    assert adjustments.in_force([FIRST, again, taken_back(FIRST)]) == (FIRST,)
    assert adjustments.in_force([FIRST, taken_back(FIRST), FIRST]) == (FIRST,)
    assert adjustments.in_force([taken_back(FIRST), FIRST]) == (FIRST,)


def test_a_name_outlives_the_file_and_fields_that_came_later(tmp_path):
    old = b'{"student":"ann","assignment":"blocks","points":1.5,"because":"so"}\n'
    (tmp_path / adjustments.NAME).write_bytes(old)
    (line,) = adjustments.read(tmp_path)
    adjustments.add(tmp_path, taken_back(line))
    assert digest(line) == "d32c78dc4a61d79a"
    assert adjustments.in_force(adjustments.read(tmp_path)) == ()
