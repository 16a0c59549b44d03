"""`grader regrade`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from grader.cli.asked import absolute, grading_options, user, with_record
from grader.cli.options import (
    assignment_names,
    checked_device,
    course_option,
    echo_json,
    jobs_option,
    json_option,
    load_course,
)
from grader.cli.status import status_of, stop_as_with_ctrl_c
from grader.exit_status import ExitStatus
from grader.reports.choices import DEFAULT, Format, Hidden

if TYPE_CHECKING:
    from grader.config.course import Course
    from grader.errors import UsageError
    from grader.gradebook import Asked, Gradebook, Score
    from grader.model import Suite
    from grader.pipeline import Plan
    from grader.reports.regrade_effect import Effect
    from grader.scoring.regrading import Regraded


@click.command(
    epilog="Exit codes: 0 all graded, 2 usage, 3 something ungraded or not regraded, "
    "4 nothing to grade, 130 interrupted."
)
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("-a", "--assignment", "assignments", multiple=True, shell_complete=assignment_names,
              help="Regrade this one only. Repeatable.  [default: all that changed]")  # fmt: skip
@course_option
@click.option("--output", default="reports", show_default=True,
              type=click.Path(path_type=Path, file_okay=False),
              help="The output folder of `grader check`.")  # fmt: skip
@click.option("--apply", "apply_", is_flag=True, help="Write the new scores without asking.")
@click.option(
    "--only-gains",
    is_flag=True,
    help="Nobody loses: of two scores of a submission the better one counts, and says why.",
)
@click.option("--because", default="", metavar="REASON", help="Why; it stands in the log.")
@click.option(
    "--leave-missing",
    is_flag=True,
    help="Go on although submissions are not found; their scores stand.",
)
@jobs_option
@click.option(
    "--device", callback=lambda ctx, param, value: value and checked_device(ctx, param, value),
    help="Where checks run.  [default: as before]",
)  # fmt: skip
@click.option(
    "--seed",
    type=click.IntRange(-(2**63), 2**63 - 1),
    help="Decides all random inputs.  [default: as before]",
)
@click.option("--roster", type=click.Path(path_type=Path, dir_okay=False),
              help="A CSV of everyone in the course.  [default: as before]")  # fmt: skip
@click.option("--submitted-at", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="A CSV that says who handed in when.  [default: as before]")  # fmt: skip
@click.option("--extensions", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="A CSV that says who has longer.  [default: as before]")  # fmt: skip
@click.option("--show-hidden", type=click.Choice(list(Hidden)),
              help="How much feedback tells of hidden checks.  [default: as before]")  # fmt: skip
@click.option("--sandbox", type=click.Choice(["on", "off"]), default="on", show_default=True,
              help="off: trust the submissions. Recorded in every report.")  # fmt: skip
@json_option("what changes")
def regrade(
    paths: tuple[Path, ...],
    assignments: tuple[str, ...],
    course_path: Path | None,
    output: Path,
    apply_: bool,
    only_gains: bool,
    because: str,
    leave_missing: bool,
    jobs: int | None,
    device: str | None,
    seed: int | None,
    roster: Path | None,
    submitted_at: Path | None,
    extensions: Path | None,
    show_hidden: str | None,
    sandbox: str,
    as_json: bool,
) -> None:
    r"""Grade again after a suite was repaired, and see who gains and loses first.

    Says what changed in the suites since the gradebook in the output folder was made, grades the
    submissions that this concerns with the same seed, and shows whose score changes and why. Then
    it asks; where nobody can answer, nothing is written without --apply. Results are kept, so that
    the second time takes no time.

    The former gradebook stays in the folder, for `grader diff`, and the regrading is noted in the
    new one. PATH is where the submissions are, if not where they were. Random inputs depend on the
    files of the suite, too: who was right by luck can be wrong now, which the list tells.

    \b
    Examples:
      grader regrade
      grader regrade --output reports/week1 --only-gains --because "the tolerance was too small"
      grader regrade --apply
      grader diff reports/gradebook-before-2026-03-27T10.15.00Z.json reports
    """
    from grader.pipeline import check as run
    from grader.pipeline import score_rules
    from grader.reports.regrade_effect import effect_of, print_effect
    from grader.reports.terminal import Progress, print_remarks
    from grader.scoring.regrading import regrade as put_in
    from grader.scoring.rules import remark
    from grader.store.output import OutputFolder
    from grader.store.results import Results
    from grader.store.standing import would_grade_with

    course = load_course(course_path, (*paths, *_graded_paths(output)))
    stop_as_with_ctrl_c()
    with OutputFolder(output, course.report_mode) as folder:
        before = _standing(folder, course)
        now = would_grade_with(course, [one.id for one in before.assignments])
        names = _chosen(before, course, now, assignments, folder)
        if not names:
            _nothing(before, as_json)
        asked = _same_again(
            before, output, paths=tuple(map(absolute, paths)), seed=seed, show_hidden=show_hidden,
            roster=absolute(roster), submitted_at=absolute(submitted_at),
            extensions=absolute(extensions),
        )  # fmt: skip
        options = grading_options(
            course, asked, output, assignments=names, device=device or before.run.device,
            jobs=jobs, sandbox=sandbox == "on", regrades=before.regrades,
        )  # fmt: skip
        before = remark(before, course, score_rules(course, options))
        results = Results(folder, sandbox=options.sandbox, mode=course.report_mode)
        review = _Review(before, names, now, leave_missing=leave_missing, quiet=as_json)
        with Progress(quiet=as_json) as progress:
            new = run(list(map(Path, asked.paths)), course, options, progress, results, review)
        if not new.complete:
            click.echo("nothing is written; the same command goes on from here", err=True)
            sys.exit(ExitStatus.INTERRUPTED)
        note = _Note(because.strip(), only_gains=only_gains)
        found = put_in(
            before, with_record(new, asked, before.regrades), course, graded_with=now,
            adjustments=options.adjustments, only_gains=note.reason,
        )  # fmt: skip
        effect = effect_of(before, found, names)
        if not as_json:
            print_effect(effect)
        print_remarks([*([] if before.run.asked else [EARLIER]), *results.remarks()])
        if apply_ or (not as_json and _agreed()):
            effect = note.write(folder, found, effect, course.report_mode)
        elif not as_json:
            click.echo("nothing is written: `--apply` writes", err=True)
    if as_json:
        echo_json(effect)
    sys.exit(ExitStatus.UNGRADED if found.left else status_of(new))


EARLIER = (
    "this gradebook is of an earlier version and doesn't say how it was asked for: graded as "
    "`grader check` does without --seed, --roster, --timeout and the like; name what was otherwise"
)


def _graded_paths(output: Path) -> tuple[Path, ...]:
    """Where the submissions of a gradebook were; makes sure that there is one, and makes nothing.

    Raises:
        UsageError: there is none, or it can't be read.
    """
    from grader.cli.options import load_gradebook
    from grader.errors import UsageError
    from grader.store.output import GRADEBOOK

    if not (output / GRADEBOOK).is_file():
        raise UsageError(
            "there is no gradebook here that could be regraded",
            where=str(output),
            hint="name the output folder of `grader check` with `--output`",
        )
    asked = load_gradebook(output / GRADEBOOK).run.asked
    return tuple(map(Path, asked.paths)) if asked else ()


def _standing(folder: Path, course: Course) -> Gradebook:
    from grader.store.standing import read_standing

    before = read_standing(folder, course)
    assert before is not None  # `_graded_paths` has looked
    return before


def _chosen(
    before: Gradebook,
    course: Course,
    now: Mapping[str, str],
    asked: tuple[str, ...],
    folder: Path,
) -> tuple[str, ...]:
    """The assignments that are regraded: those that are asked for, or all that have changed.

    Raises:
        ConfigError: the course has no such assignment. UsageError: it has no scores.
    """
    from grader.cli.options import known_name
    from grader.scoring.regrading import concerned

    have = [one.id for one in before.assignments]
    names = [course.assignment(name).id for name in asked]
    for name in names:
        known_name(name, set(have), "assignment with scores", folder)
    changed = concerned(before, now)
    return tuple(name for name in have if name in changed and (not names or name in names))


def _nothing(before: Gradebook, as_json: bool) -> NoReturn:
    from grader.reports.regrade_effect import Effect

    since = before.run.started_at
    if as_json:
        echo_json(Effect(since=since))
    else:
        click.echo(f"nothing to regrade: no suite has changed since the gradebook of {since}")
    sys.exit(ExitStatus.OK)


def _same_again(before: Gradebook, output: Path, **told: object) -> Asked:
    """What the gradebook was asked for, but for what is told now.

    Raises:
        UsageError: nobody knows where the submissions are.
    """
    import msgspec

    from grader.errors import UsageError
    from grader.gradebook import Asked

    recorded = before.run.asked or Asked(
        formats=tuple(one.value for one in DEFAULT), show_hidden=Hidden.TITLES.value
    )
    new = {name: value for name, value in told.items() if value not in (None, "", ())}
    asked = msgspec.structs.replace(recorded, **new)
    there = tuple(path for path in asked.paths if "paths" in new or Path(path).exists())
    if not there:
        said = ", ".join(asked.paths)
        raise UsageError(
            f"the submissions are not where they were ({said}) any more"
            if said
            else "this gradebook doesn't say where its submissions are",
            where=str(output),
            hint="name their folder or archive: grader regrade PATH",
        )
    return msgspec.structs.replace(asked, paths=there)


class _Review:
    """Looks at what will be graded: says what has changed, and stops where submissions are gone."""

    def __init__(
        self,
        before: Gradebook,
        names: tuple[str, ...],
        now: Mapping[str, str],
        *,
        leave_missing: bool,
        quiet: bool,
    ) -> None:
        self._before = before
        self._names = names
        self._now = now
        self._leave_missing = leave_missing
        self._quiet = quiet

    def __call__(self, plan: Plan, suites: Mapping[str, Suite]) -> None:
        """Print it.

        Raises:
            UsageError: submissions of the gradebook are not there.
        """
        from grader.reports.regrade_effect import print_plan
        from grader.reports.suite_changes import suite_changes
        from grader.scoring.points import assignment_report
        from grader.scoring.regrading import to_regrade

        asked = to_regrade(self._before, self._names)
        reports = {name: assignment_report(suites[name]) for name in self._names}
        if not self._quiet:
            old = {one.id: one for one in self._before.assignments}
            run = self._before.run
            changed = suite_changes(old, reports, run.graded_with, self._now)
            print_plan(changed, asked, reports, run)
        found = {(job.submission.student, job.submission.assignment) for job in plan.jobs}
        gone = [one for one in asked if (one.student, one.assignment) not in found]
        if gone and (len(gone) == len(asked) or not self._leave_missing):
            raise _gone(gone, len(asked))


def _gone(gone: Sequence[Score], of: int) -> UsageError:
    from grader.errors import UsageError
    from grader.text import one_line

    who = [f"{one.student} {one.assignment} ({one.file})" for one in gone[:GONE_SHOWN]]
    more = f" and {len(gone) - GONE_SHOWN} more" if len(gone) > GONE_SHOWN else ""
    hint = "name the folder where they are: grader regrade PATH"
    if len(gone) < of:
        hint += "; or let their scores stand, with --leave-missing"
    return UsageError(
        f"{len(gone)} of {of} submissions of the gradebook can't be found, or used, here any more",
        where=one_line(", ".join(who) + more),
        hint=hint,
    )


GONE_SHOWN = 5


def _agreed() -> bool:
    """Ask, where somebody can answer."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    return click.confirm("Write these scores?", err=True)


class _Note:
    """A regrading as it is noted in the gradebook."""

    def __init__(self, because: str, *, only_gains: bool) -> None:
        from datetime import UTC, datetime

        self._because = because
        self._only_gains = only_gains
        self._at = datetime.now(UTC)

    @property
    def reason(self) -> str:
        """Why the better of two scores counts; empty if the new one does."""
        if not self._only_gains:
            return ""
        why = f" ({self._because})" if self._because else ""
        return f"regraded on {self._at:%Y-%m-%d}{why}: the better score of before counts"

    def write(self, folder: Path, found: Regraded, effect: Effect, mode: int) -> Effect:
        """Keep the former gradebook, then write the new one with its reports.

        Raises:
            GraderError: it can't be written; the former gradebook is still there.
        """
        import msgspec

        from grader.gradebook import Regrade
        from grader.reports.suite_changes import words
        from grader.reports.writing import write_reports
        from grader.store import printed
        from grader.store.standing import keep_former

        former = keep_former(folder, self._at, mode)
        line = Regrade(
            at=self._at.isoformat(timespec="seconds"),
            by=user(),
            because=self._because,
            assignments=effect.assignments,
            changes={one.assignment: words(one) for one in effect.suites},
            former=former.name,
            gained=effect.gained,
            lost=effect.lost,
            same=effect.same,
            only_gains=self._only_gains,
            kept=found.kept,
        )
        book = found.merged.gradebook
        book = msgspec.structs.replace(book, regrades=(*book.regrades, line))
        asked = book.run.asked
        assert asked is not None  # it was put there
        printed.keep(book, folder, mode)
        formats = tuple(map(Format, asked.formats))
        write_reports(
            book, folder, formats, Hidden(asked.show_hidden), mode, found.merged.unchanged
        )
        click.echo(f"Written; the former gradebook: {former}", err=True)
        return msgspec.structs.replace(effect, former=str(former))
