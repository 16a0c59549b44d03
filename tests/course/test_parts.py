"""The ready-made parts behave as the reference does, weight for weight."""

import copy
import importlib.util
import inspect
import math
import shutil
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from course import parts
from course.loading import load_assignment
from grader.config.course import load_course
from grader.judging.withholding import withhold
from solutions import tiny_transformer as reference


def copy_embedding(source, target):
    with torch.no_grad():
        weight = source.token_embedding.embedding.weight
        target.token_embedding.embedding.weight.copy_(weight)
        target.positions.copy_(source.position.table)


def copy_block(source, target):
    attention, layer = source.attention, target.layer
    maps = (attention.q_proj, attention.k_proj, attention.v_proj)
    with torch.no_grad():
        layer.self_attn.in_proj_weight.copy_(torch.cat([m.weight for m in maps]))
        if layer.self_attn.in_proj_bias is not None:
            layer.self_attn.in_proj_bias.copy_(torch.cat([m.bias for m in maps]))
    for theirs, ours in (
        (attention.out_proj, layer.self_attn.out_proj),
        (source.feedforward.widen, layer.linear1),
        (source.feedforward.narrow, layer.linear2),
        (source.ln_1, layer.norm1),
        (source.ln_2, layer.norm2),
    ):
        ours.load_state_dict(theirs.state_dict())


def randomise(module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return module


@pytest.fixture(autouse=True)
def _same_random_numbers_every_time():
    torch.manual_seed(0)


class TestEmbedding:
    @pytest.mark.parametrize("d_model", [1, 7, 16])
    def test_sinusoids_are_the_references(self, d_model):
        theirs = reference.TransformerEmbedding(9, d_model, max_len=200).eval()
        ours = parts.TransformerEmbedding(9, d_model, max_len=200).eval()
        weight = theirs.token_embedding.embedding.weight
        ours.token_embedding.embedding.weight.data.copy_(weight)
        tokens = torch.randint(9, (2, 200))
        torch.testing.assert_close(ours(tokens), theirs(tokens))

    def test_learned_positions_are_the_references(self):
        theirs = reference.TransformerEmbedding(9, 6, 20, "learned").eval()
        ours = parts.TransformerEmbedding(9, 6, 20, "learned").eval()
        copy_embedding(theirs, ours)
        tokens = torch.randint(9, (2, 13))
        torch.testing.assert_close(ours(tokens), theirs(tokens))
        assert len(list(ours.parameters())) == 2

    @pytest.mark.parametrize("positional", ["sinusoidal", "learned"])
    def test_starts_as_the_reference_does(self, positional):
        ours = parts.TransformerEmbedding(3000, 32, 1000, positional, padding_idx=4)
        weight = ours.token_embedding.embedding.weight
        assert weight.std().item() == pytest.approx(0.02, rel=0.02)
        assert weight[4].eq(0).all()
        if positional == "learned":
            assert ours.positions.std().item() == pytest.approx(0.02, rel=0.03)

    def test_drops_elements_while_training(self):
        ours = parts.TransformerEmbedding(9, 64, dropout=0.5)
        assert 0.4 < ours(torch.zeros(4, 50, dtype=torch.int64)).eq(0).float().mean() < 0.6

    def test_refuses_what_the_reference_refuses(self):
        with pytest.raises(ValueError, match="positional"):
            parts.TransformerEmbedding(9, 6, positional="rotary")
        with pytest.raises(ValueError, match="max_len"):
            parts.TransformerEmbedding(9, 6, max_len=4)(torch.zeros(1, 5, dtype=torch.int64))


MASKS = {
    "none": None,
    "causal": torch.ones(5, 5, dtype=torch.bool).tril(),
    "padding": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]).bool().view(2, 1, 1, 5),
    "by head": torch.stack([torch.eye(5), torch.ones(5, 5)]).bool().expand(2, 2, 5, 5),
    "additive": torch.linspace(-3, 3, 25).view(5, 5),
    "infinite": torch.zeros(5, 5).masked_fill(torch.ones(5, 5).triu(1).bool(), -math.inf),
}


class TestBlock:
    @pytest.mark.parametrize("name", MASKS)
    @pytest.mark.parametrize("bias", [True, False])
    @pytest.mark.parametrize("gradient", [True, False])
    def test_is_the_references_under_every_mask(self, name, bias, gradient):
        theirs = randomise(reference.TransformerBlock(8, 2, 20, bias=bias)).eval()
        ours = parts.TransformerBlock(8, 2, 20, bias=bias).eval()
        copy_block(theirs, ours)
        x, mask = torch.randn(2, 5, 8), MASKS[name]
        with torch.set_grad_enabled(gradient):
            expected, expected_weights = theirs(x, mask, return_attention=True)
            out, weights = ours(x, mask, return_attention=True)
            again, nothing = ours(x, mask)
        torch.testing.assert_close(out, expected)
        torch.testing.assert_close(weights, expected_weights)
        torch.testing.assert_close(again, expected)
        assert nothing is None

    @pytest.mark.parametrize("bias", [True, False])
    def test_gives_its_pieces_the_references_names(self, bias):
        theirs = randomise(reference.TransformerBlock(8, 2, 20, bias=bias)).eval()
        ours = parts.TransformerBlock(8, 2, 20, bias=bias).eval()
        copy_block(theirs, ours)
        x = torch.randn(2, 5, 8)
        for name in ("ln_1", "ln_2", "feedforward"):
            torch.testing.assert_close(getattr(ours, name)(x), getattr(theirs, name)(x))
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            expected = getattr(theirs.attention, name)(x)
            torch.testing.assert_close(getattr(ours.attention, name)(x), expected)
        assert {name.partition(".")[0] for name, _ in ours.named_parameters()} == {"layer"}

    @pytest.mark.parametrize("bias", [True, False])
    def test_has_as_many_parameters(self, bias):
        ours, theirs = (
            sum(p.numel() for p in package.TransformerBlock(8, 2, 20, bias=bias).parameters())
            for package in (parts, reference)
        )
        assert ours == theirs

    def test_uses_dropout_while_training_alone(self):
        block = parts.TransformerBlock(8, 2, 20, dropout=0.5)
        x = torch.randn(2, 5, 8)
        assert not block(x)[0].equal(block(x)[0])
        block.eval()
        assert block(x)[0].equal(block(x)[0])

    @pytest.mark.parametrize("n_heads", [3, 0])
    def test_refuses_heads_that_do_not_fit(self, n_heads):
        with pytest.raises(ValueError, match="heads"):
            parts.TransformerBlock(8, n_heads, 20)


class TestModel:
    SIZES = (50, 16, 2, 3, 40, 12)

    @pytest.mark.parametrize("positional", ["sinusoidal", "learned"])
    @pytest.mark.parametrize("tie_weights", [True, False])
    def test_is_the_references(self, positional, tie_weights):
        options = {"positional": positional, "tie_weights": tie_weights}
        theirs = randomise(reference.TinyTransformerLM(*self.SIZES, **options)).eval()
        ours = parts.TinyTransformerLM(*self.SIZES, **options).eval()
        copy_embedding(theirs.embedding, ours.embedding)
        for source, target in zip(theirs.blocks, ours.blocks, strict=True):
            copy_block(source, target)
        ours.ln_f.load_state_dict(theirs.ln_f.state_dict())
        with torch.no_grad():
            ours.lm_head.weight.copy_(theirs.lm_head.weight)
        tokens = torch.randint(50, (4, 12))
        everything = torch.ones(12, 12, dtype=torch.bool)
        for mask in (None, everything):
            expected, states = theirs(tokens, mask, return_hidden_states=True)
            logits, hidden_states = ours(tokens, mask, return_hidden_states=True)
            torch.testing.assert_close(logits, expected)
            torch.testing.assert_close(hidden_states, states)
        assert ours(tokens)[1] is None
        assert ours.get_parameter_breakdown() == theirs.get_parameter_breakdown()
        assert ours.count_parameters() == theirs.count_parameters()

    def test_ties_for_good(self):
        model = copy.deepcopy(parts.TinyTransformerLM(*self.SIZES)).double()
        assert model.lm_head.weight is model.embedding.token_embedding.embedding.weight

    def test_counts_trainable_parameters(self):
        model = parts.TinyTransformerLM(*self.SIZES)
        model.blocks.requires_grad_(False)
        assert model.count_parameters(trainable_only=True) == 50 * 16 + 32

    @pytest.mark.parametrize("tie_weights", [True, False])
    def test_starts_indifferent_between_the_tokens(self, tie_weights):
        model = parts.TinyTransformerLM(500, 32, 4, 2, 64, tie_weights=tie_weights).eval()
        tokens, targets = torch.randint(500, (2, 8, 64)).unbind(0)
        loss = F.cross_entropy(model(tokens)[0].flatten(0, 1), targets.flatten())
        assert loss.item() == pytest.approx(math.log(500), abs=0.15)

    def test_the_references_functions_work_on_it(self):
        model = parts.TinyTransformerLM(*self.SIZES)
        text = reference.generate(model, torch.zeros(2, 3, dtype=torch.int64), 14)
        assert text.shape == (2, 17)
        theirs = reference.TinyTransformerLM(*self.SIZES)
        for estimate in (
            reference.estimate_model_memory,
            lambda m: reference.estimate_activation_memory(m, 3, 7),
        ):
            assert estimate(model) == estimate(theirs)

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
    def test_follows_to_other_dtypes_and_devices(self, dtype):
        model = parts.TinyTransformerLM(*self.SIZES).to(dtype)
        tokens = torch.zeros(2, 5, dtype=torch.int64)
        assert model(tokens)[0].dtype == dtype
        assert model.to("meta")(tokens.to("meta"))[0].is_meta

    def test_the_model_to_build_on_ties_and_counts_nothing(self):
        model = parts.FullModel(*self.SIZES)
        assert model.lm_head.weight is not model.embedding.token_embedding.embedding.weight
        assert not hasattr(model, "count_parameters")
        with pytest.raises(ValueError, match="two matrices"):
            parts.FullModel(*self.SIZES, tie_weights=True)


ROOT = Path(__file__).parents[2]
OWN = {name: inspect.getsource(getattr(parts, name)) for name in parts.PARTS}


class TestWithheld:
    """In a grading, the notebook that asks for a part does not get it."""

    @pytest.fixture
    def as_graded(self, tmp_path, monkeypatch):
        """Import the parts as a worker of an assignment would; they come back at the end."""

        def load(assignment):
            shutil.copytree(ROOT / "course", tmp_path / "public/course")
            withheld = {one.id: one.withheld for one in load_course(ROOT).assignments}
            withhold(tmp_path / "public", tmp_path / "parts", withheld)
            files = [tmp_path / "parts" / assignment, tmp_path / "public"]
            path = next(p for p in (f / "course/parts.py" for f in files) if p.exists())
            spec = importlib.util.spec_from_file_location("course.parts", path)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            monkeypatch.setitem(sys.modules, "course.parts", module)
            monkeypatch.setattr("course.parts", module)
            monkeypatch.setenv("GRADER_GRADING", assignment)
            return module, path.read_text()

        return load

    @pytest.mark.parametrize(
        ("assignment", "offered"),
        [
            ("embeddings", []),
            ("blocks", ["TransformerEmbedding"]),
            ("full_model", ["TransformerEmbedding", "TransformerBlock"]),
            ("weight_tying", ["TransformerEmbedding", "TransformerBlock", "FullModel"]),
            ("generation", list(parts.PARTS)),
            ("memory_estimation", list(parts.PARTS)),
            ("1", []),
        ],
    )
    def test_what_is_left_and_no_text_of_the_rest(self, assignment, offered, as_graded):
        module, text = as_graded(assignment)
        assert module.__all__ == offered
        for name in set(parts.PARTS) - set(offered):
            with pytest.raises(ImportError, match=f"{name} is yours to write"):
                getattr(module, name)
            assert f"class {name}" not in text
            own = OWN[name]
            lines = {line for line in map(str.strip, own.splitlines()) if len(line) > 60}
            assert not {line for line in lines if line in text}
        assert set(parts.PARTS) & vars(module).keys() == set(offered)

    def test_one_can_still_build_on_the_model_of_notebook_3(self, tmp_path, as_graded):
        module, _ = as_graded("weight_tying")
        assert load_assignment("full_model", tmp_path).TinyTransformerLM is module.FullModel
