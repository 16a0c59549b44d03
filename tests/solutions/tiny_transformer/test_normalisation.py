"""LayerNorm beside torch's."""

import pytest
import torch
from torch import nn

from solutions.tiny_transformer import LayerNorm


@pytest.mark.parametrize("eps", [1e-5, 0.5])
def test_equals_torchs_with_the_same_parameters(eps):
    own, theirs = LayerNorm(7, eps).double(), nn.LayerNorm(7, eps).double()
    for norm in (own, theirs):
        for parameter, start in zip(norm.parameters(), (2.0, -1.0), strict=True):
            parameter.data.copy_(torch.linspace(start, 3, 7))
    x = torch.randn(2, 3, 7, dtype=torch.float64)
    torch.testing.assert_close(own(x), theirs(x))


def test_a_vector_of_equal_numbers_becomes_zeros():
    assert LayerNorm(5)(torch.full((2, 5), 3.0)).tolist() == [[0.0] * 5] * 2
