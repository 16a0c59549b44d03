"""The file behind a score is found again, and is the one that was graded."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from toy import notebook, write

from grader.errors import IntakeError
from grader.gradebook import (
    SCHEMA_VERSION,
    Attempt,
    Gradebook,
    Origin,
    RunInfo,
    Score,
    State,
)
from grader.intake.originals import Originals, cells_of
from grader.model import Ending


def book(*origins: Origin) -> Gradebook:
    run = RunInfo(origins=origins)
    return Gradebook(SCHEMA_VERSION, "sums", (), (), (), None, run)


def score(*attempts: Attempt, digest: str = "d") -> Score:
    return Score("ann", "adding", State.GRADED, 1.0, 1.0, Ending(), file="a.ipynb",
                 digest=digest, attempts=attempts)  # fmt: skip


def attempt(number: int, *, counts: bool) -> Attempt:
    return Attempt(number, f"{number}.ipynb", f"digest {number}", counts)


def test_the_attempt_that_counts_is_found_and_the_one_before_it() -> None:
    found = Originals(book(*(Origin("ann", "adding", f"/{n}", attempt=n) for n in (1, 2, 3))))
    attempts = attempt(1, counts=False), attempt(2, counts=True), attempt(3, counts=False)
    original = found.of(score(*attempts))
    assert original is not None
    submission, origin = original
    assert (submission.path, submission.name, submission.digest, origin.attempt) == (
        "/2", "a.ipynb", "d", 2,
    )  # fmt: skip
    before = found.before(score(*attempts))
    assert before is not None
    assert (before.path, before.name, before.digest) == ("/1", "1.ipynb", "digest 1")


def test_what_nobody_knows_is_not_guessed() -> None:
    other = Origin("ann", "other", "/x")
    assert Originals(book(other)).of(score()) is None
    assert Originals(book(Origin("ann", "adding", "/x"))).of(score(digest="")) is None
    one = Originals(book(Origin("ann", "adding", "/x")))
    assert one.of(score(attempt(2, counts=True))) is None
    assert one.before(score()) is None
    assert one.before(score(attempt(1, counts=True), attempt(2, counts=False))) is None


def test_another_file_is_never_taken_for_what_was_graded(tmp_path: Path) -> None:
    file = write(tmp_path / "a.ipynb", notebook("x = 1"))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    original = Originals(book(Origin("ann", "adding", str(file)))).of(score(digest=digest))
    assert original is not None
    assert [cell.source for cell in cells_of(original[0])] == ["x = 1"]
    write(file, notebook("x = 2"))
    with pytest.raises(IntakeError, match="has changed"):
        cells_of(original[0])
