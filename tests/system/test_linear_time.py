"""Whatever meets a stranger's text takes time that grows as its length does, not as the square.

Each function here gets long texts of what its kind is worst at: what begins a pattern and never
ends it, what could be split in many ways, what nests. The bound is generous: a square of that
length takes many times as long.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from grader import text as texts
from grader import times
from grader.config import policy_table
from grader.errors import GraderError, IntakeError
from grader.gradesheets.sheet import Sheet
from grader.intake.archive import Archive
from grader.intake.gradescope_yaml import load as load_yaml
from grader.intake.json_text import load
from grader.intake.matching import Matcher
from grader.intake.notebook import metadata_assignment, read
from grader.intake.owners import find_holdings
from grader.intake.platforms import read_canvas, read_moodle, read_nbgrader, read_stamp
from grader.intake.roster import known_as
from grader.intake.script import decode_script
from grader.intake.walker import list_files
from grader.names import clean_name, component
from grader.text import shown_name

LENGTH = 100_000
BOUND_S = 2.0
SHORTER = 5
"""By what the length and the bound are divided where there is less time."""

UNITS = [
    *"\"'\\#%<=>{}[](),:;._-+*|&`$~^ \t\n\r\0aA1\x1b",
    '"a', '""', '"""', "'''", "'''a", '"\\', '\\"', "\\\n", '"""a\n', "#\n", "# %%", "# %%\n", "# In [",
    "# In [1]:\n", "# %% [markdown", "# %% [", "app = marimo.", "# coding:", "coding: ", "\r\n",
    "<<<<<<< ", "<<<<<<< \n", "<<<<<<< \n=======\n", "=======\n", "=======\n<<<<<<< \n=======\n>>>>>>>\n",
    "\n>>>>>>> ", '{"a":', '{"a":0}', '{"cells":[', '"a":0,', '"metadata":{', "[[],", "NaN", "NaN,",
    '"NaN', "-Infinity", "\\ud800", '\\ud800"', "\\udc00\\", "\\\\ud800", "1,", "-1", "1e9", "null,",
    '{"cell_type":"code","source":"', "sage", "sage\n", "julia", "python3.", "_1", "1_", "-1.", "-1", "a_",
    "anon_", "LATE_", "LATE_anon_", "_1_1_", "_1_assignsubmission_", "_assignsubmission_file_", "+a",
    "2026-03-01T00:00", "+01:00", "[Europe/", "Monday, ", "1 day", "1 %", "1.", "a1", "a 1", "fullmodel1",
    "model", "Model ", "lab", "aA", "copy", "\u0300\u0323", "\ufdfa", "\u1100", "\U0001f9d1\u200d",
    "data ", "javascript:", "<a ", "</", "<!--", "&#", "&a", "\x1b[0", "www.", "://", "**", "- a: &a\n",
    "*a ", "  - ", "? ", "- - ", "a: {", ":submitters:\n", ',"a', '"";', "a,b\n", "\t\"",
    "```", "```\n", "```{", "```{python}\n", "```{code-cell}\n:a: b\n", "```p ", "~~~\n", "---\n", ":a: b\n",
    "<!-- #region -->\n", "<!-- #region -->", "grader:\n", "grader: ", " assignment: a", "#| eval:\n",
]  # fmt: skip

_MATCHER = Matcher({"full_model": ["full model", "model 1 1 1 1"], "lab_1": ["lab 1"], "a": ["a"]})


def _sheet(text: str, folder: Path) -> None:
    path = folder / "sheet.csv"
    path.write_bytes(text.encode("utf-8", "replace"))
    Sheet.read(path)


def _bytes(function: Callable[[bytes], object]) -> Callable[[str], object]:
    return lambda text: function(text.encode("utf-8", "replace"))


STRANGERS: dict[str, Callable[[str], object]] = {
    "a notebook": _bytes(lambda content: read(content, "a.ipynb")),
    "a notebook's metadata": _bytes(metadata_assignment),
    "a script": _bytes(lambda content: read(content, "a.py")),
    "a notebook in Markdown": _bytes(lambda content: read(content, "a.md")),
    "a notebook of Quarto": _bytes(lambda content: read(content, "a.qmd")),
    "the head of Markdown": _bytes(lambda content: metadata_assignment(content, "a.md")),
    "a script's encoding": _bytes(decode_script),
    "JSON": _bytes(load),
    "JSON in UTF-16": lambda text: load(text.encode("utf-16", "replace")),
    "a cell": lambda text: read(_within("source", text), "a.ipynb"),
    "an output": lambda text: read(_within("outputs", text), "a.ipynb"),
    "a kernel's name": lambda text: read(_kernel(text), "a.ipynb"),
    "a name": clean_name,
    "a name in a message": shown_name,
    "a name in the reports": component,
    "what a name says": lambda text: _MATCHER.read(text),
    "a name of Canvas": read_canvas,
    "a name of Moodle": read_moodle,
    "a name of nbgrader": read_nbgrader,
    "a time of nbgrader": _bytes(read_stamp),
    "a folder of nbgrader": lambda text: read_nbgrader(f"ann+words+{text}"),
    "metadata of Gradescope": _bytes(load_yaml),
    "a student in a sheet": known_as,
    "a time": lambda text: times.parse_time(text, "UTC"),
    "a length of time": times.parse_duration,
    "an amount": policy_table.parse_amount,
    "text in a line": texts.one_line,
    "text in a sentence": texts.sentence,
    "text in CSV": texts.csv_text,
    "text in XML": texts.xml,
    "text in HTML": texts.html,
    "text in Markdown": texts.markdown,
    "code in Markdown": texts.code_block,
    "a word of code in Markdown": texts.code_span,
}


def _within(key: str, text: str) -> bytes:
    value: object = text if key == "source" else [{"text": text, "data": {"a": float("nan")}}]
    return json.dumps({"cells": [{"cell_type": "code", "source": "x", key: value}]}).encode()


def _kernel(text: str) -> bytes:
    return json.dumps({"cells": [], "metadata": {"kernelspec": {"name": text}}}).encode()


def seconds(function: Callable[[], object]) -> float:
    """Processor time of this thread, so that a busy machine does no harm."""
    began = time.thread_time()
    with suppress(GraderError, ValueError):
        function()
    return time.thread_time() - began


def slow(name: str, length: int, bound_s: float) -> dict[str, float]:
    """The units that take longer, with their times."""
    found = {}
    for unit in UNITS:
        text = unit * (length // len(unit))
        for worst in (text, f"{{{text}\nx"):
            took = seconds(lambda worst=worst: STRANGERS[name](worst))  # type: ignore[misc]
            if took > bound_s:
                found[unit] = took
    return found


@pytest.mark.parametrize("name", STRANGERS)
def test_no_text_takes_longer_than_its_length_allows(name: str) -> None:
    assert not slow(name, LENGTH // SHORTER, BOUND_S / SHORTER)


@pytest.mark.slow
@pytest.mark.parametrize("name", STRANGERS)
def test_no_long_text_takes_longer_than_its_length_allows(name: str) -> None:
    assert not slow(name, LENGTH, BOUND_S)


@pytest.mark.parametrize("unit", ['"', '""', '"a', '"\n', ',"', '";', "a", ",", '\t"', '"""'])
def test_a_sheet_takes_no_longer_than_its_length_allows(tmp_path: Path, unit: str) -> None:
    assert seconds(lambda: _sheet(unit * (LENGTH // len(unit)), tmp_path)) < BOUND_S


def _named(names: list[str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), "")
    return made.getvalue()


@pytest.mark.parametrize(
    "name",
    ["a/" * 30_000 + "a.py", "../" * 20_000, "./" * 30_000, "\\" * 60_000, "\u0300\u0323" * 15_000,
     "a1" * 30_000, "é/" * 20_000],
    ids=["deep", "outside", "here", "backslashes", "accents", "words", "folders"],
)  # fmt: skip
def test_long_names_of_members_are_listed_at_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(_named([f"{number}{name}" for number in range(5)]))

    def look() -> None:
        with Archive(path) as archive:
            archive.members()
        with suppress(IntakeError):
            list_files(path, "a.zip")
            find_holdings(path, _MATCHER)

    assert seconds(look) < BOUND_S
