"""Hidden checks of the assignment `blocks`, fifth part: a block as recent models build it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from types import ModuleType

import torch
from constant_maps import ConstantMaps, added_ones
from drawn_blocks import drawn_anew, output, output_handle, output_of, silence
from modern_stand_ins import far_side
from torch import Tensor
from torch.nn import functional

from course.checks.assembled_blocks import GROUPED, part
from course.checks.drawn_modules import is_matrix, normal
from course.checks.exact_functions import assert_same_gradients, assert_same_values
from course.checks.rotations import assert_keeps_lengths, rotations
from grader.testing import (
    Handle,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_equal,
    check,
    in_some_way,
    parameters,
    raises,
    standing_in,
    values,
)
from grader.testing.failure import fail

REFUSALS = ("ValueError", "AssertionError")


class TestRmsNorm:
    """Bonus: RMSNorm"""

    bonus = True

    @check(points=0.5, hint="The mean of the squares, eps, then the root; no mean is subtracted.")
    def test_rms_norm(self, submission: SubmissionNames, rng: Random) -> None:
        """Vectors are divided by their root mean square, and gradients are right"""
        weight = normal(rng, 7)
        for eps, size in ((0.3, 1.0), (None, 1e-3)):  # so small that 1e-6 has a say
            told = {} if eps is None else {"eps": eps}
            x = size * (normal(rng, 2, 3, 7) + 1)

            def own(x: Tensor, weight: Tensor, told: dict[str, float] = told) -> Handle:
                return submission.rms_norm(x, weight, **told)

            def exact(x: Tensor, weight: Tensor, eps: float = eps or 1e-6) -> Tensor:
                return functional.rms_norm(x, (7,), weight, eps)

            assert_same_values(submission, own, exact, [x, weight])
            if eps is not None:
                assert_same_gradients(submission, own, exact, [x, weight], rng)
                for other in (x[0], x.unsqueeze(2)):
                    assert_same_values(submission, own, exact, [other, weight])


class TestSwiglu:
    """Bonus: SwiGLU"""

    bonus = True

    @check(points=0.5, hint="One map through SiLU, times the other map, then the third.")
    def test_swiglu(self, submission: SubmissionNames, rng: Random) -> None:
        """The network has the values and the gradients of SwiGLU"""
        x, gate, up, down = (
            normal(rng, *shape) for shape in ((2, 3, 5), (5, 8), (5, 8), (8, 5))
        )  # fmt: skip

        def exact(x: Tensor, gate: Tensor, up: Tensor, down: Tensor) -> Tensor:
            return (functional.silu(x @ gate) * (x @ up)) @ down

        for some in (x, x[0], x.unsqueeze(0)):
            assert_same_values(submission, submission.swiglu, exact, [some, gate, up, down])
        assert_same_gradients(submission, submission.swiglu, exact, [x, gate, up, down], rng)


class TestRope:
    """Bonus: rotary positions"""

    bonus = True
    D_K = 10

    @check(points=0.5, hint="Angle: position times base ** (-2 j / d_k), for pair j.")
    def test_angles(self, submission: SubmissionNames, rng: Random) -> None:
        """At position t, pair j turns by t * base ** (-2 j / d_k), and position 0 not at all"""
        x, positions = normal(rng, 2, 3, 4, self.D_K), torch.tensor([0, 1, 7, 3])
        assert_keeps_lengths(submission, x, positions)
        turns = rotations(submission, positions, self.D_K)

        def own(x: Tensor) -> Handle:
            return submission.rope(x, positions)

        def exact(x: Tensor) -> Tensor:
            return (x.unsqueeze(-2) @ turns).squeeze(-2)

        assert_same_values(submission, own, exact, [x])
        assert_same_gradients(submission, own, exact, [x], rng)
        for base in (None, 50.0):
            told = {} if base is None else {"base": base}
            places = torch.tensor([0, 1, rng.randrange(20, 50), 3, rng.randrange(1000, 1100)])
            matrices = rotations(submission, places, self.D_K, **told)
            speeds = (base or 10000.0) ** (-torch.arange(0, self.D_K, 2).double() / self.D_K)
            for place, matrix in zip(places.tolist(), matrices, strict=True):
                # a rotation by an angle has the eigenvalues cos ± i sin, in whatever coordinates
                found = torch.linalg.eigvals(matrix.double()).real.sort().values
                expected = (place * speeds).cos().repeat(2).sort().values
                what = f"the cosines of the angles at position {place}"
                assert_close(found, expected, what, rtol=0, atol=1e-3)
        assert_close(matrices[0], torch.eye(self.D_K), "what position 0 does to vectors", atol=1e-4)

    @check(points=0.5, hint="All positions turn the same pairs in the same direction.")
    def test_scores_depend_on_distances(self, submission: SubmissionNames, rng: Random) -> None:
        """A query's score for a key depends on how far apart they are, not on where"""
        near = torch.tensor(rng.sample(range(30), 6))
        far = near + rng.randrange(5, 20)
        q, k = normal(rng, 2, 6, self.D_K), normal(rng, 2, 6, self.D_K)

        def scores(of_queries: Tensor, of_keys: Tensor) -> Tensor:
            turned_q = assert_keeps_lengths(submission, q, of_queries)
            turned_k = assert_keeps_lengths(submission, k, of_keys)
            return turned_q @ turned_k.mT

        assert_close(scores(far, far), scores(near, near), "scores further on", atol=1e-3)
        assert_differs(scores(far, near), scores(near, near), "scores further apart", atol=1e-2)


class TestGroupedAttention:
    """Bonus: grouped queries"""

    bonus = True
    BATCH, LENGTH, N_KEYS, D_K, D_V = 2, 3, 5, 4, 7

    @check(points=0.5, hint="Query heads side by side share a key head: repeat_interleave.")
    def test_groups(self, submission: SubmissionNames, rng: Random) -> None:
        """Each group of query heads attends to its own head of keys; groups of one are heads"""
        for n_heads, n_kv_heads in ((6, 2), (6, 3), (4, 1), (3, 3)):
            inputs = self.drawn(rng, n_heads, n_kv_heads)
            attend = part(submission, GROUPED)
            assert_same_values(submission, attend, exact_groups, inputs)
        assert_same_gradients(submission, attend, exact_groups, self.drawn(rng, 4, 2), rng)

    @check(points=0.25, hint="A bool mask hides where it is False; broadcast it to the scores.")
    def test_group_masks(self, submission: SubmissionNames, rng: Random) -> None:
        """Masks broadcast to (B, n_heads, T, S), and what they forbid gets no weight"""
        attend = part(submission, GROUPED)
        for shape in ((3, 5), (6, 3, 5), (2, 1, 1, 5), (2, 6, 3, 5)):
            mask = normal(rng, *shape) > 0
            mask[..., 0] = True
            query, key, value = self.drawn(rng, 6, 2)
            assert_same_values(submission, attend, exact_groups, [query, key, value, mask])
        # what is allowed lies far below any number that could stand for "forbidden", but -inf
        inputs = [-300 * query.abs(), key.abs(), value, mask]
        assert_same_values(submission, attend, exact_groups, inputs)

    @check(points=0.25, hint="Ask whether n_heads can be divided by n_kv_heads.")
    def test_odd_groups(self, submission: SubmissionNames, rng: Random) -> None:
        """Heads that can't be shared evenly are refused"""
        attend = part(submission, GROUPED)
        assert_same_values(submission, attend, exact_groups, self.drawn(rng, 6, 2))
        for n_heads, n_kv_heads in ((6, 4), (5, 2), (2, 4)):
            with raises(*REFUSALS, what=f"{n_heads} query heads and {n_kv_heads} of keys"):
                attend(*self.drawn(rng, n_heads, n_kv_heads))

    def drawn(self, rng: Random, n_heads: int, n_kv_heads: int) -> list[Tensor]:
        """Queries, keys and values of so many heads."""
        return [
            normal(rng, self.BATCH, n_heads, self.LENGTH, self.D_K),
            normal(rng, self.BATCH, n_kv_heads, self.N_KEYS, self.D_K),
            normal(rng, self.BATCH, n_kv_heads, self.N_KEYS, self.D_V),
        ]


def exact_groups(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Attention in which each head of keys serves query heads that stand side by side."""
    k, v = (one.repeat_interleave(q.size(1) // one.size(1), dim=1) for one in (k, v))
    return functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)


class TestModernBlock:
    """Bonus: a modern block"""

    bonus = True
    SIZES = {"d_model": 48, "n_heads": 6, "n_kv_heads": 2, "d_ff": 29}  # noqa: RUF012
    BATCH, LENGTH = 2, 6

    @check(points=0.75, hint="Fewer keys and values, three maps in the network, gains, no biases.")
    def test_modern_parameters(self, submission: SubmissionNames, rng: Random) -> None:
        """It has the maps of its parts, and with all of them zero it gives back its input"""

        def verdict() -> None:
            for n_kv_heads in (1, 2, 6):
                sizes = {**self.SIZES, "n_kv_heads": n_kv_heads}
                block = submission.placed(submission.ModernBlock(*sizes.values()))
                d_model, d_ff = sizes["d_model"], sizes["d_ff"]
                width = n_kv_heads * d_model // sizes["n_heads"]
                maps = 2 * d_model * d_model + 2 * d_model * width + 3 * d_model * d_ff
                found = parameters(block, torch.zeros(1, 1, d_model))
                actual = sum(value.numel() for _, value in found)
                assert_equal(actual, maps + 2 * d_model, "the number of parameters")
                ones = sum(int((value == 1).sum()) for _, value in found if not is_matrix(value))
                assert_equal(ones, 2 * d_model, "the number of gains that start at 1")
            block, x = self.drawn(submission, rng)
            other = x.clone()
            other[:, -1] = normal(rng, self.BATCH, x.size(-1))
            first, changed = output(block, x)[:, 0], output(block, other)[:, 0]
            assert_differs(changed, first, "the output for another last token", atol=1e-2)
            silence(parameters(block))
            assert_close(output(block, x), x, "the output of a block of zeros")
            for wrong in ({"n_heads": 5, "n_kv_heads": 1}, {"n_kv_heads": 4}):
                with raises(*REFUSALS, what=f"a block with {wrong}"):
                    submission.ModernBlock(**{**self.SIZES, **wrong})(x)

        self.in_either_way(submission, verdict)

    @check(points=0.5, hint="Split heads, then rotate queries and keys; divide by sqrt(d_k) once.")
    def test_relative_positions(
        self, submission: SubmissionNames, reference: ModuleType, rng: Random
    ) -> None:
        """Weights come from rotated queries and keys, values stay; masks hide, for each head"""
        d_model, n_heads = self.SIZES["d_model"], self.SIZES["n_heads"]
        mask = normal(rng, self.BATCH, n_heads, self.LENGTH, self.LENGTH) > 0
        mask[..., 0] = True

        def verdict(gain: Tensor, x: Tensor) -> None:
            both = ConstantMaps(submission, reference.ModernBlock, self.SIZES)
            both.put(network=0.0)
            both.put_gains(gain.expand(2, d_model))
            for hidden, what in ((None, "what attention adds"), (mask, "what it adds with a mask")):
                expected = added_ones(both.expected(x, hidden), x)
                found = added_ones(output(both.block, x, hidden), x)
                # a branch that is stretched as a whole costs elsewhere
                found = found * expected.square().sum() / (found * expected).sum()
                assert_close(found, expected, what, rtol=1e-3, atol=2e-3)

        # where norms are another check's business: RMSNorm or none, and RMSNorm or LayerNorm
        plain = normal(rng, self.BATCH, self.LENGTH, d_model)
        centred = plain - plain.mean(dim=-1, keepdim=True)
        cases = (torch.ones(d_model), plain), (normal(rng, d_model), centred)

        def in_some_norm() -> None:
            in_some_way(
                partial(verdict, gain, functional.rms_norm(x, (d_model,))) for gain, x in cases
            )

        self.in_either_way(submission, in_some_norm)

    @check(points=0.75, hint="x + attention(rms_norm(x)), then swiglu of the normed sum; no more.")
    def test_branches_are_normed(
        self, submission: SubmissionNames, reference: ModuleType, rng: Random
    ) -> None:
        """Each branch reads a normed input and adds to it, in order; gradients reach everything"""
        d_model = self.SIZES["d_model"]

        def verdict() -> None:
            # tokens by themselves: positions are another check's business
            x, gains = 3 * normal(rng, 10, 1, d_model), normal(rng, 2, d_model)
            both = ConstantMaps(submission, reference.ModernBlock, self.SIZES)
            both.put_gains(gains)
            both.put(network=0.0)
            found = output(both.block, x)
            if not torch.allclose(found, both.expected(x), atol=1e-2):
                both.exact_gains(gains.flip(0))
            assert_close(found, both.expected(x), "a token with what attention adds", atol=1e-3)
            both.put(attention=0.0)
            side_by_side = x.view(2, 5, d_model)
            found, expected = output(both.block, side_by_side), both.expected(side_by_side)
            assert_close(found, expected, "a token with what the network adds", atol=1e-3)
            both.put()
            both.block.train()  # there is no dropout
            self.assert_trained(submission, both, x, rng)

        self.in_either_way(submission, verdict)

    def assert_trained(
        self, submission: SubmissionNames, both: ConstantMaps, x: Tensor, rng: Random
    ) -> None:
        """Demand outputs (B, 1, d_model), the input's gradient, and one for all parameters."""
        leaf, exact_leaf = submission.send(x), x.clone().requires_grad_()
        given = leaf.requires_grad_().clone()
        out, expected = both.block(given), both.expected(exact_leaf)
        assert_close(output_of(out, x), expected.detach(), "a token's output", atol=1e-3)
        assert_close(given.tensor(), x, "the input, afterwards,", rtol=0, atol=0)
        upstream = normal(rng, *x.shape)
        expected.backward(upstream)  # type: ignore[no-untyped-call]
        output_handle(out).backward(upstream)
        gradient = leaf.grad.value()
        if type(gradient) is not Tensor:
            fail("the input gets no gradient", actual=gradient)
        assert_close(gradient, exact_leaf.grad, "the input's gradient", rtol=1e-3, atol=1e-3)
        # several tokens, so that weights have gradients, too
        x = normal(rng, self.BATCH, self.LENGTH, x.size(-1))
        output_handle(both.block(x)).backward(normal(rng, *x.shape))
        gradients = values(parameter.grad for parameter, _ in both.own)
        for (_, value), gradient in zip(both.own, gradients, strict=True):
            idle = value.numel() if gradient is None else int((gradient.abs() < 1e-8).sum())
            if idle > value.numel() / 20:  # a few may be as small as that by chance
                fail("some parameters get no gradient")

    def drawn(self, submission: SubmissionNames, rng: Random) -> tuple[Handle, Tensor]:
        """A block with drawn matrices, and vectors for it."""
        sizes = self.SIZES
        block = drawn_anew(submission.ModernBlock(**sizes), submission, rng, 1, sizes["d_model"])
        return block, normal(rng, self.BATCH, self.LENGTH, sizes["d_model"])

    def in_either_way(self, submission: SubmissionNames, verdict: Callable[[], None]) -> None:
        """Pass a verdict on a block of the submission's own functions, or of sound ones."""

        def with_sound_functions() -> None:
            with standing_in(submission.ModernBlock, **far_side(submission)):
                verdict()

        in_some_way((verdict, with_sound_functions))
