"""Options that several commands share, so that one word means one thing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from grader.config.course import Course
    from grader.gradebook import Gradebook

F = TypeVar("F", bound=Callable[..., Any])

DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")

course_option = click.option(
    "--course",
    "course_path",
    type=click.Path(path_type=Path),
    help="The course's folder; found upward from here if not given.",
)
jobs_option = click.option(
    "--jobs", type=click.IntRange(1, 10_000), help="Submissions graded at once.  [default: cores]"
)


def checked_seed(_ctx: click.Context, _param: click.Parameter, value: int) -> int:
    """Accept what fits into 64 bits, as reports write it."""
    if value.bit_length() > 63:
        raise click.BadParameter(f"{value} is too large: it has more than 63 bits")
    return value


seed_option = click.option(
    "--seed",
    type=click.IntRange(-(2**63), 2**63 - 1),
    metavar="INTEGER",
    default=0,
    show_default=True,
    help="Decides all random inputs.",
)


class Finite(click.FloatRange):
    """A number between bounds; `nan` lies between none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a number."""
        number = super().convert(value, param, ctx)
        if number != number:
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


def json_option(what: str = "the result") -> Callable[[F], F]:
    """Add `--json`: print `what` on stdout, for programs."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print {what} as JSON.")


pager_option = click.option(
    "--no-pager", is_flag=True, help="Print all at once, also where it is longer than the screen."
)


def checked_device(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """Accept `auto`, `cpu`, `cuda` and `cuda:N`."""
    if not DEVICE.fullmatch(value):
        raise click.BadParameter(f"{value!r} is not a device: use auto, cpu, cuda or cuda:N")
    return value


def assignment_names(
    ctx: click.Context, _param: click.Parameter, begun: str
) -> list[CompletionItem]:
    """What the shell offers where an assignment is expected: those of the course at hand."""
    from grader.errors import GraderError

    try:
        course = load_course(ctx.params.get("course_path"))
    except GraderError:
        return []
    return [
        CompletionItem(assignment.id, help=assignment.title)
        for assignment in course.assignments
        if assignment.id.startswith(begun)
    ]


assignments_argument = click.argument(
    "named", metavar="[ASSIGNMENT]...", nargs=-1, shell_complete=assignment_names
)


def assignments_option(what: str) -> Callable[[F], F]:
    """Add `-a`: `what` says what is done with these alone. It can be given more than once."""
    return click.option(
        "-a", "--assignment", "assignments", multiple=True, shell_complete=assignment_names,
        help=f"{what} Repeatable.",
    )  # fmt: skip


results_argument = click.argument(
    "results", metavar="[RESULTS]", default="reports", type=click.Path(path_type=Path)
)


def load_course(path: Path | None, graded: Sequence[Path] = ()) -> Course:
    """Read the course that `--course` names, or the one around this folder.

    `graded` are the paths that strangers may have filled: no course is found in them.
    """
    from grader.config.course import load_course as load

    return load(path, graded)


def chosen(course: Course, names: Iterable[str]) -> tuple[str, ...]:
    """Return the ids that arguments and options ask for, each once: none means all.

    Raises:
        ConfigError: there is none of a name; the hint is the nearest.
    """
    return tuple(dict.fromkeys(course.assignment(name).id for name in names))


def readable_json(value: object) -> str:
    """Return a value as indented JSON in which no text acts on a terminal."""
    import msgspec

    from grader.serialization import to_json
    from grader.text import json_document

    return json_document(msgspec.json.format(to_json(value), indent=2)).decode()


def echo_json(value: object) -> None:
    """Print a value as `readable_json`."""
    click.echo(readable_json(value))


def load_gradebook(
    results: Path, assignments: Sequence[str] = (), *, whole: bool = False
) -> Gradebook:
    """Read what `grader check` wrote: an output folder, or the gradebook itself.

    Args:
        results: where.
        assignments: ids of those that are asked for; all when empty.
        whole: whether it must be about all checks, so that its scores are those of assignments.

    Raises:
        UsageError: there is none, it can't be read, holds no such assignment, or is about some
            checks alone.
    """
    import msgspec

    from grader.errors import UsageError
    from grader.reports.gradebook_json import decode
    from grader.store.output import GRADEBOOK

    path = results / GRADEBOOK if results.is_dir() else results
    try:
        found = decode(path.read_bytes())
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UsageError(
            f"no gradebook can be read here ({reason})",
            where=str(path),
            hint="name the output folder of `grader check`",
        ) from None
    except msgspec.DecodeError as error:
        raise UsageError(f"this is no gradebook ({error})", where=str(path)) from None
    if whole and found.only_checks:
        raise UsageError(
            "these are scores of some checks alone, not of assignments",
            where=str(path),
            hint="name the output folder of a `grader check` without `--check`",
        )
    return narrowed(found, assignments, results)


def narrowed(gradebook: Gradebook, assignments: Sequence[str], results: Path) -> Gradebook:
    """What a gradebook says of some assignments; all of it when none is named.

    Raises:
        UsageError: it holds no such assignment; the hint is the nearest.
    """
    import msgspec

    if not assignments:
        return gradebook
    for name in assignments:
        known_name(name, {one.id for one in gradebook.assignments}, "assignment", results)
    return msgspec.structs.replace(
        gradebook,
        assignments=tuple(one for one in gradebook.assignments if one.id in assignments),
        scores=tuple(one for one in gradebook.scores if one.assignment in assignments),
        totals=(),  # which are of all
    )


def known_name(name: str, names: set[str], what: str, results: Path) -> None:
    """Make sure that results hold a name.

    Raises:
        UsageError: they don't; the hint is the nearest that they hold.
    """
    import difflib

    from grader.errors import UsageError

    if name not in names:
        near = difflib.get_close_matches(name, sorted(names), n=1)
        raise UsageError(
            f"no {what} is called `{name}`",
            where=str(results),
            hint=f"did you mean `{near[0]}`?" if near else "",
        )
