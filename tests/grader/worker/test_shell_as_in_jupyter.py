"""Small notebooks leave in a worker what they leave in Jupyter's own kernel.

Their cells are the texts in `notebooks/`: a notebook begins with `=== its name`, `---` is between
its cells. What must differ is written down in `DIFFERENCES`, with the reason.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from jupyter import Left, run_in_jupyter, run_in_workers

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).with_name("notebooks")

ODD_CHARACTERS = {
    "line ends of Windows": [
        "x = 1\r\nif x:\r\n    y = 2\r\n",
        "%time z = 3\r\n",
        "t = '''a\r\nb'''",
    ],
    "line ends of old Macs": ["x = 1\ry = 2\r"],
    "tabs": ["if True:\n\tx = 1\n\tif x:\n\t\ty = 2", "\tz = 3"],
    "tabs and blanks": ["if True:\n\tx = 1\n        y = 2"],
    "a form feed": ["x = 1\n\f\ny = 2"],
    "a byte order mark": ["\ufeffx = 1"],
    "blanks that are none": ["x\u00a0= 1", "y = 2"],
    "typographic quotes": ["x = “a”", "y = 2"],
    "a null character": ["x = 1\0", "y = 2"],
    "separators of lines": ["x = 'a\u2028b'\ny = 2"],
}

NO_PROGRAM = "no other program is started"
NOBODY = "nobody is there to answer"
LEFT_OUT = "a magic that there is not is left out, the rest of its cell runs"
GOES_ON = "`exit` ends its cell, and the kernel that it would end is none"
NO_KERNEL = "there is no kernel, only something that does nothing"
NO_WINDOW = "figures are drawn without a window and without a notebook to show them in"
AS_A_SCRIPT = "`asyncio.run` works, because scripts call it"
STAND_INS = "modules of the places where students write are there and do nothing"

DIFFERENCES: dict[str, tuple[str, set[str]]] = {
    "asking somebody": (NOBODY, {"cell 1", "name"}),
    "a password": (NOBODY, {"cell 1", "Out", "_1"}),
    "subprocesses": (NO_PROGRAM, {"cell 2", "done"}),
    "commands": (NO_PROGRAM, {"_exit_code"}),
    "bash cells with output": (NO_PROGRAM, {"text"}),
    "quitting": (GOES_ON, {"cell 2"}),
    "exit by its name": (GOES_ON, {"cell 2"}),
    "environment variables": (LEFT_OUT, {"cell 6"}),
    "extensions": (LEFT_OUT, {"cell 3"}),
    "magics that there are not": (LEFT_OUT, {"cell 1", "cell 2", "cell 4", "y"}),
    "a cell magic below a line": (LEFT_OUT, {"cell 1", "y"}),
    "a cell magic below a comment": (LEFT_OUT, {"cell 1", "y"}),
    "empty cell magics": (LEFT_OUT, {"cell 1", "cell 2", "cell 3"}),
    "matplotlib asked for by its old names": (NO_WINDOW, {"requested_backend"}),
    "running coroutines as a script does": (AS_A_SCRIPT, {"cell 2", "got"}),
    "Colab's first cell": (STAND_INS, {"cell 1", "drive", "x"}),
    "Colab found out by its modules": (STAND_INS, {"google", "here"}),
    "the kernel itself": (NO_KERNEL, {"k", "Out", "_", "_3"}),
}
"""What differs, by notebook: the reason, and the names and cells."""


def read_notebooks() -> dict[str, list[str]]:
    """The cells of each notebook, by its name."""
    found = dict(ODD_CHARACTERS)
    for file in sorted(FOLDER.glob("*.txt")):
        for text in ("\n" + file.read_text(encoding="utf-8")).split("\n=== ")[1:]:
            name, _, cells = text.partition("\n")
            assert name not in found, f"two notebooks are called {name!r}"
            found[name] = cells.removesuffix("\n").split("\n---\n")
    return found


NOTEBOOKS = read_notebooks()


@pytest.fixture(scope="module")
def in_jupyter(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Left]:
    return run_in_jupyter(NOTEBOOKS, tmp_path_factory.mktemp("jupyter"))


@pytest.fixture(scope="module")
def in_workers() -> dict[str, Left]:
    return run_in_workers(NOTEBOOKS)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_leaves_what_it_leaves_in_jupyter(
    in_jupyter: dict[str, Left], in_workers: dict[str, Left], name: str
) -> None:
    reason, expected = DIFFERENCES.get(name, ("", set()))
    there, here = in_jupyter[name], in_workers[name]
    assert there.values, "the probe was not answered"
    assert there.differences(here) == expected, f"{reason}\nJupyter: {there}\nworker: {here}"


def test_every_difference_is_of_a_notebook() -> None:
    assert DIFFERENCES.keys() <= NOTEBOOKS.keys()
