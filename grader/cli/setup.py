"""What is run once on a machine: `doctor`, `completion`."""

from __future__ import annotations

import sys

import click

from grader.cli.options import echo_json, json_option

WALL_INCOMPLETE = 1

SHELLS = ("bash", "zsh", "fish")


@click.command()
@json_option()
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
        echo_json(found)
    else:
        print_examination(found)
    sys.exit(0 if found.complete else WALL_INCOMPLETE)


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
