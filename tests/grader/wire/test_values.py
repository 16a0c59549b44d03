"""The codec: what goes in comes out, and nothing else gets in."""

from __future__ import annotations

import contextlib
import math
import sys
from collections import OrderedDict

import msgpack
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.testing.crossing import SMALL
from grader.testing.forms.parts import MAX_INT_BITS
from grader.testing.links import Ref
from grader.wire import values as protocol
from grader.wire.values import HEADER, ProtocolError, Unsendable, decode_body, encode_frame

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(), inner, max_size=4)
        | st.dictionaries(st.integers() | st.tuples(st.integers()), inner, max_size=4)
    ),
    max_leaves=20,
)


def crossed(value: object) -> object:
    frame = encode_frame({"v": value})
    assert HEADER.unpack(frame[:4])[0] == len(frame) - 4
    return decode_body(frame[4:])["v"]


def identical(left: object, right: object) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(identical, left, right))  # type: ignore[arg-type]
    if isinstance(left, dict):
        return list(left) == list(right) and all(identical(left[k], right[k]) for k in left)  # type: ignore[index, call-overload]
    return left == right


@given(plain)
def test_plain_data_crosses_with_its_exact_types(value: object) -> None:
    assert identical(crossed(value), value)


@given(st.integers(-(1 << MAX_INT_BITS) + 1, (1 << MAX_INT_BITS) - 1) | st.integers())
def test_integers_cross_whatever_their_size(value: int) -> None:
    assert identical(crossed(value), value)


def test_an_integer_crosses_however_few_digits_python_may_write() -> None:
    before = sys.get_int_max_str_digits()
    try:
        sys.set_int_max_str_digits(640)
        assert crossed(1 << (MAX_INT_BITS - 1)) == 1 << (MAX_INT_BITS - 1)
    finally:
        sys.set_int_max_str_digits(before)


@pytest.mark.parametrize("name", sorted(protocol.TENSOR_DTYPES))
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
def test_tensors_cross_by_value(name: str, shape: tuple[int, ...]) -> None:
    tensor = (torch.rand(shape) * 10).to(getattr(torch, name))
    back = crossed(tensor)
    assert type(back) is torch.Tensor
    assert back.dtype == tensor.dtype
    assert back.shape == tensor.shape
    assert torch.equal(back, tensor)


def test_views_parameters_and_layouts_cross_as_plain_tensors() -> None:
    base = torch.arange(24.0).reshape(2, 3, 4)
    parameter = torch.nn.Parameter(torch.rand(3))
    conjugated = torch.tensor([1 + 2j]).conj()
    for tensor in (base.permute(2, 0, 1), base[:, ::2], base.expand(2, 3, 4), base.to_sparse()):
        assert torch.equal(crossed(tensor), tensor.to_dense() if tensor.is_sparse else tensor)
    assert torch.equal(crossed(parameter), parameter.detach())
    assert torch.equal(crossed(conjugated), conjugated.resolve_conj())


def test_other_values_of_torch_cross() -> None:
    assert crossed(torch.bfloat16) is torch.bfloat16
    assert crossed(torch.device("cuda:1")) == torch.device("cuda:1")
    assert crossed(torch.Size([2, 3])) == (2, 3)
    assert crossed(slice(None, 3, 2)) == slice(None, 3, 2)
    assert crossed(...) is ...
    assert crossed(OrderedDict(a=1)) == {"a": 1}
    assert math.isnan(crossed(math.nan))  # type: ignore[arg-type]


def test_a_lone_surrogate_does_not_stop_a_frame() -> None:
    assert crossed("a\ud800b") == "a?b"


def test_references_cross_as_numbers() -> None:
    back = crossed([Ref(7)])
    assert isinstance(back, list)
    assert type(back[0]) is Ref
    assert back[0].id == 7


class Sly(torch.Tensor):
    pass


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (object(), "object is not plain data"),
        (torch.ones(2).as_subclass(Sly), "Sly is not plain data"),
        (torch.empty(2, device="meta"), "meta"),
        (torch.empty(protocol.MAX_FRAME, dtype=torch.float32), "bytes"),
        ("x" * (protocol.MAX_STR + 1), "characters"),
        (1 << MAX_INT_BITS, "14,000 bits"),
        ([0] * (protocol.MAX_NODES + 1), "values"),
        (dict.fromkeys(range(SMALL, SMALL + protocol.MAX_ODD_KEYS + 1), 0), "not strings"),
        (torch.ones([1] * 13), "13 dimensions"),
    ],
)
def test_what_may_not_cross_is_refused_in_words(value: object, reason: str) -> None:
    with pytest.raises(Unsendable, match=reason):
        encode_frame({"v": value})


def test_a_list_that_contains_itself_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(Unsendable, match="deep"):
        encode_frame({"v": loop})


def body(value: object) -> bytes:
    return bytes(msgpack.packb(value))


def tensor_ext(header: object, raw: bytes) -> bytes:
    return body(msgpack.ExtType(protocol.EXT_TENSOR, body(header) + raw))


def nested(depth: int) -> bytes:
    return b"\x91" * depth + b"\x00"


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xc1",
        body(1) + b"\x00",
        nested(protocol.MAX_DEPTH + 2),
        nested(100_000),
        b"\xdd\xff\xff\xff\xff",  # an array of four thousand million elements
        b"\xdf\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x01",
        body({1: 2}),
        body(msgpack.Timestamp(1)),
        body(msgpack.ExtType(99, b"")),
        body(msgpack.ExtType(protocol.EXT_REF, b"1" * 19)),
        body(msgpack.ExtType(protocol.EXT_REF, b"-1")),
        body(msgpack.ExtType(protocol.EXT_REF, "٣".encode())),
        body(msgpack.ExtType(protocol.EXT_INT, b"1" * (MAX_INT_BITS // 8 + 2))),
        body(msgpack.ExtType(protocol.EXT_DTYPE, b"load")),
        body(msgpack.ExtType(protocol.EXT_DTYPE, b"\xff")),
        body(msgpack.ExtType(protocol.EXT_DEVICE, b"cpu" * 20)),
        body(msgpack.ExtType(protocol.EXT_TUPLE, body({}))),
        body(msgpack.ExtType(protocol.EXT_DICT, body([[1]]))),
        body(msgpack.ExtType(protocol.EXT_DICT, body([[[], 1]]))),
        tensor_ext(["float32", [2]], b"\x00" * 4),
        tensor_ext(["float32", [1 << 62, 4]], b""),
        tensor_ext(["float32", [-1]], b""),
        tensor_ext(["float32", [True]], b"\x00" * 4),
        tensor_ext(["float32", [0] * 13], b""),
        tensor_ext(["object", [1]], b"\x00" * 8),
        tensor_ext(["bool", [1]], b"\x02"),
        tensor_ext("float32", b""),
        b"\xd9\x02\xff\xfe",  # text that is not UTF-8
    ],
)
def test_a_malformed_frame_is_refused(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_body(frame)


def test_more_values_than_allowed_are_refused_across_nested_sequences() -> None:
    part = msgpack.ExtType(protocol.EXT_TUPLE, body([0] * 50_000))
    with pytest.raises(ProtocolError, match="too many values"):
        decode_body(body([part] * 5))


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_random_bytes_decode_or_are_refused(frame: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        decode_body(frame)


@settings(max_examples=200)
@given(plain, st.data())
def test_damaged_frames_decode_or_are_refused(value: object, data: st.DataObject) -> None:
    frame = bytearray(encode_frame({"v": value, "t": torch.arange(3)})[4:])
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ProtocolError):
        decode_body(bytes(frame))


def test_what_takes_long_to_make_counts_for_more() -> None:
    encode_frame({"v": [torch.zeros(1)] * 1_000})
    with pytest.raises(Unsendable):
        encode_frame({"v": [torch.zeros(1)] * 20_000})
    one = msgpack.ExtType(protocol.EXT_TENSOR, msgpack.packb(["uint8", [1]]) + b"x")
    with pytest.raises(ProtocolError, match="too many values"):
        decode_body(msgpack.packb([one] * 20_000))


def odd(pairs: list[list[object]]) -> msgpack.ExtType:
    return msgpack.ExtType(protocol.EXT_DICT, msgpack.packb(pairs))


def test_keys_that_may_collide_are_few_in_all_and_small() -> None:
    dicts = [odd([[SMALL + n, 0] for n in range(1_000)])] * 16
    assert len(decode_body(msgpack.packb(dicts))) == 16
    assert len(crossed([dict.fromkeys(range(SMALL, SMALL + 1_000), 0)] * 16)) == 16  # type: ignore[arg-type]
    with pytest.raises(ProtocolError, match="too many keys"):
        decode_body(msgpack.packb([*dicts, *dicts[:1]]))
    with pytest.raises(Unsendable):
        encode_frame({"v": [dict.fromkeys(range(SMALL, SMALL + 1_000), 0)] * 17})
    for size in (60, 70):
        key = msgpack.ExtType(protocol.EXT_TUPLE, msgpack.packb(list(range(size))))
        body = msgpack.packb(odd([[key, 0]]))
        if size < protocol.MAX_KEY_PARTS:
            assert decode_body(body) == {tuple(range(size)): 0}
        else:
            with pytest.raises(ProtocolError, match="key too large"):
                decode_body(body)
