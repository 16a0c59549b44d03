"""An answer is found by its name in every kind of file, and never lost where it has none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from to_mark import handed_in

from grader.errors import IntakeError
from grader.intake.written import CODE, PROSE, Answer, Piece, find_answers

WANTED = ("why", "sketch")


def answers(content: str | bytes, name: str = "x.ipynb") -> dict[str, Answer]:
    raw = content.encode() if isinstance(content, str) else content
    return find_answers(raw, name, WANTED)[0]


def cell(source: object, kind: str = "markdown", **more: object) -> dict[str, object]:
    return {"cell_type": kind, "metadata": {}, "source": source, **more}


def notebook(*cells: object) -> str:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


NAMED = {
    "nbgrader": cell("because", metadata={"nbgrader": {"grade_id": "why"}}),
    "a tag": cell("because", metadata={"tags": ["x", "why"]}),
    "its id": cell("because", id="why"),
    "its name": cell("because", metadata={"name": "why"}),
    "lines": cell(["beca", "use"], id="why"),
}


@pytest.mark.parametrize("one", NAMED.values(), ids=NAMED)
def test_a_cell_of_a_notebook_is_found_by(one: dict[str, object]) -> None:
    found = answers(notebook(cell("# Why"), one, cell("x = 1", "code")))["why"]
    assert found == Answer((Piece(PROSE, "because"),))


SCRIPTS = {
    "a value": '# %% [markdown] answer="why"\n# because\n',
    "a word": "# %% [markdown] why\n# because\n",
    "jupytext": '# %% [markdown] {"nbgrader": {"grade_id": "why", "points": 2}}\n# because\n',
    "tags": '# %% [md] tags=["why"]\n"""\nbecause\n"""\n',
    "a title": "# %% why [markdown]\n# because\n",
}


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_a_cell_of_a_script_is_found_by(text: str) -> None:
    found = answers(f"x = 1\n{text}# %%\ny = 2\n", "x.py")["why"]
    assert found == Answer((Piece(PROSE, "because"),))


def test_code_is_an_answer_too_and_two_cells_of_a_name_are_both_shown() -> None:
    twice = (
        cell("a", id="why"),
        cell("b", metadata={"tags": ["why"]}),
        cell("draw()", "code", id="sketch"),
    )
    found = answers(notebook(*twice))
    assert [one.text for one in found["why"].pieces] == ["a", "b"]
    assert found["sketch"].pieces == (Piece(CODE, "draw()"),)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (notebook(cell("it is the moon"), cell("x = 1", "code")), "x.ipynb"),
        ("x = 1\n# it is the moon\n", "x.py"),
        ("# Tides\n\nit is the moon\n\n```{python}\nx = 1\n```\n", "x.qmd"),
    ],
)
def test_where_no_cell_has_the_name_everything_stands_for_it(content: str, name: str) -> None:
    found = answers(content, name)["why"]
    assert not found.found
    assert "it is the moon" in "".join(one.text for one in found.pieces)


def test_pictures_are_counted() -> None:
    pasted = cell("![x](attachment:a.png)", id="why", attachments={"a.png": {"image/png": "aa"}})
    assert answers(notebook(pasted))["why"].pieces[0].pictures == 1


def test_a_name_of_an_answer_is_about_its_words_alone() -> None:
    first = answers(handed_in("because"))["why"]
    assert first.digest == answers(handed_in("because\n"))["why"].digest
    assert first.digest == answers("# %% [markdown] why\n# because\n", "x.py")["why"].digest
    assert first.digest != answers(handed_in("because of the moon"))["why"].digest


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"[]", b'{"cells": 3}'])
def test_what_is_no_notebook_is_refused(content: bytes) -> None:
    with pytest.raises(IntakeError):
        answers(content)


@given(st.text(max_size=200) | st.text("#% []md\n'\"why=\\{}", max_size=200))
@settings(max_examples=150, deadline=None)
def test_no_script_is_too_odd(text: str) -> None:
    try:
        found = answers(text, "x.py")
    except IntakeError:
        return
    assert set(found) == set(WANTED)


@given(st.recursive(st.none() | st.text() | st.integers(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)))  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_no_cell_is_too_odd(value: object) -> None:
    odd = [value, {"cell_type": "markdown", "metadata": value, "source": value, "id": value}]
    odd += [{"cell_type": "code", "metadata": {"nbgrader": value, "tags": value}, "source": "x"}]
    try:
        found = answers(notebook(*odd))
    except IntakeError:
        return
    assert set(found) == set(WANTED)
