"""JSON from strangers, looked into no further than asked."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import IntakeError
from grader.intake.json_text import MAX_KEYS, items, load, members, text_of

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=10,
)
tricky = st.text(alphabet='"\\NaInfty-\ud800\udc00, :{}[]\n', max_size=12)
odd = st.recursive(
    tricky | st.sampled_from([math.nan, math.inf, -math.inf, 1]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(tricky, inner, max_size=4),
    max_leaves=10,
)


def as_json(value: Any) -> Any:
    """What JSON can say of a value: other constants are 0, halves of characters U+FFFD."""
    if isinstance(value, dict):
        return {as_json(key): as_json(one) for key, one in value.items()}
    if isinstance(value, list):
        return [as_json(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return 0
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


@given(st.dictionaries(st.text(max_size=6), values), st.sampled_from([None, 1, "\t"]))
def test_members_are_those_that_json_finds(value: dict[str, Any], indent: Any) -> None:
    found = load(json.dumps(value, indent=indent).encode())
    assert [*found] == [*value]
    for key, raw in found.items():
        again = json.loads(bytes(raw))
        assert json.dumps(again) == json.dumps(as_json(value[key]))


@given(st.dictionaries(tricky, odd, max_size=4).filter(lambda v: len(as_json(v)) == len(v)))
def test_what_json_does_not_have_is_taken_outside_of_strings_alone(value: dict[str, Any]) -> None:
    found = load(json.dumps(value).encode())
    again = {key: json.loads(bytes(raw)) for key, raw in found.items()}
    assert again == json.loads(json.dumps(as_json(value)))


@given(
    st.lists(st.tuples(st.sampled_from("abc"), values), min_size=1, max_size=5),
    st.sampled_from(["", " ", "\n  "]),
)
def test_a_key_that_occurs_twice_is_noticed(pairs: list[tuple[str, Any]], space: str) -> None:
    text = ",".join(f'{space}"{key}"{space}:{space}{json.dumps(value)}' for key, value in pairs)
    content = f"{{{text}{space}}}".encode()
    if len({key for key, _ in pairs}) == len(pairs):
        assert len(load(content)) == len(pairs)
    else:
        with pytest.raises(IntakeError, match="twice"):
            load(content)


@pytest.mark.parametrize("inner", ['{"a":1,"a":1}', '{"a":12,"a":1}', '{"a":1,"b":[1],"a":12}'])
def test_a_key_that_occurs_twice_further_in_is_noticed_when_it_is_looked_at(inner: str) -> None:
    found = load(f'{{"x":{inner}}}'.encode())
    with pytest.raises(IntakeError, match="twice"):
        members(found["x"])


def test_an_object_of_very_many_keys_is_refused() -> None:
    text = ",".join(f'"{number}":0' for number in range(MAX_KEYS + 1))
    with pytest.raises(IntakeError, match="keys"):
        load(f"{{{text}}}".encode())


def test_other_types_are_told_apart() -> None:
    found = load(b'{"a": [1, "x"], "b": {"c": 1}, "d": "t", "e": null}')
    assert items(found["b"]) is None
    assert members(found["a"]) == {}
    assert text_of(found["a"]) is None
    assert text_of(found["d"]) == "t"
    assert text_of(found["e"]) is None
    assert [text_of(one) for one in items(found["a"]) or []] == [None, "x"]
    assert (members(None), items(None), text_of(None)) == ({}, None, None)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ('{"a": 1,\n "ä": x}', "line 2, column 7"),
        ('{"a": 1,\n', "line 1, column 9"),
        ("x", "line 1, column 1"),
        ('{"a": NaN, "b": }', "line 1, column"),
    ],
)
def test_the_place_of_a_fault_is_named(content: str, place: str) -> None:
    with pytest.raises(IntakeError, match=place):
        load(content.encode())


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["<<<<<<< HEAD", "a", "=======", "b", ">>>>>>> theirs"], True),
        (["<<<<<<< HEAD\r", "=======\r", ">>>>>>> theirs\r"], True),
        (["<<<<<<< a", "||||||| b", "=======", ">>>>>>> c"], True),
        (["=======", "<<<<<<< HEAD", ">>>>>>> theirs"], False),
        (["<<<<<<< HEAD", ">>>>>>> theirs", "======="], False),
        (["<<<<<<<", "=======", ">>>>>>> theirs"], False),
        ([" <<<<<<< HEAD", "=======", ">>>>>>> theirs"], False),
    ],
)
def test_the_marks_of_a_merge_conflict_come_in_their_order(
    lines: list[str], expected: bool
) -> None:
    with pytest.raises(IntakeError) as error:
        load("\n".join(["{", *lines, "}"]).encode())
    assert ("merge conflict" in error.value.message) == expected
