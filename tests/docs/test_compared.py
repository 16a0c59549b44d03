"""The page that compares how much there is to write: its numbers, counted in the pages' own code."""

from __future__ import annotations

import re

import pytest
from guides import ROOT, blocks

SOURCES = {
    "nbgrader": "docs/from-nbgrader.md",
    "Otter": "docs/from-otter.md",
    "here": "docs/compared.md",
    "here, with 4 wrong answers": "docs/compared.md",
}
ONLY_BEGINS = re.compile(r"# %%(?: \[(?:markdown|raw)\]| nbgrader=\{.*\})?")


def source(row: str) -> list[str]:
    """The lines of the two questions, as a page shows them."""
    (text,) = [one.text for one in blocks(SOURCES[row]) if one.text.startswith("# %%")]
    lines = [line for line in text.splitlines() if line.strip()]
    return lines if "wrong" in row else [one for one in lines if "# %% mutant" not in one]


def stated(row: str) -> tuple[int, int]:
    """How many lines and cells the page says there are."""
    page = (ROOT / "docs/compared.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^\| \[?{row}(?:\]\(.*?\))? \| (\d+) \| (\d+) \|", page, re.M)
    return int(found[0]), int(found[1])


@pytest.mark.parametrize("row", SOURCES)
def test_the_numbers_are_those_of_the_code(row: str) -> None:
    lines = source(row)
    cells = sum(line.startswith("# %%") for line in lines)
    assert stated(row) == (sum(ONLY_BEGINS.fullmatch(line) is None for line in lines), cells)
