"""The block that joins attention and feed-forward."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from solutions.tiny_transformer import TransformerBlock, causal_mask


@pytest.mark.parametrize("bias", [True, False])
def test_follows_the_pre_norm_equations(bias):
    ours = TransformerBlock(8, 2, 20, bias=bias).eval()
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    x, mask = torch.randn(2, 5, 8), causal_mask(5)
    p = dict(ours.named_parameters())
    normed = F.layer_norm(x, (8,), p["ln_1.weight"], p.get("ln_1.bias"))
    attended, _ = ours.attention(normed, normed, normed, mask)
    middle = x + attended
    normed = F.layer_norm(middle, (8,), p["ln_2.weight"], p.get("ln_2.bias"))
    hidden = F.linear(normed, p["feedforward.widen.weight"], p.get("feedforward.widen.bias"))
    expected = middle + F.linear(
        F.gelu(hidden), p["feedforward.narrow.weight"], p.get("feedforward.narrow.bias")
    )
    out, weights = ours(x, mask)
    torch.testing.assert_close(out, expected)
    assert weights is None


def test_the_bias_switch_reaches_every_layer():
    with_bias = sum(p.numel() for p in TransformerBlock(8, 2, 20).parameters())
    without = TransformerBlock(8, 2, 20, bias=False)
    assert with_bias == 4 * (64 + 8) + (160 + 20) + (160 + 8) + 2 * 16
    assert sum(p.numel() for p in without.parameters()) == 4 * 64 + 2 * 160 + 2 * 8
    assert all("bias" not in name for name, _ in without.named_parameters())


def test_gives_the_weights_when_asked():
    block = TransformerBlock(8, 2, 20).eval()
    out, weights = block(torch.randn(3, 5, 8), return_attention=True)
    assert out.shape == (3, 5, 8)
    assert weights.shape == (3, 2, 5, 5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 2, 5))


def test_hides_nothing_without_a_mask_and_the_future_with_one():
    block = TransformerBlock(8, 2, 20).eval()
    x = torch.randn(2, 6, 8)
    changed = x.clone()
    changed[:, 4:] = torch.randn(2, 2, 8)
    assert not torch.allclose(block(x)[0][:, :4], block(changed)[0][:, :4])
    before, after = (block(tensor, causal_mask(6))[0] for tensor in (x, changed))
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])


def test_is_the_identity_when_every_parameter_is_zero():
    block = TransformerBlock(8, 2, 20, dropout=0.5)
    for parameter in block.parameters():
        nn.init.zeros_(parameter)
    x = torch.randn(2, 6, 8)
    assert block(x, causal_mask(6))[0].equal(x)


def test_trains_with_a_mask_and_dropout():
    block = TransformerBlock(8, 2, 20, dropout=0.3)
    x = torch.randn(2, 6, 8, requires_grad=True)
    block(x, causal_mask(6))[0].square().sum().backward()
    assert x.grad.isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in block.parameters())


def test_leaves_its_input_alone():
    x = torch.randn(2, 6, 8)
    before = x.clone()
    TransformerBlock(8, 2, 20)(x)
    assert x.equal(before)


def test_works_on_another_device_and_in_half_precision():
    block = TransformerBlock(8, 2, 20)
    assert block.bfloat16()(torch.randn(2, 6, 8).bfloat16())[0].dtype == torch.bfloat16
    x = torch.randn(2, 6, 8, device="meta", dtype=torch.bfloat16)
    assert block.to("meta")(x, causal_mask(6, "meta"))[0].is_meta
