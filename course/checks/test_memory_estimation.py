"""Public checks of assignment 05: which numbers come back, and in which unit."""

from __future__ import annotations

import random

from course.checks.estimated_sizes import (
    NAMES,
    assert_follows_the_model,
    build,
    model_memory,
    n_parameters,
    number,
    random_sizes,
)
from grader.testing import SubmissionNames, assert_close, check
from grader.testing.failure import fail


class TestKeys:
    """Names and units"""

    @check(points=0.75, hint="Return a dict with the names that the docstring lists.")
    def test_names(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Each of the five sizes comes as a number under its name"""
        memory = submission.estimate_model_memory(build(submission, **random_sizes(rng)))
        for name in NAMES:
            model_memory(memory, name)
        assert_follows_the_model(submission, rng, NAMES)

    @check(points=0.75, hint="A MiB is 1024 * 1024 bytes, and a float32 takes four bytes.")
    def test_unit(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The parameters of a float32 model are counted in MiB"""
        sizes = random_sizes(rng)
        model = build(submission, **sizes, tie_weights=False, positional="learned")
        memory = submission.estimate_model_memory(model)
        expected = n_parameters(sizes) * 4 / 1024**2
        assert_close(model_memory(memory, "parameters"), expected, '"parameters"', atol=0)

    @check(
        points=0.75,
        hint="Training needs a gradient for each parameter, and AdamW two averages of it.",
    )
    def test_training(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Gradients, optimizer and totals follow from the parameters"""
        memory = submission.estimate_model_memory(build(submission, **random_sizes(rng)))
        parameters, gradients, optimizer, total, inference = (
            model_memory(memory, name) for name in NAMES
        )
        assert_close(gradients, parameters, '"gradients"', atol=0)
        assert_close(optimizer, 2 * parameters, '"optimizer"', atol=0)
        assert_close(total, parameters + gradients + optimizer, '"total_training"', atol=0)
        assert_close(inference, parameters, '"inference_only"', atol=0)
        assert_follows_the_model(submission, rng)

    @check(points=0.75, hint="Return one number, in MiB: it grows with the batch and the length.")
    def test_activation_size(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The activations are one number of MiB, of a sensible size"""
        sizes = random_sizes(rng)
        model = build(submission, **sizes)
        batch, length = rng.randrange(3, 6), rng.randrange(8, 12)
        estimate = submission.estimate_activation_memory
        size = number(estimate(model, batch_size=batch, seq_len=length), "the estimate")
        ordered = number(estimate(model, batch, length), "the estimate")
        assert_close(ordered, size, "the estimate without names of arguments", atol=0)
        wider = {**sizes, "d_model": 2 * sizes["d_model"], "d_ff": 2 * sizes["d_ff"]}
        more = {
            "a wider model": number(
                estimate(build(submission, **wider), batch_size=batch, seq_len=length),
                "the estimate",
            ),
            "a larger batch": number(
                estimate(model, batch_size=3 * batch, seq_len=length), "the estimate"
            ),
            "longer sequences": number(
                estimate(model, batch_size=batch, seq_len=2 * length), "the estimate"
            ),
        }
        for what, larger in more.items():
            if larger <= size:
                fail(f"{what} should need more memory", expected=f"more than {size}", actual=larger)
        # Generous: this is about the unit, and that every layer counts.
        least = 4 * batch * length * sizes["d_ff"] * sizes["n_layers"] / 1024**2
        if not least < size < 30 * least:
            fail(
                "the estimate is far off: which unit is it in?",
                expected=f"{least:.3g} to {30 * least:.3g}",
                actual=size,
            )


# ---------------------------------------------------------------- practice: weights alone


class TestWeights:
    """What a model weighs"""

    practice = True

    @check(points=0, hint="Number of elements, times dtype.itemsize, divided by 1024 * 1024.")
    def test_weights_in_two_dtypes(self, submission: SubmissionNames, rng: random.Random) -> None:
        """In float32 a parameter takes four bytes, in bfloat16 two"""
        import torch

        model = build(submission, **random_sizes(rng))
        count = model.count_parameters().value()
        for dtype, size in ((torch.float32, 4), (torch.bfloat16, 2)):
            memory = submission.estimate_model_memory(model, dtype=dtype)
            expected = count * size / 1024**2
            assert_close(model_memory(memory, "parameters"), expected, '"parameters"', atol=0)

    @check(points=0, hint="Gradients: as much again. AdamW's two averages: twice as much.")
    def test_weights_in_training(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Training with AdamW takes four times what inference takes"""
        memory = submission.estimate_model_memory(build(submission, **random_sizes(rng)))
        inference = model_memory(memory, "inference_only")
        training = model_memory(memory, "total_training")
        assert_close(training, 4 * inference, '"total_training"', atol=0)
