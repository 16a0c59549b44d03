"""The strict gate: what authors promise, what they did not think of, and what half a work is worth.

- Every promise of a lesson's text has a check that demands it, and a mutant that this check kills.
- Of the mutants that can be generated, nearly all lose points or could not be noticed by anybody.
- What is not solved costs its own questions and no other, and an honest gap no more than a wrong
  answer.

Each is a module of its own: `promises`, `generated`, `partial`. This one plans their cases and puts
together what came of them.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from grader.authoring.cases import Kind, Material, Planned, in_place_of
from grader.authoring.generated import (
    TARGET,
    Equivalent,
    Generated,
    generate,
    given_functions,
    load_equivalents,
    sample,
)
from grader.authoring.kills import killing_checks, killing_questions, lost_questions
from grader.authoring.lessons import Lesson, lesson_path, read_lesson
from grader.authoring.partial import (
    Gap,
    PartialReport,
    PartialResult,
    gaps,
    judge_partial,
)
from grader.authoring.promises import PromiseReport, judge_promises, load_promises
from grader.authoring.reach import changed_functions
from grader.authoring.release import solution_sources
from grader.authoring.survivors import show
from grader.authoring.tables import Finding, table_path
from grader.config.course import Course
from grader.gradebook import Score, State
from grader.model import Suite, Value


class Fate(enum.StrEnum):
    """What became of a generated mutant."""

    KILLED = "killed"
    EQUIVALENT = "equivalent"
    SURVIVES = "survives"
    UNGRADED = "not graded"


class GeneratedResult(Value, frozen=True):
    """A generated mutant, tried.

    Attributes:
        lost, killed_by: the questions that it costs and the checks that it fails; those up to the
            first one that costs points where no promise names the mutant.
        reason: why it is accepted, or was not graded.
        where, diff: of one that survives: `file:line`, and the unified diff of that file.
    """

    id: str
    change: str
    fate: Fate
    lost: tuple[str, ...] = ()
    killed_by: tuple[str, ...] = ()
    reason: str = ""
    where: str = ""
    diff: str = ""


class GeneratedReport(Value, frozen=True):
    """What became of an assignment's generated mutants; `left_out` of them were not tried."""

    results: tuple[GeneratedResult, ...]
    findings: tuple[Finding, ...]
    left_out: int = 0

    def count(self, fate: Fate) -> int:
        """How many came to that."""
        return sum(one.fate is fate for one in self.results)

    @property
    def share(self) -> float:
        """The part that is killed or equivalent, from 0 to 1."""
        settled = self.count(Fate.KILLED) + self.count(Fate.EQUIVALENT)
        return settled / len(self.results) if self.results else 1.0


class StrictGate(Value, frozen=True):
    """What the strict gate found out about one assignment; None for what was not asked."""

    promises: PromiseReport | None = None
    generated: GeneratedReport | None = None
    partial: PartialReport | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that it does not accept."""
        parts = (self.promises, self.generated, self.partial)
        return tuple(one for part in parts if part is not None for one in part.findings)


class StrictPlan(Value, frozen=True):
    """What the strict gate tries for one assignment, before it is graded."""

    lesson: Lesson
    sources: dict[str, str]
    generated: tuple[Generated, ...]
    left_out: tuple[Generated, ...]
    gaps: tuple[Gap, ...]
    planned: tuple[Planned, ...]


def plan_strict(
    course: Course,
    assignment: str,
    material: Material,
    *,
    seed: int,
    kinds: Collection[Kind],
    thorough: bool = False,
    most: int | None = None,
) -> StrictPlan:
    """Say what is tried.

    Args:
        course: whose lesson.
        assignment: its id.
        material: its lesson, taken apart.
        seed: decides the random inputs.
        kinds: generated mutants, partial work, or both.
        thorough: ask each generated mutant every check, not only until one costs points.
        most: how many generated mutants of each function to try, and those that promises name.

    Raises:
        SuiteError, ReleaseError: a table or the lesson can't be used.
    """
    lesson = read_lesson(lesson_path(course, assignment))
    sources = solution_sources(course, lesson)
    mutants: tuple[Generated, ...] = ()
    left_out: tuple[Generated, ...] = ()
    unsolved: tuple[Gap, ...] = ()
    planned: list[Planned] = []
    if Kind.GENERATED in kinds:
        made = generate(sources, given_functions(lesson))
        named = {name for one in load_promises(lesson) or () for name in one.mutants}
        tried = named | {one.id for one in (made if most is None else sample(made, most))}
        mutants = tuple(one for one in made if one.id in tried)
        left_out = tuple(one for one in made if one.id not in tried)
        for one in mutants:
            cells = in_place_of(material, {one.answer: one.source})
            whole = thorough or one.id in named
            planned.append(
                Planned(
                    assignment, Kind.GENERATED, one.id, cells, seed,
                    until_lost=not whole, wrong=(one.answer,),
                    changed=changed_functions(sources, {one.answer: one.source}),
                )
            )  # fmt: skip
    if Kind.PARTIAL in kinds:
        unsolved = gaps(course, lesson, sources)
        planned += [
            Planned(assignment, Kind.PARTIAL, _gap_name(one), one.cells, seed) for one in unsolved
        ]
    return StrictPlan(lesson, sources, mutants, left_out, unsolved, tuple(planned))


def _gap_name(gap: Gap) -> str:
    return f"{gap.stub}, {gap.variants[0]}"


def judge_strict(
    plan: StrictPlan,
    suite: Suite,
    scores: Mapping[tuple[Kind, str], Score],
    kinds: Collection[Kind],
    *,
    course: Course,
    promised: bool,
) -> StrictGate:
    """Put together what came of a plan.

    Args:
        plan: what was tried.
        suite: with which checks.
        scores: of the plan's cases and of the assignment's own mutants, by kind and name.
        kinds: which of the cases were to be tried.
        course: where the reference is.
        promised: whether promises are asked for.

    Raises:
        SuiteError: a table is malformed.
    """
    generated = partial = promises = None
    if Kind.GENERATED in kinds:
        generated = _judge_generated(plan, scores, course)
    if Kind.PARTIAL in kinds:
        results = [one for gap in plan.gaps for one in _worth(gap, suite, scores)]
        questions = [question.id for question in suite.assignment.questions]
        partial = judge_partial(plan.lesson, questions, results)
    if promised:
        killers = {
            name: killing_checks(result)
            for (kind, name), result in scores.items()
            if kind in (Kind.MUTANT, Kind.GENERATED)
        }
        promises = judge_promises(plan.lesson, plan.sources, suite, killers)
    return StrictGate(promises=promises, generated=generated, partial=partial)


# ---------------------------------------------------------------- generated mutants


def _judge_generated(
    plan: StrictPlan, scores: Mapping[tuple[Kind, str], Score], course: Course
) -> GeneratedReport:
    accepted = {one.mutant: one for one in load_equivalents(plan.lesson)}
    results = [
        _fate(one, scores[Kind.GENERATED, one.id], accepted.get(one.id)) for one in plan.generated
    ]
    surviving = [one.id for one in results if one.fate is Fate.SURVIVES]
    for name, seen in show(course, plan.lesson, plan.sources, surviving).items():
        at = next(number for number, one in enumerate(results) if one.id == name)
        results[at] = msgspec.structs.replace(results[at], where=seen.where, diff=seen.diff)
    report = GeneratedReport(tuple(results), (), len(plan.left_out))
    where = str(table_path(plan.lesson, "equivalents"))
    untried = {one.id: one.change for one in plan.left_out}
    findings = [*_bad_acceptances(accepted.values(), results, untried, where)]
    for one in results:
        if one.fate is Fate.UNGRADED:
            findings.append(Finding(f"`{one.id}` was not graded", where, one.reason))
    if report.share < TARGET:
        name = plan.lesson.assignment
        what = (
            f"{report.count(Fate.SURVIVES)} of {len(results)} generated mutants survive: "
            f"{report.share:.1%} are killed or equivalent, {TARGET:.0%} are asked for"
        )
        hint = (
            "write checks that kill them; what nobody could notice gets a reason: "
            f"`grader verify {name} --strict --write-tables` adds the entries"
        )
        findings.append(Finding(what, where, hint))
    return msgspec.structs.replace(report, findings=tuple(findings))


def _fate(mutant: Generated, result: Score, accepted: Equivalent | None) -> GeneratedResult:
    lost = killing_questions(result) if lost_questions(result) else ()
    reason = ""
    if result.state is not State.GRADED:
        fate, reason = Fate.UNGRADED, result.ending.message
    elif lost:
        fate = Fate.KILLED
    elif accepted is not None and accepted.change == mutant.change and accepted.reason.strip():
        fate, reason = Fate.EQUIVALENT, accepted.reason
    else:
        fate = Fate.SURVIVES
    return GeneratedResult(
        id=mutant.id,
        change=mutant.change,
        fate=fate,
        lost=lost,
        killed_by=killing_checks(result),
        reason=reason,
    )


def _bad_acceptances(
    accepted: Iterable[Equivalent],
    results: Sequence[GeneratedResult],
    untried: Mapping[str, str],
    where: str,
) -> Iterator[Finding]:
    known = {one.id: one for one in results}
    for one in accepted:
        if untried.get(one.mutant) == one.change:
            continue
        if one.mutant not in known:
            hint = "drop the entry, or look for the mutant's new id"
            yield Finding(f"there is no generated mutant `{one.mutant}`", where, hint)
            continue
        mutant = known[one.mutant]
        if mutant.change != one.change:
            yield Finding(
                f"`{one.mutant}` is another mutant now: {mutant.change}",
                where,
                f"the entry is about {one.change}: judge it again",
            )
        elif mutant.fate is Fate.KILLED:
            yield Finding(
                f"`{one.mutant}` is said to be equivalent, and loses {', '.join(mutant.lost)}",
                where,
                "drop the entry, or mend the check that right code fails",
            )
        elif not one.reason.strip():
            hint = "say why nobody could notice it, or write a check"
            yield Finding(f"`{one.mutant}` is accepted without a reason", where, hint)


# ---------------------------------------------------------------- partial work


def _worth(
    gap: Gap, suite: Suite, scores: Mapping[tuple[Kind, str], Score]
) -> Iterator[PartialResult]:
    result = scores[Kind.PARTIAL, _gap_name(gap)]
    for variant in gap.variants:
        yield PartialResult(
            stub=gap.stub,
            variant=variant,
            earned=result.earned,
            possible=sum(question.points for question in suite.assignment.questions),
            lost=lost_questions(result),
            own=(),
        )
