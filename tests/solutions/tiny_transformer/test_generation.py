"""Sampling by its statistics, generation by what it must and must not do, the cache by equality."""

import math

import pytest
import torch
import torch.nn.functional as F

from course import parts
from solutions.tiny_transformer import (
    KeyValueCache,
    TinyTransformerLM,
    generate,
    keep_min_p,
    keep_top_k,
    keep_top_p,
    sample_next,
)

LOGITS = torch.tensor([[0.5, 0.2, 0.2, 0.06, 0.04]]).log()


@pytest.fixture
def model():
    model = TinyTransformerLM(30, 16, 2, 2, 40, max_len=8, dropout=0.3)
    with torch.no_grad():  # an untrained model is too indifferent to tell right from wrong
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return model


def greedy(model: TinyTransformerLM, tokens: torch.Tensor, steps: int) -> torch.Tensor:
    with torch.no_grad():
        for _ in range(steps):
            logits, _ = model.eval()(tokens[:, -model.max_len :])
            tokens = torch.cat([tokens, logits[:, -1:].argmax(-1)], dim=1)
    return tokens


class TestSampleNext:
    @pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
    def test_has_the_distribution_of_the_temperature(self, temperature):
        n = 40_000
        drawn = sample_next(LOGITS.expand(n, 5), temperature).bincount(minlength=5)
        expected = n * (LOGITS[0] / temperature).softmax(-1)
        chi_square = ((drawn - expected) ** 2 / expected).sum().item()
        assert chi_square < 18.5  # 4 degrees of freedom: p = 0.001

    def test_rows_are_drawn_independently(self):
        first, second = sample_next(torch.zeros(2, 1000)), sample_next(torch.zeros(2, 1000))
        assert first[0] != first[1]
        assert not first.equal(second)

    def test_zero_is_greedy_and_draws_nothing(self):
        state = torch.get_rng_state()
        assert sample_next(torch.tensor([[1.0, 3.0, 2.0], [5.0, 4.0, 0.0]]), 0).tolist() == [1, 0]
        assert torch.get_rng_state().equal(state)

    @pytest.mark.parametrize("temperature", [1e-6, 1e-30, 1e-45, 5e-324])
    def test_hardly_any_temperature_is_greedy_too(self, temperature):
        logits = torch.tensor([[100.0, 300.0, 200.0]]).expand(50, 3)
        assert sample_next(logits, temperature).eq(1).all()

    def test_an_infinite_temperature_is_indifferent(self):
        drawn = sample_next(LOGITS.expand(5000, 5), math.inf).bincount(minlength=5)
        assert (drawn > 800).all()

    @pytest.mark.parametrize("temperature", [-1.0, -1e-9, math.nan])
    def test_a_negative_temperature_is_refused(self, temperature):
        with pytest.raises(ValueError, match="temperature"):
            sample_next(LOGITS, temperature)

    def test_limits_apply_after_the_temperature(self):
        # At temperature 10 the distribution is nearly even: the nucleus of 0.9 needs all five.
        drawn = sample_next(LOGITS.expand(2000, 5), 10.0, top_p=0.9).unique()
        assert drawn.tolist() == [0, 1, 2, 3, 4]
        drawn = sample_next(LOGITS.expand(2000, 5), 1.0, top_p=0.9).unique()
        assert drawn.tolist() == [0, 1, 2]

    def test_limits_combine(self):
        drawn = sample_next(LOGITS.expand(2000, 5), top_k=4, min_p=0.2).unique()
        assert drawn.tolist() == [0, 1, 2]

    def test_a_generator_makes_it_repeatable(self):
        draws = [
            sample_next(torch.zeros(20, 100), generator=torch.Generator().manual_seed(3))
            for _ in range(2)
        ]
        assert draws[0].equal(draws[1])


def kept(logits: torch.Tensor) -> list[int]:
    return logits[0].isfinite().nonzero().flatten().tolist()


class TestLimits:
    @pytest.mark.parametrize(
        ("k", "survivors"), [(1, [0]), (4, [0, 1, 2, 3]), (9, [0, 1, 2, 3, 4])]
    )
    def test_top_k(self, k, survivors):
        assert kept(keep_top_k(LOGITS, k)) == survivors

    def test_top_k_keeps_exactly_k_among_equals(self):
        assert len(kept(keep_top_k(torch.zeros(1, 7), 3))) == 3

    @pytest.mark.parametrize(
        ("p", "survivors"),
        [
            (1e-9, [0]),
            (0.49, [0]),
            (0.71, [0, 1, 2]),
            (0.91, [0, 1, 2, 3]),
            (1.0, [0, 1, 2, 3, 4]),
        ],
    )
    def test_top_p(self, p, survivors):
        assert kept(keep_top_p(LOGITS, p)) == survivors

    @pytest.mark.parametrize(
        ("p", "survivors"),
        [(0.0, [0, 1, 2, 3, 4]), (0.1, [0, 1, 2, 3]), (0.3, [0, 1, 2]), (1, [0])],
    )
    def test_min_p(self, p, survivors):
        assert kept(keep_min_p(LOGITS, p)) == survivors

    @pytest.mark.parametrize(
        ("limit", "value"), [(keep_top_k, 2), (keep_top_p, 0.6), (keep_min_p, 0.3)]
    )
    def test_rows_have_limits_of_their_own_and_survivors_keep_their_logits(self, limit, value):
        logits = torch.randn(6, 20)
        before = logits.clone()
        together = limit(logits, value)
        assert logits.equal(before)
        assert together.isinf().any()
        for row, alone in zip(together, logits, strict=True):
            assert row.equal(limit(alone.unsqueeze(0), value)[0])
            assert row[row.isfinite()].equal(alone[row.isfinite()])

    @pytest.mark.parametrize(
        ("limit", "value"),
        [
            (keep_top_k, 0),
            (keep_top_p, 0.0),
            (keep_top_p, 1.1),
            (keep_top_p, math.nan),
            (keep_min_p, -0.1),
            (keep_min_p, 1.1),
        ],
    )
    def test_out_of_range_is_refused(self, limit, value):
        with pytest.raises(ValueError, match="must be"):
            limit(LOGITS, value)


class TestGenerate:
    @pytest.mark.parametrize("prompt", [1, 5, 8, 11])
    @pytest.mark.parametrize("use_cache", [False, True])
    def test_greedy_text_follows_from_the_last_max_len_tokens(self, model, prompt, use_cache):
        start = torch.randint(30, (3, prompt))
        text = model.generate(start, 10, temperature=0, use_cache=use_cache)
        assert text.equal(greedy(model, start, 10))

    @pytest.mark.parametrize("prompt", [1, 5, 8, 11])
    def test_the_cache_changes_no_sampled_text(self, model, prompt):
        start = torch.randint(30, (4, prompt))
        texts = []
        for use_cache in (False, True):
            torch.manual_seed(5)
            texts.append(model.generate(start, 12, use_cache=use_cache))
        assert texts[0].equal(texts[1])

    def test_the_cache_knows_the_blocks_of_the_course(self):
        model = parts.TinyTransformerLM(30, 16, 2, 2, 40, max_len=8, tie_weights=False).eval()
        tokens = torch.randint(0, 30, (3, 7))
        cache = KeyValueCache(model)
        for end in (3, 4, 7):
            torch.testing.assert_close(
                cache.read(tokens[:, :end]), model(tokens[:, :end])[0][:, -1]
            )

    def test_the_cache_reads_in_any_portions(self, model):
        tokens = torch.randint(30, (3, 8))
        cache = KeyValueCache(model.eval())
        for end in (1, 4, 5, 8):
            torch.testing.assert_close(
                cache.read(tokens[:, :end]), model(tokens[:, :end])[0][:, -1]
            )
            assert cache.n_read == end
            assert all(keys.shape == (3, 2, end, 8) for keys in cache.keys + cache.values)

    def test_the_cache_computes_new_positions_alone(self, model):
        positions = []
        model.blocks[0].feedforward.register_forward_hook(
            lambda _, inputs, __: positions.append(inputs[0].size(1))
        )
        model.generate(torch.randint(30, (1, 3)), 6, use_cache=True)
        assert positions == [3, 1, 1, 1, 1, 1]

    def test_is_deterministic_given_a_generator_and_leaves_the_default_one_alone(self, model):
        start = torch.randint(30, (2, 3))
        state = torch.get_rng_state()
        texts = [
            model.generate(start, 20, generator=torch.Generator().manual_seed(7)) for _ in range(2)
        ]
        assert texts[0].equal(texts[1])
        assert torch.get_rng_state().equal(state)

    def test_two_calls_differ(self, model):
        start = torch.randint(30, (4, 3))
        assert not model.generate(start, 20).equal(model.generate(start, 20))

    def test_the_first_token_has_the_models_probabilities(self, model):
        start = torch.randint(30, (1, 6))
        n = 20_000
        drawn = model.generate(start.expand(n, 6), 1)[:, -1].bincount(minlength=30)
        probabilities = model.eval()(start)[0][0, -1].softmax(-1).detach()
        rare = probabilities * n < 5  # too few for the statistic: taken together
        expected = torch.cat([probabilities[~rare], probabilities[rare].sum().view(1)]) * n
        observed = torch.cat([drawn[~rare], drawn[rare].sum().view(1)])
        chi_square = ((observed - expected) ** 2 / expected.clamp(min=1e-9)).sum().item()
        assert chi_square < 60  # 30 degrees of freedom at most: p = 0.001

    def test_limits_reach_the_sampler(self, model):
        start = torch.randint(30, (3, 4))
        expected = greedy(model, start, 6)
        for limit in ({"top_k": 1}, {"top_p": 1e-9}, {"min_p": 1.0}):
            assert model.generate(start, 6, temperature=5.0, **limit).equal(expected)

    def test_leaves_the_prompt_alone_and_shares_nothing_with_it(self, model):
        start = torch.randint(30, (2, 4))
        before = start.clone()
        for n in (0, 3):
            text = model.generate(start, n)
            assert text.shape == (2, 4 + n)
            assert text[:, :4].equal(before)
            text.zero_()
            assert start.equal(before)

    def test_keeps_the_dtype_of_the_prompt(self, model):
        assert model.generate(torch.zeros(1, 2, dtype=torch.int32), 3).dtype == torch.int32

    def test_restores_the_training_flag_of_every_module(self, model):
        model.train()
        model.blocks[0].eval()
        before = [module.training for module in model.modules()]
        model.generate(torch.zeros(1, 2, dtype=torch.int64), 2)
        assert [module.training for module in model.modules()] == before
        with pytest.raises(IndexError):
            model.generate(torch.full((1, 2), 99), 2)
        assert [module.training for module in model.modules()] == before

    def test_uses_no_dropout_and_no_gradient(self, model):
        start = torch.randint(30, (2, 4))
        seen = []
        model.ln_f.register_forward_hook(
            lambda module, _, out: seen.append((module.training, out.requires_grad))
        )
        texts = [model.train().generate(start, 6, temperature=0) for _ in range(2)]
        assert texts[0].equal(texts[1])
        assert set(seen) == {(False, False)}

    def test_works_inside_inference_mode(self, model):
        with torch.inference_mode():
            assert model.generate(torch.zeros(1, 2, dtype=torch.int64), 3).shape == (1, 5)

    @pytest.mark.parametrize(
        ("start", "n", "temperature", "word"),
        [
            (torch.zeros(1, 2, dtype=torch.int64), 0, -0.5, "temperature"),
            (torch.zeros(1, 2, dtype=torch.int64), -1, 1.0, "max_new_tokens"),
            (torch.zeros(1, 0, dtype=torch.int64), 3, 1.0, "start_tokens"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, model, start, n, temperature, word):
        with pytest.raises(ValueError, match=word):
            generate(model, start, n, temperature)


@pytest.mark.slow
def test_a_model_can_learn_a_text_by_heart():
    text = (
        "To write a language model is to learn how a machine reads: one token after another, "
        "each a guess from all that came before, none of them allowed to look ahead."
    )
    letters = sorted(set(text))
    tokens = torch.tensor([[letters.index(letter) for letter in text]])
    model = TinyTransformerLM(len(letters), 64, 4, 2, 128, max_len=len(text), dropout=0.0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(300):
        logits, _ = model(tokens[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    written = model.generate(tokens[:, :8], len(text) - 8, temperature=0, use_cache=True)
    assert written.equal(tokens)
