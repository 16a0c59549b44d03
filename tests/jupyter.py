"""Run small notebooks in Jupyter's own kernel and in a worker, and tell what each has left.

Both sides are asked by the same probe, once all cells have run: which names there are, with their
values where these are plain, else with the names of their types.
"""

from __future__ import annotations

import ast
import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from forked_kernels import forked_kernels
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from walled import ready_zygote

from grader.judging.spawning import Zygote, spawn
from grader.judging.worker_link import WorkerLink
from grader.model import Limits
from grader.testing.links import StudentError, WorkerStopped
from grader.testing.operations import Op

AT_ONCE = 4
NOTHING = "NoneType"
"""What the kernel says was raised when only the display of a value went wrong."""
LIMIT_S = 60.0
LIMITS = Limits(wall_s=LIMIT_S, cell_s=20, scratch_bytes=32 << 20)

PROBE = """
def look(names):
    def plain(value, depth=0):
        kind = type(value)
        if depth > 4:
            return "deep"
        if value is None or kind in (bool, int, float, complex, str, bytes):
            return repr(value)
        if kind in (list, tuple):
            return [kind.__name__, *(plain(one, depth + 1) for one in value)]
        if kind in (set, frozenset):
            return [kind.__name__, *sorted(str(plain(one, depth + 1)) for one in value)]
        if kind is dict:
            pairs = value.items()
            return {str(plain(k, depth + 1)): plain(v, depth + 1) for k, v in pairs}
        return f"<{kind.__name__}>"

    import json
    return json.dumps({name: plain(value) for name, value in names.items()})
"""
ASK = (
    f"globals().__setitem__('told_by_the_probe', (lambda names, room:"
    f" (exec({PROBE!r}, room), room['look'](names))[1])(dict(globals()), {{}}))"
)
OF_THE_SHELL = ("_i", "In", "_oh", "_dh", "__builtin", "exit", "quit", "__warningregistry__")
"""How names begin that tell of the shell's own state: notebooks that use it keep what they saw."""


@dataclass
class Left:
    """What a notebook has left: names with their values, and which cells raised what."""

    values: dict[str, Any] = field(default_factory=dict)
    raised: dict[int, str] = field(default_factory=dict)

    def differences(self, other: Left) -> set[str]:
        """Names, and cells as `cell 3`, that are not the same in the other."""
        names = self.values.keys() | other.values.keys()
        cells = self.raised.keys() | other.raised.keys()
        nothing = object()
        differ = {
            name
            for name in names
            if self.values.get(name, nothing) != other.values.get(name, nothing)
        }
        return differ | {
            f"cell {number}"
            for number in cells
            if self.raised.get(number) != other.raised.get(number)
        }

    def tell(self, told: str) -> None:
        """Take in what the probe said."""
        found = json.loads(told)
        self.values = {name: found[name] for name in found if not name.startswith(OF_THE_SHELL)}


# ---------------------------------------------------------------- Jupyter


def run_in_jupyter(notebooks: Mapping[str, Sequence[str]], folder: Path) -> dict[str, Left]:
    """Run each notebook in a kernel and a folder of its own, some at once."""
    environment = {
        **os.environ,
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "HOME": str(folder),
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }

    async def all_of_them(kernels: type[AsyncKernelManager]) -> dict[str, Left]:
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(number: int, cells: Sequence[str]) -> Left:
            async with turns:
                own = folder / str(number)
                own.mkdir()
                return await _in_kernel(cells, own, environment, kernels)

        left = await asyncio.gather(*(one(n, c) for n, c in enumerate(notebooks.values())))
        return dict(zip(notebooks, left, strict=True))

    with forked_kernels(folder, environment) as kernels:
        return asyncio.run(all_of_them(kernels))


async def _in_kernel(
    cells: Sequence[str],
    folder: Path,
    environment: dict[str, str],
    kernels: type[AsyncKernelManager],
) -> Left:
    left = Left()
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])

    def note(cell_index: int, execute_reply: dict[str, Any], **_: object) -> None:
        answer = execute_reply["content"]
        name = answer.get("ename", NOTHING)
        if answer["status"] == "error" and name != NOTHING:
            left.raised[cell_index + 1] = name

    client = NotebookClient(
        book,
        kernel_name="python3",
        kernel_manager_class=kernels,
        allow_errors=True,
        timeout=LIMIT_S,
        resources={"metadata": {"path": str(folder)}},
        on_cell_executed=note,
        shutdown_kernel="immediate",
    )
    async with client.async_setup_kernel(env=environment):
        assert client.kc is not None
        for number, cell in enumerate(book.cells, 1):
            try:
                await client.async_execute_cell(cell, number - 1)
            except DeadKernelError:
                left.raised[number] = "the kernel has ended"
                return left
        reply = await client.kc.execute(
            ASK, silent=True, user_expressions={"told": "told_by_the_probe"}, reply=True,
            timeout=LIMIT_S,
        )  # fmt: skip
    told = reply["content"]["user_expressions"]["told"]
    left.tell(ast.literal_eval(told["data"]["text/plain"]))
    return left


# ---------------------------------------------------------------- a worker


def run_in_workers(notebooks: Mapping[str, Sequence[str]]) -> dict[str, Left]:
    """Run each notebook in a worker of its own."""
    with ready_zygote() as zygote:
        return {name: _in_worker(zygote, cells) for name, cells in notebooks.items()}


def _in_worker(zygote: Zygote, cells: Sequence[str]) -> Left:
    left = Left()
    link = WorkerLink(spawn(zygote.fileno(), LIMITS), LIMITS)
    try:
        link.wait_ready()
        link.allow(LIMIT_S, f"after {LIMIT_S} s")
        for number, source in enumerate(cells, 1):
            try:
                link.request(Op.CELL, number=number, source=source, limit_s=LIMITS.cell_s)
            except StudentError as error:
                left.raised[number] = error.kinds[0]
            except WorkerStopped as error:
                left.raised[number] = str(error)
                return left
        told = _ask(link)
    finally:
        link.close()
    left.tell(told)
    return left


def _ask(link: WorkerLink) -> Any:
    """Ask the probe without running a cell: the notebook may listen to cells."""
    evaluate = link.defer(Op.GET, object=link.defer(Op.MODULE, name="builtins"), name="eval")
    names = link.defer(Op.GET, object=link.defer(Op.MODULE, name="__main__"), name="__dict__")
    link.defer(Op.CALL, object=evaluate, args=[ASK, names], kwargs={})
    return link.request(Op.FETCH, object=link.defer(Op.NAME, name="told_by_the_probe"))
