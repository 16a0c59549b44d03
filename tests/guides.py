"""Guides as programs: the commands of a Markdown page, run from top to bottom in one shell.

A fenced block of `sh` is run and must end with status 0. In one of `console` every line after `$ ` is
run, and what it prints is compared with what stands below it, where `...` is anything; a command may
fail if the next one is `echo $?`. Comments say what else is true of the block that follows them:

    <!-- not run: REASON -->    nobody runs it here
    <!-- status: 3 -->          what it ends with
    <!-- file: NAME -->         it is no command but a file, written to the folder at hand; /home/you is home
    <!-- output -->             what the commands before have printed
    <!-- shows: FILE -->        some lines of a file that they have written
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from doctest import ELLIPSIS, OutputChecker
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
SHELLS = frozenset({"sh", "console", "powershell"})
DIRECTIVE = re.compile(r"<!-- (not run|status|file|output|shows):? ?(.*?) -->")
END = "---- status "


class Block(NamedTuple):
    """A fenced block of a page, with what the comments before it say."""

    page: str
    line: int
    language: str
    text: str
    said: dict[str, str]

    @property
    def is_commands(self) -> bool:
        return self.language in SHELLS and not {"output", "file", "shows"} & self.said.keys()

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"

    def steps(self) -> list[tuple[str, str | None]]:
        """Each command, with the output that stands below it: None where nothing is promised."""
        if self.language != "console":
            return [(f"set -e\n{self.text}", None)]
        steps: list[tuple[str, str | None]] = []
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            command = re.match(r"(.*\\\n)*.*\n?", part)
            assert command is not None
            steps.append((command.group(), part[command.end() :]))
        return steps


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page of the repository, in their order."""
    found = []
    said: dict[str, str] = {}
    for token in MarkdownIt().parse((ROOT / page).read_text(encoding="utf-8")):
        if token.type == "html_block":
            said |= dict(DIRECTIVE.findall(token.content))
        elif token.type == "fence" and token.map is not None:
            language = token.info.split()[0] if token.info else ""
            found.append(Block(page, token.map[0] + 1, language, token.content, said))
            said = {}
        elif token.level == 0:
            said = {}
    return found


class Shell:
    """A shell that keeps its folder and its exported variables from one block to the next."""

    def __init__(self, home: Path, folder: Path, state: Path) -> None:
        state.mkdir()
        self.state = state
        self.printed = ""
        (state / "folder").write_text(f"{folder}\n", encoding="utf-8")
        (state / "exports").write_text("", encoding="utf-8")
        self.environment = {
            "HOME": str(home),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def run(self, block: Block) -> None:
        """Do what a block is for, and fail where it is not as the page says."""
        if "file" in block.said:
            path = self._folder() / block.said["file"]
            path.parent.mkdir(exist_ok=True)
            text = block.text.replace("/home/you", self.environment["HOME"])
            path.write_text(text, encoding="utf-8")
        elif "output" in block.said:
            assert_in(self.printed, block)
        elif "shows" in block.said:
            assert_in((self._folder() / block.said["shows"]).read_text(encoding="utf-8"), block)
        elif block.is_commands and "not run" not in block.said:
            self._run(block)

    def _folder(self) -> Path:
        return Path((self.state / "folder").read_text(encoding="utf-8").strip())

    def _run(self, block: Block) -> None:
        steps = block.steps()
        marked = (
            f'{{ {command}\n}}\ns=$?; echo; echo "{END}$s"; (exit $s)' for command, _ in steps
        )
        script = (
            '. "$STATE/exports"; cd "$(cat "$STATE/folder")"\n'
            """trap 's=$?; pwd >"$STATE/folder"; export -p >"$STATE/exports"; """
            f"""echo; echo "{END}$s"; exit $s' EXIT\n""" + "\n".join(marked)
        )
        done = subprocess.run(
            ["bash", "-c", script],
            env={**self.environment, "STATE": str(self.state)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        parts = re.split(rf"\n{END}(\d+)\n", done.stdout)
        self.printed = "".join(parts[0::2])
        for place, (command, wanted) in enumerate(steps):
            printed, status = parts[2 * place], int(parts[2 * place + 1])
            asked = place + 1 < len(steps) and steps[place + 1][0].strip() == "echo $?"
            expected = status if asked else int(block.said.get("status", 0))
            where = f"{block.name}: {command.strip()}\n{printed}"
            assert status == expected, f"{where}\nended with {status}, not {expected}"
            assert wanted is None or like(tidy(wanted), tidy(printed)), f"{where}\nis not\n{wanted}"


def assert_in(text: str, block: Block) -> None:
    wanted, text = tidy(block.text), tidy(text)
    assert like(f"...{wanted}...", text), f"{block.name}: not in\n{text}"


def tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()) + "\n"


def like(wanted: str, printed: str) -> bool:
    return OutputChecker().check_output(wanted, printed, ELLIPSIS)


def command_lines(page: str) -> list[list[str]]:
    """Every command line of ours that a page shows, in blocks and within sentences, in words."""
    texts = [block.text for block in blocks(page) if block.is_commands]
    for token in MarkdownIt().parse((ROOT / page).read_text(encoding="utf-8")):
        texts += [one.content for one in token.children or () if one.type == "code_inline"]
    lines = (line for text in texts for line in text.replace("\\\n", " ").splitlines())
    found = []
    for line in lines:
        began = re.match(r"(?:\$ )?(?:\S*/)?(grader|make) (.*)", line.strip())
        if began:
            found.append([began.group(1), *shlex.split(began.group(2), comments=True)])
    return found
