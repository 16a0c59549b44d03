"""What is said about likeness, in the same words in the terminal and on the pages."""

from __future__ import annotations

from pathlib import PurePath

from grader.alike.values import AssignmentAlike, Independent, Work
from grader.text import one_line

NO_VERDICT = (
    "A number here is no verdict, and from no number on is it one. Answers can be alike because "
    "there are few good ways to write them, because two people learned from the same page, worked "
    "together where that was allowed, or had the same help. They can be copied and look nothing "
    "alike. Read both, and ask both."
)
"""What likeness can't tell."""


def called(work: Work) -> str:
    """Whose a file is, and from which earlier folder."""
    who = ", ".join(one_line(one) for one in work.students)
    return f"{who} ({one_line(PurePath(work.origin).name or work.origin)})" if work.origin else who


def percent(share: float) -> str:
    """A likeness as a whole percentage: more digits would say more than it knows."""
    return f"{100 * share:.0f} %"


def by_chance(independent: Independent | None) -> str:
    """How alike answers are that nobody copied."""
    if independent is None:
        return (
            "This course has no independent right answers to this assignment to compare with: "
            "nobody knows how alike answers are that nobody copied."
        )
    first, second = independent.most_alike
    return (
        f"Of {len(independent.works)} right answers that were written to differ, two are "
        f"{percent(independent.median)} alike in the median and {percent(independent.largest)} at "
        f"most ({first} and {second}). Students who learned from the same lesson are more alike."
    )


def pages(found: AssignmentAlike) -> list[str]:
    """The file name of each pair's page."""
    return [f"{found.assignment}-{number:03}.html" for number in range(1, len(found.pairs) + 1)]
