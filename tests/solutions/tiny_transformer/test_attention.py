"""Attention by the equation, by loops, and against torch's own."""

import math

import pytest
import torch
import torch.nn.functional as F

from solutions.tiny_transformer import causal_mask, scaled_dot_product_attention, softmax


@pytest.fixture
def qkv():
    return torch.randn(3, 2, 4, 6, 8).unbind(0)  # each (B, H, T, d_k)


def test_causal_mask_lets_a_position_see_itself_and_the_past():
    assert causal_mask(3).tolist() == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
    assert causal_mask(0).shape == (0, 0)
    assert causal_mask(3, device="meta").is_meta


def test_one_query_by_hand():
    query = torch.tensor([[2.0, 0.0]])
    key = torch.tensor([[1.0, 5.0], [0.0, -5.0]])
    value = torch.tensor([[10.0], [20.0]])
    first = math.exp(2 / math.sqrt(2)) / (math.exp(2 / math.sqrt(2)) + 1)
    out, weights = scaled_dot_product_attention(query, key, value)
    torch.testing.assert_close(weights, torch.tensor([[first, 1 - first]]))
    torch.testing.assert_close(out, torch.tensor([[10 * first + 20 * (1 - first)]]))


@pytest.mark.parametrize(
    "mask",
    [
        None,
        torch.ones(6, 6, dtype=torch.bool).tril(),
        torch.eye(6, dtype=torch.bool),
        torch.ones(2, 1, 1, 6, dtype=torch.bool).triu(-2),
        torch.randn(4, 6, 6),
        torch.zeros(6, 6).masked_fill(torch.ones(6, 6).triu(1).bool(), -math.inf),
    ],
)
def test_agrees_with_torch_under_every_kind_of_mask(qkv, mask):
    out, weights = scaled_dot_product_attention(*qkv, mask)
    torch.testing.assert_close(out, F.scaled_dot_product_attention(*qkv, attn_mask=mask))
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 6))


def test_forbidden_keys_have_exactly_no_weight(qkv):
    _, weights = scaled_dot_product_attention(*qkv, causal_mask(6))
    assert weights.triu(1).eq(0).all()


def test_keys_may_be_more_than_queries_and_values_narrower():
    out, weights = scaled_dot_product_attention(
        torch.randn(5, 2, 8), torch.randn(5, 7, 8), torch.randn(5, 7, 3)
    )
    assert out.shape == (5, 2, 3)
    assert weights.shape == (5, 2, 7)


def test_integers_are_not_a_mask(qkv):
    with pytest.raises(TypeError, match="bool or float"):
        scaled_dot_product_attention(*qkv, causal_mask(6).long())


def test_mask_and_scores_may_differ_in_dtype(qkv):
    half = [tensor.bfloat16() for tensor in qkv]
    out, weights = scaled_dot_product_attention(*half, torch.zeros(6, 6))
    assert out.dtype == weights.dtype == torch.bfloat16


def test_the_mask_stays_as_it_was(qkv):
    for mask in (causal_mask(6), torch.randn(6, 6)):
        before = mask.clone()
        scaled_dot_product_attention(*qkv, mask)
        assert mask.equal(before)


def test_dropout_thins_the_weights_that_are_used(qkv):
    query, key, _ = qkv
    used, weights = scaled_dot_product_attention(query, key, torch.eye(6), dropout_p=0.5)
    kept = used != 0
    assert 0.3 < kept.float().mean() < 0.7
    torch.testing.assert_close(used[kept], 2 * weights[kept])


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmax_equals_torchs(dim):
    scores = 100 * torch.randn(4, 5)
    scores[2, 3] = -math.inf
    torch.testing.assert_close(softmax(scores, dim), scores.softmax(dim))
