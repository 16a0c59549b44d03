"""The group of commands, and what becomes of an error.

A command's module is imported when the command is asked for; all of them import Click alone.
"""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from grader import __version__
from grader.cli.status import end_undisturbed
from grader.exit_status import ExitStatus, status_of_error

if TYPE_CHECKING:
    from grader.errors import GraderError

COMMANDS = {
    "Grade": ("check", "mark", "regrade", "collect", "adjust"),
    "Look": ("show", "try", "stats", "diff", "alike", "report"),
    "Hand on": ("export", "package"),
    "Build a course": (
        "new-course",
        "new-assignment",
        "import",
        "split",
        "list",
        "verify",
        "release",
    ),
    "Set up": ("doctor", "completion"),
}
"""Headings of `grader --help` and their commands; each lives in the module of its name."""
NAMES = tuple(name for names in COMMANDS.values() for name in names)
ALIASES = {"checks": "list"}
"""Other names of commands, which are not shown."""
MODULES = {"list": "checks", "import": "import_notebook", "try": "try_"}
"""Modules of another name than their command's: these are taken by Python itself."""


class Commands(click.Group):
    """Loads a command when it is needed, and names the nearest when there is none."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names in the order in which they are shown."""
        return list(NAMES)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Import and return one command; None if there is none of this name."""
        name = ALIASES.get(name, name)
        if name not in NAMES:
            return None
        module = MODULES.get(name, name.replace("-", "_"))
        command: click.Command = getattr(importlib.import_module(f"grader.cli.{module}"), module)
        # docstrings are raw; Click knows a paragraph that must not be rewrapped by a backspace
        within = command.commands.values() if isinstance(command, click.Group) else ()
        for one in (command, *within):
            one.help = (one.help or "").replace("\\b\n", "\b\n")
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read `help COMMAND` as `COMMAND --help`: people try that first."""
        return super().parse_args(ctx, [*args[1:], "--help"] if args[:1] == ["help"] else args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; what is none ends with the nearest ones."""
        name = args[0]
        if (
            name not in NAMES
            and name not in ALIASES
            and not name.startswith("-")
            and not ctx.resilient_parsing
        ):
            near = [f"'{other}'" for other in difflib.get_close_matches(name, NAMES)]
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            ctx.fail(f"No such command '{name}'.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands under their headings."""
        width = max(map(len, NAMES))
        for heading, names in COMMANDS.items():
            with formatter.section(heading):
                formatter.write_dl(
                    [
                        (name.ljust(width), command.get_short_help_str(80))
                        for name in names
                        if (command := self.get_command(ctx, name)) is not None
                    ]
                )


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`grader COMMAND --help` shows a command's options and examples.",
)
@click.version_option(__version__, "-V", "--version", prog_name="grader")
def grader() -> None:
    """Grade notebook assignments: fairly, safely, fast."""


def main() -> NoReturn:
    """Run a command; turn errors into a sentence and an exit code."""
    from grader.errors import GraderError

    try:
        code = grader.main(prog_name="grader", standalone_mode=False) or 0
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.ClickException as error:
        code = _report_usage(error)
    except (click.Abort, KeyboardInterrupt):
        end_undisturbed()
        click.echo("stopped", err=True)
        code = ExitStatus.INTERRUPTED
    except BrokenPipeError:
        # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except GraderError as error:
        code = _report(error)
    except Exception as error:
        code = _report_bug(error)
    end_undisturbed()
    sys.exit(code)


def _report_usage(error: click.ClickException) -> int:
    """Say what Click found wrong as every other error is said; without a command, show them all."""
    from grader.errors import UsageError

    if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):
        error.show()
        return error.exit_code
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    called = context.command_path if context else "grader"
    hint = f"`{called} --help` shows how it is called"
    if not message[1:2].isupper():  # a word in capitals is an argument's name
        message = message[:1].lower() + message[1:]
    _report(UsageError(message, hint=hint))
    return error.exit_code


def _report(error: GraderError) -> int:
    from grader.reports.terminal import print_error

    print_error(error)
    return status_of_error(error)


def _report_bug(error: Exception) -> int:
    from grader.errors import GraderFault, no_room, told

    if os.environ.get("GRADER_DEBUG"):
        raise error
    full = no_room(error) if isinstance(error, OSError) else None
    return _report(
        full
        or GraderFault(
            f"the grader itself failed ({told(error)})",
            hint="no report is damaged; GRADER_DEBUG=1 shows where: please report it",
        )
    )
