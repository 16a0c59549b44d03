from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.names import component, components

NAMES = st.text(st.characters(), max_size=60) | st.sampled_from(
    [
        "..",
        ".",
        "",
        "/",
        "a/b",
        "CON",
        "con.md",
        "nul",
        "ada",
        "Ada",
        "ADA",
        "a.",
        "a ",
        "-rf",
        "~",
        "é",
        "e\u0301",
        "ﬁ",
        "fi",
        "x" * 300,
        "日" * 300,
        "\x00",
        "a\\b",
        "C:",
        "\ud800",
    ]
)


@given(NAMES)
def test_a_component_is_safe_on_every_file_system(text):
    name = component(text)
    assert name
    assert name not in {".", ".."}
    assert not re.search(r'[/\\:*?"<>|\x00-\x1f]', name)
    assert not name.startswith(("-", ".", " "))
    assert not name.endswith((".", " "))
    assert name.split(".")[0].strip().casefold() not in {"con", "prn", "aux", "nul", "com1", "lpt9"}
    assert len(name.encode("utf-8")) <= 240


@given(NAMES)
def test_a_component_can_be_made(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("names")
    path = folder / components([text])[text]
    path.mkdir()
    assert [found.name for found in folder.iterdir()] == [path.name]


@given(st.lists(NAMES, max_size=8))
def test_no_two_people_share_a_folder(texts):
    names = components(texts)
    assert set(names) == set(texts)
    folded = {unicodedata.normalize("NFKC", name).casefold() for name in names.values()}
    assert len(folded) == len(names)


@given(st.lists(NAMES, max_size=8, unique=True))
def test_names_do_not_depend_on_the_order(texts):
    assert components(texts) == components(reversed(texts))


@pytest.mark.parametrize("text", ["ada", "bo-lindqvist", "chen.wei@uni.example", "émile", "田中"])
def test_ordinary_names_stay(text):
    assert components([text, "other"])[text] == text


def test_names_that_differ_in_case_alone_are_both_marked():
    names = components(["Ada", "ada"])
    assert re.fullmatch(r"Ada-[0-9a-f]{8}", names["Ada"])
    assert re.fullmatch(r"ada-[0-9a-f]{8}", names["ada"])


def test_someone_who_calls_himself_like_another_ones_marked_name_gets_his_own():
    marked = components(["Ada", "ada"])["ada"]
    names = components(["Ada", "ada", marked])
    assert len({name.casefold() for name in names.values()}) == 3


def test_no_name_leads_out_of_the_folder(tmp_path):
    for text in ("../../etc", "..", "/etc/passwd", "a/../../b"):
        path = tmp_path / components([text])[text]
        assert path.resolve().parent == Path(tmp_path).resolve()
