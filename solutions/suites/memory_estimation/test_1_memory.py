"""Hidden checks of assignment 05, first part: weights and activations, judged on staff models.

Where it can be, a check compares a student's estimates with one another (a ratio, a difference), so
that one mistake does not spoil every answer: the unit is lost once, not six times. Expected numbers
come from sizes and arithmetic here, or from a measurement of the reference; never from over there.
"""

import math
import random
from types import ModuleType
from typing import Any

import pytest
import torch
from kept_memory import (
    MIB,
    activations,
    assert_all_close,
    assert_sizes_matter,
    build,
    build_plain,
    expected_activations,
    model_memory,
    n_parameters,
    n_plain,
    number,
    parameters,
    random_input,
    random_sizes,
)

from course.checks.estimated_sizes import assert_follows_the_model
from grader.testing import (
    SubmissionNames,
    assert_close,
    assert_equal,
    attribute,
    check,
    entered,
    values,
)
from grader.testing.failure import fail

TINY = {
    "vocab_size": 100,
    "d_model": 128,
    "n_heads": 4,
    "n_layers": 4,
    "d_ff": 512,
    "max_len": 512,
}


class TestDtypes:
    """Dtypes and units"""

    @pytest.mark.parametrize(
        "factors",
        [
            {"float64": 2},
            {"float16": 1 / 2},
            {"bfloat16": 1 / 2},
            {"float8_e4m3fn": 1 / 4},
            {"int8": 1 / 4},
            {"int64": 2, "int16": 1 / 2, "bool": 1 / 4, "complex64": 2},
        ],
        ids=["float64", "float16", "bfloat16", "float8", "int8", "int64 and others"],
    )
    @check(points=0.6, hint="Ask the dtype how many bytes it takes.")
    def test_bytes(
        self, submission: SubmissionNames, rng: random.Random, factors: dict[str, float]
    ) -> None:
        """Every size follows the dtype that is asked for:"""
        sizes = random_sizes(rng)
        model = build(submission, **sizes)
        single = model_memory(submission, model)
        assert_follows_the_model(submission, rng)
        for dtype, factor in factors.items():
            told = attribute(submission.module("torch"), dtype)
            expected = {name: factor * size for name, size in single.items()}
            assert_all_close(model_memory(submission, model, dtype=told), expected, f"in {dtype}")

    @check(points=0.2, hint="The question is about the dtype that is asked for, no other.")
    def test_converted_model(self, submission: SubmissionNames, rng: random.Random) -> None:
        """What dtype the model has now makes no difference, and the model is left as it is"""
        sizes = random_sizes(rng)
        model = build(submission, **sizes)
        model.eval()
        weight, norm, block = model.lm_head.weight, model.ln_f, model.blocks[0]
        block.train()
        weight.requires_grad_(False)
        norm.bias.grad = gradient = torch.tensor([rng.random() for _ in range(sizes["d_model"])])
        single = parameters(submission, model, dtype=torch.float32)
        assert_follows_the_model(submission, rng)
        half = parameters(submission, model, dtype=torch.bfloat16)
        ordered = submission.estimate_model_memory(model, torch.bfloat16)["parameters"]
        assert_close(number(ordered, '"parameters"'), half, "the same without names", atol=0)
        if weight.tensor().dtype != torch.float32:
            fail("the model itself has another dtype afterwards")
        modes = values((model.training, block.training))
        assert_equal(modes, [False, True], "training of a model, and of a block that differs")
        trained = values((weight.requires_grad, norm.weight.requires_grad))
        assert_equal(trained, [False, True], "requires_grad of a frozen parameter, of another one")
        assert_equal(values((weight.grad, norm.weight.grad)), [None, None], "a gradient of none")
        assert_close(norm.bias.grad.tensor(), gradient, "a gradient that was there")
        model.bfloat16()
        assert_close(parameters(submission, model), single, '"parameters" in float32', atol=0)
        again = parameters(submission, model, dtype=torch.bfloat16)
        assert_close(again, half, '"parameters" in bfloat16', atol=0)
        if single == half:
            fail("float32 and bfloat16 make no difference")

    @check(points=0.35, hint="A MiB is 1024 * 1024 bytes, for every model.")
    def test_mebibytes(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Small and large models are counted in MiB"""
        for scale in (1, 8):
            sizes = random_sizes(rng)
            sizes |= {"d_model": scale * sizes["d_model"], "vocab_size": scale * 400}
            size = parameters(submission, build_plain(submission, **sizes))
            assert_close(size, n_plain(sizes) * 4 / MIB, '"parameters"', atol=0)

    @check(points=0.35, hint="Nearly all that is kept has the dtype of the activations.")
    def test_activation_dtype(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Activations follow the dtype that is asked for"""
        sizes = random_sizes(rng)
        batch, length = random_input(rng)
        double, single, half, bfloat, byte = (
            activations(submission, sizes, batch, length, dtype=dtype)
            for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int8)
        )
        default = activations(submission, sizes, batch, length)
        model = build(submission, **sizes)
        named = activations(submission, sizes, length, length, dtype=torch.float64)
        ordered = submission.estimate_activation_memory(model, length, length, torch.float64)
        assert_close(number(ordered, "the estimate"), named, "the same without names", atol=0)
        assert_close(default, single, "the estimate without a dtype", atol=0)
        assert_close(bfloat, half, "the estimate in bfloat16", atol=0)
        # Four bytes more cost twice what two bytes more cost, whatever is counted in float32.
        assert_close(double - single, 2 * (single - half), "what float64 adds", rtol=1e-3, atol=0)
        assert_close(single - half, 2 * (half - byte), "what 16 bits save", rtol=1e-3, atol=0)
        assert_sizes_matter(submission, rng)
        if not 0.4 < (single - half) / single < 0.501:
            fail("float16 should save nearly half", expected=single / 2, actual=half)


class TestCounting:
    """What counts, and how often"""

    @check(points=0.4, hint="Two names can belong to one Parameter: how many are there in memory?")
    def test_tied(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Tied weights are counted once"""
        sizes = random_sizes(rng)
        tied, untied = (
            parameters(submission, build(submission, **sizes, tie_weights=tie))
            for tie in (True, False)
        )
        count = n_parameters(sizes)
        expected = (count + sizes["vocab_size"] * sizes["d_model"]) / count
        assert_close(untied / tied, expected, "the ratio of an untied to a tied model", atol=0)
        with entered(submission.module("torch").device("meta")):
            model = build(submission, **sizes)
        there = parameters(submission, model)
        assert_close(there, tied, "a tied model on the device meta", atol=0)

    @check(points=0.35, hint="A frozen parameter has to be in memory like any other.")
    def test_frozen(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Frozen parameters count like any other"""
        sizes = random_sizes(rng)
        model = build(submission, **sizes)
        before = model_memory(submission, model)
        for part in (model.blocks, model.embedding, model):
            part.requires_grad_(False)
            assert_all_close(model_memory(submission, model), before, "of a frozen model")
        deeper = {**sizes, "n_layers": 2 * sizes["n_layers"]}
        assert_close(
            parameters(submission, build_plain(submission, **deeper).requires_grad_(False))
            / parameters(submission, build_plain(submission, **sizes)),
            n_plain(deeper) / n_plain(sizes),
            "the ratio of a frozen model to one half as deep",
            atol=0,
        )

    @check(points=0.25, hint="Is everything that a model holds a parameter?")
    def test_positions(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Learned positions count, sines and cosines don't"""
        sizes = random_sizes(rng)
        longer = {**sizes, "max_len": 4 * sizes["max_len"]}
        waves = parameters(submission, build(submission, **sizes))
        more_waves = parameters(submission, build(submission, **longer))
        assert_close(more_waves, waves, '"parameters" with more sines and cosines', atol=0)
        learned = parameters(submission, build(submission, **longer, positional="learned"))
        count = n_parameters(sizes)
        expected = (count + longer["max_len"] * longer["d_model"]) / count
        assert_close(learned / waves, expected, "the ratio of learned to fixed positions", atol=0)


class TestActivations:
    """The activation formula"""

    @check(points=0.3, hint="Every sequence of the batch needs as much as the first.")
    def test_batch(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Twice the batch needs twice the memory"""
        sizes = random_sizes(rng)
        batch, length = random_input(rng)
        assert_sizes_matter(submission, rng)
        one = activations(submission, sizes, batch, length)
        for times in (2, 5):
            many = activations(submission, sizes, times * batch, length)
            assert_close(many, times * one, "the estimate for a larger batch", atol=0)

    @check(points=0.2, hint="Every block keeps as much as the first.")
    def test_layers(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Each block adds the same, and something comes on top"""
        sizes = random_sizes(rng)
        batch, length = random_input(rng)
        assert_sizes_matter(submission, rng)
        two, three, six = (
            activations(submission, {**sizes, "n_layers": depth}, batch, length)
            for depth in (2, 3, 6)
        )
        block = three - two
        assert_close(six - three, 3 * block, "what three blocks add", rtol=1e-3, atol=0)
        if not 0 < block < two:
            fail("a block adds an implausible amount", expected=two / 2, actual=block)

    @check(points=0.3, hint="Which of the model's sizes do the saved tensors have?")
    def test_irrelevant_sizes(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The vocabulary, max_len and tying make no difference; the length does"""
        sizes = random_sizes(rng)
        batch, length = random_input(rng)
        assert_sizes_matter(submission, rng)
        expected = activations(submission, sizes, batch, length)
        changes: list[dict[str, Any]] = [
            {"vocab_size": 2 * sizes["vocab_size"]},
            {"max_len": 3 * sizes["max_len"]},
            {"max_len": length - rng.randrange(1, 9)},
            {"tie_weights": False},
        ]
        for change in changes:
            actual = activations(submission, {**sizes, **change}, batch, length)
            assert_close(
                actual, expected, f"the estimate with another {next(iter(change))}", atol=0
            )
        if activations(submission, sizes, batch, length + 1) <= expected:
            fail("longer sequences should need more memory")

    @check(points=0.4, hint="What do the two linear maps and GELU need for their gradients?")
    def test_feedforward(self, submission: SubmissionNames, rng: random.Random) -> None:
        """What the feed-forward network keeps follows d_ff"""
        self.compare(submission, rng, "d_ff", rng.randrange(10, 30))

    @check(points=0.4, hint="How many weights does one head have, and which version is kept?")
    def test_heads(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Each further head keeps its attention weights"""
        self.compare(submission, rng, "n_heads", rng.randrange(2, 5))

    @check(
        points=0.4, hint="Count the saved tensors (B, T, d_model) of a block and after the blocks."
    )
    def test_width(self, submission: SubmissionNames, rng: random.Random) -> None:
        """What else a block and the head keep follows d_model"""
        self.compare(submission, rng, "d_model", rng.randrange(1, 4) * 12)

    @pytest.mark.parametrize("itemsize", [4, 2], ids=["float32", "bfloat16"])
    @check(points=0.5, hint="LayerNorm keeps two numbers for each position, in float32.")
    def test_whole(self, submission: SubmissionNames, rng: random.Random, itemsize: int) -> None:
        """The whole estimate is right, from one token to many"""
        dtype = {4: torch.float32, 2: torch.bfloat16}[itemsize]
        cases = [(random_sizes(rng), 1, 1)]
        cases += [(random_sizes(rng), rng.randrange(2, 9), rng.randrange(3, 60))]
        cases += [(TINY, rng.choice((1, 4)), rng.randrange(3, 60))]  # whose numbers are printed
        for sizes, batch, length in cases:
            actual = activations(submission, sizes, batch, length, dtype=dtype)
            expected = expected_activations(sizes, batch, length, itemsize)
            assert_close(actual, expected, "the estimate of the activations", atol=0)

    def compare(
        self, submission: SubmissionNames, rng: random.Random, name: str, more: int
    ) -> None:
        """Change one size and compare the difference that it makes."""
        sizes = {**random_sizes(rng), "n_heads": 2, "d_model": 12 * rng.randrange(2, 4)}
        if name == "n_heads":
            sizes["d_model"] = 2 * (2 + more) * rng.randrange(2, 4)
        changed = {**sizes, name: sizes[name] + more}
        batch, length = random_input(rng)
        actual = activations(submission, changed, batch, length) - activations(
            submission, sizes, batch, length
        )
        expected = expected_activations(changed, batch, length) - expected_activations(
            sizes, batch, length
        )
        assert_close(actual, expected, f"what a larger {name} adds", rtol=1e-3, atol=0)


class TestMeasurement:
    """Against a measurement"""

    @pytest.mark.parametrize("shape", ["wide", "long"])
    @check(points=1, hint="Compare with what autograd saves in a real forward pass.")
    def test_measured(
        self, submission: SubmissionNames, reference: ModuleType, rng: random.Random, shape: str
    ) -> None:
        """The estimate is within 2 % of what autograd keeps, for a model that is"""
        wide = {"d_model": 48, "n_heads": rng.choice((2, 3, 4)), "d_ff": rng.randrange(250, 400)}
        # enough heads and sequences for a T x T mask, which other checks ask about, to be no 1.4 %
        long = {"d_model": 32, "n_heads": rng.choice((8, 16)), "d_ff": rng.randrange(50, 80)}
        sizes = {
            "vocab_size": rng.randrange(200, 300),
            "n_layers": rng.randrange(3, 5),  # of two layers 2 % is less than the embedding
            "max_len": 128,
            **(wide if shape == "wide" else long),
        }
        batch = rng.randrange(3, 5)
        length = rng.randrange(16, 24) if shape == "wide" else rng.randrange(96, 128)
        model = reference.TinyTransformerLM(**sizes, dropout=0.0)
        tokens = torch.zeros(batch, length, dtype=torch.int64)
        assert_sizes_matter(submission, rng)  # any number is near some measurement
        measured = reference.measure_activation_memory(model, tokens)
        actual = activations(submission, sizes, batch, length)
        assert_close(actual, measured, "the estimate of the activations", rtol=0.02, atol=0)


class TestFusedAttention:
    """Bonus: fused attention"""

    bonus = True

    @check(points=0.6, hint="One float32 number for each head and query, whatever the dtype.")
    def test_saved(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A fused kernel keeps one number where naive attention keeps a row of weights"""
        for dtype in (torch.float32, torch.float16, torch.float64):
            sizes = random_sizes(rng)
            batch, length = random_input(rng)
            naive, fused = (
                activations(submission, sizes, batch, length, dtype=dtype, fused_attention=is_fused)
                for is_fused in (False, True)
            )
            whole = expected_activations(sizes, batch, length, dtype.itemsize)
            rows = batch * sizes["n_heads"] * length * sizes["n_layers"]
            saved = rows * (length * dtype.itemsize - 4) / MIB
            # A mistake in the naive estimate is not lost again: in other terms, in that of the
            # weights, in the unit, or in the bytes of an element.
            right = (
                any(
                    math.isclose(naive - fused, rows * (length * size - 4) / MIB, rel_tol=1e-3)
                    for size in (1, 2, 4, 8)
                ),
                math.isclose(fused, whole - saved, rel_tol=1e-4),
                math.isclose(fused / naive, (whole - saved) / whole, rel_tol=1e-4),
            )
            if not any(right):
                fail("fused attention saves the wrong amount", expected=saved, actual=naive - fused)

    @check(points=0.4, hint="With a fused kernel nothing of size T x T is left.")
    def test_linear(self, submission: SubmissionNames, rng: random.Random) -> None:
        """With fused attention twice the length needs twice the memory, and no more"""
        batch, length = random_input(rng)
        sizes = {**random_sizes(rng), "max_len": 2 * length}  # beyond it is asked elsewhere
        assert_sizes_matter(submission, rng)
        short, long, naive = (
            activations(
                submission, sizes, batch, tokens, dtype=torch.float16, fused_attention=is_fused
            )
            for tokens, is_fused in ((length, True), (2 * length, True), (2 * length, False))
        )
        assert_close(long, 2 * short, "the estimate for twice the length", atol=0)
        if math.isclose(long, naive):
            fail("with fused attention and without it, the estimate is the same")
