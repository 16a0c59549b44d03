"""The feed-forward network by its equation."""

import math

import pytest
import torch
from torch import nn

from solutions.tiny_transformer import FeedForward


def test_uses_the_exact_gelu():
    network = FeedForward(1, 1).double().eval()
    for linear in (network.widen, network.narrow):
        nn.init.ones_(linear.weight)
        nn.init.zeros_(linear.bias)
    for x in (-3.0, -0.5, 0.0, 1.0, 2.5):
        expected = x * 0.5 * (1 + math.erf(x / math.sqrt(2)))
        out = network(torch.tensor([[[x]]], dtype=torch.float64))
        assert out.item() == pytest.approx(expected, abs=1e-12)


def test_treats_each_position_alone():
    network = FeedForward(8, 20).eval()
    x = torch.randn(2, 5, 8)
    torch.testing.assert_close(network(x)[:, 3], network(x[:, 3]))


@pytest.mark.parametrize(("bias", "extra"), [(True, 28), (False, 0)])
def test_has_two_maps(bias, extra):
    count = sum(p.numel() for p in FeedForward(8, 20, bias=bias).parameters())
    assert count == 2 * 8 * 20 + extra
