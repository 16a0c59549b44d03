"""The glossary: in order, each word once, every notebook leads to it, and it leads to notebooks that have the word."""

from __future__ import annotations

import re

import pytest
from stated_numbers import ROOT

from grader.authoring.lessons import lesson_paths, practice_lessons, read_lesson
from grader.config.course import load_course

COURSE = load_course(ROOT)
PATHS = lesson_paths(COURSE) | {path.stem: path for path in practice_lessons(COURSE)}
(GLOSSARY,) = read_lesson(PATHS["99_glossary"]).cells
ROWS = re.findall(r"^\| (.+) \| (.+) \| ([\d, ]+) \|$", GLOSSARY.source, re.MULTILINE)


def plain(word: str) -> str:
    return word.replace("`", "").replace("-", " ").casefold()


def test_words_are_in_order_and_come_once() -> None:
    words = [plain(word) for word, _, _ in ROWS]
    assert len(words) > 40
    assert words == sorted(set(words))


@pytest.mark.parametrize("name", sorted(set(PATHS) - {"99_glossary"}))
def test_every_notebook_leads_to_it(name: str) -> None:
    text = PATHS[name].read_text(encoding="utf-8")
    assert "[glossary](99_glossary.ipynb)" in text


@pytest.mark.parametrize(("word", "meaning", "notebooks"), ROWS, ids=[row[0] for row in ROWS])
def test_a_word_stands_in_the_notebooks_that_are_named(
    word: str, meaning: str, notebooks: str
) -> None:
    stem = re.split(r"[ ,(]", plain(word))[0].removesuffix("y")
    numbers = {path.name[:2]: name for name, path in PATHS.items()}
    for number in notebooks.split(", "):
        name = numbers[number.zfill(2)]
        text = plain(PATHS[name].read_text(encoding="utf-8"))
        assert stem in text, f"{word} is not in notebook {number}"
