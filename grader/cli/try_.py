"""`grader try`: a check again, for one student, by hand."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import (
    assignment_names,
    course_option,
    known_name,
    load_course,
    load_gradebook,
)
from grader.exit_status import ExitStatus

if TYPE_CHECKING:
    from grader.config.course import Course
    from grader.judging.trials import Case


@click.command(
    "try",
    epilog="Exit codes: 0 all of these checks passed, 1 one did not, 2 usage, 3 the grader failed.",
)
@click.argument("student")
@click.argument("assignment", shell_complete=assignment_names)
@click.argument("checks", metavar="[CHECK]...", nargs=-1)
@click.option(
    "--results",
    default="reports",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The output folder of `grader check`: it says where the file lies, and the seed.",
)
@click.option(
    "--submissions",
    multiple=True,
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Look for the file here instead, as `grader check` does. Repeatable.",
)
@course_option
@click.option(
    "--seed",
    type=click.IntRange(-(2**62), 2**62),
    metavar="INTEGER",
    help="Decides all random inputs.  [default: as it was graded]",
)
@click.option(
    "--times",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    help="Run it so often, each time from the next seed.",
)
@click.option(
    "--code",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Try this code: a script runs after the student's cells, a notebook instead of them.",
)
@click.option("--pdb", is_flag=True, help="Open a debugger where a check fails.")
@click.option("--shell", is_flag=True, help="Open a prompt with submission, reference and rng.")
def try_(
    student: str,
    assignment: str,
    checks: tuple[str, ...],
    results: Path,
    submissions: tuple[Path, ...],
    course_path: Path | None,
    seed: int | None,
    times: int,
    code: Path | None,
    pdb: bool,
    shell: bool,
) -> None:
    r"""Run checks again for one student, and show what explains a lost point.

    CHECK is a check's name, its question's, or a pattern of either; all checks if none is given.
    What they require is run, too. The same wall, the same seed, the same limits: the same verdict
    as in the gradebook, and nothing is stored. The output holds hidden inputs and values.

    --pdb and --shell work in the grader's own process, where `submission` answers through the wall;
    no time limit ends a check meanwhile.

    \b
    Examples:
      grader try anna blocks
      grader try anna blocks test_causal
      grader try anna blocks test_causal --times 20
      grader try anna blocks test_causal --code corrected.py
      grader try anna blocks test_causal --pdb
    """
    import msgspec

    from grader.errors import GraderFault
    from grader.intake.originals import cells_of
    from grader.judging.trials import Trial, Trials, with_code
    from grader.model import Status
    from grader.reports.trial import print_trials
    from grader.wire.judge import ByHand

    by_hand = ByHand.SHELL if shell else ByHand.DEBUGGER if pdb else None
    _require_sense(by_hand is not None, times, both=pdb and shell)
    course = load_course(course_path, submissions)
    assignment = course.assignment(assignment).id
    case = _case(course, student, assignment, results, submissions)
    if seed is not None:
        case = msgspec.structs.replace(case, seed=seed)
    cells = cells_of(case.submission)
    if code is not None:
        cells = with_code(cells, code)
    with Trials(course, assignment) as trials:
        names = trials.meant(checks)
        if by_hand is ByHand.SHELL:
            names = names[:1]
        if by_hand is not None:
            run = trials.by_hand(case, cells, names, by_hand, sys.stdin.fileno())
            if run.ending.ours:
                raise GraderFault(run.ending.message)
            if by_hand is ByHand.SHELL or any(o.status is not Status.PASSED for o in run.outcomes):
                return
            found = [Trial(case.seed, run)]  # nothing failed, so no debugger has opened
        else:
            seeds = range(case.seed, case.seed + times)
            found = list(trials.run(case, cells, names, seeds))
        print_trials(student, trials.suite, found, cells)
    if any(one.run.ending.ours for one in found):
        sys.exit(ExitStatus.UNGRADED)
    outcomes = [o for one in found for o in one.run.outcomes]
    passed = bool(outcomes) and all(o.status is Status.PASSED for o in outcomes)
    sys.exit(ExitStatus.OK if passed else ExitStatus.BELOW)


def _require_sense(by_hand: bool, times: int, *, both: bool) -> None:
    """Refuse options that exclude each other.

    Raises:
        click.UsageError: they do, or there is no terminal.
    """
    if both:
        raise click.UsageError("--pdb and --shell exclude each other: choose one")
    if by_hand and times > 1:
        raise click.UsageError("--pdb and --shell go with one run: leave out --times")
    if by_hand and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("--pdb and --shell need a terminal: run this in one")


def _case(
    course: Course, student: str, assignment: str, results: Path, submissions: Sequence[Path]
) -> Case:
    """Find the submission where the gradebook says, or below some paths."""
    from grader.errors import UsageError
    from grader.intake.readings import Readings
    from grader.judging.gpus import resolve_device
    from grader.judging.trials import Case, find_case
    from grader.pipeline import Options, find_class

    if not submissions:
        gradebook = load_gradebook(results)
        known_name(student, {score.student for score in gradebook.scores}, "student", results)
        known_name(assignment, {one.id for one in gradebook.assignments}, "assignment", results)
        return find_case(gradebook, student, assignment, results)
    options = Options(assignments=(assignment,), only=(student,), apart=(results,))
    found = find_class(submissions, course, options, Readings())
    mine = [one for one in found.submissions if one.student == student]
    if not mine:
        raise UsageError(
            f"{student} has handed in nothing for {assignment} there",
            where=", ".join(map(str, submissions)),
        )
    latest = max(mine, key=lambda one: one.attempt)
    return Case(latest, device=resolve_device("auto", course))
