"""The gate on suites: nobody trusts a score whose checks were never tried on wrong answers.

Every case goes through the same wall as a submission:

- the *reference*, as the solved notebook, gets all points, from every seed that is tried;
- the untouched *template* gets none;
- correct code in another *style* gets all points;
- a *fake*, which does none of the work, gets no more points than its file says;
- a *mutant*, the reference with one known bug, loses points in the questions that it names and in
  no other, neither here nor, plugged into the other assignments' notebooks, there;
- every check is failed by some mutant, written or generated: one that nothing fails proves nothing.

The last is demanded where the gate is strict; else it is told, and the gate passes.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from grader.authoring.cases import USUAL, Kind, Planned, material, plan_cases
from grader.authoring.kills import killing_checks
from grader.authoring.lessons import lesson_paths
from grader.authoring.skeletons import count_unpromised
from grader.authoring.strict import StrictGate, StrictPlan, judge_strict, plan_strict
from grader.authoring.trials import grade_cases
from grader.config.course import Course
from grader.gradebook import Score, State
from grader.judging.engine import Engine
from grader.judging.executor import Starts
from grader.judging.grading import Watcher
from grader.model import Status, Suite, Value


class Verdict(enum.StrEnum):
    """What became of a case; all but the first are failures of the gate."""

    OK = "ok"
    RIGHT_CODE_LOSES = "right code loses"
    TEMPLATE_EARNS = "template earns"
    FAKE_EARNS = "fake earns too much"
    SURVIVES = "mutant survives"
    LOSES_ELSEWHERE = "mutant loses elsewhere"
    UNGRADED = "not graded"


class Case(Value, frozen=True):
    """One submission of the gate, judged.

    Attributes:
        bug: what is wrong with a mutant; what a fake does instead of the work.
        lost: the questions without full points.
        failed_checks: those that it does not pass.
        killed_by: those of them that it failed itself: no other that they require was failed.
        earned: points, of all questions.
        at_most: what a fake may earn.
    """

    assignment: str
    kind: Kind
    name: str
    verdict: Verdict
    explanation: str = ""
    bug: str = ""
    origin: str = ""
    must_lose: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    failed_checks: tuple[str, ...] = ()
    killed_by: tuple[str, ...] = ()
    seed: int = 0
    earned: float = 0.0
    at_most: float | None = None


class AssignmentGate(Value, frozen=True):
    """All cases of one assignment.

    Attributes:
        unproven: the checks that no mutant fails.
        strict: what the strict gate adds, when it is asked.
        demanding: whether the gate fails for either of these; else they are only told.
        unpromised: how many sentences of the docstrings no promise quotes; a strict gate names
            them instead.
    """

    assignment: str
    questions: tuple[str, ...]
    cases: tuple[Case, ...]
    unproven: tuple[str, ...]
    strict: StrictGate | None = None
    demanding: bool = False
    unpromised: int = 0

    @property
    def passed(self) -> bool:
        """Whether its suite can be trusted, as far as was asked."""
        return not (self.demanding and self.warnings) and all(
            case.verdict is Verdict.OK for case in self.cases
        )

    @property
    def warnings(self) -> int:
        """How many things are told that only a demanding gate fails for."""
        findings = () if self.strict is None else self.strict.findings
        return len(findings) + len(self.unproven)

    @property
    def mutants(self) -> int:
        """How many mutants of its own it has."""
        return sum(case.kind is Kind.MUTANT and not case.origin for case in self.cases)


class Verification(Value, frozen=True):
    """The gate's result."""

    gates: tuple[AssignmentGate, ...]

    @property
    def passed(self) -> bool:
        """Whether every suite can be trusted."""
        return all(gate.passed for gate in self.gates)


def verify(
    course: Course,
    *,
    assignments: Sequence[str] = (),
    jobs: int | None = None,
    seed: int = 0,
    repeat: int = 1,
    thorough: bool = False,
    kinds: Collection[Kind] = USUAL,
    strict: bool = False,
    every_check: bool = False,
    most: int | None = None,
    watcher: Watcher,
    starts: Starts = Engine,
) -> Verification:
    """Run the gate.

    Args:
        course: whose suites.
        assignments: ids; all that have a lesson when empty.
        jobs: cases graded at once.
        seed: decides the random inputs.
        repeat: how many seeds the reference is graded from.
        thorough: plug every mutant into every assignment, ask generated ones every check.
        kinds: of cases; the usual ones unless told.
        strict: hold the suites to their lessons' promises, too, and fail for what is else only
            told: see `grader/authoring/strict.py`.
        every_check: ask generated mutants every check, also after the first that costs points.
        most: how many generated mutants of each function to try; all unless told.
        watcher: hears of each case.
        starts: starts what grades.

    Raises:
        SuiteError, ReleaseError: a suite, lesson, mutant or table can't be used.
    """
    chosen = list(assignments) or list(lesson_paths(course))
    planned = plan_cases(course, chosen, seed=seed, repeat=repeat, thorough=thorough, kinds=kinds)
    plans: dict[str, StrictPlan] = {}
    if strict or {Kind.GENERATED, Kind.PARTIAL} & set(kinds):
        plans = {
            name: plan_strict(
                course,
                name,
                material(course, name),
                seed=seed,
                kinds=kinds,
                thorough=thorough or every_check,
                most=most,
            )
            for name in chosen
        }
    further = [case for plan in plans.values() for case in plan.planned]
    suites, graded = grade_cases(course, [*planned, *further], jobs, watcher, starts)
    usual = [(case, score) for case, score in graded if case.kind in USUAL]
    result = _verification(usual, suites, proof=Kind.MUTANT in kinds)
    if Kind.MUTANT in kinds and not strict:
        result = Verification(
            tuple(
                msgspec.structs.replace(one, unpromised=count_unpromised(course, one.assignment))
                for one in result.gates
            )
        )
    if not plans:
        return result
    by_name = _own_scores(graded)
    return Verification(
        gates=tuple(
            _with_strict(
                one,
                judge_strict(
                    plans[one.assignment],
                    suites[one.assignment],
                    by_name[one.assignment],
                    kinds,
                    course=course,
                    promised=strict and Kind.MUTANT in kinds,
                ),
                demanding=strict,
            )
            for one in _for_all(result.gates, chosen, suites)
        )
    )


def _with_strict(one: AssignmentGate, found: StrictGate, *, demanding: bool) -> AssignmentGate:
    """Add what the strict gate found out; a check that a generated mutant fails is proven, too."""
    generated = () if found.generated is None else found.generated.results
    killing = {check for mutant in generated for check in mutant.killed_by}
    unproven = tuple(check for check in one.unproven if check not in killing)
    return msgspec.structs.replace(one, strict=found, unproven=unproven, demanding=demanding)


def try_cases(
    course: Course,
    planned: Sequence[Planned],
    *,
    jobs: int | None = None,
    watcher: Watcher,
    proof: bool = True,
) -> Verification:
    """Grade cases and compare what each gets with what it must get.

    Args:
        course: whose suites.
        planned: the cases.
        jobs: cases graded at once.
        watcher: hears of each case.
        proof: whether every check must be failed by one of these mutants.

    Raises:
        SuiteError: a suite can't be used.
    """
    suites, graded = grade_cases(course, planned, jobs, watcher)
    return _verification(graded, suites, proof=proof)


def _verification(
    graded: Sequence[tuple[Planned, Score]], suites: Mapping[str, Suite], *, proof: bool
) -> Verification:
    judged = [judge_case(case, result, suites[case.assignment]) for case, result in graded]
    return Verification(
        gates=tuple(
            gate(suites[name], [c for c in judged if c.assignment == name], proof=proof)
            for name in dict.fromkeys(case.assignment for case in judged)
        )
    )


def _for_all(
    gates: Sequence[AssignmentGate], assignments: Iterable[str], suites: Mapping[str, Suite]
) -> Iterable[AssignmentGate]:
    """The gates of all assignments: of those without a usual case, one without cases."""
    known = {one.assignment: one for one in gates}
    return [known.get(name) or gate(suites[name], [], proof=False) for name in assignments]


def _own_scores(
    graded: Iterable[tuple[Planned, Score]],
) -> dict[str, dict[tuple[Kind, str], Score]]:
    """The scores of each assignment's own cases by kind and name."""
    found: dict[str, dict[tuple[Kind, str], Score]] = {}
    for case, result in graded:
        if not case.origin:
            found.setdefault(case.assignment, {})[case.kind, case.name] = result
    return found


# ---------------------------------------------------------------- what it must get


def judge_case(case: Planned, result: Score, suite: Suite) -> Case:
    """Compare what a case got with what it must get."""
    possible = {question.id: question.points for question in suite.assignment.questions}
    lost = tuple(
        name for name, points in possible.items() if result.questions.get(name, 0.0) < points
    )
    failed = tuple(
        outcome.check for outcome in result.outcomes if outcome.status is not Status.PASSED
    )
    verdict, explanation = _verdict(case, result, lost)
    return Case(
        assignment=case.assignment,
        kind=case.kind,
        name=case.name,
        verdict=verdict,
        explanation=explanation,
        bug=case.bug,
        origin=case.origin,
        must_lose=case.must_lose,
        lost=lost,
        failed_checks=failed,
        killed_by=killing_checks(result),
        seed=case.seed,
        earned=result.earned,
        at_most=case.at_most,
    )


def _verdict(case: Planned, result: Score, lost: tuple[str, ...]) -> tuple[Verdict, str]:
    if result.state is not State.GRADED:
        return Verdict.UNGRADED, result.ending.message
    if case.kind is Kind.TEMPLATE:
        earned = [o.check for o in result.outcomes if o.earned > 0]
        return (
            (Verdict.TEMPLATE_EARNS, f"passes {', '.join(earned)}") if earned else (Verdict.OK, "")
        )
    if case.at_most is not None:
        return _verdict_on_fake(result, case.at_most)
    if case.kind is not Kind.MUTANT:
        return (Verdict.RIGHT_CODE_LOSES, _first_failure(result)) if lost else (Verdict.OK, "")
    survived = [name for name in case.must_lose if name not in lost]
    elsewhere = [name for name in lost if name not in case.must_lose]
    if survived:
        return Verdict.SURVIVES, f"keeps all points of {', '.join(survived)}"
    if elsewhere:
        return (
            Verdict.LOSES_ELSEWHERE,
            f"{', '.join(elsewhere)}: {_first_failure(result, elsewhere)}",
        )
    return Verdict.OK, ""


def _verdict_on_fake(result: Score, at_most: float) -> tuple[Verdict, str]:
    if result.earned <= at_most:
        return Verdict.OK, ""
    passed = [o.check for o in result.outcomes if o.earned > 0]
    explanation = f"{result.earned:g} points, at most {at_most:g}: passes {', '.join(passed)}"
    return Verdict.FAKE_EARNS, explanation


def _first_failure(result: Score, questions: Sequence[str] = ()) -> str:
    for outcome in result.outcomes:
        if outcome.status is not Status.PASSED and (not questions or outcome.question in questions):
            return f"{outcome.check}: {outcome.detail or outcome.message or outcome.status.value}"
    return result.ending.message


def gate(suite: Suite, cases: Sequence[Case], *, proof: bool = True) -> AssignmentGate:
    """Put the cases of one assignment together and find the checks that no mutant fails.

    Without `proof` nobody asks: where no mutants were tried, there are such checks.
    """
    own = [case for case in cases if case.kind is Kind.MUTANT and not case.origin]
    failed = {check for case in own for check in case.failed_checks}
    return AssignmentGate(
        assignment=suite.assignment.id,
        questions=tuple(question.id for question in suite.assignment.questions),
        cases=tuple(cases),
        unproven=tuple(c.id for c in suite.checks if proof and c.id not in failed),
    )
