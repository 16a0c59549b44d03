"""Pictures: drawn, described, and never in the way."""

from __future__ import annotations

import linecache
import subprocess
import sys

import pytest
import torch

from course import plots
from course.plots import paper


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[plots.Picture]:
    """The pictures that were shown, drawn as in a notebook."""
    pictures: list[plots.Picture] = []
    monkeypatch.setattr(paper, "show", lambda *shown: pictures.append(paper.drawn(*shown)))
    return pictures


def test_importing_draws_nothing_and_loads_nothing() -> None:
    code = "import sys, course.plots; print({'matplotlib', 'torch', 'grader'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_every_picture_has_its_words(drawn: list[plots.Picture]) -> None:
    plots.pipeline([("ids", "(B, T)"), ("look\nup", "(B, T, d)")], "Way")
    plots.scale_comparison(0.02)
    plots.position_table(torch.randn(7, 5, requires_grad=True))
    plots.position_similarity({"a": torch.eye(4), "b": torch.zeros(4, 3)})
    words = [picture.description for picture in drawn]
    assert words[0] == "Way: ids (B, T), then look up (B, T, d)."
    assert "35 times smaller" in words[1]
    assert "0.11 at d_model = 32 to 0.64 at 1024" in words[1]
    assert words[2].startswith("7 positions by 5 columns")
    assert "a: neighbours 0.00, positions 2 apart 0.00" in words[3]
    for picture in drawn:
        assert picture.png.startswith(b"\x89PNG")
        assert f'aria-label="{picture.description}"' in picture._repr_html_()


def test_words_can_not_become_html() -> None:
    shown = plots.Picture("", b"", '"><script>')._repr_html_()
    assert "<script>" not in shown


@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (1, 8), (300, 7)])
def test_tables_of_any_size_are_drawn(drawn: list[plots.Picture], shape: tuple[int, int]) -> None:
    plots.position_table(torch.randn(shape, dtype=torch.float16))
    plots.position_similarity({"one": torch.randn(shape)})
    assert len(drawn) == 2


@pytest.mark.parametrize("table", [None, [[1.0]], torch.zeros(3), torch.zeros(0, 3)])
def test_what_is_no_table_is_named(table: object) -> None:
    with pytest.raises(ValueError, match=r"expected a table of positions .*, got"):
        plots.position_table(table)  # type: ignore[arg-type]


def test_a_terminal_gets_the_words(capsys: pytest.CaptureFixture[str]) -> None:
    plots.scale_comparison()
    assert "35 times smaller" in capsys.readouterr().out


def test_nothing_is_drawn_while_grading(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_GRADING", "1")
    plots.scale_comparison()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotImplementedError(), "comes alive when the cells above are solved"),
        (NameError("name 'embed' is not defined"), "'embed' is not defined: run the cells above"),
        (ValueError("too long"), "This demonstration stopped: ValueError: too long"),
    ],
)
def test_a_demo_says_why_it_stopped(
    capsys: pytest.CaptureFixture[str], error: Exception, words: str
) -> None:
    with plots.demo():
        raise error
    assert words in capsys.readouterr().out


def stopped_demo() -> None:
    """Run a notebook whose demonstration calls an answer that fails in its second line."""
    answer = "def halve(x):\n    return x // 0\n"
    cell = answer + "from course import plots\nwith plots.demo():\n    halve(3)\n"
    linecache.cache["<cell 4>"] = (len(cell), None, cell.splitlines(keepends=True), "<cell 4>")
    exec(compile(cell, "<cell 4>", "exec"), {})


def test_a_demo_that_stopped_tells_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    stopped_demo()
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("This demonstration stopped: ZeroDivisionError")
    assert told[1] == "line 2: return x // 0"


def test_a_demo_that_stopped_tells_no_line_while_it_is_graded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_GRADING", "1")
    stopped_demo()
    assert "line 2" not in capsys.readouterr().out


def test_a_demo_can_be_interrupted() -> None:
    with pytest.raises(KeyboardInterrupt), plots.demo():
        raise KeyboardInterrupt


def test_training_takes_one_step_while_it_is_graded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(plots.steps(7)) == 7
    monkeypatch.setenv("GRADER_GRADING", "1")
    assert (len(plots.steps(7)), len(plots.steps(0))) == (1, 0)


def test_a_table_has_one_row_while_it_is_graded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert plots.rows({"tiny": 1, "small": 2}) == ["tiny", "small"]
    monkeypatch.setenv("GRADER_GRADING", "1")
    assert (plots.rows(("tiny", "small")), plots.rows([])) == (["tiny"], [])


CELL = """
from course import plots

def attention(x):
    return x + 1

with plots.demo():
    attention, words = 3, ["the", "cat"]
"""


def names_after(*cells: str) -> dict[str, object]:
    """The names of a notebook with these cells."""
    names: dict[str, object] = {}
    for cell in cells:
        exec(cell, names)
    return names


def test_a_demo_gives_back_the_names_that_it_took() -> None:
    names = names_after(CELL, "found = attention(1)")
    assert (names["found"], names["words"]) == (2, ["the", "cat"])


def test_a_demo_gives_back_names_also_when_it_stops(capsys: pytest.CaptureFixture[str]) -> None:
    names = names_after(CELL + "    1 / 0\n", "found = attention(1)")
    assert names["found"] == 2
    assert "division by zero" in capsys.readouterr().out


def test_a_demo_that_runs_again_replaces_what_it_made() -> None:
    again = "with plots.demo():\n    words, attention = ['a', 'dog'], 4"
    names = names_after(CELL, again, "found = attention(1)")
    assert (names["found"], names["words"]) == (2, ["a", "dog"])


def test_what_an_answer_names_after_a_demo_is_its_own() -> None:
    own = "def words():\n    return 'mine'"
    names = names_after(CELL, own, "with plots.demo():\n    words = 'theirs'")
    assert callable(names["words"])


def test_a_demo_inside_a_function_leaves_the_notebook_alone() -> None:
    cell = (
        "def show():\n    with plots.demo():\n        attention = 1\nshow()\nfound = attention(1)"
    )
    assert names_after(CELL, cell)["found"] == 2
