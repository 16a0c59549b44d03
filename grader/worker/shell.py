"""What a notebook expects of Jupyter: magics, `display`, `input`, top-level `await`.

Lines that only IPython understands are rewritten by IPython's own transformer to calls of
`get_ipython()`; the stand-in below runs what is Python in them and ignores the rest, so that
`%matplotlib inline`, `!pip install` and `%%time` do what they should in a grading: no harm.
"""

from __future__ import annotations

import asyncio
import builtins
import inspect
import linecache
import shlex
import sys
from ast import PyCF_ALLOW_TOP_LEVEL_AWAIT
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grader.testing.objects import cell_file

CELL_MAGICS_THAT_RUN = frozenset({"time", "timeit", "capture", "prun", "python", "python3", "pypy"})
LINE_MAGICS_THAT_RUN = frozenset({"time", "timeit", "prun", "memit", "mprun", "lprun"})
PROMPTS = (">>> ", "In [")
"""How code begins that was copied out of a session."""
OPTIONS_WITH_VALUE = {
    "timeit": "nrpt",
    "prun": "lsTD",
    "memit": "rti",
    "mprun": "fTr",
    "lprun": "fmTDu",
}


class Shell:
    """Runs cells in one namespace as Jupyter's kernel would; what `get_ipython()` returns."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.user_ns = namespace
        self._file = cell_file(0)
        namespace.update(In=[""], Out={}, _="", __="", ___="")
        builtins.get_ipython = lambda: self  # type: ignore[attr-defined]
        builtins.display = display  # type: ignore[attr-defined]
        builtins.input = _input

    def run_cell(self, number: int, source: str) -> None:
        """Run one cell in the notebook's namespace; its exceptions pass.

        `linecache` learns the lines, so that tracebacks and `inspect.getsource` show them.
        """
        self._file = cell_file(number)
        linecache.cache[self._file] = (
            len(source), None, source.splitlines(keepends=True), self._file,
        )  # fmt: skip
        try:
            self._execute(transform(source))
        finally:
            _close_figures()

    def _execute(self, source: str) -> None:
        code = compile(source, self._file, "exec", PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        if code.co_flags & inspect.CO_COROUTINE:
            asyncio.run(eval(code, self.user_ns))
        else:
            exec(code, self.user_ns)

    # ------------------------------------------------------------ what transformed lines call

    def run_line_magic(self, name: str, line: str, _stack_depth: int = 1) -> None:
        """`%time statement` runs the statement; every other line magic is ignored."""
        if name in LINE_MAGICS_THAT_RUN:
            self._execute(_without_options(name, line))

    def run_cell_magic(self, name: str, line: str, cell: str) -> None:
        """`%%time`, `%%capture` and the like run the cell; `%%writefile` writes to the scratch."""
        if name in CELL_MAGICS_THAT_RUN:
            # keeps line numbers right: the magic took the first line
            self._execute("\n" + transform(cell))
        elif name in ("writefile", "file"):
            _write_file(line, cell)
        else:
            print(f"%%{name} is not run in a grading")

    def system(self, command: str) -> None:
        """`!command` runs nothing: a grading starts no other program."""
        print(f"!{command[:200]} is not run in a grading")

    def getoutput(self, command: str, **_: Any) -> list[str]:
        """`lines = !command` gives no lines."""
        self.system(command)
        return []

    magic = run_line_magic

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Everything else that a notebook may call on its shell does nothing."""
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *_, **__: None


def transform(source: str) -> str:
    """Rewrite magics, `!cmd`, `?` and pasted prompts to Python with IPython's own transformer.

    A cell that needs none of it is left alone: a transformer that fails must not cost a cell.
    """
    if not any(mark in source for mark in "%!?") and not source.lstrip().startswith(PROMPTS):
        return source
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        manager: Any = TransformerManager  # untyped in some releases
        return str(manager().transform_cell(source))
    except SyntaxError:
        return source


def display(*values: object, **_: Any) -> None:
    """Print the values; nothing is rendered in a grading."""
    for value in values:
        print(value)


def _input(prompt: object = "") -> str:
    """Nobody is there to answer: the prompt is printed and an empty line comes back."""
    print(prompt)
    return ""


def _close_figures() -> None:
    """Close the cell's figures as Jupyter's inline backend does, so that they do not pile up."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


def _without_options(magic: str, line: str) -> str:
    """Drop `-n 10 -r3 -q` before the statement of `%timeit` and its like."""
    valued = OPTIONS_WITH_VALUE.get(magic, "")
    rest = line.lstrip()
    while rest.startswith("-"):
        option, _, rest = rest.partition(" ")
        rest = rest.lstrip()
        if len(option) == 2 and option[1] in valued:
            _, _, rest = rest.partition(" ")
            rest = rest.lstrip()
    return rest


def _write_file(line: str, text: str) -> None:
    words = [word for word in shlex.split(line) if not word.startswith("-")]
    if words:
        mode = "a" if "-a" in line.split() else "w"
        with Path(words[0]).open(mode, encoding="utf-8") as file:
            file.write(text)
