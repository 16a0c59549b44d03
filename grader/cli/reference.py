"""`docs/cli.md`: what every command says about itself, as Markdown."""

from __future__ import annotations

import click

from grader.cli.app import COMMANDS, grader

WIDTH = 88


def reference() -> str:
    """Return the help of every command, in the order of `grader --help`."""
    top = click.Context(
        grader,
        info_name="grader",
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )
    parts = [_block(grader.get_help(top))]
    for heading, names in COMMANDS.items():
        parts.append(f"## {heading}")
        for name in names:
            command = grader.get_command(top, name)
            assert command is not None
            context = click.Context(command, info_name=name, parent=top)
            parts += [f"### grader {name}", _block(command.get_help(context))]
            for below in command.commands.values() if isinstance(command, click.Group) else ():
                inner = click.Context(below, info_name=below.name, parent=context)
                parts += [f"#### grader {name} {below.name}", _block(below.get_help(inner))]
    return "\n\n".join(parts) + "\n"


def _block(text: str) -> str:
    lines = (line.rstrip() for line in text.strip().splitlines())
    return "\n".join(["```text", *lines, "```"])
