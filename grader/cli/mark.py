"""`grader mark`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.asked import grading_options, user
from grader.cli.options import assignment_names, course_option, load_course, load_gradebook
from grader.cli.status import stop_as_with_ctrl_c

if TYPE_CHECKING:
    from types import ModuleType

    from grader.config.course import Course
    from grader.gradebook import Gradebook
    from grader.marking.desk import Desk
    from grader.scoring.rules import ScoreRules


@click.command(epilog="Exit codes: 0 done, 2 usage: also if nothing is there that a person marks.")
@click.argument("assignment", required=False, shell_complete=assignment_names)
@click.option("--results", default="reports", show_default=True,
              type=click.Path(path_type=Path, file_okay=False),
              help="The output folder of `grader check`.")  # fmt: skip
@course_option
@click.option("--by", default=None, metavar="NAME",
              help="Who marks.  [default: the name of your account]")  # fmt: skip
@click.option("--names", is_flag=True, help="Show who has written an answer.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="[default: a free one]")
@click.option("--merge", "others", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="Add the marks of another marks.jsonl, write the reports, and end. "
              "Repeatable.")  # fmt: skip
def mark(
    assignment: str | None,
    results: Path,
    course_path: Path | None,
    by: str | None,
    names: bool,
    port: int,
    others: tuple[Path, ...],
) -> None:
    r"""Mark written answers, one question at a time, in a browser.

    Prints an address on this machine that only you know. Answers come in an order of chance,
    without names; rubric items are chosen by number keys. What you save is in marks.jsonl in the
    output folder before you see the next answer; there it survives every regrading, and nothing in
    that file is ever changed. Ctrl-C ends it and writes the reports.

    Several people can mark at once, in this folder or in copies of it that are merged later: where
    two don't agree, both marks are shown until somebody decides.

    \b
    Examples:
      grader mark
      grader mark essays --by ina --results reports/week3
      grader mark --merge ~/from-ben/marks.jsonl
    """
    from grader.store import marks
    from grader.store.output import OutputFolder

    gradebook = load_gradebook(results, whole=True)
    asked = gradebook.run.asked
    course = load_course(course_path, tuple(map(Path, asked.paths)) if asked else ())
    session = _Session(results, course, (course.assignment(assignment).id,) if assignment else ())
    if others:
        found = [one for path in others for one in marks.read_file(_there(path))]
        new = marks.merge(results, found)
        click.echo(f"{len(new)} marks added, {len(found) - len(new)} were there", err=True)
        with OutputFolder(results):
            click.echo(session.write(session.desk(gradebook, by or user())), err=True)
        return
    server = _server()
    desk = session.desk(gradebook, user() if by is None else by)
    with server.listen(port) as listening:
        pages = server.Pages(desk, lambda: session.write_if_free(desk), named=names)
        number = listening.getsockname()[1]
        click.echo(f"http://{server.LOOPBACK}:{number}{pages.root}")
        click.echo("Open it in a browser on this machine; Ctrl-C ends.", err=True)
        stop_as_with_ctrl_c()
        with contextlib.suppress(KeyboardInterrupt):
            pages.serve(listening)
    click.echo(session.write_if_free(desk), err=True)


class _Session:
    """What is marked here: a folder's gradebook, by the rules of its course."""

    def __init__(self, folder: Path, course: Course, only: tuple[str, ...]) -> None:
        self._folder, self._course = folder, course
        self._only = only or tuple(one.id for one in course.assignments)
        self._digests: dict[tuple[str, str], str] = {}

    def desk(self, gradebook: Gradebook, marker: str) -> Desk:
        """Put the answers on the desk.

        Raises:
            UsageError: there is nothing that a person marks.
        """
        from grader.errors import UsageError
        from grader.marking.desk import Desk
        from grader.scoring.rules import remark

        rules = self._rules(gradebook)
        manual = {name: rules.manual(name) for name in self._only if rules.manual(name)}
        if not manual:
            raise UsageError(
                "no question is marked by a person",
                where=", ".join(self._only),
                hint="write it into the course: [[tool.grader.assignments.manual]], docs/mark.md",
            )
        self._digests = {(s.student, s.assignment): s.digest for s in gradebook.scores}
        return Desk(self._folder, remark(gradebook, self._course, rules), manual, marker)

    def write_if_free(self, desk: Desk) -> str:
        """Write the reports, unless another run is writing to the folder: then say so."""
        from grader.errors import GraderError
        from grader.store.output import OutputFolder

        try:
            with OutputFolder(self._folder):
                return self.write(desk)
        except GraderError as error:
            return f"All marks are kept, but the reports are not written: {error}. {error.hint}"

    def write(self, desk: Desk) -> str:
        """Write the reports with the marks of now; say what they came to.

        Raises:
            GraderError: a file can't be written.
        """
        from grader.marking.applying import apply_marks

        gradebook = load_gradebook(self._folder, whole=True)
        return apply_marks(
            gradebook,
            self._folder,
            self._course,
            self._rules(gradebook),
            desk.digests(),
            self._digests,
        )

    def _rules(self, gradebook: Gradebook) -> ScoreRules:
        import msgspec

        from grader.gradebook import Asked
        from grader.pipeline import score_rules

        asked = gradebook.run.asked or Asked()
        asked = msgspec.structs.replace(asked, roster="", submitted_at="")  # which are in it
        options = grading_options(
            self._course, asked, self._folder, device="cpu", regrades=gradebook.regrades
        )
        return score_rules(self._course, options)


def _there(path: Path) -> Path:
    """A file of marks, also if its folder is named.

    Raises:
        UsageError: there is none.
    """
    from grader.errors import UsageError
    from grader.store.marks import NAME

    found = path / NAME if path.is_dir() else path
    if not found.is_file():
        raise UsageError("no marks are here", where=str(found))
    return found


def _server() -> ModuleType:
    """What serves the page, which is installed for this alone.

    Raises:
        UsageError: it is not.
    """
    from grader.errors import UsageError

    try:
        from grader.marking import server
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("grader"):
            raise
        raise UsageError(
            f"what serves the page is not installed here ({error.name} is missing)",
            hint="python -m pip install 'walled-grader[mark]'",
        ) from None
    return server
