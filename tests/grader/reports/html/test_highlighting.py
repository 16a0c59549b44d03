"""Code in colours is the code, harmless, line by line."""

from __future__ import annotations

import html
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.reports.html.highlighting import COLOURED, MOST_CHARACTERS, highlighted
from grader.text import printable

PIECES = st.sampled_from(
    ["<b>", "</pre>", "&amp;", '"', "'''", "#", "\n", "\r", "\x0c", "\t", "\u202e", "\x1b[2J", "def f(", "f'{", "x", "\\"]
)  # fmt: skip


def text_of(line: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", line))


@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=80), st.booleans())
def test_each_line_is_the_line_of_the_source_made_harmless(source: str, colours: bool) -> None:
    lines = highlighted(source, colours=colours)
    assert [text_of(line) for line in lines] == [
        printable(line).replace("\n", " ") for line in source.split("\n")
    ]
    assert all(set(re.findall(r"<[^>]*>", line)) <= SPANS for line in lines)


SPANS = {"</span>", *(f'<span class="t{kind}">' for kind in "kbfdsnc")}


def test_words_numbers_texts_and_names_differ() -> None:
    (line,) = highlighted('def add(a): return f"{a}" + str(1)  # so')
    assert {match[1] for match in re.finditer(r'class="t(.)"', line)} == set("kfsbnc")


def test_long_lines_are_cut() -> None:
    (line,) = highlighted("x" * 10_000)
    assert len(text_of(line)) == MOST_CHARACTERS
    assert line.endswith("…")


@pytest.mark.parametrize(
    "piece", ['"', "(", "f'{", "a.", "\\", "@", "from ", "'''", "[x for ", "1_"]
)
def test_nothing_takes_long_to_colour(piece: str) -> None:
    source = "\n".join([piece * (200 // len(piece))] * 2 * (COLOURED // 200))
    began = time.process_time()
    for part in (source[: COLOURED - 1], source):  # in colours, and too long for them
        highlighted(part)
    assert time.process_time() - began < 3
