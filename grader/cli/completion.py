"""`grader completion`: TAB in a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    pass


SHELLS = ("bash", "zsh", "fish")


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
