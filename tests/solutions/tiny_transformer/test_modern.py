"""The parts of a modern block beside torch's functions, and the block's own properties."""

import pytest
import torch
import torch.nn.functional as F

from solutions.tiny_transformer import ModernBlock, grouped_attention, rms_norm, rope, swiglu


def test_rms_norm_equals_torchs():
    x, weight = torch.randn(2, 3, 7), torch.randn(7)
    torch.testing.assert_close(rms_norm(x, weight, 0.3), F.rms_norm(x, (7,), weight, 0.3))


def test_a_closed_gate_lets_nothing_through():
    x, up, down = torch.ones(1, 2), torch.randn(2, 5), torch.randn(5, 2)
    closed = swiglu(x, torch.full((2, 5), -100.0), up, down)
    torch.testing.assert_close(closed, torch.zeros(1, 2))


def test_rope_turns_the_first_pair_by_a_radian_a_position():
    units = torch.tensor([[1.0, 0, 0, 0]]).expand(3, 4)
    turned = rope(units, torch.tensor([0, 1, 5]))
    angles = torch.tensor([0.0, 1.0, 5.0])
    torch.testing.assert_close(turned[:, 0], angles.cos())
    torch.testing.assert_close(turned[:, 1], angles.sin())


def test_scores_of_rotated_vectors_depend_on_distance_alone():
    q, k = torch.randn(2, 1, 16)
    scores = [
        (rope(q, torch.tensor([t + 3])) * rope(k, torch.tensor([t]))).sum() for t in (0, 7, 90)
    ]
    torch.testing.assert_close(scores[1:], [scores[0]] * 2, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("n_kv_heads", [1, 2, 6])
def test_groups_equal_torchs(n_kv_heads):
    q, k, v = torch.randn(2, 6, 3, 4), *torch.randn(2, 2, n_kv_heads, 5, 4)
    mask = torch.rand(3, 5) < 0.5
    mask[:, 0] = True
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=True)
    torch.testing.assert_close(grouped_attention(q, k, v, mask), expected)


def test_heads_that_can_not_be_shared_are_refused():
    with pytest.raises(ValueError, match="5 query heads"):
        grouped_attention(
            *torch.randn(1, 5, 2, 4).expand(1, 1, 5, 2, 4), *torch.randn(2, 1, 2, 2, 4)
        )
    with pytest.raises(ValueError, match="divide each other"):
        ModernBlock(24, 6, 4, 29)


def test_a_block_knows_distances_and_not_places():
    block, x = ModernBlock(24, 6, 2, 29), torch.randn(1, 5, 24)
    causal = torch.ones(5, 5).tril().bool()
    shifted = torch.ones(7, 7).tril().bool()
    shifted[2:, :2] = False
    later = block(torch.cat([torch.randn(1, 2, 24), x], dim=1), shifted)[:, 2:]
    torch.testing.assert_close(later, block(x, causal), rtol=1e-4, atol=1e-4)
    assert (block(x.flip(1)).flip(1) - block(x)).abs().max() > 0.01
