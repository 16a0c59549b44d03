"""The files behind a gradebook's scores, found again where they lay when they were graded."""

from __future__ import annotations

from collections import defaultdict

from grader.gradebook import Gradebook, Origin, Score
from grader.intake.reading import Reader, read_submission
from grader.intake.readings import Readings
from grader.model import Cell, Submission


class Originals:
    """Where the files of a gradebook lay.

    Args:
        gradebook: whose `run.origins` tell.
    """

    def __init__(self, gradebook: Gradebook) -> None:
        self._origins: dict[tuple[str, str], dict[int, Origin]] = defaultdict(dict)
        for one in gradebook.run.origins:
            self._origins[one.student, one.assignment][one.attempt] = one

    def of(self, score: Score) -> tuple[Submission, Origin] | None:
        """The file that a score is about; None if there was none, or nobody knows where."""
        known = self._origins.get((score.student, score.assignment))
        if not known or not score.digest:
            return None
        number = next((one.number for one in score.attempts if one.counts), max(known))
        origin = known.get(number)
        return None if origin is None else (_submission(origin, score.file, score.digest), origin)

    def before(self, score: Score) -> Submission | None:
        """The attempt before the one that counts; None if there was none."""
        known = self._origins.get((score.student, score.assignment), {})
        counts = next((one.number for one in score.attempts if one.counts), 0)
        earlier = [a for a in score.attempts if a.number < counts and a.number in known]
        if not earlier:
            return None
        last = max(earlier, key=lambda one: one.number)
        return _submission(known[last.number], last.file, last.digest)


def _submission(origin: Origin, name: str, digest: str) -> Submission:
    return Submission(
        student=origin.student,
        assignment=origin.assignment,
        path=origin.path,
        name=name,
        digest=digest,
        member=origin.member,
        inner=origin.inner,
        attempt=origin.attempt,
    )


def cells_of(submission: Submission, reader: Reader | None = None) -> tuple[Cell, ...]:
    """Return a submission's code cells.

    Raises:
        IntakeError: its file is gone, is another one now, or can't be read.
    """
    content = read_submission(submission, reader)
    return Readings().cells(content, submission.name).cells
