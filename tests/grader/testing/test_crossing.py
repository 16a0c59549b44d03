"""Where no wall is, a copy is what would have crossed, and is refused in the same words."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grader.testing.crossing import SMALL, BelievedCopier, Copier, Unsendable
from grader.testing.operations import Op
from grader.wire.batch import Batch, decode_batch
from grader.wire.values import HEADER, decode_body, encode_frame

DTYPES = (torch.float32, torch.bfloat16, torch.int64, torch.bool, torch.complex64, torch.qint8)
tensors = st.sampled_from(
    [
        torch.arange(6).reshape(2, 3), torch.arange(6).reshape(2, 3).T, torch.zeros(0, 3),
        torch.tensor(1.5), torch.ones(3, requires_grad=True), torch.nn.Parameter(torch.ones(2)),
        torch.eye(3).to_sparse(), torch.ones(2, device="meta"), torch.ones(2, dtype=torch.complex64).conj(),
        torch.ones(4).expand(3, 4), torch.ones((1,) * 13),
    ]
)  # fmt: skip
leaves = (
    st.none() | st.booleans() | st.integers() | st.just(1 << 1300) | st.floats(allow_nan=False)
    | st.text() | st.just("\ud800") | st.binary() | st.builds(slice, st.integers(), st.none())
    | st.just(...) | st.sampled_from(DTYPES) | st.just(torch.device("cpu")) | st.just(torch.Size([2, 3]))
    | tensors | st.sampled_from([1j, {1}, object, range(3), bytearray(b"x")])
)  # fmt: skip
keys = st.text() | st.integers() | st.tuples(st.integers(), st.none())


def containers(keys: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Values in lists, tuples and dicts of these keys."""
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.lists(inner, max_size=3).map(tuple)
            | st.dictionaries(keys, inner, max_size=3)
            | st.dictionaries(keys, inner, max_size=3).map(OrderedDict)
        ),
        max_leaves=8,
    )


def same(left: object, right: object) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))  # type: ignore[arg-type]
    if isinstance(left, dict):
        return list(left) == list(right) and all(map(same, left.values(), right.values()))  # type: ignore[call-overload, attr-defined]
    if isinstance(left, torch.Tensor):
        assert isinstance(right, torch.Tensor)
        alike = (left.shape, left.dtype, left.stride(), left.requires_grad)
        return alike == (right.shape, right.dtype, right.stride(), right.requires_grad) and bool(
            (left == right).all()
        )
    return left == right


def crossed(value: object) -> object:
    try:
        return decode_body(encode_frame({"value": value})[HEADER.size :])["value"]
    except Unsendable as refusal:
        return str(refusal)


def copied(value: object) -> object:
    try:
        return Copier().walk({"value": value}, 0)["value"]
    except Unsendable as refusal:
        return str(refusal)


@given(containers(keys | st.sampled_from(DTYPES)))
def test_a_copy_is_what_would_have_crossed(value: object) -> None:
    assert same(copied(value), crossed(value))


@pytest.mark.parametrize(
    "value",
    [
        [0] * 200_001,
        "x" * (1 << 20 | 1),
        dict.fromkeys(range(SMALL, SMALL + 1025)),
        torch.zeros(1 << 25),
    ],
    ids=["values", "text", "keys", "bytes"],
)
def test_limits_are_the_same(value: object) -> None:
    assert copied(value) == crossed(value)
    assert isinstance(copied(value), str)


def test_depth_is_limited_alike() -> None:
    value: object = 1
    for _ in range(20):
        value = [value]
        assert same(copied(value), crossed(value))
    assert copied(value) == "nested more than 16 deep"


@given(containers(keys))  # what else may be a key depends on what lies beside it
def test_what_a_check_sends_is_copied_alike(value: object) -> None:
    batch = Batch()
    sent: object
    try:
        batch.add(Op.SEND, {"value": value})
        _, ((_, fields),) = decode_batch(batch.take(1)[HEADER.size :])
        sent = fields["value"]
    except Unsendable as refusal:
        sent = str(refusal)
    try:
        copy = BelievedCopier().walk({"value": value}, 0)["value"]
    except Unsendable as refusal:
        copy = str(refusal)
    assert same(copy, sent)


def test_a_copy_shares_nothing() -> None:
    inner, tensor = [1], torch.zeros(3)
    copy = Copier().walk([inner, tensor, (tensor,), {"a": inner}], 0)
    inner.append(2)
    tensor += 1
    assert copy[0] == copy[3]["a"] == [1]
    assert not copy[1].any()
    assert not copy[2][0].any()
