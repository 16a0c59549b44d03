"""Public checks of assignment 04: one table for two jobs, counted once."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

import torch

from course.checks.living_models import (
    Build,
    assert_alive,
    built,
    built_of_course_parts,
    undisturbed,
)
from grader.testing import (
    Handle,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_equal,
    assert_shape,
    check,
    elements,
    in_some_way,
    tensors,
    values,
)
from grader.testing.failure import fail

SIZES = {"vocab_size": 17, "d_model": 8, "n_heads": 2, "n_layers": 2, "d_ff": 12, "max_len": 10}
NAMES = "vocab_size", "d_model", "n_heads", "n_layers", "d_ff", "max_len", "dropout", "positional"
DEFAULTS = {"max_len": 1024, "dropout": 0.1, "positional": "sinusoidal"}
SHAPE = (SIZES["vocab_size"], SIZES["d_model"])


def judge(
    submission: SubmissionNames, rng: random.Random, verdict: Callable[[Build], None]
) -> None:
    """Pass a verdict on models that compute: it gets what builds them, small unless told.

    If it does not hold, models are built once more with the course's embedding and blocks: a
    mistake in an earlier assignment costs nothing here.
    """

    def attempt(way: Build) -> None:
        assert_alive(submission, way, rng, scored=True, **SIZES, dropout=0.0)
        with undisturbed(submission, way, **SIZES, dropout=0.0):
            verdict(lambda **changes: way(submission, **{**SIZES, **changes}))

    in_some_way(partial(attempt, way) for way in (built, built_of_course_parts))


class TestSharing:
    """One table for two jobs"""

    @check(points=0.75, hint="Which parameters does the untied model have in addition?")
    def test_fewer_parameters(self, submission: SubmissionNames, rng: random.Random) -> None:
        """An untied model has V * d_model parameters more than a tied one"""

        def verdict(build: Build) -> None:
            counts, listed = [], []
            for tied in (True, False):
                model = build(tie_weights=tied)
                count = model.count_parameters().value()
                assert_equal(type(count).__name__, "int", "the type of count_parameters()")
                counts.append(count)
                parameters = tensors(elements(model.parameters()))
                listed.append(sum(parameter.numel() for parameter in parameters))
                if count < listed[-1]:
                    fail("the parameters have more elements", expected=listed[-1], actual=count)
            for found, what in ((listed, "the parameters' elements"), (counts, "the two counts")):
                difference = found[1] - found[0]
                assert_equal(difference, SHAPE[0] * SHAPE[1], f"the difference of {what}")

        judge(submission, rng, verdict)

    @check(points=0.5, hint="A copy shares no tensor. Give `super().__init__` every argument.")
    def test_arguments_of_full_model(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A model that ties takes FullModel's arguments, in their order, with their defaults"""
        vocab_size, max_len = rng.randrange(17, 25), rng.randrange(9, 14)
        sizes = (vocab_size, 8, 2, 4, 12)  # in whatever order an earlier model takes them
        more = (max_len, rng.choice((0.2, 0.3)), "learned")
        rest: dict[str, object] = {
            "tie_weights": False,
            "padding_idx": rng.randrange(1, vocab_size),
        }

        def verdict(build: Build) -> None:
            build()
            model = submission.TinyTransformerLM
            tied = model(*sizes)
            tied.embedding.token_embedding.embedding.weight.data.fill_(0.5)
            head = tied.lm_head.weight.tensor()
            assert_close(head, torch.full(head.shape, 0.5), "the head's weight, the table all 0.5,")
            untied: dict[str, object] = {"tie_weights": False}
            for given, options in ((sizes, untied), ((*sizes, *more), rest)):
                told = {**DEFAULTS, **dict(zip(NAMES, given, strict=False))}
                expected = description(submission, made_of(submission, told, options))
                for ties, what in ((False, "a model"), (True, "a tied model")):
                    made = model(*given, **{**options, "tie_weights": ties})
                    actual = description(submission, made)
                    if ties:  # which parameters there are is asked elsewhere
                        actual["shapes of parameters"] = expected["shapes of parameters"]
                    what = f"what {what} has, its arguments in order,"
                    assert_equal(actual, expected, what)

        judge(submission, rng, verdict)

    @check(points=0.75, hint="Two names for one tensor, or two tensors with the same numbers?")
    def test_change_shows_in_head(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A change of the token table shows in the head when tied, as by default; only then"""

        def verdict(build: Build) -> None:
            generator = torch.Generator().manual_seed(rng.randrange(2**31))
            learned = {"positional": "learned"}  # positions have no say in it
            for options in ({}, learned, {"tie_weights": True}, {"tie_weights": False}):
                model = build(**options)
                table = model.embedding.token_embedding.embedding.weight
                before = model.lm_head.weight.tensor()
                assert_shape(before, SHAPE, "the weight of lm_head")
                assert_shape(table.tensor(), SHAPE, "the token table")
                drawn = torch.randn(SHAPE, generator=generator)
                table.data.copy_(drawn)
                after = model.lm_head.weight.tensor()
                if options.get("tie_weights", True):
                    assert_close(after, drawn, "the head's weight after a change of the table")
                    assert_differs(after, before, "the head's weight of a tied model")
                else:
                    assert_close(after, before, "the head's weight of an untied model")

        judge(submission, rng, verdict)


def made_of(
    submission: SubmissionNames, told: dict[str, object], options: dict[str, object]
) -> Handle:
    """A model of the class that the notebook's own is made of, told everything; else of that one.

    It gets its arguments without their names: which order an earlier model has them in is not what
    is asked here.
    """
    model = submission.TinyTransformerLM
    options = {"padding_idx": None, **options}
    if submission.defines("FullModel"):
        derived = submission.module("builtins").issubclass(model, submission.FullModel)
        if derived.value() is True:
            return submission.FullModel(*(told[name] for name in NAMES), **options)
    return model(**told, **options)


def description(submission: SubmissionNames, model: Handle) -> dict[str, object]:
    """What arguments show in: shapes, sizes, rates of dropout, the padding token."""
    ask = submission.module("builtins").getattr
    padding = values(ask(module, "padding_idx", None) for module in elements(model.modules()))
    rates = values(ask(module, "p", None) for module in elements(model.modules()))
    return {
        "shapes of parameters": [tuple(one.shape) for one in tensors(elements(model.parameters()))],
        "attributes": values(ask(model, name, None) for name in NAMES[:6]),
        "rates of dropout": [rate for rate in rates if type(rate) is float],
        "padding tokens": [token for token in padding if type(token) is int],
    }


# ---------------------------------------------------------------- practice: counting part by part


def named(tied: bool) -> str:
    """Which of two models it is, for a sentence."""
    return "tied" if tied else "untied"


class TestBreakdown:
    """The breakdown"""

    practice = True

    @check(
        points=0, hint="Each parameter belongs to one part: which is short, which counts double?"
    )
    def test_breakdown_adds_up(self, submission: SubmissionNames) -> None:
        """The four parts add up to the total, tied and untied"""
        for tied in (True, False):
            model = submission.TinyTransformerLM(**SIZES, tie_weights=tied)
            breakdown = model.get_parameter_breakdown().value()
            names = ["embedding", "transformer_blocks", "ln_f", "lm_head", "total"]
            assert_equal(type(breakdown).__name__, "dict", "the type of the breakdown")
            assert_equal(sorted(breakdown), sorted(names), "the keys of the breakdown")
            total = model.count_parameters().value()
            assert_equal(breakdown["total"], total, '"total"')
            parts = {name: breakdown[name] for name in names[:4]}
            assert_equal(sum(parts.values()), total, f"the sum of {parts}, {named(tied)},")

    @check(
        points=0, hint="Tied, the embedding has counted the weight; untied, the head has its own."
    )
    def test_breakdown_of_the_head(self, submission: SubmissionNames) -> None:
        """The head counts 0 when tied, and V * d_model when not"""
        for tied, expected in ((True, 0), (False, SHAPE[0] * SHAPE[1])):
            model = submission.TinyTransformerLM(**SIZES, tie_weights=tied)
            breakdown = model.get_parameter_breakdown().value()
            assert_equal(type(breakdown).__name__, "dict", "the type of the breakdown")
            assert_equal(breakdown.get("lm_head"), expected, f'"lm_head", {named(tied)},')
