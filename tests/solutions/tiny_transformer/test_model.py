"""The language model: composition, causality, tying, counting, presets."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F

from solutions.tiny_transformer import TinyTransformerLM, causal_mask, get_model_config


def small_model(**changes) -> TinyTransformerLM:
    sizes = {"vocab_size": 50, "d_model": 16, "n_heads": 2, "n_layers": 3, "d_ff": 40}
    return TinyTransformerLM(**{**sizes, "max_len": 12, **changes})


@pytest.fixture
def tokens():
    return torch.randint(50, (4, 10))


def table(model: TinyTransformerLM) -> torch.nn.Parameter:
    return model.embedding.token_embedding.embedding.weight


class TestForward:
    def test_is_the_parts_one_after_the_other(self, tokens):
        model = small_model().eval()
        states = [model.embedding(tokens)]
        for block in model.blocks:
            states.append(block(states[-1], causal_mask(10))[0])
        logits, hidden_states = model(tokens, return_hidden_states=True)
        torch.testing.assert_close(logits, model.lm_head(model.ln_f(states[-1])))
        assert len(hidden_states) == 4
        for state, expected in zip(hidden_states, states, strict=True):
            torch.testing.assert_close(state, expected)

    def test_returns_no_states_unless_asked(self, tokens):
        logits, hidden_states = small_model()(tokens)
        assert logits.shape == (4, 10, 50)
        assert hidden_states is None

    def test_states_are_tensors_of_their_own(self, tokens):
        model = small_model().eval()
        with torch.no_grad():
            logits, states = model(tokens, return_hidden_states=True)
            assert len({state.data_ptr() for state in states}) == 4
            states[0].zero_()
            assert model(tokens)[0].equal(logits)

    @pytest.mark.parametrize("position", [0, 5, 9])
    def test_a_position_sees_itself_and_the_past_alone(self, tokens, position):
        model = small_model().eval()
        changed = tokens.clone()
        changed[:, position] = (changed[:, position] + 1) % 50
        before, after = model(tokens)[0], model(changed)[0]
        torch.testing.assert_close(before[:, :position], after[:, :position])
        differs = (before != after).any(dim=-1)
        assert differs[:, position:].all()

    def test_a_mask_takes_the_place_of_the_causal_one(self, tokens):
        model = small_model().eval()
        causal = torch.zeros(10, 10).masked_fill(~causal_mask(10), -math.inf)
        torch.testing.assert_close(model(tokens, causal)[0], model(tokens)[0])
        everything = torch.ones(10, 10, dtype=torch.bool)
        assert not torch.allclose(model(tokens, everything)[0], model(tokens)[0])

    def test_refuses_more_than_max_len_tokens(self):
        with pytest.raises(ValueError, match="13 tokens"):
            small_model()(torch.zeros(1, 13, dtype=torch.int64))

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
    def test_follows_a_change_of_dtype(self, tokens, dtype):
        model = small_model().to(dtype)
        assert model(tokens)[0].dtype == dtype

    def test_runs_on_another_device(self, tokens):
        assert small_model().to("meta")(tokens.to("meta"))[0].is_meta


class TestConstruction:
    def test_keeps_its_sizes(self):
        model = small_model()
        sizes = [getattr(model, name) for name in ("vocab_size", "d_model", "n_heads")]
        assert sizes == [50, 16, 2]
        assert (model.n_layers, model.d_ff, model.max_len) == (3, 40, 12)

    def test_blocks_have_parameters_of_their_own(self):
        first, second, _ = small_model().blocks
        assert not {*first.parameters()} & {*second.parameters()}
        assert not first.attention.q_proj.weight.equal(second.attention.q_proj.weight)

    def test_passes_dropout_on(self):
        rates = {
            m.p for m in small_model(dropout=0.35).modules() if isinstance(m, torch.nn.Dropout)
        }
        assert rates == {0.35}
        assert {b.attention.dropout for b in small_model(dropout=0.35).blocks} == {0.35}

    def test_passes_positional_and_its_errors_on(self):
        assert small_model(positional="learned").embedding.position.table.shape == (12, 16)
        with pytest.raises(ValueError, match="positional"):
            small_model(positional="rotary")
        with pytest.raises(ValueError, match="n_heads"):
            small_model(n_heads=3)

    @pytest.mark.parametrize("tie_weights", [True, False])
    def test_starts_indifferent_between_the_tokens(self, tie_weights):
        sizes = get_model_config("tiny")
        model = TinyTransformerLM(vocab_size=2000, tie_weights=tie_weights, **sizes).eval()
        tokens, targets = torch.randint(2000, (2, 8, 64)).unbind(0)
        with torch.no_grad():
            loss = F.cross_entropy(model(tokens)[0].flatten(0, 1), targets.flatten())
        assert loss.item() == pytest.approx(math.log(2000), abs=0.15)

    @pytest.mark.parametrize("tie_weights", [True, False])
    def test_the_token_table_starts_small_whatever_is_tied_to_it(self, tie_weights):
        weight = table(small_model(vocab_size=3000, tie_weights=tie_weights, padding_idx=5))
        assert weight.std().item() == pytest.approx(0.02, rel=0.02)
        assert weight[5].eq(0).all()


class TestTying:
    def test_makes_one_parameter_of_two(self):
        model = small_model()
        assert model.lm_head.weight is table(model)
        untied = small_model(tie_weights=False)
        assert untied.lm_head.weight is not table(untied)
        assert not untied.lm_head.weight.equal(table(untied))

    @pytest.mark.parametrize(
        "change",
        [
            copy.deepcopy,
            lambda model: model.double(),
            lambda model: model.load_state_dict(small_model().state_dict()) and model,
            lambda model: model.requires_grad_(False),
        ],
        ids=["deepcopy", "dtype", "load_state_dict", "freeze"],
    )
    def test_survives(self, change):
        model = change(small_model())
        assert model.lm_head.weight is table(model)

    def test_survives_an_optimizer_step(self, tokens):
        model = small_model()
        optimizer = torch.optim.AdamW(model.parameters())
        F.cross_entropy(model(tokens)[0].flatten(0, 1), tokens.flatten()).backward()
        before = table(model).detach().clone()
        optimizer.step()
        assert model.lm_head.weight is table(model)
        assert not table(model).equal(before)

    def test_adds_the_gradients_of_both_uses(self, tokens):
        tied = small_model(dropout=0.0)
        untied = small_model(dropout=0.0, tie_weights=False)
        untied.load_state_dict(tied.state_dict())
        for model in (tied, untied):
            F.cross_entropy(model(tokens)[0].flatten(0, 1), tokens.flatten()).backward()
        torch.testing.assert_close(
            table(tied).grad, table(untied).grad + untied.lm_head.weight.grad
        )


class TestCounting:
    BLOCKS = 3 * (4 * (16 * 16 + 16) + (16 * 40 + 40) + (40 * 16 + 16) + 2 * 32)

    @pytest.mark.parametrize(("positional", "positions"), [("sinusoidal", 0), ("learned", 12 * 16)])
    @pytest.mark.parametrize(("tie_weights", "head"), [(True, 0), (False, 50 * 16)])
    def test_every_parameter_belongs_to_one_part(self, positional, positions, tie_weights, head):
        model = small_model(positional=positional, tie_weights=tie_weights)
        embedding = 50 * 16 + positions
        expected = {
            "embedding": embedding,
            "transformer_blocks": self.BLOCKS,
            "ln_f": 32,
            "lm_head": head,
            "total": embedding + self.BLOCKS + 32 + head,
        }
        assert model.get_parameter_breakdown() == expected
        assert list(model.get_parameter_breakdown()) == list(expected)
        assert model.count_parameters() == expected["total"]

    def test_frozen_parameters_count_but_are_not_trainable(self):
        model = small_model()
        before = model.get_parameter_breakdown()
        model.blocks.requires_grad_(False)
        assert model.get_parameter_breakdown() == before
        assert model.count_parameters() == before["total"]
        assert model.count_parameters(trainable_only=True) == before["total"] - self.BLOCKS


@pytest.mark.parametrize(
    ("size", "millions", "blocks_percent"),
    [("tiny", 2.07, 38), ("small", 7.30, 65), ("medium", 30.34, 83), ("large", 92.74, 92)],
)
def test_presets_have_their_sizes(size, millions, blocks_percent):
    with torch.device("meta"):
        model = TinyTransformerLM(vocab_size=10_000, **get_model_config(size))
    counts = model.get_parameter_breakdown()
    assert counts["total"] / 1e6 == pytest.approx(millions, abs=0.005)
    assert round(100 * counts["transformer_blocks"] / counts["total"]) == blocks_percent


def test_a_preset_is_a_fresh_dict_each_time():
    get_model_config("tiny")["d_model"] = 1
    assert get_model_config("tiny") == {
        "d_model": 128,
        "n_heads": 4,
        "n_layers": 4,
        "d_ff": 512,
        "max_len": 512,
        "dropout": 0.1,
    }


@pytest.mark.parametrize("size", ["huge", "Tiny", "", None])
def test_an_unknown_preset_names_the_known_ones(size):
    with pytest.raises(ValueError, match="tiny, small, medium, large"):
        get_model_config(size)
