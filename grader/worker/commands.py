"""Magics and commands as a grading runs them: IPython's own, but nothing that starts a program.

What is left out says so, and the rest of its cell runs.
"""

from __future__ import annotations

import re
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.text import LSString, SList

STARTS_PROGRAMS = frozenset(
    {
        *("pip", "conda", "mamba", "micromamba", "uv", "bash", "sh", "script", "ruby", "perl"),
        *("pypy", "python", "python2", "python3", "cmd", "powershell", "killbgscripts", "bg"),
        *("edit", "ed", "pastebin", "recall", "rerun", "debug", "pdb"),
    }
)
"""Magics that start another program, or wait for a person."""

NEEDS_MORE = frozenset({"load_ext", "reload_ext", "matplotlib", "pylab", "gui"})
"""Magics that import what may not be installed here."""

MEASURES = {"memit": "rti", "mprun": "fTr", "lprun": "fmTDu"}
"""Magics of profilers, which run a statement: the letters of their options that take a value."""

OUTPUT_NAMES = re.compile(r"--(?:out|err)[= ]\s*([^\W\d]\w*)")
"""Where a script's cell asks for its output."""


class Commands(InteractiveShell):
    """The part of the shell that runs magics and commands."""

    def run_line_magic(self, magic_name: str, line: str, _stack_depth: int = 1) -> Any:
        """Run a line magic; one that there is not, or that starts a program, is left out."""
        if magic_name in STARTS_PROGRAMS:
            return leave_out(f"%{magic_name}")
        if magic_name in MEASURES:
            self.ex(without_options(MEASURES[magic_name], line))
            return None
        if magic_name == "timeit":
            line = once(line)
        try:
            return super().run_line_magic(magic_name, line, _stack_depth + 1)
        except UsageError as error:
            return leave_out(f"%{magic_name}", error)
        except ImportError as error:
            if magic_name in NEEDS_MORE:
                return leave_out(f"%{magic_name}", error)
            raise

    def run_cell_magic(self, magic_name: str, line: str, cell: str) -> Any:
        """Run a cell magic; one that there is not, or that starts a program, is left out."""
        if magic_name in STARTS_PROGRAMS:
            self.user_ns.update(dict.fromkeys(OUTPUT_NAMES.findall(line), ""))
            return leave_out(f"%%{magic_name}")
        if magic_name == "timeit":
            line = once(line)
        try:
            return super().run_cell_magic(magic_name, line, cell)
        except UsageError as error:
            return leave_out(f"%%{magic_name}", error)

    def system(self, cmd: str) -> None:
        """`!command` runs nothing: a grading starts no other program."""
        leave_out(f"!{cmd[:200]}")
        self.user_ns["_exit_code"] = 0

    system_piped = system_raw = system

    def getoutput(self, cmd: str, split: bool = True, **_: Any) -> Any:
        """`lines = !command` gives no lines."""
        self.system(cmd)
        return SList([]) if split else LSString("")


def leave_out(what: str, why: object = "") -> None:
    """Say that something is not run."""
    print(f"{what} is not run in a grading" + (f": {why}" if why else ""))


def once(line: str) -> str:
    """Let `%timeit` run its statement once, whatever its options say."""
    options = re.match(r"(\s*-[a-zA-Z](\s*\d+)?(?=\s|$))*", line)
    own = options[0] if options else ""
    kept = re.sub(r"-[nr]\s*\d+", "", own)
    return f"-n 1 -r 1 {kept} {line[len(own) :]}"


def without_options(valued: str, line: str) -> str:
    """Drop `-r 1 -f name` before the statement of a profiler's magic.

    Args:
        valued: the letters of options that take a value.
        line: what follows the magic's name.
    """
    rest = line.lstrip()
    while rest.startswith("-"):
        option, _, rest = rest.partition(" ")
        rest = rest.lstrip()
        if len(option) == 2 and option[1] in valued:
            _, _, rest = rest.partition(" ")
            rest = rest.lstrip()
    return rest
