"""Public checks of assignment 03: what goes into the model, what comes out, and one preset."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from course.checks.living_models import (
    Build,
    assert_alive,
    buildable,
    built,
    built_of_course_parts,
    undisturbed,
)
from grader.testing import (
    Handle,
    SubmissionNames,
    assert_equal,
    assert_shape,
    check,
    elements,
    in_some_way,
    raises,
)
from grader.testing.failure import fail

SIZES = {"vocab_size": 19, "d_model": 12, "n_heads": 3, "n_layers": 2, "d_ff": 20, "max_len": 9}


def judge(
    submission: SubmissionNames, rng: random.Random, verdict: Callable[[Build], None]
) -> None:
    """Pass a verdict on models that compute: it gets what builds them, small unless told.

    If it does not hold, models are built once more with the course's embedding and blocks: a
    mistake in an earlier assignment costs nothing here.
    """
    sizes = buildable(submission, SIZES)

    def attempt(way: Build) -> None:
        assert_alive(submission, way, rng, **sizes, dropout=0.0)
        with undisturbed(submission, way, **sizes, dropout=0.0):
            verdict(partial(build, way))

    def build(way: Build, **changes: object) -> Handle:
        model = way(submission, **{**sizes, **changes})
        model.eval()
        return model

    in_some_way(partial(attempt, way) for way in (built, built_of_course_parts))


def token_ids(rng: random.Random, batch: int, length: int) -> torch.Tensor:
    """Random ids (batch, length)."""
    vocab_size = SIZES["vocab_size"]
    return torch.tensor([rng.choices(range(vocab_size), k=length) for _ in range(batch)])


def first_of(result: Handle) -> Any:
    """The logits in what a model returned, also if they come alone."""
    value = result.value()
    return value[0] if isinstance(value, (tuple, list)) and value else value


class TestShapes:
    """What goes in and what comes out: shapes and names alone"""

    @check(points=1, hint="The last layer turns each vector of d_model into V scores.")
    def test_logits_shape(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Tokens (B, T) give finite logits (B, T, V), for any B and T up to max_len"""

        def verdict(build: Build) -> None:
            model = build()
            for batch, length in [(2, 5), (1, 1), (4, SIZES["max_len"])]:
                what = f"the logits for tokens of shape {(batch, length)}"
                logits = first_of(model(token_ids(rng, batch, length)))
                assert_shape(logits, (batch, length, SIZES["vocab_size"]), what)
                if not torch.isfinite(logits).all():
                    fail(f"{what} contain NaN or infinity")
            short = first_of(model(token_ids(rng, 2, 3).int()))
            what = "the logits for int32 tokens of shape (2, 3)"
            assert_shape(short, (2, 3, SIZES["vocab_size"]), what)

        judge(submission, rng, verdict)

    @check(points=0.5, hint="Return two things each time, whatever the caller asks for.")
    def test_result_is_a_pair(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The result is a pair: logits, and None when nobody asks for hidden states"""

        def verdict(build: Build) -> None:
            result = build()(token_ids(rng, 2, 4)).value()
            if not isinstance(result, (tuple, list)):
                fail("the result is not a pair", expected="tuple", actual=type(result).__name__)
            assert_equal(len(result), 2, "the number of things that the model returns")
            if result[1] is not None:
                fail("there are hidden states although nobody asked for them", expected="None")

        judge(submission, rng, verdict)

    @check(points=1, hint="Collect the vectors before the first block and after each block.")
    def test_hidden_state_shapes(self, submission: SubmissionNames, rng: random.Random) -> None:
        """When asked for, n_layers + 1 hidden states come along, each (B, T, d_model)"""

        def verdict(build: Build) -> None:
            for n_layers in (2, 4):
                model = build(n_layers=n_layers)
                result = model(token_ids(rng, 3, 5), return_hidden_states=True).value()
                states: Any = None
                if isinstance(result, (tuple, list)):
                    assert_equal(len(result), 2, "the number of things that the model returns")
                    states = result[1]
                if not isinstance(states, (tuple, list)):
                    fail("the second result is not a list", actual=type(states).__name__)
                assert_equal(len(states), n_layers + 1, "the number of hidden states")
                for number, state in enumerate(states):
                    assert_shape(state, (3, 5, SIZES["d_model"]), f"hidden state {number}")

        judge(submission, rng, verdict)

    @check(points=0.5, hint="Later lessons ask the model for its sizes and parts by these names.")
    def test_attributes(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The model keeps its sizes and offers its parts under the names of the docstring"""

        def verdict(build: Build) -> None:
            model = build()
            for name, size in SIZES.items():
                assert_equal(getattr(model, name).value(), size, f"model.{name}")
            table_shape = (SIZES["vocab_size"], SIZES["d_model"])
            table = model.embedding.token_embedding.embedding.weight.tensor()
            assert_shape(table, table_shape, "the token table")
            assert_shape(model.lm_head.weight.tensor(), table_shape, "the weight of lm_head")
            assert_equal(len(elements(model.blocks)), SIZES["n_layers"], "the number of blocks")
            vectors = torch.ones(2, 3, SIZES["d_model"])
            assert_shape(
                model.ln_f(vectors).tensor(), (2, 3, SIZES["d_model"]), "the output of ln_f"
            )

        judge(submission, rng, verdict)


class TestPreset:
    """A model size by its name"""

    @check(points=0.5, hint="The table in the docstring lists every number.")
    def test_tiny(self, submission: SubmissionNames) -> None:
        """`get_model_config("tiny")` gives the six arguments of the docstring's first row"""
        expected = {
            "d_model": 128,
            "n_heads": 4,
            "n_layers": 4,
            "d_ff": 512,
            "max_len": 512,
            "dropout": 0.1,
        }
        assert_equal(submission.get_model_config("tiny").value(), expected, "the tiny preset")

    @check(points=0.5, hint="Name the sizes that exist in the error's message.")
    def test_unknown_size(self, submission: SubmissionNames, rng: random.Random) -> None:
        """An unknown size is refused with a ValueError, a known one is not"""
        known = submission.get_model_config("tiny").value()
        assert_equal(type(known).__name__, "dict", "the type of what is known as tiny")
        for size in ("huge", f"tiny{rng.randrange(100)}", "Tiny", "tiny ", ""):
            with raises("ValueError", what=f"get_model_config({size!r})"):
                submission.get_model_config(size)
