"""The command line: parse, call the pipeline, choose the exit code. Nothing is imported early.

Exit codes: 0 all graded · 1 something below `--fail-under`, or a gate or the wall failed ·
2 usage · 3 something ungraded · 4 nothing to grade · 130 interrupted.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from grader import __version__

if TYPE_CHECKING:
    from grader.config import Course
    from grader.errors import GraderError
    from grader.model import Suite

INTERRUPTED = 130
GATE_FAILED = 1
WALL_INCOMPLETE = 1
DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")

F = TypeVar("F", bound=Callable[..., Any])


def checked_device(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """Accept `auto`, `cpu`, `cuda` and `cuda:N`."""
    if not DEVICE.fullmatch(value):
        raise click.BadParameter(f"{value!r} is not a device: use auto, cpu, cuda or cuda:N")
    return value


def course_option(command: F) -> F:
    """Add `--course` to a command."""
    return click.option(
        "--course",
        "course_path",
        type=click.Path(path_type=Path),
        help="The course's folder; found upward from here if not given.",
    )(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="grader")
def grader() -> None:
    """Grade notebook assignments: fairly, safely, fast."""


@grader.command(
    epilog="Exit codes: 0 all graded, 1 below --fail-under, 2 usage, 3 something ungraded, "
    "4 nothing to grade, 130 interrupted."
)
@click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "-a", "--assignment", "assignments", multiple=True, help="Grade this one only. Repeatable."
)
@course_option
@click.option(
    "--output",
    default="reports",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where reports go.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the gradebook as JSON on stdout.")
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Submissions graded at once.  [default: cores]"
)
@click.option(
    "--device", callback=checked_device, default="auto", show_default=True, help="Where checks run."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Decides all random inputs.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    help="Seconds for one check, and for one cell.  [default: the course's]",
)
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="PCT",
    help="Exit with 1 if a score is below this percentage.",
)
@click.option(
    "--only", multiple=True, metavar="STUDENT", help="Grade this student only. Repeatable."
)
@click.option(
    "--sandbox",
    type=click.Choice(["on", "off"]),
    default="on",
    show_default=True,
    help="off: trust the submissions. Recorded in every report.",
)
@click.option("--force", is_flag=True, help="Grade also what has not changed since the last run.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, no table.")
@click.option("-v", "--verbose", is_flag=True, help="A line for each submission.")
def check(
    paths: tuple[Path, ...],
    assignments: tuple[str, ...],
    course_path: Path | None,
    output: Path,
    as_json: bool,
    jobs: int | None,
    device: str,
    seed: int,
    timeout: float | None,
    fail_under: float | None,
    only: tuple[str, ...],
    sandbox: str,
    force: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    r"""Grade notebooks and scripts.

    PATH is a folder of submissions (STUDENT/FILE, STUDENT/ASSIGNMENT/FILE or STUDENT.ipynb), one
    file, or a zip of any of these. Results are kept in the output folder: only what has changed
    since the last run is graded again.

    \b
    Examples:
      grader check submissions/
      grader check submissions/ -a embeddings --output reports/week1
      grader check alice.ipynb --json | python -m json.tool
    """
    from grader.pipeline import Options, resolve_device
    from grader.pipeline import check as run
    from grader.reports import gradebook_json, write_reports
    from grader.reports.terminal import Progress, print_scores
    from grader.results import Results
    from grader.scoring import exit_code
    from grader.store import OutputFolder

    course = _course(course_path)
    options = Options(
        assignments=tuple(course.assignment(name).id for name in assignments),
        only=only,
        device=resolve_device(device),
        seed=seed,
        timeout_s=timeout,
        jobs=jobs,
        sandbox=sandbox == "on",
    )
    _stop_as_with_ctrl_c()
    with OutputFolder(output) as folder:
        results = Results(folder, sandbox=options.sandbox, force=force)
        with Progress(quiet=quiet or as_json, verbose=verbose) as progress:
            gradebook = run(paths, course, options, progress, results)
        reports = write_reports(gradebook, folder)
    if as_json:
        sys.stdout.buffer.write(gradebook_json.encode(gradebook))
    elif not quiet:
        print_scores(gradebook, reports)
    if not gradebook.complete:
        sys.exit(INTERRUPTED)
    sys.exit(exit_code(gradebook, fail_under))


@grader.command()
@click.argument("assignment", required=False)
@course_option
@click.option("--json", "as_json", is_flag=True, help="Print the suites as JSON.")
def checks(assignment: str | None, course_path: Path | None, as_json: bool) -> None:
    r"""List questions, checks and points.

    \b
    Examples:
      grader checks
      grader checks embeddings
    """
    from grader.reports.terminal import print_checks
    from grader.scheduler import load_suites

    course = _course(course_path)
    suites = load_suites(course, _assignments(course, assignment))
    if as_json:
        import msgspec

        assignments = [{"assignment": s.assignment, "checks": s.checks} for s in suites.values()]
        click.echo(msgspec.json.format(msgspec.json.encode(assignments), indent=2))
    else:
        print_checks(list(suites.values()))


@grader.command()
@click.argument("assignment", required=False)
@course_option
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Submissions graded at once.  [default: cores]"
)
@click.option("--seed", type=int, default=0, show_default=True, help="Decides all random inputs.")
@click.option(
    "--repeat", type=click.IntRange(min=1), default=1, show_default=True,
    help="Grade the reference this often, each time from another seed.",
)  # fmt: skip
@click.option(
    "--thorough",
    is_flag=True,
    help="Plug every mutant into every assignment, even where nothing mentions its names.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Print failures only.")
def verify(
    assignment: str | None,
    course_path: Path | None,
    jobs: int | None,
    seed: int,
    repeat: int,
    thorough: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    r"""Gate the suites: reference 100 %, template 0 %, every mutant caught.

    \b
    Examples:
      grader verify
      grader verify embeddings --repeat 100
    """
    from grader.reports.terminal import Progress
    from grader.reports.verification import print_verification
    from grader.verify import verify as run

    course = _course(course_path)
    with Progress(quiet=quiet or as_json) as progress:
        result = run(
            course,
            assignments=_assignments(course, assignment),
            jobs=jobs,
            seed=seed,
            repeat=repeat,
            thorough=thorough,
            watcher=progress,
        )
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(result), indent=2))
    else:
        print_verification(result, quiet=quiet)
    sys.exit(0 if result.passed else GATE_FAILED)


@grader.command()
@course_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write student.zip and an nbgrader source tree there instead.",
)
@click.option(
    "--check", "check_only", is_flag=True, help="Write nothing; fail if a notebook is stale."
)
def release(course_path: Path | None, output: Path | None, check_only: bool) -> None:
    r"""Turn lessons into the notebooks that students get.

    With --output, write what leaves the house: student.zip for students, and for instructors an
    nbgrader source tree, which holds the solutions.

    \b
    Examples:
      grader release
      grader release --check
      grader release --output out
    """
    from grader.release import release as run
    from grader.scheduler import load_suites

    if output is not None and check_only:
        raise click.UsageError("--check compares the course's own notebooks: leave out --output")
    course = _course(course_path)
    suites = tuple(load_suites(course).values())
    if output is not None:
        _release_to(output, course, suites)
        return
    for path in run(course, suites, check=check_only):
        click.echo(path)


def _release_to(output: Path, course: Course, suites: tuple[Suite, ...]) -> None:
    from grader.nbgrader_tree import WARNING, write_tree
    from grader.store import write_atomically
    from grader.student_release import student_zip

    content = student_zip(course, suites)
    notebooks = write_tree(course, suites, output / "nbgrader")
    write_atomically(output / "student.zip", content)
    for path in (output / "student.zip", *notebooks):
        click.echo(path)
    click.echo(f"warning: {WARNING.format(folder=output / 'nbgrader')}", err=True)


@grader.command()
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def doctor(as_json: bool) -> None:
    r"""Try the wall around submissions on this machine.

    Workers try to read, write, connect, signal, fork and take more than they may; what they hit is
    looked at from outside. Needs no course. Exits with 1 when anything comes through or is missing.

    \b
    Examples:
      grader doctor
      grader doctor --json
    """
    from grader.doctor import examine
    from grader.reports.examination import print_examination

    found = examine()
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
    else:
        print_examination(found)
    sys.exit(0 if found.complete else WALL_INCOMPLETE)


@grader.command("new-course")
@click.argument("folder", type=click.Path(path_type=Path))
def new_course(folder: Path) -> None:
    r"""Write a small, working course to start from.

    FOLDER must be new or empty. docs/write-a-course.md walks through what is in it.

    \b
    Examples:
      grader new-course my-course
    """
    from grader.new_course import new_course as run

    for path in run(folder):
        click.echo(path)


def _course(path: Path | None) -> Course:
    from grader.config import load_course

    return load_course(path)


def _assignments(course: Course, name: str | None) -> tuple[str, ...]:
    return () if name is None else (course.assignment(name).id,)


def _stop_as_with_ctrl_c() -> None:
    """Let a request to end, or a terminal that is closed, stop the grader as Ctrl-C does."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, signal.default_int_handler)


def main() -> NoReturn:
    """Run a command; turn errors into a sentence and an exit code."""
    from grader.errors import GraderError

    try:
        grader.main(standalone_mode=False)
        code = 0
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        code = INTERRUPTED
    except BrokenPipeError:
        # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except GraderError as error:
        code = _report(error)
    except Exception as error:
        code = _report_bug(error)
    sys.exit(code)


def _report(error: GraderError) -> int:
    from grader.reports.terminal import print_error

    print_error(error)
    return error.exit_code


def _report_bug(error: Exception) -> int:
    from grader.errors import GraderFault

    if os.environ.get("GRADER_DEBUG"):
        raise error
    return _report(
        GraderFault(
            f"the grader itself failed ({type(error).__name__}: {error})",
            hint="no report is damaged; GRADER_DEBUG=1 shows where: please report it",
        )
    )


if __name__ == "__main__":
    main()
