"""The most alike pairs in a terminal."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest
from alike_class import write_pages
from rich.console import Console

from grader.reports.alike_table import print_alike


@pytest.mark.parametrize("width", [200, 40])
def test_the_most_alike_come_first_and_nothing_is_a_verdict(tmp_path: Path, width: int) -> None:
    _, alike = write_pages(tmp_path)
    out = Console(file=io.StringIO(), width=width, markup=False, emoji=False)
    print_alike(alike, out=out)
    said = " ".join(out.file.getvalue().split())  # type: ignore[attr-defined]
    assert "Adding 3 files, 1 pairs listed" in said
    assert said.index("student0") < said.index("student1")
    assert "no verdict" in said
    assert "Not compared" not in said


def test_what_is_not_compared_is_counted(tmp_path: Path) -> None:
    _, alike = write_pages(tmp_path)
    found = alike.assignments[0]
    works = (msgspec.structs.replace(found.works[0], notes=("no Python",)), *found.works[1:])
    found = msgspec.structs.replace(found, works=works)
    out = Console(file=io.StringIO(), width=200)
    print_alike(msgspec.structs.replace(alike, assignments=(found,)), out=out)
    assert "Not compared, or not all of it: 1" in out.file.getvalue()  # type: ignore[attr-defined]
