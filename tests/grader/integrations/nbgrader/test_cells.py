"""A stranger's notebook becomes valid, and what the gradebook knows wins."""

from __future__ import annotations

import base64
from typing import Any

import nbformat
import pytest

from grader.integrations.nbgrader.cells import Known, Source, rebuild

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"picture").decode()
ADD = Known("add", "code", "# YOUR CODE HERE", "c" * 32, locked=False, solution=True)
SMALL = Known("small", "code", 'check("small")', "d" * 32, locked=True, solution=False, points=1.0)
ANY = Known("any", "code", "# graded later", "e" * 32, locked=True, solution=False, points=2.5)
SOURCE = Source((SMALL, ANY, ADD), {"name": "python3", "display_name": "Python 3"})


def cell(source: object = "", grade_id: object = None, kind: object = "code") -> dict[str, Any]:
    metadata = {} if grade_id is None else {"nbgrader": {"grade_id": grade_id, "points": 99}}
    return {"cell_type": kind, "metadata": metadata, "source": source, "outputs": []}


def made_of(*cells: object) -> tuple[dict[str, Any], list[str]]:
    made, repairs = rebuild({"cells": list(cells)}, SOURCE)
    nbformat.validate(nbformat.from_dict(made))
    return made, repairs


def ids(made: dict[str, Any]) -> list[str | None]:
    return [c["metadata"].get("nbgrader", {}).get("grade_id") for c in made["cells"]]


def test_an_answer_stays_and_a_question_is_as_released() -> None:
    made, repairs = made_of(
        cell("def add(): ...", "add"), cell("points = 99", "small"), cell("", "any")
    )
    assert [c["source"] for c in made["cells"]] == ["def add(): ...", SMALL.source, ANY.source]
    assert made["cells"][1]["metadata"]["nbgrader"]["points"] == 1.0
    assert repairs == [
        "the locked cell `small` had been changed, and is as released",
        "the locked cell `any` had been changed, and is as released",
    ]


def test_an_untouched_notebook_needs_no_repair() -> None:
    cells = [cell(known.source, known.name) for known in SOURCE.cells]
    assert made_of(*cells)[1] == []


def test_a_missing_question_comes_back_after_the_one_before_it() -> None:
    made, repairs = made_of(cell("x", "add"), cell(SMALL.source, "small"), cell("mine"))
    assert ids(made) == ["add", "small", "any", None]
    assert repairs == ["the cell `any` was missing, and is put back"]


def test_a_missing_written_answer_does_not_look_untouched() -> None:
    """It may stand in a cell that has lost its name: nbgrader gives nothing for untouched ones."""
    essay = Known("essay", "markdown", "Why?", "f" * 32, locked=False, solution=True, points=3.0)
    made, repairs = rebuild({"cells": [cell("Because.", kind="markdown")]}, Source((essay,)))
    back = made["cells"][1]["metadata"]["nbgrader"]
    assert (back["grade_id"], back["points"]) == ("essay", 3.0)
    assert "checksum" not in back
    assert repairs == ["none of its cells are this assignment's: the questions are put back"]


def test_a_missing_answer_is_not_invented() -> None:
    made, repairs = made_of(cell(SMALL.source, "small"), cell(ANY.source, "any"))
    assert ids(made) == ["small", "any"]
    assert repairs == ["the cell `add` is missing"]


def test_of_two_cells_with_one_name_the_first_counts() -> None:
    made, repairs = made_of(
        cell(SMALL.source, "small"), cell("copy", "small"), cell(ANY.source, "any"), cell("", "add")
    )
    assert ids(made) == ["small", None, "any", "add"]
    assert "`small` occurs more than once" in repairs[0]


def test_another_type_is_turned_back() -> None:
    made, repairs = made_of(
        cell("def add(): ...", "add", "markdown"),
        cell(SMALL.source, "small"),
        cell(ANY.source, "any"),
    )
    assert made["cells"][0]["cell_type"] == "code"
    assert made["cells"][0]["source"] == "def add(): ..."
    assert "another type" in repairs[0]


@pytest.mark.parametrize(
    "name",
    ["unknown", "", 7, ["small"], {"a": 1}],
    ids=["unknown", "empty", "number", "list", "table"],
)
def test_a_name_that_the_gradebook_does_not_know_is_taken_away(name: object) -> None:
    made, _ = made_of(cell("x", name))
    assert ids(made)[0] is None
    assert "nbgrader" not in made["cells"][0]["metadata"]


@pytest.mark.parametrize(
    "content",
    [None, [], "x", {}, {"cells": None}, {"cells": [None, 1, "x", []]}, {"cells": [{"metadata": 3}]},
     {"cells": [{"cell_type": 5, "source": {"a": 1}, "metadata": {"nbgrader": "yes"}}]},
     {"cells": [cell(["a", 1, None, "b"])]}, {"cells": [cell("\ud800")]}],
    ids=str,
)  # fmt: skip
def test_whatever_was_handed_in_gives_a_valid_notebook(content: object) -> None:
    made, _ = rebuild(content, SOURCE)
    nbformat.validate(nbformat.from_dict(made))
    assert {"small", "any"} <= set(ids(made))
    str(made).encode("utf-8")


def test_a_raw_cell_is_quoted_not_passed_on() -> None:
    made, _ = made_of(
        {"cell_type": "raw", "metadata": {"format": "text/html"}, "source": "<script>"}
    )
    assert made["cells"][0]["cell_type"] == "markdown"
    assert made["cells"][0]["source"].startswith("```")
    assert made["cells"][0]["metadata"] == {}


def test_what_a_student_claims_under_a_question_is_gone() -> None:
    claim = cell(SMALL.source, "small")
    claim["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "100 of 100 points"}]
    kept = cell("print(1)")
    kept["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "1"}]
    made, _ = made_of(claim, kept)
    assert made["cells"][0]["outputs"] == []
    shown = [c["outputs"] for c in made["cells"] if c["source"] == "print(1)"]
    assert shown == [[{"output_type": "stream", "name": "stdout", "text": "1"}]]


def test_the_kernel_is_that_of_the_source() -> None:
    made, _ = rebuild({"cells": [], "metadata": {"kernelspec": {"name": "evil"}}}, SOURCE)
    assert made["metadata"]["kernelspec"] == SOURCE.kernelspec


def test_an_answer_in_words_is_harmless_and_keeps_its_picture() -> None:
    essay = Known("essay", "markdown", "Why?", "f" * 32, locked=False, solution=True, points=3.0)
    answer = cell("<script>x</script>\n\nSo: ![s](attachment:s.png)", "essay", "markdown")
    answer["attachments"] = {"s.png": {"image/png": PNG}}
    made, _ = rebuild({"cells": [answer]}, Source((essay,)))
    assert "script" not in made["cells"][0]["source"]
    assert PNG in made["cells"][0]["source"]
    assert made["cells"][0]["metadata"]["nbgrader"]["grade_id"] == "essay"


def test_an_untouched_answer_stays_as_it_was_released_also_with_a_picture() -> None:
    """nbgrader knows by its text whether it was touched."""
    text = "Why <b>this</b>? ![s](attachment:s.png)"
    essay = Known("essay", "markdown", text, "f" * 32, locked=False, solution=True, points=3.0)
    answer = cell(text, "essay", "markdown")
    answer["attachments"] = {"s.png": {"image/png": PNG}, "evil": {"text/html": "PHNjcmlwdD4="}}
    made, _ = rebuild({"cells": [answer]}, Source((essay,)))
    assert made["cells"][0]["source"] == text
    assert made["cells"][0]["attachments"] == {"s.png": {"image/png": PNG}}


def test_prose_reads_as_before() -> None:
    text = "# 1 < 2, `a` and $x<y$"
    made, _ = made_of({"cell_type": "markdown", "metadata": {}, "source": text})
    assert made["cells"][0]["source"] == text


def test_what_is_left_out_of_prose_is_told() -> None:
    _, repairs = made_of(
        {"cell_type": "markdown", "metadata": {}, "source": "![x](attachment:x.png)"},
        *(cell(known.source, known.name) for known in SOURCE.cells),
    )
    assert repairs == ["a pasted picture is missing, none or too large: it is left out"]
