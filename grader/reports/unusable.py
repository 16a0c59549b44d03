"""What a student is told whose files can't be used: what is wrong, and what to hand in."""

from __future__ import annotations

from grader.model import Ending, ProblemKind
from grader.text import sentence

TO_HAND_IN = {
    ProblemKind.UNMATCHED: "Give the file the name under which you got it, and hand it in again.",
    ProblemKind.AMBIGUOUS: "Give the file the name under which you got it, and hand it in again.",
    ProblemKind.DUPLICATE: "Hand in one file for this assignment: the one that counts.",
    ProblemKind.TOO_MANY: "Hand in the notebook itself, the `.ipynb` file, and nothing else.",
    ProblemKind.TOO_MUCH: "Clear the outputs, and hand in the notebook alone, the `.ipynb` file.",
    ProblemKind.NOTHING_USABLE: "Hand in the notebook itself, the `.ipynb` file.",
}
"""Of a file that can't be read, the hint tells."""
NOT_THEIRS = frozenset({ProblemKind.SAME_STUDENT, ProblemKind.GROUP, ProblemKind.UNOWNED})
"""What only an instructor can put right."""

OPEN_IT = "Open the file in Jupyter, save it as a notebook (`.ipynb`), and hand it in again."


def what(ending: Ending) -> str:
    """Return the words before the reason."""
    if ending.problem in (None, ProblemKind.UNREADABLE):
        return "The file could not be read:"
    return "Your work could not be graded:"


def next_step(ending: Ending) -> str:
    """Return what the student can do about it."""
    if ending.problem in NOT_THEIRS:
        return "Tell your instructor: nothing is wrong with your file."
    told = TO_HAND_IN.get(ending.problem) if ending.problem else None
    if told is None:
        told = f"{sentence(ending.hint)}." if ending.hint else OPEN_IT
    return f"{told} Then tell your instructor."
