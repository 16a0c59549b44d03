"""Public checks of assignment 05: which numbers come back, in which unit, and small cases."""

from __future__ import annotations

import random

from course.checks.estimated_sizes import (
    NAMES,
    assert_follows_the_model,
    build,
    model_memory,
    n_parameters,
    named,
    number,
    random_sizes,
)
from grader.testing import SubmissionNames, assert_close, check
from grader.testing.failure import fail


class TestKeys:
    """Names and units"""

    @check(points=0.5, hint="Return a dict with the names that the docstring lists.")
    def test_names(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Each of the five sizes comes as a number under its name"""
        memory = submission.estimate_model_memory(build(submission, **random_sizes(rng)))
        for name in NAMES:
            model_memory(memory, name)
        assert_follows_the_model(submission, rng, NAMES)

    @check(points=0.5, hint="A MiB is 1024 * 1024 bytes, and a float32 takes four bytes.")
    def test_unit(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The parameters of a float32 model are counted in MiB"""
        sizes = random_sizes(rng)
        model = build(submission, **sizes, tie_weights=False, positional="learned")
        memory = submission.estimate_model_memory(model)
        expected = n_parameters(sizes) * 4 / 1024**2
        assert_close(model_memory(memory, "parameters"), expected, '"parameters"', atol=0)

    @check(
        points=0.5,
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

    @check(points=0.5, hint="Return one number, in MiB: it grows with the batch and the length.")
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


# ---------------------------------------------------------------- practice: small cases


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


class TestFlopsByHand:
    """Operations of a model that one can count by hand"""

    practice = True

    @check(points=0, hint="Which two matrices are multiplied? 2 * m * k * n, in each block.")
    def test_flops_by_hand(self, submission: SubmissionNames) -> None:
        """Three tokens in two blocks: each product has its name"""
        sizes = {"vocab_size": 10, "d_model": 4, "n_heads": 2, "n_layers": 2, "d_ff": 6}
        flops = submission.estimate_flops(build(submission, **sizes), batch_size=1, seq_len=3)
        expected = {
            "projections": 768,
            "scores": 144,
            "weighted_sum": 144,
            "feedforward": 576,
            "head": 240,
            "forward": 1872,
            "backward": 3744,
        }
        for name, count in expected.items():
            assert_close(named(flops, name, expected), count, f'"{name}"', atol=0)


class TestCacheByHand:
    """A cache that one can count by hand"""

    practice = True

    @check(
        points=0, hint="A key and a value of d_model / n_heads elements for each of the n_kv_heads."
    )
    def test_cache_by_hand(self, submission: SubmissionNames) -> None:
        """Two blocks of width 64 and 1,024 tokens: 1 MiB, and a quarter with one head of four"""
        sizes = {"vocab_size": 10, "d_model": 64, "n_heads": 4, "n_layers": 2, "d_ff": 8}
        model = build(submission, **sizes)
        for n_kv_heads, size in ((None, 1), (2, 1 / 2), (1, 1 / 4)):
            cache = submission.estimate_kv_cache(model, 1, 1024, n_kv_heads=n_kv_heads)
            what = "the cache" if n_kv_heads is None else f"the cache with n_kv_heads={n_kv_heads}"
            assert_close(number(cache, what), size, what, atol=0)


class TestBatchByHand:
    """A batch that one can count by hand"""

    practice = True

    @check(
        points=0,
        hint="The reserve is a share of all memory. What is left beside it and what is fixed?",
    )
    def test_batch_by_hand(self, submission: SubmissionNames) -> None:
        """Of 1,000 MiB 900 may be used, 400 are taken: that is room for 8 sequences of 60 MiB"""
        batch = submission.largest_batch(memory=1000, fixed=400, per_sequence=60)
        assert_close(number(batch, "the batch"), 8, "the batch", atol=0)
        batch = submission.largest_batch(memory=100, fixed=0, per_sequence=20, reserve=0.8)
        assert_close(number(batch, "the batch"), 1, "the batch where one fits exactly", atol=0)


class TestBudgetByHand:
    """A budget that one can split by hand"""

    practice = True

    @check(points=0, hint="Put D = 20 N into C = 6 N D, and solve for N.")
    def test_budget_by_hand(self, submission: SubmissionNames) -> None:
        """1.2e20 operations are for a billion parameters and 20 billion tokens"""
        optimum = submission.chinchilla_optimum(1.2e20)
        for place, (what, expected) in enumerate((("N", 1e9), ("D", 20e9))):
            assert_close(number(optimum[place], what), expected, what, atol=0)


class TestUtilizationByHand:
    """A utilization that one can compute by hand"""

    practice = True

    @check(points=0, hint="(6 N + 12 L H Q T) operations for each token.")
    def test_utilization_by_hand(self, submission: SubmissionNames) -> None:
        """10 tokens a second of 6 + 2.4 million operations, of 168 million: a half"""
        share = submission.model_flops_utilization(
            n_parameters=1_000_000,
            n_layers=2,
            n_heads=5,
            d_head=10,
            seq_len=2_000,
            tokens_per_s=10,
            peak=168_000_000,
        )
        assert_close(number(share, "the utilization"), 0.5, "the utilization", atol=0)
