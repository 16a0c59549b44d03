"""The notebook's cells, run by IPython's own shell as in Jupyter's kernel.

One shell is made in the zygote; every worker's fork of it is that worker's own. What differs from
the kernel is written down here, and tried in `tests/grader/worker/test_shell_as_in_jupyter.py`:

- no other program is started, and magics that there are not are left out (`commands.py`)
- nobody is there: `input()` gives an empty line, pagers and editors stay closed (`replaced.py`)
- `asyncio.run` works although a loop is running (`replaced.py`)
- displays are text, figures stay with matplotlib's Agg backend and are closed (`showing.py`)
- modules of the places where students write are there and do nothing (`elsewhere.py`)
- `%timeit` runs its statement once; `exit()` ends its cell, not the notebook
- no history file, no profile, no configuration of whoever grades
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import contextvars
import io
import os
import sys
import types
from collections.abc import Coroutine
from contextlib import redirect_stderr, redirect_stdout, suppress
from typing import Any

import IPython
from IPython.core.compilerop import CachingCompiler
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.profiledir import ProfileDir
from traitlets.config import Config

from grader.testing.objects import cell_file
from grader.worker import elsewhere, replaced
from grader.worker.cell_limit import TimeIsUp
from grader.worker.commands import Commands, leave_out
from grader.worker.showing import QuietDisplayHook, TextPublisher, close_figures, print_page

TURNS_AFTER_A_CELL = 3
"""How often what is ready in the event loop gets its turn before the next cell."""

MAX_TOLD = 500
"""Characters that are printed of an error which a magic has caught."""


REHEARSED = ("1", "%time 2", "import asyncio\nawait asyncio.sleep(0)", ">>> 3", "1 / 0")
"""Cells that use what every notebook uses, which IPython imports when it is first used."""


def make_shell() -> GradingShell:
    """Make the one shell of this process, with an empty `__main__` of its own."""
    shell: GradingShell = GradingShell.instance(**_settings("__main__"))
    shell.builtin_trap.activate()  # `display` and `get_ipython` also while a check runs
    shell.elsewhere = elsewhere.install()
    replaced.replace()
    return shell


def rehearse() -> None:
    """Run some cells in a shell that is thrown away, so that no worker has to be the first."""
    settings = _settings("rehearsal")
    shell = GradingShell(**settings)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        for number, source in enumerate(REHEARSED, 1):
            with suppress(ZeroDivisionError):
                shell.run_notebook_cell(number, source)
    shell.close_loop()
    del sys.modules["rehearsal"]


def _settings(module: str) -> dict[str, Any]:
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor" if IPython.version_info >= (9,) else "NoColor"
    config.IPKernelApp = Config()  # by whose presence a notebook tells Jupyter from a terminal
    text = "Automatically created module for IPython interactive environment"  # as it has always
    made = types.ModuleType(module, text)
    made.__dict__["__builtins__"] = builtins
    return {"config": config, "user_module": made}


BY_MAGICS = frozenset({"<unknown>", "<timed exec>", "<timed eval>"})
"""What `%%time` calls the code of its cell."""


class _CellCompiler(CachingCompiler):
    """Names cells by their number, so that a traceback tells which one it was."""

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        """Return a name that `objects.CELL_FILE` knows again; what is no cell has another."""
        shell = InteractiveShell.instance()
        if raw_code in (shell.cell_source, shell.magic_body):
            return cell_file(shell.cell_number)
        return str(super().get_code_name(raw_code, transformed_code, number))

    def __call__(self, source: Any, filename: str, *how: Any, **more: Any) -> Any:
        """Compile code, that of the cell under the cell's name."""
        return super().__call__(source, self._own_name(filename), *how, **more)

    def ast_parse(self, source: str, filename: str = "<unknown>", symbol: str = "exec") -> ast.AST:
        """Parse code, likewise."""
        tree: ast.AST = super().ast_parse(source, self._own_name(filename), symbol)
        return tree

    def _own_name(self, filename: str) -> str:
        shell = InteractiveShell.instance()
        ours = filename in BY_MAGICS and shell.transforms_body
        return cell_file(shell.cell_number) if ours else filename


class _NoProfile(ProfileDir):
    """A profile that nobody has written and that makes no folders."""

    def _location_changed(self, change: Any) -> None:
        """Make no folder."""


class _NoKernel:
    """Stands for what only Jupyter's kernel has: it is false, and whatever is asked of it too."""

    def __getattr__(self, name: str) -> _NoKernel:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: object, **__: object) -> _NoKernel:
        return self

    def __bool__(self) -> bool:
        return False


class GradingShell(Commands):
    """IPython's shell with the differences that a grading needs.

    Attributes:
        cell_number, cell_source: the notebook's cell that is run, or was run last.
        magic_body: what a cell magic was given of it; None outside of one.
        transforms_body: whether that is what was made Python of last.
        screen: where displays are printed; None for where `print` prints.
        elsewhere: what finds modules that are not here.
    """

    compiler_class = _CellCompiler
    displayhook_class = QuietDisplayHook
    display_pub_class = TextPublisher
    kernel = comm_manager = property(lambda _: _NoKernel())
    elsewhere: elsewhere.Elsewhere

    def __init__(self, **settings: Any) -> None:
        self.cell_number = 0
        self.cell_source: str | None = None
        self.magic_body: str | None = None
        self.transforms_body = False
        self.screen: Any = None
        self._is_script = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._context = contextvars.copy_context()
        super().__init__(**settings)

    # ------------------------------------------------------------ cells

    def begin_script(self, name: str) -> None:
        """Let the cells be those of a script of this name, which has a `__file__`."""
        path = os.path.join(os.getcwd(), name)  # noqa: PTH109, PTH118  pathlib may be patched
        self._is_script = True
        self.user_ns["__file__"] = path
        sys.argv = [path]

    def run_notebook_cell(self, number: int, source: str) -> None:
        """Run one cell as the kernel would.

        Args:
            number: the cell's place among the notebook's code cells, from 1.
            source: its text.

        Raises:
            BaseException: what the cell raised.
        """
        self.cell_number, self.cell_source = number, source
        try:
            if self._is_script and not self._awaits(source):
                # a script starts event loops itself, which it can't where one is running
                result = self._context.run(self.run_cell, source, store_history=True)
            else:
                result = self._run_in_loop(self._cell(source))
        finally:
            close_figures()
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            raise error

    def close_loop(self) -> None:
        """Close the event loop: it would be shared with whoever is forked from this process."""
        if self._loop is not None:
            self._loop.close()
            asyncio.set_event_loop(None)
            self._loop = None

    def as_python(self, source: str) -> str:
        """Return a cell's Python; the cell as it is when IPython can make none of it."""
        try:
            return str(self.transform_cell(source))
        except Exception:
            return source

    def transform_cell(self, raw_cell: str) -> str:
        """Make Python of a cell in which each line has the number that it has in the notebook.

        IPython leaves out empty lines at the beginning, and the line of a cell magic.
        """
        lines = raw_cell.splitlines()
        before = next((number for number, line in enumerate(lines) if line.strip()), 0)
        self.transforms_body = raw_cell == self.magic_body
        if self.transforms_body:
            before += len((self.cell_source or "").splitlines()) - len(lines)
        return "\n" * before + str(super().transform_cell(raw_cell))

    def run_cell_magic(self, magic_name: str, line: str, cell: str) -> Any:
        """Run a cell magic; the cell's lines keep their numbers, if it is the cell that is run."""
        outer = self.magic_body
        whole = (self.cell_source or "").rstrip("\n")
        self.magic_body = cell if whole.endswith(cell.rstrip("\n")) else None
        try:
            return super().run_cell_magic(magic_name, line, cell)
        finally:
            self.magic_body = outer

    async def _cell(self, source: str) -> Any:
        """Run a cell in the steps in which ipykernel does."""
        transformed, problem = source, None
        try:
            transformed = self.transform_cell(source)
        except Exception:
            problem = sys.exc_info()
        told = {"transformed_cell": transformed, "preprocessing_exc_tuple": problem}
        cell = self.run_cell_async(source, store_history=True, **told)
        if self.should_run_async(source, **told):
            # a task of its own: what it sets in the context is not the next cell's
            cell = asyncio.ensure_future(cell)
        result = await cell
        self.events.trigger("post_execute")
        self.events.trigger("post_run_cell", result)
        for _ in range(TURNS_AFTER_A_CELL):  # tasks that the cell has created begin
            await asyncio.sleep(0)
        return result

    def _awaits(self, source: str) -> bool:
        transformed = self.as_python(source)
        return bool(self.should_run_async(source, transformed_cell=transformed))

    def _run_in_loop(self, cell: Coroutine[Any, Any, Any]) -> Any:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self._loop)
        loop = self._loop
        task = loop.create_task(cell, context=self._context)
        try:
            return loop.run_until_complete(task)
        except BaseException:  # the time is up while the loop was waiting
            task.cancel()
            raise

    def run_cell(self, *arguments: Any, **options: Any) -> Any:
        """Run code for a magic, or for the notebook itself; only the end of its time passes.

        Raises:
            TimeIsUp: the time of the cell around it is up.
        """
        result = super().run_cell(*arguments, **options)
        if isinstance(result.error_in_exec, TimeIsUp):
            raise result.error_in_exec
        return result

    # ------------------------------------------------------------ what was raised

    def showtraceback(
        self,
        exc_tuple: Any = None,
        *_: Any,
        exception_only: bool = False,
        running_compiled_code: bool = False,
        **__: Any,
    ) -> None:
        """Print one line of what a magic has caught; what a cell raised is told elsewhere.

        Raises:
            TimeIsUp: that is what was raised: nothing between it and the cell's end may catch it.
        """
        error = sys.exc_info()[1]
        if isinstance(error, TimeIsUp):
            raise error
        with suppress(ValueError):
            self._get_exc_info(exc_tuple)  # keeps it as `sys.last_value`
        caught = not (exc_tuple or exception_only or running_compiled_code)
        if caught and error is not None:
            with suppress(Exception):  # the error's own text
                print(f"{type(error).__name__}: {str(error)[:MAX_TOLD]}", file=sys.stderr)

    def showsyntaxerror(self, *_: Any, **__: Any) -> None:
        """Print nothing: whoever asked for the cell tells what it raised."""
        with suppress(ValueError):
            self._get_exc_info()

    showindentationerror = showsyntaxerror

    def show_usage_error(self, exc: BaseException) -> None:
        """Print nothing, likewise."""

    def _format_exception_for_storage(self, *_: Any, **__: Any) -> list[str]:
        """Keep no text of what was raised: rendering it would run the exception's own code."""
        return []

    # ------------------------------------------------------------ what is not there

    def enable_gui(self, gui: str | None = None) -> None:
        """Start no event loop of a window system: there is no window."""

    def enable_matplotlib(self, _gui: str | None = None) -> tuple[str | None, str]:
        """Keep the backend that draws without a window."""
        return None, "agg"

    def ask_exit(self) -> None:
        """End the cell; the cells after it run."""
        raise SystemExit

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
        self.set_hook("show_in_pager", print_page)
        self.set_hook("editor", lambda *_: leave_out("an editor"))


# notebooks ask for the name of Jupyter's class to find out where they are
GradingShell.__name__ = GradingShell.__qualname__ = "ZMQInteractiveShell"
GradingShell.__module__ = "ipykernel.zmqshell"
