"""Marks of several people are put together in any order, and none of them is lost."""

from __future__ import annotations

from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.config.policy import Mark
from grader.store import marks
from grader.store.lines import digest


def mark(by: str, points: float = 1, after: tuple[Mark, ...] = (), at: str = "") -> Mark:
    names = tuple(digest(one) for one in after)
    return Mark("ann", "tides", "why", "d", points=points, by=by, after=names, at=at)


def test_what_is_replaced_is_no_head_and_what_nobody_saw_is() -> None:
    first = mark("ina")
    mine, yours = mark("ina", 2, (first,)), mark("ben", 3, (first,))
    assert marks.heads([first, mine]) == (mine,)
    assert set(marks.heads([first, mine, yours])) == {mine, yours}
    settled = mark("ina", 2.5, (mine, yours))
    assert marks.heads([yours, settled, first, mine]) == (settled,)
    assert marks.heads([first, first]) == (first,)


@st.composite
def histories(draw: st.DrawFn) -> list[Mark]:
    """What markers write who see some of what is there."""
    found: list[Mark] = []
    for number in range(draw(st.integers(0, 8))):
        seen = draw(st.lists(st.sampled_from(found), unique=True)) if found else []
        by = draw(st.sampled_from(("ina", "ben")))
        found.append(mark(by, draw(st.integers(0, 3)), tuple(seen), at=f"{number}"))
    return found


@given(histories(), st.randoms(), st.data())
@settings(max_examples=60, deadline=None)
def test_the_order_in_which_files_come_together_makes_no_difference(
    history: list[Mark], chance: object, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(history))
    assert marks.heads(shuffled) == marks.heads(history)
    replaced = {name for one in history for name in one.after}
    for one in history:  # each is in force, or somebody who saw it said otherwise
        assert (one in marks.heads(history)) != (digest(one) in replaced)


def test_a_merged_file_holds_all_of_both_once(tmp_path: Path) -> None:
    shared, mine, yours = mark("ina"), mark("ina", 2), mark("ben", 3)
    for name, own in (("here", mine), ("there", yours)):
        (tmp_path / name).mkdir()
        marks.add(tmp_path / name, shared, own)
    new = marks.merge(tmp_path / "here", marks.read(tmp_path / "there"))
    assert new == (yours,)
    assert marks.merge(tmp_path / "here", marks.read(tmp_path / "there")) == ()
    assert marks.read(tmp_path / "here") == (shared, mine, yours)


def test_a_line_of_a_later_version_is_read(tmp_path: Path) -> None:
    line = msgspec.to_builtins(mark("ina")) | {"colour": "green"}
    (tmp_path / marks.NAME).write_bytes(msgspec.json.encode(line) + b"\n")
    assert marks.read(tmp_path) == (mark("ina"),)
