"""`grader report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import load_gradebook
from grader.reports.choices import DEFAULT, Format, Hidden

if TYPE_CHECKING:
    from grader.errors import UsageError
    from grader.gradebook import Gradebook


@click.command()
@click.argument(
    "results",
    metavar="[RESULTS]",
    default="reports",
    type=click.Path(path_type=Path, file_okay=False),
)
@click.option("--output", type=click.Path(path_type=Path, file_okay=False),
              help="Where reports go.  [default: RESULTS]")  # fmt: skip
@click.option(
    "--format",
    "formats",
    type=click.Choice([one.value for one in Format]),
    multiple=True,
    help="Write this report. Repeatable.  [default: as before]",
)
@click.option("--show-hidden", type=click.Choice(list(Hidden)),
              help="How much feedback tells of hidden checks.  [default: as before]")  # fmt: skip
@click.option(
    "--anonymous",
    is_flag=True,
    help="Pseudonyms instead of names; no files, no code. Needs --output.",
)
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Who has which pseudonym; made where it is missing.  [default: RESULTS/pseudonyms.csv]",
)
def report(
    results: Path,
    output: Path | None,
    formats: tuple[str, ...],
    show_hidden: str | None,
    anonymous: bool,
    key: Path | None,
) -> None:
    r"""Write the reports of a gradebook anew, without grading.

    RESULTS is the output folder of `grader check` (reports, if not given).

    With --anonymous, they go into a folder of their own, for somebody who is not to know whose work
    it is. Students keep their pseudonyms as long as the key is kept; one key can serve all folders
    of a class. It is readable by its owner alone.

    \b
    Examples:
      grader report week1 --format csv --format html
      grader report week1 --anonymous --output week1-anonymous
      grader report week2 --anonymous --output week2-anonymous --key week1/pseudonyms.csv
    """
    from grader.reports.writing import write_reports
    from grader.store import printed, pseudonyms
    from grader.store.output import INDEX, OutputFolder

    if anonymous and output is None:
        raise click.UsageError("--anonymous needs --output: a folder without names")
    if key is not None and not anonymous:
        raise click.UsageError("--key is for --anonymous")
    with OutputFolder(results) as folder:
        gradebook = load_gradebook(folder)
        asked = gradebook.run.asked
        wanted = tuple(map(Format, formats or (asked and asked.formats) or DEFAULT))
        hidden = Hidden(show_hidden or (asked and asked.show_hidden) or Hidden.TITLES)
        mode = _mode(folder)
        if output is None or output.resolve() == folder.resolve():
            if anonymous:
                raise _in_place(folder)
            write_reports(printed.restore(gradebook, folder), folder, wanted, hidden, mode)
            output = folder
        else:
            with OutputFolder(output, mode):
                _require_place(output, anonymous=anonymous)
                if anonymous:
                    place = key or folder / pseudonyms.NAME
                    gradebook = _without_names(gradebook, place, output)
                    click.echo(f"Who is who: {place}", err=True)
                else:
                    gradebook = printed.restore(gradebook, folder)
                write_reports(gradebook, output, wanted, hidden, mode)
    click.echo(output / INDEX if Format.HTML in wanted else output)


def _without_names(gradebook: Gradebook, key: Path, output: Path) -> Gradebook:
    """Return the gradebook of pseudonyms.

    Raises:
        GraderError: the key can't be used. UsageError: it lies among the pages.
    """
    from grader.reports.anonymous import anonymous
    from grader.store.pseudonyms import pseudonyms

    _require_apart(key, output)
    students = [score.student for score in gradebook.scores]
    students += [total.student for total in gradebook.totals]
    return anonymous(gradebook, pseudonyms(key, students, gradebook.names))


def _mode(folder: Path) -> int:
    """That of the gradebook that is read."""
    import stat

    from grader.store.output import GRADEBOOK

    return stat.S_IMODE((folder / GRADEBOOK).stat().st_mode)


def _in_place(folder: Path) -> UsageError:
    from grader.errors import UsageError

    return UsageError(
        "the reports there have names, and whoever grades needs them",
        where=str(folder),
        hint="name another folder with --output",
    )


def _require_apart(key: Path, output: Path) -> None:
    """Make sure that the key is not handed on with the pages.

    Raises:
        UsageError: it lies among them.
    """
    from grader.errors import UsageError

    if key.resolve().is_relative_to(output.resolve()):
        raise UsageError(
            "the key would lie among the anonymous pages",
            where=str(key),
            hint="name a file outside of that folder with --key",
        )


def _require_place(output: Path, *, anonymous: bool) -> None:
    """Make sure that pages with names and pages without never lie in one folder.

    Raises:
        UsageError: the folder holds something else.
    """
    from grader.errors import UsageError
    from grader.store.output import GRADEBOOK, LOCK_NAME

    others = [one for one in output.iterdir() if one.name != LOCK_NAME]
    if not others:
        return
    there = (output / GRADEBOOK).is_file() and load_gradebook(output).anonymous
    if there != anonymous:
        raise UsageError(
            "this folder holds something else, perhaps names"
            if anonymous
            else "this folder holds something else",
            where=str(output),
            hint="choose an empty folder with --output",
        )
