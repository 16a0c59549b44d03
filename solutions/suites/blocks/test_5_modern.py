"""Hidden checks of the assignment `blocks`, fifth part: a block as recent models build it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import torch
from drawn_blocks import drawn_anew, output, silence
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
)

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

        assert_same_values(submission, submission.swiglu, exact, [x, gate, up, down])
        assert_same_gradients(submission, submission.swiglu, exact, [x, gate, up, down], rng)


class TestRope:
    """Bonus: rotary positions"""

    bonus = True
    D_K = 10

    @check(points=0.5, hint="Angle: position times base ** (-2 j / d_k), for pair j.")
    def test_angles(self, submission: SubmissionNames, rng: Random) -> None:
        """At position t, pair j turns by t * base ** (-2 j / d_k), and position 0 not at all"""
        x, positions = normal(rng, 2, 3, 4, self.D_K), torch.tensor([0, 1, 7, 3])
        turned = assert_keeps_lengths(submission, x, positions)
        by_matrix = x.unsqueeze(-2) @ rotations(submission, positions, self.D_K)
        assert_close(turned, by_matrix.squeeze(-2), "the rotated vectors", atol=1e-4)
        for base in (None, 50.0):
            told = {} if base is None else {"base": base}
            places = torch.tensor([0, 1, rng.randrange(20, 50), 3, rng.randrange(200, 300)])
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
        inputs = self.drawn(rng, 6, 2)
        for shape in ((3, 5), (2, 1, 1, 5), (2, 6, 3, 5)):
            mask = normal(rng, *shape) > 0
            mask[..., 0] = True
            inputs = self.drawn(rng, 6, 2)
            attend = part(submission, GROUPED)
            assert_same_values(submission, attend, exact_groups, [*inputs, mask])

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

    @check(points=0.5, hint="Rotate queries and keys by their positions, after they are split.")
    def test_relative_positions(self, submission: SubmissionNames, rng: Random) -> None:
        """Tokens know their order and distances, not where they stand; a mask hides the future"""

        def verdict() -> None:
            block, x = self.drawn(submission, rng)
            # without a mask, a block that knows no positions would not mind
            backwards = output(block, x.flip(1)).flip(1)
            assert_differs(backwards, output(block, x), "the output in another order", atol=1e-2)
            causal = torch.ones(self.LENGTH, self.LENGTH, dtype=torch.bool).tril()
            before = output(block, x, causal)
            other = x.clone()
            other[:, -1] = normal(rng, self.BATCH, self.SIZES["d_model"])
            after = output(block, other, causal)
            assert_close(after[:, :-1], before[:, :-1], "the output before a change")
            assert_differs(after[:, -1], before[:, -1], "the output at a change", atol=1e-2)
            # tokens in front that nobody sees
            shift = rng.randrange(1, 5)
            n_tokens = self.LENGTH + shift
            mask = torch.ones(n_tokens, n_tokens, dtype=torch.bool).tril()
            mask[shift:, :shift] = False
            longer = torch.cat([normal(rng, self.BATCH, shift, x.size(-1)), x], dim=1)
            later = output(block, longer, mask)[:, shift:]
            assert_close(later, before, "the output of tokens that stand further on", atol=1e-3)

        self.in_either_way(submission, verdict)

    @check(points=0.75, hint="rms_norm inside each branch; what runs past it is left alone.")
    def test_branches_are_normed(self, submission: SubmissionNames, rng: Random) -> None:
        """What each branch adds depends on the direction of the vectors, not on their size"""

        def verdict() -> None:
            for silent_network in (True, False):
                block, x = self.drawn(submission, rng)
                chosen = [pair for pair in parameters(block) if is_matrix(pair[1])]
                silence([pair for pair in chosen if self.is_network(pair[1]) == silent_network])
                x = 10 * x  # so that no epsilon has a say, be it 1e-6 or 1e-3
                larger = x * (3 + normal(rng, self.BATCH, self.LENGTH, 1).abs())
                added = output(block, x) - x
                assert_differs(added, 0 * added, "what is added", atol=1e-2)
                found = output(block, larger) - larger
                assert_close(found, added, "what is added to larger vectors", atol=1e-3)
                moved = output(block, x + 20) - (x + 20)  # RMSNorm takes no mean away
                assert_differs(moved, added, "what is added to vectors with a mean", atol=1e-2)

        self.in_either_way(submission, verdict)

    def is_network(self, matrix: Tensor) -> bool:
        """Whether a matrix is one of the network's: d_ff divides no size of the others."""
        return any(size % self.SIZES["d_ff"] == 0 for size in matrix.shape)

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
