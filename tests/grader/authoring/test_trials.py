"""How the gate's cases are graded: what is known of one helps with the next."""

from __future__ import annotations

from grader.authoring.cases import Kind, Planned
from grader.authoring.trials import Killers, _rounds
from grader.gradebook import Score, ScoredOutcome, State
from grader.model import Ending, Status


def planned(name: str, *wrong: str, until_lost: bool = False) -> Planned:
    kind = Kind.GENERATED if until_lost else Kind.MUTANT
    return Planned("sums", kind, name, (), 0, until_lost=until_lost, wrong=wrong)


def score(**statuses: Status) -> Score:
    outcomes = tuple(
        ScoredOutcome(check=name, question="q", status=status, earned=0.0, possible=1.0)
        for name, status in statuses.items()
    )
    return Score(
        student="x", assignment="sums", state=State.GRADED, earned=0.0, possible=1.0,
        ending=Ending(), outcomes=outcomes,
    )  # fmt: skip


def test_one_case_of_each_answer_is_asked_everything_or_first() -> None:
    cases = [
        planned("reference"),
        planned("written", "add"),
        planned("add:1", "add", until_lost=True),
        planned("mul:1", "mul", until_lost=True),
        planned("mul:2", "mul", until_lost=True),
    ]
    assert list(_rounds(cases)) == [[], [0, 1, 3], [2, 4]]


def test_what_fails_an_answer_most_in_a_second_is_asked_first() -> None:
    killers = Killers()
    failed, passed, skipped = Status.FAILED, Status.PASSED, Status.SKIPPED
    took = {"small": 0.02, "large": 0.03, "slow": 0.5}
    first = score(small=failed, large=failed, slow=failed, other=passed)
    killers.learn(planned("m1", "add"), first, {**took, "slow": 0.4})
    second = score(small=passed, large=failed, slow=failed, later=skipped)
    killers.learn(planned("m2", "add"), second, took)
    killers.learn(planned("m3", "mul"), score(other=failed), {})
    assert killers.of(planned("add:7", "add", until_lost=True)) == ("large", "small", "slow")
    assert killers.of(planned("both:7", "add", "mul", until_lost=True))[0] == "other"
    assert killers.of(planned("div:1", "div", until_lost=True)) == ()
