"""Several heads: against torch's own."""

import pytest
import torch
from torch import nn

from solutions.tiny_transformer import MultiHeadAttention, causal_mask


def copy_to_torch(ours: MultiHeadAttention, theirs: nn.MultiheadAttention) -> None:
    maps = (ours.q_proj, ours.k_proj, ours.v_proj)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([m.weight for m in maps]))
        theirs.in_proj_bias.copy_(torch.cat([m.bias for m in maps]))
    theirs.out_proj.load_state_dict(ours.out_proj.state_dict())


@pytest.mark.parametrize("n_heads", [1, 2, 6])
def test_agrees_with_torch(n_heads):
    ours = MultiHeadAttention(12, n_heads).eval()
    theirs = nn.MultiheadAttention(12, n_heads, batch_first=True)
    for bias in (ours.q_proj.bias, ours.k_proj.bias, ours.v_proj.bias, ours.out_proj.bias):
        nn.init.normal_(bias)
    copy_to_torch(ours, theirs)
    query, key, value = torch.randn(2, 3, 12), torch.randn(2, 5, 12), torch.randn(2, 5, 12)
    mask = torch.randn(3, 5)
    out, weights = ours(query, key, value, mask)
    expected, expected_weights = theirs(
        query, key, value, attn_mask=mask, average_attn_weights=False
    )
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(weights, expected_weights)


def test_a_mask_may_differ_from_head_to_head():
    attention = MultiHeadAttention(8, 2).eval()
    x = torch.randn(1, 4, 8)
    mask = torch.stack([torch.eye(4, dtype=torch.bool), causal_mask(4)])
    _, weights = attention(x, x, x, mask)
    assert weights[0, 0].equal(torch.eye(4))
    assert weights[0, 1].triu(1).eq(0).all()
    assert weights[0, 1].tril().gt(0).sum() == 10


@pytest.mark.parametrize("n_heads", [3, 5, 16])
def test_heads_must_share_d_model_equally(n_heads):
    with pytest.raises(ValueError, match=f"n_heads = {n_heads}"):
        MultiHeadAttention(8, n_heads)


def test_dropout_only_while_training():
    attention = MultiHeadAttention(8, 2, dropout=0.5)
    x = torch.randn(2, 6, 8)
    assert not attention(x, x, x)[0].equal(attention(x, x, x)[0])
    attention.eval()
    assert attention(x, x, x)[0].equal(attention(x, x, x)[0])


def test_bias_can_be_left_out():
    count = sum(p.numel() for p in MultiHeadAttention(8, 2, bias=False).parameters())
    assert count == 4 * 8 * 8
