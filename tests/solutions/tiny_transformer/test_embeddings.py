"""What the embedding of a token at a position is, by formulas written out here again."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from solutions.tiny_transformer import (
    LearnedPositionalEmbedding,
    SinusoidalPositionalEncoding,
    TokenEmbedding,
    TransformerEmbedding,
)


def sinusoid(position: int, column: int, d_model: int) -> float:
    angle = position / 10000 ** ((column - column % 2) / d_model)
    return math.cos(angle) if column % 2 else math.sin(angle)


def test_a_token_is_its_row_times_the_root_of_d_model():
    embedding = TokenEmbedding(10, 9)
    rows = embedding.embedding.weight
    out = embedding(torch.tensor([[4, 0], [9, 4]]))
    torch.testing.assert_close(out[0, 0], rows[4] * 3)
    torch.testing.assert_close(out[1], torch.stack([rows[9], rows[4]]) * 3)


def test_the_token_table_starts_small_and_its_padding_row_at_zero():
    weight = TokenEmbedding(2000, 50, padding_idx=7).embedding.weight.detach()
    assert weight[7].eq(0).all()
    assert weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert weight.mean().item() == pytest.approx(0, abs=3e-4)
    assert weight.eq(0).all(dim=1).sum() == 1


def test_padding_takes_no_gradient():
    embedding = TokenEmbedding(5, 4, padding_idx=-1)
    embedding(torch.tensor([[4, 1]])).sum().backward()
    gradient = embedding.embedding.weight.grad
    assert gradient[4].eq(0).all()
    assert gradient[1].eq(2).all()


@given(st.integers(1, 17), st.integers(1, 40))
def test_sinusoids_match_the_formula_at_any_size(d_model, seq_len):
    table = SinusoidalPositionalEncoding(d_model, max_len=40)(torch.zeros(1, seq_len, d_model))
    for position in {0, seq_len // 2, seq_len - 1}:
        for column in range(d_model):
            expected = sinusoid(position, column, d_model)
            assert table[0, position, column].item() == pytest.approx(expected, abs=1e-6)


def test_sinusoids_are_exact_far_along():
    table = SinusoidalPositionalEncoding(6, max_len=50_000)(torch.zeros(1, 50_000, 6))
    for column in range(6):
        expected = sinusoid(49_999, column, 6)
        assert table[0, 49_999, column].item() == pytest.approx(expected, abs=1e-6)


def test_sinusoids_are_not_learned_and_not_saved():
    encoding = SinusoidalPositionalEncoding(6)
    assert list(encoding.parameters()) == []
    assert encoding.state_dict() == {}


def test_learned_positions_are_one_row_each():
    positions = LearnedPositionalEmbedding(6, max_len=5)
    (table,) = positions.parameters()
    assert table.shape == (5, 6)
    out = positions(torch.ones(2, 3, 6))
    torch.testing.assert_close(out, 1 + table[:3].expand(2, 3, 6))
    out.sum().backward()
    assert table.grad[:3].eq(2).all()
    assert table.grad[3:].eq(0).all()


def test_learned_positions_start_small():
    (table,) = LearnedPositionalEmbedding(100, max_len=1000).parameters()
    assert table.std().item() == pytest.approx(0.02, rel=0.02)


@pytest.mark.parametrize("positional", ["sinusoidal", "learned"])
class TestTransformerEmbedding:
    def test_adds_the_position_to_the_scaled_token(self, positional):
        embedding = TransformerEmbedding(10, 16, max_len=8, positional=positional).eval()
        tokens = torch.randint(10, (3, 8))
        out = embedding(tokens)
        vectors = embedding.token_embedding.embedding.weight[tokens] * 4
        positions = out - vectors
        torch.testing.assert_close(positions, positions[:1].expand(3, 8, 16))
        if positional == "sinusoidal":
            assert positions[0, 5, 3].item() == pytest.approx(sinusoid(5, 3, 16), abs=1e-6)
        else:
            torch.testing.assert_close(positions[0], embedding.position.table)

    def test_takes_max_len_tokens_and_no_more(self, positional):
        embedding = TransformerEmbedding(10, 4, max_len=8, positional=positional)
        assert embedding(torch.zeros(1, 8, dtype=torch.int64)).shape == (1, 8, 4)
        with pytest.raises(ValueError, match="9 tokens, max_len is 8"):
            embedding(torch.zeros(1, 9, dtype=torch.int64))

    def test_drops_elements_of_the_sum_while_training(self, positional):
        embedding = TransformerEmbedding(10, 64, positional=positional, dropout=0.25)
        tokens = torch.randint(10, (8, 64))
        whole = embedding.eval()(tokens)
        thinned = embedding.train()(tokens)
        kept = thinned != 0
        assert kept.float().mean().item() == pytest.approx(0.75, abs=0.02)
        torch.testing.assert_close(thinned[kept], whole[kept] / 0.75)

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
    def test_follows_a_change_of_dtype(self, positional, dtype):
        embedding = TransformerEmbedding(10, 7, positional=positional).eval()
        expected = embedding(torch.arange(10).unsqueeze(0))
        out = embedding.to(dtype)(torch.arange(10).unsqueeze(0))
        assert out.dtype == dtype
        torch.testing.assert_close(out.float(), expected, atol=2e-2, rtol=0)

    def test_follows_to_another_device(self, positional):
        embedding = TransformerEmbedding(10, 7, positional=positional).to("meta")
        assert embedding(torch.zeros(2, 5, dtype=torch.int64, device="meta")).is_meta

    def test_can_be_built_on_another_device(self, positional):
        with torch.device("meta"):
            embedding = TransformerEmbedding(10, 7, positional=positional, padding_idx=0)
            assert embedding(torch.zeros(2, 5, dtype=torch.int64)).is_meta

    def test_takes_ids_of_32_bits(self, positional):
        embedding = TransformerEmbedding(10, 4, positional=positional).eval()
        tokens = torch.randint(10, (2, 5))
        torch.testing.assert_close(embedding(tokens.int()), embedding(tokens))


def test_double_precision_from_the_start_is_exact():
    torch.set_default_dtype(torch.float64)
    try:
        table = SinusoidalPositionalEncoding(6)(torch.zeros(1, 1000, 6))
    finally:
        torch.set_default_dtype(torch.float32)
    assert table[0, 999, 2].item() == pytest.approx(sinusoid(999, 2, 6), abs=1e-12)


@pytest.mark.parametrize("positional", ["rotary", "Learned", "", None])
def test_an_unknown_kind_of_position_is_refused(positional):
    with pytest.raises(ValueError, match="sinusoidal"):
        TransformerEmbedding(10, 4, positional=positional)
