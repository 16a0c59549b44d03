"""Values of every kind: what goes in comes out, at home as across the wall, and nothing else gets in."""

from __future__ import annotations

import contextlib
import tracemalloc
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from value_kinds import ARRAYS, OWN, PANDAS, STANDARD, TABLES, crossed, same

from grader.testing import forms
from grader.testing.crossing import BelievedCopier, Copier
from grader.testing.forms.described import Member, NamedValues, Raised, Record
from grader.testing.objects import plain
from grader.testing.operations import Op
from grader.wire import values as protocol
from grader.wire.batch import Batch, decode_batch
from grader.wire.values import HEADER, ProtocolError, decode_body, encode_frame

SOME = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
VALUES = STANDARD | ARRAYS | PANDAS | TABLES
ANY = st.lists(VALUES | OWN, max_size=3) | st.dictionaries(st.text(max_size=3), VALUES, max_size=2)


@SOME
@given(STANDARD)
def test_what_the_standard_library_has_comes_back_as_it_was(value: Any) -> None:
    assert same(crossed(value), value)


@SOME
@given(ARRAYS)
def test_arrays_come_back_as_they_were(value: Any) -> None:
    back = crossed(value)
    if value.dtype.kind == "U":  # they get as long as the longest is
        assert back.tolist() == value.tolist()
    else:
        assert same(back, value)


@SOME
@given(PANDAS | TABLES)
def test_tables_come_back_as_they_were(value: Any) -> None:
    assert same(crossed(value), value)


@SOME
@given(ANY)
def test_a_copy_is_what_would_have_crossed(value: Any) -> None:
    found = plain(value)
    assert same(Copier().walk({"value": found}, 0)["value"], crossed(value))


@SOME
@given(ANY)
def test_what_a_check_sends_arrives_as_it_is_copied_at_home(value: Any) -> None:
    batch = Batch()
    batch.add(Op.SEND, {"value": value})
    _, ((_, fields),) = decode_batch(batch.take(1)[HEADER.size :])
    assert same(BelievedCopier().walk({"value": value}, 0)["value"], fields["value"])


@SOME
@given(ANY, st.data())
def test_damaged_values_arrive_or_are_refused(value: Any, data: st.DataObject) -> None:
    frame = bytearray(encode_frame({"v": plain(value)})[HEADER.size :])
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ProtocolError):
        decode_body(bytes(frame))


def form(name: object, *parts: object) -> msgpack.ExtType:
    return msgpack.ExtType(protocol.EXT_FORM, msgpack.packb([name, *parts]))


def array(dtype: object, shape: object, raw: bytes = b"") -> msgpack.ExtType:
    return msgpack.ExtType(protocol.EXT_ARRAY, msgpack.packb([dtype, shape]) + raw)


def texts(*lengths: int, count: int | None = None, raw: bytes = b"") -> msgpack.ExtType:
    count = len(lengths) if count is None else count
    packed = b"".join(length.to_bytes(4, "little") for length in lengths)
    return msgpack.ExtType(protocol.EXT_TEXTS, count.to_bytes(4, "little") + packed + raw)


EIGHT = array("int64", [1], b"\0" * 8)
NO_TEXTS = texts()
ROWS = ["range", 0, 1, 1, None]

HOSTILE = {
    "form without a name": msgpack.ExtType(protocol.EXT_FORM, msgpack.packb([])),
    "unknown form": form("eval", "1"),
    "form that is a list": form([], "1"),
    "array too short": array("float64", [2], b"\0" * 8),
    "array of nothing with bytes": array("float64", [0], b"\0" * 8),
    "array too long": array("float64", [1], b"\0" * 16),
    "array of objects": array("object", [1], b"\0" * 8),
    "array of a huge shape": array("int8", [1 << 40, 1 << 40]),
    "array of a negative shape": array("int8", [-1]),
    "array of a shape of booleans": array("int8", [True], b"\0"),
    "array of too many dimensions": array("int8", [1] * 13, b"\0"),
    "bool that is neither": array("bool", [1], b"\2"),
    "texts without bytes": texts(5),
    "texts with too many bytes": texts(1, raw=b"ab"),
    "texts that are not there": texts(count=1 << 31),
    "texts that are no UTF-8": texts(1, raw=b"\xff"),
    "words of a huge width": form("words", [200_001], texts(1 << 20, *[0] * 200_000, raw=b"x" * (1 << 20))),
    "words that do not fit": form("words", [3], NO_TEXTS),
    "scalar with a shape": form("scalar", EIGHT),
    "decimal that is a bomb": form("decimal", "1E+999999"),
    "decimal of a word": form("decimal", "seven"),
    "decimal in other digits": form("decimal", "٣"),
    "fraction over nothing": form("fraction", 1, 0),
    "fraction of floats": form("fraction", 1.0, 2.0),
    "date that is none": form("date", 2024, 2, 30),
    "year out of bounds": form("datetime", 10**6, 1, 1, 0, 0, 0, 0, 0, None),
    "time of texts": form("time", "1", 2, 3, 4, 0, None),
    "fold of two": form("time", 1, 2, 3, 4, 2, None),
    "zone that leads outside": form("timezone", ["zone", "../../../etc/passwd"]),
    "zone that is not there": form("timezone", ["zone", "Europe/Nowhere"]),
    "offset of two days": form("timezone", ["offset", 2 * 86_400_000_000, None]),
    "days without end": form("timedelta", 1 << 62, 0, 0),
    "range without a step": form("range", 0, 1, 0),
    "set of lists": form("set", [[1]]),
    "set of no list": form("set", 1),
    "record with too few values": form("record", "P", ["x"], []),
    "record with a field twice": form("record", "P", ["x", "x"], [1, 2]),
    "record with a number for a name": form("record", "P", [1], [2]),
    "record with many fields": form("record", "P", [f"f{n}" for n in range(300)], [0] * 300),
    "named with a long name": form("named", "P" * 101, ["x"], [2]),
    "member without a value": form("member", "Color", "RED"),
    "exception without a kind": form("raised", [], "", None),
    "exception of objects": form("raised", ["E"], "", [[1]]),
    "series too short": form("series", None, ROWS, ["array", array("int64", [0])]),
    "series of a matrix": form("series", None, ROWS, ["array", array("int64", [1, 1], b"\0" * 8)]),
    "series without a column": form("series", None, ROWS, []),
    "series called by a list": form("series", [1], ROWS, ["array", EIGHT]),
    "series of an unknown sort": form("series", None, ROWS, ["pickle", EIGHT]),
    "nullable without a mask": form("series", None, ROWS, ["masked", "Int64", EIGHT, EIGHT]),
    "nullable of another dtype": form("series", None, ROWS, ["masked", "Int8", EIGHT, array("bool", [1], b"\0")]),
    "codes beyond the categories": form("series", None, ROWS, ["categories", EIGHT, ["texts", "object", NO_TEXTS, array("uint8", [0])], False]),
    "categories of categories": form("series", None, ROWS, ["categories", EIGHT, ["categories", EIGHT, ["array", EIGHT], False], False]),
    "moments in a zone that is none": form("series", None, ROWS, ["zoned", ["zone", "x/y"], array("datetime64[us]", [1], b"\0" * 8)]),
    "texts of an unknown dtype": form("series", None, ROWS, ["texts", "category", texts(0), array("uint8", [1], b"\0")]),
    "texts missing in an unknown way": form("series", None, ROWS, ["texts", "object", texts(0), array("uint8", [1], b"\x09")]),
    "frame of columns without labels": form("frame", ["range", 0, 0, 1, None], ROWS, [["array", EIGHT]]),
    "frame of huge rows": form("frame", ROWS, ["range", 0, 1 << 61, 1, None], [["array", EIGHT]]),
    "index of too many levels": form("index", ["levels", [["array", EIGHT]] * 17, [None] * 17]),
    "table of an unknown type": form("table", ["a"], [["extension<x>", EIGHT, array("bool", [1], b"\0")]]),
    "table of another type": form("table", ["a"], [["double", EIGHT, array("bool", [1], b"\0")]]),
    "table of columns without a name": form("table", [], [["int64", EIGHT, array("bool", [1], b"\0")]]),
    "missing by another name": form("missing", "os"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_nobody_sends_is_refused_and_takes_no_memory(name: str) -> None:
    body = msgpack.packb(HOSTILE[name])
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError):
            decode_body(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 30 * len(body) + (8 << 20)


def test_sets_of_chosen_numbers_are_few() -> None:
    assert crossed(set(range(50_000))) == set(range(50_000))
    colliding = form("set", [n << 40 for n in range(2_000)])
    with pytest.raises(ProtocolError, match="too many keys"):
        decode_body(msgpack.packb(colliding))


@pytest.mark.parametrize("form", sorted(forms._BUILDERS))
@pytest.mark.parametrize("parts", [[], [None], [[]], ["x"] * 3, [1] * 9, [[1]] * 3, [{}] * 2])
def test_parts_of_other_types_are_malformed(form: str, parts: list[Any]) -> None:
    try:
        forms.together(form, parts)
    except forms.Malformed:
        return
    assert (form, parts) in [
        ("set", [[]]), ("frozenset", [[]]), ("range", [1] * 9), ("member", ["x"] * 3),
        ("timedelta", [1] * 3),
    ]  # fmt: skip


def test_described_values_are_what_they_were_made_of() -> None:
    record = Record("Cart", {"owner": "Ada", "items": [1]})
    assert (record.owner, record["items"], list(record)) == ("Ada", [1], ["owner", "items"])
    assert record == Record("Cart", {"owner": "Ada", "items": [1]})
    assert record != Record("Bag", {"owner": "Ada", "items": [1]})
    with pytest.raises(AttributeError, match="no field 'price'"):
        _ = record.price
    with pytest.raises(AttributeError, match="a copy"):
        record.owner = "Eve"
    named = NamedValues("Point", ("x", "y"), (1, 2))
    assert (named.x, named.y, named == (1, 2), repr(named)) == (1, 2, True, "Point(x=1, y=2)")
    assert Member("Color", "RED", 1) == Member("Color", "RED", 1) != Member("Color", "RED", 2)
    assert Raised(("E",), "no", None) == Raised(("E", "Exception"), "no", ("no",))
