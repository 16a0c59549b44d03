"""What a regrading does, before it is written: who gains, who loses, and which checks did it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from rich.console import Console
from rich.text import Text

from grader.gradebook import AssignmentReport, Gradebook, KeptScore, RunInfo, Score
from grader.model import Status, Value
from grader.reports.comparison import Change, compare, other_versions
from grader.reports.feedback import WORDS
from grader.reports.inspection import print_changes, print_suites
from grader.reports.suite_changes import SuiteChange
from grader.reports.terminal import console
from grader.scoring.regrading import Left, Regraded, to_regrade
from grader.store.fingerprint import versions
from grader.text import one_line, points

LEFT_SHOWN = 20


class Flip(Value, frozen=True):
    """A check that ended otherwise, for so many, and what each of them gets more.

    `untouched`: nothing has changed in the check itself. Then what it uses has, or the submission
    does not always do the same: random inputs are others whenever a file of the suite is.
    """

    assignment: str
    check: str
    before: Status | None
    after: Status | None
    difference: float
    students: int
    untouched: bool = False


class Effect(Value, frozen=True):
    """A regrading as it is shown and printed as JSON. `same` counts regraded scores alone.

    `former` is the copy of the gradebook of before, once the new one is written.
    """

    since: str
    assignments: tuple[str, ...] = ()
    suites: tuple[SuiteChange, ...] = ()
    changes: tuple[Change, ...] = ()
    flips: tuple[Flip, ...] = ()
    gained: int = 0
    lost: int = 0
    same: int = 0
    kept: tuple[KeptScore, ...] = ()
    left: tuple[Left, ...] = ()
    former: str = ""


def effect_of(before: Gradebook, found: Regraded, assignments: tuple[str, ...]) -> Effect:
    """Say what becomes of a gradebook of which these assignments were regraded."""
    comparison = compare(before, found.merged.gradebook)
    regraded = len(to_regrade(before, assignments)) - len(found.left)
    gained = sum(one.after > one.before for one in comparison.changes)
    lost = sum(one.after < one.before for one in comparison.changes)
    return Effect(
        since=before.run.started_at,
        assignments=assignments,
        suites=tuple(one for one in comparison.suites if one.assignment in assignments),
        changes=comparison.changes,
        flips=tuple(_flips(comparison.changes, _untouched(before, comparison.suites))),
        gained=gained,
        lost=lost,
        same=max(0, regraded - gained - lost),
        kept=found.kept,
        left=found.left,
    )


def _untouched(before: Gradebook, suites: Iterable[SuiteChange]) -> set[tuple[str, str]]:
    """The checks of which it is known that they are what they were."""
    touched = {(suite.assignment, edit.check) for suite in suites for edit in suite.edits}
    return {
        (assignment.id, check.id)
        for assignment in before.assignments
        for question in assignment.questions
        for check in question.checks
        if check.code and (assignment.id, check.id) not in touched
    }


def _flips(changes: Iterable[Change], untouched: Collection[tuple[str, str]]) -> Iterator[Flip]:
    """What happened to checks, the most frequent first."""
    counts: dict[tuple[str, str, Status | None, Status | None, float], int] = {}
    for change in changes:
        for check in change.checks:
            key = (change.assignment, check.check, check.before, check.after, check.difference)
            counts[key] = counts.get(key, 0) + 1
    for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0][:2])):
        yield Flip(*key, students=count, untouched=key[:2] in untouched)


def print_plan(
    suites: Sequence[SuiteChange],
    concerned: Sequence[Score],
    reports: Mapping[str, AssignmentReport],
    run: RunInfo,
    *,
    out: Console | None = None,
) -> None:
    """Print what changed since the run of a gradebook, and how many submissions that concerns."""
    out = out or console()
    since = f"Since the gradebook of {one_line(run.started_at)}"
    out.print(Text(since, "bold"), soft_wrap=True)
    print_suites(suites, out)
    if others := other_versions(run.versions, versions()):
        out.print(Text(f"Other versions: {one_line(', '.join(others))}", "dim"), soft_wrap=True)
    for name, report in reports.items():
        count = sum(score.assignment == name for score in concerned)
        work = "submission" if count == 1 else "submissions"
        title = one_line(report.title)
        out.print(Text(f"{title}: {count} {work} to grade again"), soft_wrap=True)
    out.print()


def print_effect(effect: Effect, *, out: Console | None = None) -> None:
    """Print who gains and who loses, then the same check by check, and what needs a look."""
    out = out or console()
    print_changes(effect.changes, out)
    if effect.changes:
        out.print()
    for flip in effect.flips:
        before = WORDS[flip.before] if flip.before else "not there"
        after = WORDS[flip.after] if flip.after else "not there"
        who = "1 student" if flip.students == 1 else f"{flip.students} students"
        name = one_line(f"{flip.assignment} {flip.check}")
        style = "green" if flip.difference > 0 else "red"
        line = f"{flip.difference:+.2f}  {name}: {before} → {after}, {who}"
        line += " (the check itself has not changed)" if flip.untouched else ""
        out.print(Text(line, style), soft_wrap=True)
    counts = f"{effect.gained} gained, {effect.lost} lost, {effect.same} the same"
    out.print(Text(counts, "bold"), soft_wrap=True)
    if effect.kept:
        _print_kept(effect.kept, out)
    if effect.left:
        out.print(Text(f"Not regraded ({len(effect.left)}): the score stands", "bold yellow"))
        for one in effect.left[:LEFT_SHOWN]:
            line = f"  {one.student} {one.assignment}: {one.reason}"
            out.print(Text(one_line(line)), soft_wrap=True)
        if len(effect.left) > LEFT_SHOWN:
            out.print(Text(f"  … and {len(effect.left) - LEFT_SHOWN} more", "dim"))


def _print_kept(kept: Sequence[KeptScore], out: Console) -> None:
    who = [f"{one.student} {one.assignment} ({points(one.earned)})" for one in kept]
    more = f", and {len(who) - LEFT_SHOWN} more" if len(who) > LEFT_SHOWN else ""
    line = f"Keep the better score of before ({len(who)}): {', '.join(who[:LEFT_SHOWN])}{more}"
    out.print(Text(one_line(line), "cyan"), soft_wrap=True)
