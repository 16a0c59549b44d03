"""What a comparison gives: files, pairs with what they share, clusters, and what chance does."""

from __future__ import annotations

from grader.model import Problem, Value


class Work(Value, frozen=True):
    """One file that is compared.

    `students` are several where a group has handed it in together. `origin` names the folder of an
    earlier year, empty for this one. `notes` say what of it could not be read.
    """

    students: tuple[str, ...]
    file: str
    origin: str = ""
    notes: tuple[str, ...] = ()


class Passage(Value, frozen=True):
    """Lines that two files share, counted through all cells of each."""

    left: tuple[int, ...]
    right: tuple[int, ...]


class AnswerLikeness(Value, frozen=True):
    """How alike one answer is in two files, from 0 to 1."""

    answer: str
    likeness: float


class Pair(Value, frozen=True):
    """Two files with answers that are alike.

    Attributes:
        left, right: their places in the list of works.
        likeness: from 0 to 1: see `grader/alike/index.py`.
        shared: how many fingerprints both have that nothing explains.
        left_share, right_share: the shared part of each, by weight.
        answers: each answer that both give, the most alike first.
        passages: where the shared parts are.
        same_person: whether a student of one has the name of a student of the other.
    """

    left: int
    right: int
    likeness: float
    shared: int
    left_share: float
    right_share: float
    answers: tuple[AnswerLikeness, ...] = ()
    passages: tuple[Passage, ...] = ()
    same_person: bool = False


class Independent(Value, frozen=True):
    """How alike right answers are that were written independently.

    Attributes:
        works: what was compared.
        median, largest: of the likenesses of all pairs.
        most_alike: the pair with the largest.
    """

    works: tuple[str, ...]
    median: float
    largest: float
    most_alike: tuple[str, str]


class AssignmentAlike(Value, frozen=True):
    """What was found in one assignment: pairs by their likeness, the most alike first.

    Attributes:
        answers: the names that were compared; empty where every function and class was.
        works: all files that were compared.
        pairs: those that are listed.
        clusters: places of works that pairs of at least `linked_from` hold together.
        independent: what chance does; None where the course has fewer than two answers of its own.
    """

    assignment: str
    title: str
    answers: tuple[str, ...]
    works: tuple[Work, ...]
    pairs: tuple[Pair, ...]
    clusters: tuple[tuple[int, ...], ...] = ()
    linked_from: float = 0.5
    independent: Independent | None = None


class Alike(Value, frozen=True):
    """What was found in a class, and what a person should look at."""

    assignments: tuple[AssignmentAlike, ...]
    problems: tuple[Problem, ...] = ()
