"""Cells of lessons, with their lines."""

from __future__ import annotations

from pathlib import Path

import jupytext
import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_file import as_notebook, write_lesson
from toy import write

from grader.errors import ReleaseError
from grader.lesson.cells import read_source

ROOT = Path(__file__).parents[3]
LESSONS = sorted(ROOT.glob("**/lessons/*.py"))
LINES = st.sampled_from(
    ["x = 1", "# %% [markdown]", "# # Title", "#", "# text", "", "# %%", 'y = """', '"""',
     "    z()", '# %% solution="a"', "# %matplotlib inline", "# !ls", "s = '# %%'"]
)  # fmt: skip


def as_jupytext_reads(text: str) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in jupytext.reads(text, fmt="py:percent").cells]


@pytest.mark.parametrize("path", LESSONS, ids=[path.stem for path in LESSONS])
def test_a_lesson_is_read_as_jupytext_reads_it(path: Path) -> None:
    cells = [(c.marker.kind, c.source) for c in read_source(path) if c.marker.kind != "grader"]
    theirs = as_jupytext_reads(path.read_text(encoding="utf-8"))
    assert cells == [cell for cell in theirs if not cell[1].startswith("# title")]


@given(
    st.lists(
        st.lists(
            LINES.filter(lambda line: "%%" not in line and '"""' not in line),
            min_size=1,
            max_size=4,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_lines_are_those_of_the_file(tmp_path_factory: pytest.TempPathFactory, bodies: list[list[str]]) -> None:  # fmt: skip
    lines = [line for body in bodies for line in ("# %%", *body)]
    path = tmp_path_factory.mktemp("lesson") / "01_x.py"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for cell in read_source(path):
        assert lines[cell.line - 1] == "# %%"
        if cell.source and "%" not in cell.source and "!" not in cell.source:
            kept = cell.source.split("\n")
            assert lines[cell.first - 1 : cell.first - 1 + len(kept)] == kept


def test_a_marker_in_a_string_marks_nothing(tmp_path: Path) -> None:
    path = write(
        tmp_path / "01_x.py", '# %%\ns = """\n# %% solution\n"""\n# %% [markdown]\n# End\n'
    )
    assert [cell.marker.kind for cell in read_source(path)] == ["code", "markdown"]


def test_what_stands_before_the_first_marker_is_a_cell_unless_jupytext_wrote_it(
    tmp_path: Path,
) -> None:
    head = "# ---\n# jupyter:\n#   kernel: x\n# ---\n\n"
    assert len(read_source(write(tmp_path / "a.py", head + "# %%\nx\n"))) == 1
    assert [cell.source for cell in read_source(write(tmp_path / "b.py", "x = 1\n# %%\ny\n"))] == [
        "x = 1",
        "y",
    ]


@pytest.mark.parametrize("tags", [False, True], ids=["first lines", "tags"])
def test_a_notebook_says_the_same_in_first_lines_or_tags(tmp_path: Path, tags: bool) -> None:
    lesson = write_lesson(tmp_path / "01_adding.py")
    script = read_source(lesson)
    notebook = read_source(as_notebook(lesson, tags=tags))
    assert [(c.marker.kind, c.marker.words, c.source) for c in notebook] == [
        (c.marker.kind, c.marker.words, c.source) for c in script
    ]
    assert [str(c.marker.values) for c in notebook] == [str(c.marker.values) for c in script]


def test_a_cell_of_a_notebook_is_named_by_its_number(tmp_path: Path) -> None:
    path = as_notebook(write_lesson(tmp_path / "01_adding.py"))
    cell = read_source(path)[4]
    assert cell.where == f"{path}, cell 5:1"
    assert cell.first == 2  # the marker is the first line


def test_other_tags_stay_tags(tmp_path: Path) -> None:
    cells = (
        '{"cells": [{"cell_type": "code", "metadata": {"tags": ["hidden", "a=b"]}, "source": "x"}]}'
    )
    (cell,) = read_source(write(tmp_path / "01_x.ipynb", cells))
    assert cell.marker.words == ()
    assert cell.marker.values == {"tags": ["hidden", "a=b"]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"cells": 1}',
        b'{"cells": [{}]}',
    ],
)
def test_a_file_that_is_no_notebook_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "01_x.ipynb"
    path.write_bytes(content)
    with pytest.raises(ReleaseError) as caught:
        read_source(path)
    assert caught.value.where == str(path)


@pytest.mark.parametrize("name", ["01_x.py", "01_x.ipynb"])
def test_a_lesson_that_is_not_utf_8_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b'{\n"cells": "\xff"}')
    with pytest.raises(ReleaseError, match="not UTF-8") as caught:
        read_source(tmp_path / name)
    assert caught.value.where == f"{tmp_path / name}:2"
