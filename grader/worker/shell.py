"""The notebook's cells, run by IPython's own shell as in Jupyter's kernel.

One shell is made in the zygote; every worker's fork of it is that worker's own. What differs from
the kernel is written down here, and nowhere else:

- no other program is started: `!command`, `%pip`, `%%bash` and their like say so and do nothing
- nobody is there: `input()` gives an empty line, pagers and debuggers print, editors stay closed
- displays are text; what an expression at the end of a cell gives is not printed with its number
- figures stay with matplotlib's Agg backend and are closed after their cell
- `%timeit` runs its statement once; `exit()` ends its cell, not the notebook
- magics and extensions that are not installed here are left out; the rest of the cell runs
- `asyncio.run` works although a loop is running: scripts call it
- no history file, no profile, no configuration of whoever grades
"""

from __future__ import annotations

import asyncio
import builtins
import getpass
import re
import sys
import types
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.profiledir import ProfileDir
from traitlets.config import Config

from grader.testing.objects import cell_file
from grader.worker import elsewhere

STARTS_PROGRAMS = frozenset(
    {
        *("sx", "system", "!", "sc", "pip", "conda", "mamba", "micromamba", "uv", "bash", "sh"),
        *("script", "ruby", "perl", "pypy", "python", "python2", "python3", "cmd", "powershell"),
        *("edit", "ed", "pastebin", "killbgscripts", "bg", "recall", "rerun"),
    }
)
"""Magics that start another program, or wait for a person."""

MEASURES = {"memit": "rti", "mprun": "fTr", "lprun": "fmTDu"}
"""Magics of profilers, which run a statement: the letters of their options that take a value."""


def make_shell() -> GradingShell:
    """Make the one shell of this process, with an empty `__main__` of its own."""
    config = Config()
    config.HistoryManager.enabled = False
    config.IPKernelApp = Config()  # by whose presence a notebook tells Jupyter from a terminal
    main = types.ModuleType("__main__", "Automatically created module for IPython interactive environment")
    main.__dict__["__builtins__"] = builtins
    shell: GradingShell = GradingShell.instance(config=config, user_module=main)
    shell.builtin_trap.activate()  # `display` and `get_ipython` also while a check runs
    builtins.input = _no_input
    getpass.getpass = _no_input
    asyncio.run = _run_in_any_case
    elsewhere.install()
    return shell


TURNS_AFTER_A_CELL = 3
"""How often what is ready in the event loop gets its turn before the next cell."""


class _CellCompiler(CachingCompiler):
    """Names cells by their number, so that a traceback tells which one it was."""

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        """Return a name that `objects.CELL_FILE` knows again; what is no cell has another."""
        shell = InteractiveShell.instance()
        own = raw_code == shell.cell_source
        return (
            cell_file(shell.cell_number)
            if own
            else super().get_code_name(raw_code, transformed_code, number)
        )


class _QuietDisplayHook(DisplayHook):
    """Keeps `_` and `Out` and prints the value, but no `Out[3]:` before it."""

    def write_output_prompt(self) -> None:
        """Print nothing."""


class _NoProfile(ProfileDir):
    """A profile that nobody has written and that makes no folders."""

    def _location_changed(self, change: Any) -> None:
        """Make no folder."""


class _Nothing:
    """Stands for what only Jupyter's kernel has: whatever is asked of it does nothing."""

    def __getattr__(self, name: str) -> _Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: object, **__: object) -> _Nothing:
        return self


class GradingShell(InteractiveShell):
    """IPython's shell with the differences that a grading needs."""

    compiler_class = _CellCompiler
    displayhook_class = _QuietDisplayHook
    kernel = comm_manager = property(lambda _: _Nothing())

    def __init__(self, **settings: Any) -> None:
        self.cell_number = 0
        self.cell_source: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        super().__init__(**settings)

    # ------------------------------------------------------------ cells

    def run_notebook_cell(self, number: int, source: str) -> None:
        """Run one cell as the kernel would.

        Args:
            number: the cell's place among the notebook's code cells, from 1.
            source: its text.

        Raises:
            BaseException: what the cell raised.
        """
        self.cell_number, self.cell_source = number, source
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self._loop)
        try:
            result = self._run_in_loop(self._loop, self._cell(source))
        finally:
            _close_figures()
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            raise error

    def as_python(self, source: str) -> str:
        """Return a cell's Python; the cell as it is when IPython can make none of it."""
        try:
            return str(self.transform_cell(source))
        except Exception:
            return source

    async def _cell(self, source: str) -> Any:
        problem = None
        try:
            transformed = self.transform_cell(source)
        except Exception:
            transformed, problem = source, sys.exc_info()
        result = await self.run_cell_async(
            source,
            store_history=True,
            transformed_cell=transformed,
            preprocessing_exc_tuple=problem,
        )
        self.events.trigger("post_execute")
        self.events.trigger("post_run_cell", result)
        for _ in range(TURNS_AFTER_A_CELL):  # tasks that the cell has created begin
            await asyncio.sleep(0)
        return result

    @staticmethod
    def _run_in_loop(loop: asyncio.AbstractEventLoop, cell: Coroutine[Any, Any, Any]) -> Any:
        task = loop.create_task(cell)
        try:
            return loop.run_until_complete(task)
        except BaseException:  # the time is up while the loop was waiting
            task.cancel()
            raise

    # ------------------------------------------------------------ what is shown

    def showtraceback(self, *_: Any, **__: Any) -> None:
        """Print nothing: whoever asked for the cell tells what it raised."""

    def _format_exception_for_storage(self, *_: Any, **__: Any) -> list[str]:
        """Keep no text of what was raised: rendering it would run the exception's own code."""
        return []

    showsyntaxerror = showtraceback
    showindentationerror = showtraceback

    def show_usage_error(self, exc: BaseException) -> None:
        """Print nothing, likewise."""

    # ------------------------------------------------------------ magics and commands

    def run_line_magic(self, magic_name: str, line: str, _stack_depth: int = 1) -> Any:
        """Run a line magic; one that there is not, or that starts a program, is left out."""
        if magic_name in STARTS_PROGRAMS:
            return self._leave_out(f"%{magic_name}")
        if magic_name in MEASURES:
            self.ex(_without_options(MEASURES[magic_name], line))
            return None
        if self.find_line_magic(magic_name) is None:
            return self._leave_out(f"%{magic_name}")
        if magic_name == "timeit":
            line = _once(line)
        try:
            return super().run_line_magic(magic_name, line, _stack_depth + 1)
        except (UsageError, ImportError, NotImplementedError) as error:
            print(f"%{magic_name} is left out in a grading: {error}")
            return None

    def run_cell_magic(self, magic_name: str, line: str, cell: str) -> Any:
        """Run a cell magic; one that there is not, or that starts a program, is left out."""
        if magic_name in STARTS_PROGRAMS or self.find_cell_magic(magic_name) is None:
            return self._leave_out(f"%%{magic_name}")
        if magic_name == "timeit":
            line = _once(line)
        return super().run_cell_magic(magic_name, line, cell)

    @staticmethod
    def _leave_out(what: str) -> None:
        print(f"{what} is not run in a grading")

    def system(self, cmd: str) -> None:
        """`!command` runs nothing: a grading starts no other program."""
        self._leave_out(f"!{cmd[:200]}")
        self.user_ns["_exit_code"] = 0

    system_piped = system_raw = system

    def getoutput(self, cmd: str, split: bool = True, **_: Any) -> Any:
        """`lines = !command` gives no lines."""
        from IPython.utils.text import LSString, SList

        self.system(cmd)
        return SList([]) if split else LSString("")

    def enable_gui(self, gui: str | None = None) -> None:
        """Start no event loop of a window system: there is no window."""

    def enable_matplotlib(self, _gui: str | None = None) -> tuple[str | None, str]:
        """Keep the backend that draws without a window."""
        return None, "agg"

    def ask_exit(self) -> None:
        """End the cell; the cells after it run."""
        raise SystemExit

    # ------------------------------------------------------------ what is not there

    def init_ipython_dir(self, ipython_dir: Any) -> None:
        """Make no folder."""

    def init_profile_dir(self, _profile_dir: Any) -> None:
        """Read no profile and make no folder for one."""
        self.profile_dir = _NoProfile()

    def init_virtualenv(self) -> None:
        """Leave `sys.path` as it is."""

    def init_display_formatter(self) -> None:
        """Format what is displayed as text alone."""
        super().init_display_formatter()
        self.display_formatter.active_types = ["text/plain"]

    def init_hooks(self) -> None:
        """Print what would be shown in a pager or an editor."""
        super().init_hooks()
        self.set_hook("show_in_pager", _print_page)
        self.set_hook("editor", lambda *_: self._leave_out("an editor"))


# notebooks ask for the name of Jupyter's class to find out where they are
GradingShell.__name__ = "ZMQInteractiveShell"


def _no_input(prompt: object = "", *_: object, **__: object) -> str:
    """Nobody is there to answer: the prompt is printed and an empty line comes back."""
    print(prompt)
    return ""


def _print_page(_shell: InteractiveShell, data: Any, *_: Any, **__: Any) -> None:
    """Print what a pager would show."""
    print(data.get("text/plain", "") if isinstance(data, dict) else data)


def _close_figures() -> None:
    """Close the cell's figures as Jupyter's inline backend does, so that they do not pile up."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


_run_without_loop = asyncio.run


def _run_in_any_case(main: Any, **options: Any) -> Any:
    """`asyncio.run`, in a thread with a loop of its own where this thread's loop is running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _run_without_loop(main, **options)
    with ThreadPoolExecutor(1) as alone:
        return alone.submit(lambda: _run_without_loop(main, **options)).result()


def _once(line: str) -> str:
    """Let `%timeit` run its statement once, whatever its options say."""
    options = re.match(r"(\s*-[a-zA-Z](\s*\d+)?(?=\s|$))*", line)
    own = options[0] if options else ""
    kept = re.sub(r"-[nr]\s*\d+", "", own)
    return f"-n 1 -r 1 {kept} {line[len(own) :]}"


def _without_options(valued: str, line: str) -> str:
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
