"""Formulas as MathML: what a browser shows by itself, and nothing that somebody could misuse."""

from __future__ import annotations

import json
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.integrations.nbgrader.formulas import ATTRIBUTES, ELEMENTS, MAX_CHARS, formula
from grader.integrations.nbgrader.pages import page

NOTEBOOKS = Path(__file__).parents[4] / "course/notebooks"
PIECES = (
    "x", "1", "{", "}", "^", "_", "&", "\\\\", "\\frac", "\\sqrt", "\\left(", "\\right)", "\\text{", "\\begin{matrix}",
    "\\end{matrix}", "\\href{javascript:x}", "\\style{position:fixed}", "\\class{score}", "\\newcommand", "\\def\\a{\\a}",
    "\\a", "\\hspace{99em}", "\\rule{9em}{9em}", "\\color{red}", "<", ">", "</math>", "<script>", "&lt;", "\\limits", "'",
    "\\unicode{60}", "\ue000", "\0", "\\Huge", "\\includegraphics{x}", "#1", "%", "~", "\\overset", "\\middle|",
)  # fmt: skip


def allowed(made: str) -> bool:
    """Whether it is a formula of named parts, or the text of one."""
    root = ElementTree.fromstring(made)
    if root.tag in ("code", "div"):
        return all(element.tag in ("code", "div") and not element.attrib for element in root.iter())
    return all(
        element.tag in ELEMENTS and element.attrib.keys() <= ATTRIBUTES for element in root.iter()
    )


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join), st.booleans())
@settings(max_examples=100, deadline=None)
def test_whatever_is_written_gives_named_elements_or_text(tex: str, block: bool) -> None:
    if "\0" in tex:  # what no page may hold
        tex = tex.replace("\0", "")
    assert allowed(formula(tex, block=block))


@pytest.mark.parametrize("notebook", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_formula_of_the_course_can_be_shown(notebook: Path) -> None:
    cells = json.loads(notebook.read_bytes())["cells"]
    prose = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    made = "".join(map(page, prose))
    assert "<math" in made
    assert "<code>\\" not in made
    assert "$" not in made


def test_what_stands_alone_is_shown_so() -> None:
    assert 'display="block"' in formula("x", block=True)
    assert 'display="inline"' in formula("x", block=False)


@pytest.mark.parametrize(
    "name", ["align", "align*", "aligned", "split", "gathered", "gather*", "eqnarray", "cases", "dcases",
             "multline", "pmatrix", "bmatrix"],
)  # fmt: skip
def test_lines_below_each_other_are_a_table(name: str) -> None:
    made = formula(f"\\begin{{{name}}}a &= b \\\\ c &\\to d\\end{{{name}}}", block=True)
    assert made.count("<mtr") == 2
    assert "&amp;" not in made


def test_signs_of_html_are_signs() -> None:
    assert "<mo>&lt;</mo>" in formula("a < b", block=False)
    assert "a&lt;b" in formula("\\text{a<b}", block=False)


def test_a_formula_that_cannot_be_read_is_shown_as_written() -> None:
    assert formula("x_1_2 <", block=False) == "<code>x_1_2 &lt;</code>"


@pytest.mark.parametrize("length", ["\\hspace{99em}", "\\hspace{-40em}"])
def test_nothing_is_moved_far(length: str) -> None:
    assert "width" not in formula(f"x{length}y", block=False)


@pytest.mark.parametrize(
    "piece",
    ["{", "\\frac", "\\sqrt{", "x^{", "\\left(", "\\text{", "\\begin{matrix}", "a+", "&", "\\\\", "\\newcommand{\\a}{\\a\\a}\\a",
     "\\def\\a{\\a\\a}\\a", "x'", "\\overset{", "\\color{"],
)  # fmt: skip
def test_hostile_formulas_take_no_time(piece: str) -> None:
    started = time.process_time()
    formula((piece * MAX_CHARS)[:MAX_CHARS], block=True)
    formula(piece * 100_000, block=True)
    assert time.process_time() - started < 5
