"""What the far side makes of a student's values before they cross."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from grader.testing.objects import plain
from grader.wire.values import HEADER, decode_body, encode_frame


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (Counter(a=2), {"a": 2}),
        (defaultdict(int, a=2), {"a": 2}),
        (OrderedDict(a=np.int64(2)), {"a": 2}),
        ({"a": Fraction(1, 4)}, {"a": Fraction(1, 4)}),
        ([Decimal("0.25"), np.float32(0.25)], [Decimal("0.25"), 0.25]),
    ],
    ids=["counter", "defaultdict", "ordered dict", "fraction", "decimal"],
)
def test_dicts_and_numbers_of_every_kind_cross_as_plain_ones(returned: Any, expected: Any) -> None:
    fetched = decode_body(encode_frame({"value": plain(returned)})[HEADER.size :])["value"]

    assert fetched == expected
    assert type(fetched) is type(expected)
