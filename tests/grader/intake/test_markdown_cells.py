"""Notebooks in Markdown, as Quarto, Jupytext and MyST write them."""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbformat.v4 as nbformat
import pytest
from class_folders import COURSE, fill, notebook, pairs
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from grader.errors import IntakeError
from grader.intake.discovery import discover
from grader.intake.markdown_cells import markdown_assignment, read_markdown
from grader.intake.notebook import read_cells

LINES = st.sampled_from(
    [
        "x = 1",
        "",
        "```",
        "````",
        "    y = 2",
        "# text",
        "---",
        "~~~",
        "<!-- #region -->",
        "é",
    ]
)
SOURCES = st.lists(LINES, max_size=5).map("\n".join)
PROSE = st.sampled_from(["# Title", "text\n\n```python\nshown = 1\n```\nmore", "- a\n- b", ""])


@settings(max_examples=150)
@pytest.mark.parametrize("form", ["md", "md:myst"])
@given(cells=st.lists(st.tuples(SOURCES, st.booleans()) | PROSE, max_size=6))
def test_cells_are_those_that_jupytext_reads(form, cells):
    made = [
        nbformat.new_markdown_cell(cell)
        if isinstance(cell, str)
        else nbformat.new_code_cell(cell[0], metadata={"tags": ["a"]} if cell[1] else {})
        for cell in cells
    ]
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    notebook = nbformat.new_notebook(cells=made, metadata={"kernelspec": kernel})
    text = jupytext.writes(notebook, form)
    again = jupytext.reads(text, form)
    expected = [cell.source.strip() for cell in again.cells if cell.cell_type == "code"]
    assume(expected)  # without a cell nobody can tell which of the two it is
    assert [source.strip() for source in read_markdown(text, quarto=False)] == expected


def test_quarto_runs_what_stands_in_braces():
    text = (
        "---\ntitle: Mine\njupyter: python3\n---\n\n```python\nshown = 1\n```\n"
        "```{python}\n#| echo: false\nx = 1\n```\n\n```{.python}\nshown = 2\n```\n"
        "```{{python}}\nshown = 3\n```\n```{python}\n#| label: no\n#| eval: false\nx = 2\n```\n"
        "````{python .wide}\ny = '''\n```\n'''\n````\n```{bash}\nls\n```\n~~~{Python}\nz = 3\n"
    )
    assert read_markdown(text, quarto=True) == [
        "#| echo: false\nx = 1",
        "y = '''\n```\n'''",
        "z = 3\n",
    ]


def test_a_block_that_jupytext_shows_alone_is_no_cell():
    text = (
        '```python .noeval\na\n```\n```python active="md"\nb\n```\n```python active="ipynb"\nc\n```'
    )
    assert read_markdown(text, quarto=False) == ["c"]


def test_other_languages_are_named():
    with pytest.raises(IntakeError, match="no cells in Python, only in julia, r"):
        read_markdown("```{r}\nx\n```\n```{julia}\ny\n```", quarto=True)


@pytest.mark.parametrize("indent", ["", "  "])
def test_the_head_may_name_the_assignment(indent):
    text = f"---\njupyter:\n{indent}grader:\n{indent}  assignment: 'blocks'\n---\ntext"
    assert markdown_assignment(text) == "blocks"
    assert markdown_assignment(text.replace("---\ntext", "text")) is None


def test_bytes_of_markdown_are_read_by_the_ending():
    content = b"# Text\r\n\r\n```{python}\r\nx = 1\r\n```\r\n"
    assert [cell.source for cell in read_cells(content, "ANN.QMD")] == ["x = 1"]
    with pytest.raises(IntakeError):
        read_cells(content, "ann.md")


@given(st.text(alphabet="`~{} \n-#|:pythonregiond<!>", max_size=300), st.booleans())
def test_any_text_is_read_or_refused(text, quarto):
    try:
        cells = read_markdown(text, quarto=quarto)
    except IntakeError:
        return
    assert all(cell in text.replace("---", "") or cell in text for cell in cells)


@pytest.mark.parametrize(
    "files",
    [
        {"embeddings.qmd": "embeddings.qmd"},
        {"answer.qmd": "answer.qmd", "README.md": ""},
        {"embeddings.md": "embeddings.md", "README.md": ""},
        {"README.md": "", "notes.md": ""},
        {"answer.py": "answer.py", "embeddings.md": ""},
        {"embeddings.py": "embeddings.py", "embeddings.md": "", "README.md": ""},
    ],
    ids=str,
)
def test_markdown_is_handed_in_where_its_name_says_so(root: Path, files: dict[str, str]):
    content = b"```{python}\nx = 1\n```\n```python\nx = 1\n```\n"
    bob = {"bob/embeddings.ipynb": notebook("embeddings")}
    mine = {f"ann/{name}": b"x = 1" if name.endswith(".py") else content for name in files}
    found = discover([fill(root, {**bob, **mine})], COURSE, assignments=["embeddings"])
    expected = [("ann", "embeddings", name) for name in files.values() if name]
    assert [pair for pair in pairs(found) if pair[0] == "ann"] == expected
