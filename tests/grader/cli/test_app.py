"""What every command has in common: help, examples, names that were nearly right, completion."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from grader import __version__
from grader.cli.app import NAMES, grader


@pytest.fixture
def run() -> CliRunner:
    return CliRunner()


def walk(group: click.Group, above: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command with its whole name, those within others too."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{above}{name}", command
        if isinstance(command, click.Group):
            yield from walk(command, f"{name} ")


ALL = dict(walk(grader))
TABLES = ("check", "diff", "doctor", "list", "show", "stats", "verify")
LONG = ("diff", "list", "show", "stats")


@pytest.mark.parametrize("name", ALL)
def test_every_command_has_help_with_an_example_and_documented_options(name: str) -> None:
    command = ALL[name]
    assert command.name == name.split()[-1]
    assert command.help is not None
    assert f"grader {name} " in command.help.partition("Examples:")[2] + " "
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts}"


def options(name: str) -> dict[str, click.Option]:
    found = (one for one in ALL[name].params if isinstance(one, click.Option))
    return {option.opts[-1]: option for option in found}


@pytest.mark.parametrize("name", TABLES)
def test_what_prints_a_table_prints_json_too(name: str) -> None:
    told = options(name)["--json"].help
    assert told is not None
    assert told.startswith("Print ")
    assert "as JSON" in told


@pytest.mark.parametrize("name", LONG)
def test_long_listings_can_be_had_without_a_pager(name: str) -> None:
    assert "--no-pager" in options(name)


OTHERWISE = {("release", "--check")}
"""As formatters have it: write nothing, say whether anything would be. Elsewhere it names a check."""


def test_an_option_means_the_same_everywhere() -> None:
    seen: dict[str, tuple[bool, tuple[str, ...]]] = {}
    for name in ALL:
        for long, option in options(name).items():
            if (name, long) in OTHERWISE:
                continue
            shape = (option.is_flag, tuple(sorted(option.opts)))
            assert seen.setdefault(long, shape) == shape, f"{name} {long}"


@pytest.mark.parametrize(
    "asked", [["help", "checks"], ["help", "list"], ["help", "package", "gradescope"], ["help"]]
)
def test_help_is_also_a_word(asked: list[str], run: CliRunner) -> None:
    assert run.invoke(grader, asked).output == run.invoke(grader, [*asked[1:], "--help"]).output
    assert "Did you mean 'check'" in run.invoke(grader, ["help", "chekc"]).output


@pytest.mark.parametrize("name", NAMES)
def test_the_list_shows_whole_sentences(name: str, run: CliRunner) -> None:
    (line,) = [
        line
        for line in run.invoke(grader, ["--help"], terminal_width=100).output.splitlines()
        if line.startswith(f"  {name} ")
    ]
    assert line.endswith(".")
    assert not line.endswith("...")


@pytest.mark.parametrize("name", NAMES)
def test_every_example_stands_on_a_line_of_its_own(name: str, run: CliRunner) -> None:
    shown = run.invoke(grader, [name, "--help"]).output
    assert "\\b" not in shown
    examples = shown.partition("Examples:")[2].partition("Options:")[0].strip().splitlines()
    assert all(line.strip().startswith("grader ") for line in examples)


def test_a_command_that_is_nearly_right_is_told_the_nearest(run: CliRunner) -> None:
    result = run.invoke(grader, ["chekc", "."])
    assert result.exit_code == 2
    assert "Did you mean 'check'" in result.output


def test_a_command_like_no_other_gets_no_guess(run: CliRunner) -> None:
    result = run.invoke(grader, ["xyzzy"])
    assert "No such command 'xyzzy'." in result.output
    assert "Did you mean" not in result.output


def test_an_option_that_is_nearly_right_is_told_the_nearest(run: CliRunner) -> None:
    assert "--output" in run.invoke(grader, ["check", ".", "--outptu", "x"]).output


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_the_version_is_told(flag: str, run: CliRunner) -> None:
    assert run.invoke(grader, [flag]).output == f"grader, version {__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(shell: str, run: CliRunner) -> None:
    assert f"_GRADER_COMPLETE={shell}_complete" in run.invoke(grader, ["completion", shell]).output


def test_the_shell_completes_assignments_of_the_course_at_hand(toy: object) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "grader.cli"],
        env={
            "_GRADER_COMPLETE": "bash_complete",
            "COMP_WORDS": "grader list a",
            "COMP_CWORD": "2",
        },
        cwd=str(toy),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["plain,adding"]


def test_every_command_loads_click_alone() -> None:
    heavy = "{'torch', 'rich', 'jinja2', 'pytest', 'numpy', 'msgspec', 'IPython', 'nbformat'}"
    code = (
        "import sys\nfrom grader.cli.app import NAMES, grader\n"
        "for name in NAMES: grader.get_command(None, name)\n"
        f"heavy = {heavy} & set(sys.modules)\nassert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("command", "message", "called"),
    [
        ("chekc .", "no such command 'chekc'. Did you mean 'check'", "grader"),
        ("check", "missing argument 'PATH...'", "grader check"),
        ("package gradescop x", "no such command 'gradescop'", "grader package"),
        ("release --check --output x", "--check compares the course's own", "grader release"),
    ],
)
def test_all_errors_say_what_and_what_next(command: str, message: str, called: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "grader.cli", *command.split()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    error, hint = done.stderr.splitlines()
    assert error.startswith(f"error: {message}")
    assert hint == f"hint: `{called} --help` shows how it is called"
