"""Hidden checks of assignment 05, second part: operations, caches, batches and budgets.

Numbers go in and come out. Where one number is a ratio or a sum of others, it is compared with the
student's own others: what is wrong in them is lost where they are asked for.
"""

import math
import random
from collections.abc import Iterator

import pytest
import torch
from counted_work import NAMES, PARTS, assert_grows, cache, expected_flops, flops
from kept_memory import MIB, build, number, random_input, random_sizes

from course.checks.estimated_sizes import named, scalar
from grader.testing import SubmissionNames, assert_close, check
from grader.testing.failure import fail


class TestFlops:
    """Operations, part by part"""

    @pytest.mark.parametrize("part", PARTS)
    @check(points=1.25, hint="Which matrices are multiplied, of which shapes, and how often?")
    def test_operations(self, submission: SubmissionNames, rng: random.Random, part: str) -> None:
        """The operations of one part are counted:"""
        for _ in range(2):
            sizes = random_sizes(rng)
            batch, length = random_input(rng)
            (actual,) = flops(submission, sizes, batch, length, part)
            expected = expected_flops(sizes, batch, length)[part]
            assert_close(actual, expected, f'"{part}"', atol=0)

    @check(points=0.5, hint="Add the five parts. For each product, the backward pass has two.")
    def test_totals(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The forward pass is the sum of the parts, the backward pass takes twice as much"""
        for scale in (1, 3):
            sizes = random_sizes(rng)
            sizes["n_layers"] *= scale
            batch, length = random_input(rng)
            model = build(submission, **sizes)
            found = submission.estimate_flops(model, batch_size=batch, seq_len=scale * length)
            *parts, forward, backward = (named(found, name, NAMES) for name in NAMES)
            assert_close(forward, sum(parts), '"forward"', atol=0)
            assert_close(backward, 2 * forward, '"backward"', atol=0)
            expected = expected_flops(sizes, batch, scale * length)["forward"]
            if not 0.4 < forward / expected < 2.5:  # one wrong part, or none doubled, is no matter
                fail("the forward pass is far off", expected=expected, actual=forward)
        richer = {**sizes, "vocab_size": 2 * sizes["vocab_size"]}
        before, after = (
            flops(submission, each, batch, length, "projections") for each in (sizes, richer)
        )
        assert_close(after, before, '"projections" with a larger vocabulary', atol=0)

    @check(points=0.25, hint="H heads of width d_k are d_model wide together.")
    def test_sizes_that_multiply_nothing(
        self, submission: SubmissionNames, rng: random.Random
    ) -> None:
        """The number of heads, max_len and tying make no difference; the width does"""
        sizes = {**random_sizes(rng), "n_heads": 2, "d_model": 24}
        batch, length = random_input(rng)
        (expected,) = flops(submission, sizes, batch, length, "forward")
        for change in ({"n_heads": 6}, {"max_len": length - 3}, {"tie_weights": False}):
            (actual,) = flops(submission, sizes | change, batch, length, "forward")
            assert_close(actual, expected, f"with another {next(iter(change))}", atol=0)
        (wider,) = flops(submission, sizes | {"d_model": 48}, batch, length, "forward")
        if not 1.5 < wider / expected < 4:
            fail("a wider model takes more", expected=f"above {expected:.3g}", actual=wider)


class TestKvCache:
    """Keys and values that are kept"""

    @check(points=0.5, hint="A key and a value for each position, in each block.")
    def test_cache(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The cache of a model whose heads all have keys and values of their own"""
        for dtype, n_bytes in ((None, 4), (torch.bfloat16, 2)):
            batch, length = random_input(rng)
            sizes = {**random_sizes(rng), "max_len": length - 2}  # is nothing that is asked about
            given = () if dtype is None else (dtype,)
            model = build(submission, **sizes)
            actual = submission.estimate_kv_cache(model, batch, length, *given)
            elements = 2 * sizes["n_layers"] * batch * length * sizes["d_model"]
            assert_close(number(actual, "the cache"), elements * n_bytes / MIB, "the cache", atol=0)

    @check(points=0.5, hint="How wide is one head, and how many are kept?")
    def test_groups(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Heads that share keys and values take as much less; one for all takes least"""
        n_heads = rng.choice((6, 8, 12))
        sizes = {**random_sizes(rng), "n_heads": n_heads, "d_model": n_heads * rng.randrange(3, 7)}
        self.assert_follows_the_model(submission, sizes)
        batch, length = random_input(rng)
        every = cache(submission, sizes, batch, length)
        for groups in (n_heads, n_heads // 2, 2, 1):
            actual = cache(submission, sizes, batch, length, n_kv_heads=groups)
            what = f"the cache with {groups} of {n_heads} heads"
            assert_close(actual, every * groups / n_heads, what, atol=0)

    @check(points=0.25, hint="Ask the dtype how many bytes it takes.")
    def test_cache_dtype(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The cache follows the dtype that is asked for, whatever dtype the model has"""
        sizes = random_sizes(rng)
        self.assert_follows_the_model(submission, sizes)
        batch, length = random_input(rng)
        single = cache(submission, sizes, batch, length)
        several = {torch.float64: 2, torch.float16: 1 / 2, torch.int8: 1 / 4, torch.int16: 1 / 2}
        for dtype, times in several.items():
            actual = cache(submission, sizes, batch, length, dtype=dtype)
            assert_close(actual, times * single, f"the cache in {dtype}", atol=0)
        model = build(submission, **sizes).bfloat16()
        converted = submission.estimate_kv_cache(model, batch, length)
        assert_close(number(converted, "the cache"), single, "that of a bfloat16 model", atol=0)

    def assert_follows_the_model(self, submission: SubmissionNames, sizes: dict[str, int]) -> None:
        """The twin of both: a cache that is not there has any ratio to itself."""
        assert_grows(
            lambda sizes, batch, length: cache(submission, sizes, batch, length),
            sizes,
            dict.fromkeys(("n_layers", "d_model", "batch", "length"), 2),
        )


class TestLargestBatch:
    """The largest batch that fits"""

    @check(points=0.5, hint="What is left of the memory, and how many sequences go into it?")
    def test_sequences_that_fit(self, submission: SubmissionNames, rng: random.Random) -> None:
        """As many sequences as fit, beside what is fixed and what is reserved"""
        for reserve in (None, 0.0, rng.uniform(0.2, 0.5)):
            n_sequences, over = rng.randrange(3, 300), rng.uniform(0.2, 0.8)
            fixed, per_sequence = rng.uniform(50, 500), rng.uniform(1, 30)
            taken = fixed + (n_sequences + over) * per_sequence
            memory = taken / (1 - (0.1 if reserve is None else reserve))
            given = () if reserve is None else (reserve,)
            actual = submission.largest_batch(memory, fixed, per_sequence, *given)
            what = f"the batch with a reserve of {reserve or 'nothing'}"
            what = "the batch with the usual reserve" if reserve is None else what
            assert_close(scalar(actual, what), n_sequences, what, rtol=0, atol=0)

    @check(points=0.25, hint="At most as much as there is: what fits exactly, fits.")
    def test_exact_fit(self, submission: SubmissionNames, rng: random.Random) -> None:
        """What fits exactly, fits, rounded or not; with a little less memory it does not"""
        # All numbers are sums of a few powers of two: no arithmetic rounds them.
        memory, reserve = 4.0 * rng.randrange(300, 500), 0.25
        n_sequences, per_sequence = rng.randrange(5, 20), rng.randrange(4, 160) / 4
        fixed = 0.75 * memory - n_sequences * per_sequence
        for less, expected in ((0, n_sequences), (0.25, n_sequences - 1)):
            actual = submission.largest_batch(
                memory=memory - less, fixed=fixed, per_sequence=per_sequence, reserve=reserve
            )
            assert_close(scalar(actual, "the batch"), expected, "the batch", rtol=0, atol=0)
        for memory, fixed, per_sequence, reserve, n_sequences in rounded_fits(rng):
            less = 1e-6 * per_sequence / (1 - reserve)
            for there_is, expected in ((memory, n_sequences), (memory - less, n_sequences - 1)):
                actual = submission.largest_batch(there_is, fixed, per_sequence, reserve)
                assert_close(scalar(actual, "the batch"), expected, "the batch", rtol=0, atol=0)

    @check(points=0.25, hint="There is no batch of less than no sequences.")
    def test_nothing_fits(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Where not even one sequence fits, the batch is 0"""
        memory = rng.uniform(1000, 2000)
        cases = [(rng.uniform(3000, 9000), 50.0), (0.5 * memory, 0.6 * memory)]
        for fixed, per_sequence in cases:
            actual = scalar(submission.largest_batch(memory, fixed, per_sequence), "the batch")
            assert_close(actual, 0, "the batch that does not fit", rtol=0, atol=0)
        room = scalar(submission.largest_batch(memory, memory / 4, memory / 400), "the batch")
        if not 200 < room < 350:
            fail("here there is room for hundreds", expected="200 to 350", actual=room)


def rounded_fits(rng: random.Random) -> Iterator[tuple[float, float, float, float, int]]:
    """Exact fits in tenths, which floats are not: rounded in each way so that one does not fit."""
    fits = (
        lambda m, f, e, r, n: (m * (1 - r) - f) / e >= n,
        lambda m, f, e, r, n: (m * (1 - r) - f) // e >= n,
        lambda m, f, e, r, n: (m - m * r - f) / e >= n,
        lambda m, f, e, r, n: (m - f - r * m) / e >= n,
        lambda m, f, e, r, n: f + n * e <= m * (1 - r),
        lambda m, f, e, r, n: 1 - (f + n * e) / m >= r,
    )
    for fits_so in fits:
        missed = False
        while not missed:
            tenths, each, batch = rng.randrange(1, 10), rng.randrange(51, 131), rng.randrange(5, 31)
            memory = 10 * rng.randrange(400, 900)
            fixed = memory * (10 - tenths) - each * batch
            fit = (float(memory), fixed / 10, each / 10, tenths / 10, batch)
            missed = not fits_so(*fit)
        yield fit


class TestBudget:
    """Budgets and utilization"""

    @check(points=0.35, hint="Two equations, two unknowns: 6 N D is the budget, and D is 20 N.")
    def test_optimum(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A budget is used up, with 20 tokens for each parameter, and nothing is rounded"""
        # a small one, for which neither N nor 20 N is nearly whole
        few = rng.randrange(3, 9) + (rng.randrange(5, 14) + rng.uniform(0.3, 0.7)) / 20
        for budget in (120 * few**2, 10 ** rng.uniform(15, 19), 10 ** rng.uniform(21, 26)):
            optimum = submission.chinchilla_optimum(budget)
            n_parameters, n_tokens = (number(optimum[place], "ND"[place]) for place in (0, 1))
            assert_close(n_parameters, math.sqrt(budget / 120), "N", atol=0)
            assert_close(n_tokens, 20 * math.sqrt(budget / 120), "D", atol=0)

    @check(points=0.4, hint="(6 N + 12 L H Q T) operations for each token, over the peak.")
    def test_utilization(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Utilization counts the parameters and attention, and names can be left out"""
        for n_parameters in (rng.uniform(1e6, 1e7), rng.uniform(1e10, 1e11)):
            n_layers, n_heads, d_head = rng.randrange(10, 60), rng.randrange(9, 60), 2**7
            seq_len, tokens_per_s = rng.randrange(10_000, 90_000), rng.uniform(1e3, 1e5)
            per_token = 6 * n_parameters + 12 * n_layers * n_heads * d_head * seq_len
            peak = tokens_per_s * per_token * rng.uniform(2, 9)
            sizes = (n_parameters, n_layers, n_heads, d_head, seq_len)
            share = submission.model_flops_utilization(*sizes, tokens_per_s, peak)
            expected = tokens_per_s * per_token / peak
            assert_close(number(share, "the utilization"), expected, "the utilization", atol=0)
