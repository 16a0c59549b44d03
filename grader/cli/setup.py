"""What is run once on a machine: `doctor`, `completion`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from grader.cli.options import echo_json, json_option

if TYPE_CHECKING:
    from grader.model import Limits

WALL_INCOMPLETE = 1

SHELLS = ("bash", "zsh", "fish")


@click.command()
@json_option()
def doctor(as_json: bool) -> None:
    r"""Try the wall around submissions on this machine.

    Workers try to read, write, connect, signal, fork and take more than they may; what they hit is
    looked at from outside. Exits with 1 when anything comes through or is missing. Says, too, how
    long answers that never end may keep a grading busy. Needs no course; if there is one here, it
    is about that one's limits.

    \b
    Examples:
      grader doctor
      grader doctor --json
    """
    import msgspec

    from grader.doctor import examine, loops
    from grader.reports.examination import print_examination
    from grader.scheduler import usable_cores

    found = msgspec.structs.replace(examine(), loops=loops(_limits(), usable_cores()))
    if as_json:
        echo_json(found)
    else:
        print_examination(found)
    sys.exit(0 if found.complete else WALL_INCOMPLETE)


def _limits() -> Limits:
    """The limits of the course that this is run in; the usual ones where there is none."""
    from grader.config import load_course
    from grader.errors import ConfigError
    from grader.model import Limits

    try:
        return load_course().limits
    except ConfigError:
        return Limits()


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    r"""Print what teaches a shell to complete commands.

    It completes commands, options, files and the course's assignments.

    \b
    Examples:
      grader completion bash >> ~/.bashrc
      grader completion zsh >> ~/.zshrc
      grader completion fish > ~/.config/fish/completions/grader.fish
    """
    from click.shell_completion import get_completion_class

    from grader.cli.app import grader

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"this version of Click does not know {shell}")
    click.echo(found(grader, {}, "grader", "_GRADER_COMPLETE").source())
