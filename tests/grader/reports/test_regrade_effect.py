"""What a regrading does is counted, explained check by check, and printed as text alone."""

from __future__ import annotations

import io

import msgspec
import pytest
from generated import gradebook as generated
from rich.console import Console

from grader.gradebook import Gradebook, KeptScore, State
from grader.model import Status
from grader.reports.regrade_effect import Effect, effect_of, print_effect, print_plan
from grader.scoring.merging import Merged
from grader.scoring.regrading import Left, Regraded
from grader.store.fingerprint import versions

replace = msgspec.structs.replace
BOOK = generated(8, assignments=1, questions=1, checks=2)
(ASKED,) = BOOK.assignments
GRADED = [one for one in BOOK.scores if one.state is State.GRADED]


def with_codes(book: Gradebook, *codes: str) -> Gradebook:
    (question,) = ASKED.questions
    checks = tuple(
        replace(one, code=code) for one, code in zip(question.checks, codes, strict=True)
    )
    asked = replace(ASKED, questions=(replace(question, checks=checks),))
    return replace(book, assignments=(asked,))


def turned(book: Gradebook, place: int) -> Gradebook:
    """Everybody passes a check that they lost, and the other way round."""
    scores = []
    for score in book.scores:
        if score.state is State.GRADED:
            outcomes = list(score.outcomes)
            one = outcomes[place]
            passed = one.status is Status.PASSED
            outcomes[place] = replace(
                one,
                status=Status.FAILED if passed else Status.PASSED,
                earned=0.0 if passed else 0.5,
            )
            earned = score.earned + (-0.5 if passed else 0.5)
            score = replace(score, outcomes=tuple(outcomes), earned=earned)
        scores.append(score)
    return replace(book, scores=tuple(scores))


def printed(effect: Effect) -> str:
    out = io.StringIO()
    print_effect(effect, out=Console(file=out, width=200))
    return out.getvalue()


@pytest.mark.parametrize("codes", [("", ""), ("a", "a")])
def test_everybody_is_counted_and_every_flip_explained(codes: tuple[str, str]) -> None:
    before, after = with_codes(BOOK, *codes), turned(with_codes(BOOK, "b", "a"), 0)
    effect = effect_of(before, Regraded(Merged(after), (), ()), (ASKED.id,))
    assert sum(flip.students for flip in effect.flips) == len(GRADED)
    assert effect.gained + effect.lost == len(GRADED)
    assert not any(flip.untouched for flip in effect.flips)
    other = turned(with_codes(BOOK, *codes), 1)
    effect = effect_of(before, Regraded(Merged(other), (), ()), (ASKED.id,))
    assert all(flip.untouched is bool(codes[1]) for flip in effect.flips)
    assert ("has not changed" in printed(effect)) is bool(codes[1])
    same = effect_of(before, Regraded(Merged(before), (), ()), (ASKED.id,))
    submitted = [one for one in BOOK.scores if one.state is not State.MISSING]
    assert (same.gained, same.lost, same.same) == (0, 0, len(submitted))


def test_names_and_reasons_stay_text() -> None:
    evil = "[red]\x1b[31m\n2 gained"
    left = tuple(Left(evil, "blocks", evil) for _ in range(25))
    kept = tuple(KeptScore(evil, "blocks", "", 1.0, "") for _ in range(25))
    said = printed(Effect(since="", left=left, kept=kept))
    assert "\x1b" not in said
    assert "[red]" in said
    assert not any(line.startswith("2 gained") for line in said.splitlines())
    assert said.count("and 5 more") == 2


def test_a_plan_says_how_many_are_graded_again() -> None:
    out = io.StringIO()
    run = replace(BOOK.run, versions={**versions(), "grader": "0.0.1"})
    print_plan((), GRADED[:1], {ASKED.id: ASKED}, run, out=Console(file=out, width=200))
    assert "Other versions: grader 0.0.1 → " in out.getvalue()
    assert "python" not in out.getvalue()
    assert f"{ASKED.title}: 1 submission to grade again" in out.getvalue()
