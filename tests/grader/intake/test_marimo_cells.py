"""marimo notebooks, as marimo saves them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import IntakeError
from grader.intake.notebook import read, read_cells

HEAD = "import marimo\n\n__generated_with = '0.14'\napp = marimo.App(width='medium')\n\n"
TAIL = "\n\nif __name__ == '__main__':\n    app.run()\n"


def marimo(*blocks: str) -> bytes:
    return (HEAD + "\n\n".join(blocks) + TAIL).encode()


def cell(needs: str, body: str, returns: str = "", options: str = "") -> str:
    lines = "".join(f"    {line}\n" if line else "\n" for line in body.split("\n"))
    end = f"    return ({returns},)\n" if returns else "    return\n"
    return f"@app.cell{options}\ndef _({needs}):\n{lines}{end}"


def sources(*blocks: str) -> list[str]:
    return [one.source for one in read_cells(marimo(*blocks), "a.py")]


def test_cells_run_in_the_order_of_what_they_need():
    blocks = [
        cell("x, y", "z = x + y", "z", "(hide_code=True)"),
        cell("x", "y = x\nif y:\n    y = 2", "y"),
        "with app.setup:\n    import math\n",
        cell("", "x = 1", "x"),
        "@app.function\ndef double(n):\n    return n * 2\n",
        "@app.class_definition\nclass Model:\n    pass\n",
    ]
    assert sources(*blocks) == [
        "import math",
        "def double(n):\n    return n * 2",
        "class Model:\n    pass",
        "x = 1",
        "y = x\nif y:\n    y = 2",
        "z = x + y",
    ]


def test_what_a_string_holds_stays_as_it_is():
    body = 'text = """\none\n    return 2\n@app.cell\n"""\ndef f():\n    return text'
    block = (
        "@app.cell\nasync def _(\n    mo,\n):\n"
        '    text = """\none\n    return 2\n@app.cell\n"""\n'
        "    def f():\n        return text\n    return f, text\n"
    )
    assert sources(block) == [body]


def test_a_cell_that_is_switched_off_or_broken_is_no_cell():
    off = cell("", "x = 1", "x", "(disabled=True)")
    broken = "app._unparsable_cell(\n    r\"x = \",\n    name='_'\n)\n"
    found = read(marimo(off, broken, cell("", "y = 1", "y")), "a.py")
    assert [one.source for one in found.cells] == ["y = 1"]
    assert "1 of its cells" in found.notes[0]


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([cell("", "x = 1", "x"), cell("", "x = 2", "x")], "define 'x'"),
        ([cell("y", "x = y", "x"), cell("x", "y = x", "y")], "circle"),
    ],
)
def test_what_marimo_would_not_run_is_named(blocks, message):
    with pytest.raises(IntakeError, match=message):
        read_cells(marimo(*blocks), "a.py")


PIECES = st.sampled_from(
    [
        "@app.cell\n",
        "def _(x):\n",
        "    return x\n",
        "    x = 1\n",
        '"""',
        "\n",
        "(",
        ")",
        "x",
        "\\",
    ]
)


@given(st.lists(PIECES, max_size=30))
def test_any_text_is_read_or_refused_by_name(pieces):
    with suppress(IntakeError):
        read_cells((HEAD + "".join(pieces)).encode(), "a.py")


@given(st.permutations(range(6)))
def test_any_order_of_cells_gives_the_same_notebook(order):
    chain = [cell(f"v{n - 1}" if n else "", f"v{n} = {n}", f"v{n}") for n in range(6)]
    assert sources(*(chain[n] for n in order)) == [f"v{n} = {n}" for n in range(6)]
