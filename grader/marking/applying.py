"""Marks put into the gradebook and the reports of a folder, as they are there now."""

from __future__ import annotations

from pathlib import Path

from grader.config.course import Course
from grader.gradebook import Gradebook, State
from grader.reports.rewriting import rewrite
from grader.scoring.rules import Answers, ScoreRules, remark


def apply_marks(
    now: Gradebook,
    folder: Path,
    course: Course,
    rules: ScoreRules,
    answers: Answers,
    digests: dict[tuple[str, str], str],
) -> str:
    """Write the reports of a folder with the marks of now, and say what they came to.

    Args:
        now: the gradebook that is there: somebody may have graded since.
        folder: the output folder, held by this process.
        course: the course of both.
        rules: with the marks of now.
        answers: digests of the answers that are on the desk.
        digests: of the files that they are in, by student and assignment.

    Raises:
        GraderError: a file can't be written; every mark is kept all the same.
    """
    same = {(s.student, s.assignment) for s in now.scores
            if digests.get((s.student, s.assignment)) == s.digest}  # fmt: skip
    known = {key: one for key, one in answers.items() if key in same}
    after = rewrite(now, folder, lambda book: remark(book, course, rules, known))
    if after is None:
        return (
            "The marks are kept, but these reports are of an earlier version: `grader check` "
            "writes them anew."
        )
    left = sum(score.state is State.UNMARKED for score in after.scores)
    return f"The reports are written. Submissions that are still unmarked: {left}."
