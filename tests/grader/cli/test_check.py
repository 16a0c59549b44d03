"""A class graded by some checks alone: their scores, and nobody else's lost."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import assert_clear, grader
from toy import RIGHT

pytestmark = pytest.mark.slow


def test_some_checks_have_scores_of_their_own(toy: Path, class_of: Callable[..., Path]) -> None:
    work = class_of(ann=RIGHT, bob=RIGHT.replace("a + b", "a - b"))
    assert_clear(grader("check", work, "-q", cwd=toy), 0)
    whole = (toy / "reports/gradebook.json").read_bytes()

    some = grader("check", work, "--check", "test_any_sum", "--check", "test_c*", "-q", cwd=toy)
    assert_clear(some, 0)
    assert (toy / "reports/gradebook.json").read_bytes() == whole
    folder = toy / "reports/checks"
    book = json.loads((folder / "gradebook.json").read_bytes())
    assert book["only_checks"] == ["test_any_sum", "test_c*"]
    assert [one["title"] for one in book["assignments"]] == ["Adding (4 of 6 checks)"]
    ann, bob = book["scores"]
    assert (ann["earned"], ann["possible"], bob["earned"]) == (3.0, 3.0, 1.0)
    # what it requires was run, and is not scored
    assert [one["message"] for one in bob["outcomes"][:3]] == [
        "not run: `test_small_sum` must pass first"
    ] * 3
    assert len(bob["outcomes"]) == 4

    there = grader("check", work, "--check", "test_counts", "--output", "reports", cwd=toy)
    assert_clear(there, 2, "are not to replace them")
    mixed = grader("check", work, "--only", "ann", "--output", folder, cwd=toy)
    assert_clear(mixed, 2, "of these checks alone: test_any_sum, test_c*")
    adjusted = grader(
        "adjust", "ann", "adding", "1", "--because", "so", "--results", folder, cwd=toy
    )
    assert_clear(adjusted, 2, "scores of some checks alone")
    assert_clear(grader("check", work, "--check", "nope", cwd=toy), 2, "no check is called `nope`")
    with (folder / "scores.csv").open(newline="") as file:
        assert len(list(csv.reader(file))) == 3
