"""Markers of cells."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import ReleaseError
from grader.lesson.markers import Marker, read_marker

NAMES = st.from_regex(r"[a-z_]{1,9}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
VALUES = st.one_of(NAMES, TEXTS, st.lists(NAMES, max_size=3))


def test_words_and_values_are_told_apart() -> None:
    marker = read_marker(' check hidden question=mean points=2 tags=["a", "b"]', "x")
    assert marker == Marker(
        words=("check", "hidden"),
        values={"question": "mean", "points": "2", "tags": ["a", "b"]},
    )


@pytest.mark.parametrize(
    ("text", "kind"), [("", "code"), ("[markdown]", "markdown"), ("[md]", "markdown"), ("[grader]", "grader")]
)  # fmt: skip
def test_a_kind_stands_in_brackets(text: str, kind: str) -> None:
    assert read_marker(text, "x").kind == kind


def test_jupytext_may_write_json() -> None:
    assert read_marker('[markdown] {"tags": ["x"]}', "x").values == {"tags": ["x"]}


@pytest.mark.parametrize("text", ['key="open', "key=[1", "=x", '"quoted"', "key=[a]", "{broken}"])
def test_what_is_no_marker_is_named_with_its_place(text: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        read_marker(text, "file.py:3")
    assert caught.value.where == "file.py:3"


@given(st.lists(NAMES, max_size=3), st.dictionaries(NAMES, VALUES, max_size=3))
def test_what_is_written_is_read(words: list[str], values: dict[str, object]) -> None:
    said = [
        *words,
        *(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in values.items()),
    ]
    assert read_marker(" ".join(said), "x") == Marker(words=tuple(words), values=values)
