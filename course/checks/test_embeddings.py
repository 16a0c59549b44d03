"""Public checks of assignment 01: what goes in, what comes out, what is refused."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import pytest

from course.checks.working_embeddings import KINDS, assert_embeds, working_kinds
from grader.testing import (
    Handle,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_shape,
    check,
    elements,
    in_some_way,
    raises,
    tensors,
    tried,
)
from grader.testing.failure import fail

if TYPE_CHECKING:
    from torch import Tensor


def build(submission: SubmissionNames, **arguments: object) -> Handle:
    """An embedding without dropout, every parameter drawn anew so that none is zero."""
    embedding = submission.TransformerEmbedding(**arguments, dropout=0.0)
    submission.placed(embedding).eval()
    for parameter in elements(embedding.parameters()):
        parameter.data.normal_()
    return embedding


def token_ids(rng: random.Random, batch: int, length: int, vocab_size: int) -> Tensor:
    """Ids (batch, length), no two in a row of the batch alike: length <= vocab_size."""
    import torch

    return torch.tensor([rng.sample(range(vocab_size), length) for _ in range(batch)])


def judge(submission: SubmissionNames, rng: random.Random, verdict: Callable[[str], None]) -> None:
    """Pass a verdict on tokens: with a kind of position that works, if with one of them only."""
    in_some_way(partial(verdict, kind) for kind in working_kinds(submission, rng))


class TestShapes:
    """Shapes and arguments"""

    @pytest.mark.parametrize("kind", KINDS)
    @check(
        points=0.75,
        hint="Tokens (B, T) are looked up to (B, T, d_model); adding positions keeps that shape.",
    )
    def test_output_shape(self, submission: SubmissionNames, rng: random.Random, kind: str) -> None:
        """Ids (B, T) become vectors (B, T, d_model)"""
        import torch

        assert_embeds(submission, rng, kind)
        d_model, max_len = 2 * rng.randrange(3, 9), rng.randrange(9, 13)
        embedding = build(
            submission, vocab_size=20, d_model=d_model, max_len=max_len, positional=kind
        )
        for batch, length in [(2, 5), (1, 1), (7, 3), (3, max_len - 1)]:
            tokens = token_ids(rng, batch, length, 20)
            out = embedding(tokens).tensor()
            what = f"the output for ids of shape {(batch, length)}"
            assert_shape(out, (batch, length, d_model), what)
            if out.dtype != torch.float32:
                fail(f"{what} has the wrong dtype", expected=torch.float32, actual=out.dtype)
            if batch > 1 and not torch.equal(tokens[0], tokens[1]):
                assert_differs(out[0], out[1], "the output from one sequence to another")

    @check(points=0.75, hint="Each vector tells which token it is and where it stands, no more.")
    def test_token_and_place(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Another token or another place gives another vector, and changes no other vector"""
        import torch

        for kind in working_kinds(submission, rng):
            embedding = build(submission, vocab_size=30, d_model=8, max_len=10, positional=kind)
            tokens = token_ids(rng, 2, 9, 29)
            row, place = rng.randrange(2), rng.randrange(9)
            changed = tokens.clone()
            changed[row, place] = 29
            before, after = embedding(tokens).tensor(), embedding(changed).tensor()
            assert_shape(before, (2, 9, 8), f"the output with {kind} positions")
            assert_differs(before[row, place], after[row, place], "the vector of a changed token")
            after[row, place] = before[row, place]
            assert_close(after, before, "the vectors of the other tokens")
            same = embedding(torch.full((2, 9), rng.randrange(30))).tensor()
            assert_shape(same, (2, 9, 8), f"the output with {kind} positions")
            assert_differs(same[:, 1:], same[:, :-1], "the vector of one token at two places")

    @check(points=0.25, hint="`token_embedding.embedding.weight` has a row for each token id.")
    def test_token_table(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The token table is (vocab_size, d_model), and its rows are what is looked up"""
        vocab_size, d_model = rng.randrange(11, 20), 2 * rng.randrange(2, 5)

        def verdict(kind: str) -> None:
            embedding = build(
                submission, vocab_size=vocab_size, d_model=d_model, max_len=12, positional=kind
            )
            table = embedding.token_embedding.embedding.weight
            assert_shape(table.tensor(), (vocab_size, d_model), "the token table")
            tokens = token_ids(rng, 2, 10, vocab_size)
            row = int(tokens[0, rng.randrange(10)])
            before = embedding(tokens).tensor()
            assert_shape(before, (2, 10, d_model), "the output")
            table.data[row].add_(1.0)
            after = embedding(tokens).tensor()
            assert_shape(after, (2, 10, d_model), "the output")
            changed = tokens == row
            assert_differs(before[changed], after[changed], "the vector of a changed row")
            assert_close(after[~changed], before[~changed], "the vectors of the other rows")

        judge(submission, rng, verdict)

    @check(points=0.25, hint="Token ids come as int64, and as int32 when somebody saves memory.")
    def test_small_ids(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Ids of 32 bits give the same vectors as ids of 64 bits"""
        import torch

        def verdict(kind: str) -> None:
            embedding = build(submission, vocab_size=20, d_model=6, max_len=12, positional=kind)
            tokens = token_ids(rng, 2, 7, 20)
            expected = embedding(tokens).tensor()
            assert_shape(expected, (2, 7, 6), "the output")
            assert_differs(expected[0], expected[1], "the output from one sequence to another")
            assert_close(embedding(tokens.to(torch.int32)).tensor(), expected, "the output")

        judge(submission, rng, verdict)

    @check(points=0.25, hint="vocab_size, d_model, max_len, positional, dropout, padding_idx.")
    def test_order_of_arguments(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The arguments come in the order of the docstring, also when they are not named"""

        def verdict(kind: str) -> None:
            vocab_size, d_model, max_len = rng.sample(range(6, 15), 3)
            d_model, padding = 2 * d_model, rng.randrange(vocab_size)
            arguments = (vocab_size, d_model, max_len, kind, 0.5, padding)
            embedding = submission.TransformerEmbedding(*arguments)
            table = embedding.token_embedding.embedding.weight
            assert_shape(table.tensor(), (vocab_size, d_model), "the token table")
            out = submission.placed(embedding).eval()(token_ids(rng, 2, 5, vocab_size))
            assert_shape(out.tensor(), (2, 5, d_model), "the output")

        judge(submission, rng, verdict)

    @check(points=0.25, hint="Fill the table first, then zero the row that `padding_idx` names.")
    def test_padding_row(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The row of the padding token, be it 0, starts as zeros: only that row, or none"""

        def verdict(kind: str) -> None:
            for padding in (rng.randrange(1, 12), 0, None):
                told = {} if padding is None else {"padding_idx": padding}
                embedding = submission.TransformerEmbedding(
                    vocab_size=12, d_model=6, max_len=8, positional=kind, **told
                )
                table = embedding.token_embedding.embedding.weight.tensor()
                assert_shape(table, (12, 6), "the token table")
                zero_rows = (table == 0).all(dim=1).nonzero().flatten().tolist()
                expected = list(told.values())
                if zero_rows != expected:
                    fail("the wrong rows are zero", expected=expected, actual=zero_rows)

        judge(submission, rng, verdict)

    @check(points=0.25, hint="Padding is an ordinary token that stands somewhere and never learns.")
    def test_padding_in_use(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The padding token gets its position, and its row no gradient"""

        def verdict(kind: str) -> None:
            for padding in (0, rng.randrange(1, 12)):
                self.assert_padding_is_used(submission, rng, kind, padding)

        judge(submission, rng, verdict)

    def assert_padding_is_used(
        self, submission: SubmissionNames, rng: random.Random, kind: str, padding: int
    ) -> None:
        """Demand a padding token that is like any other, but for its gradient."""
        import torch

        other, ordinary = rng.sample([row for row in range(12) if row != padding], 2)
        embedding = submission.TransformerEmbedding(
            vocab_size=12, d_model=6, max_len=8, positional=kind, dropout=0.0, padding_idx=padding
        )
        submission.placed(embedding).eval()
        table = embedding.token_embedding.embedding.weight
        zeros, tokens = torch.zeros(6), token_ids(rng, 2, 7, 12)
        tokens[:, 3] = padding
        for row, values in ((padding, zeros), (other, zeros), (ordinary, zeros + 1)):
            table.data[row].copy_(values)
        same, alike, unlike = (
            embedding(torch.full((2, 7), row)).tensor() for row in (padding, other, ordinary)
        )
        assert_shape(same, (2, 7, 6), "the output")
        assert_close(same, alike, "the padding token's vectors, beside another row of zeros,")
        assert_differs(same, unlike, "the padding token's vectors, beside an ordinary token,")
        # without any gradient the row gets none: another check's business
        if tried(lambda: embedding(tokens).sum().backward().done()) is None:
            gradient = table.grad.to_dense().tensor()
            assert_shape(gradient, (12, 6), "the gradient of the token table")
            assert_close(gradient[padding], zeros, "the gradient of the padding row")

    @check(points=0.25, hint='Only "sinusoidal" and "learned" exist; say so with a ValueError.')
    def test_bad_positional(self, submission: SubmissionNames, rng: random.Random) -> None:
        """An unknown kind of position is refused with a ValueError"""
        working_kinds(submission, rng)
        alike = ("Learned", "Sinusoidal", "SINUSOIDAL", "learned ", " sinusoidal", "sin", "learnt")
        for name in ("rotary", f"learned{rng.randrange(100)}", "", *alike):
            with raises("ValueError", what=f"positional={name!r}"):
                submission.TransformerEmbedding(
                    vocab_size=10, d_model=4, max_len=8, positional=name
                )


# ---------------------------------------------------------------- practice: one part at a time


class TestTokenVectors:
    """Token vectors"""

    practice = True

    @check(points=0, hint="Look the ids up in self.embedding.")
    def test_token_vectors_shape(self, submission: SubmissionNames, rng: random.Random) -> None:
        """TokenEmbedding turns ids (B, T) into vectors (B, T, d_model)"""
        embedding = submission.TokenEmbedding(vocab_size=20, d_model=6)
        assert_shape(embedding(token_ids(rng, 2, 5, 20)).tensor(), (2, 5, 6), "the output")

    @check(points=0, hint="The factor is the square root of d_model; the table stays unscaled.")
    def test_token_vectors_scale(self, submission: SubmissionNames, rng: random.Random) -> None:
        """With d_model = 16, each vector is four times its row of the table"""
        embedding = submission.TokenEmbedding(vocab_size=20, d_model=16)
        table = embedding.embedding.weight.tensor()
        assert_shape(table, (20, 16), "the token table")
        tokens = token_ids(rng, 1, 5, 20)
        assert_close(embedding(tokens).tensor(), 4 * table[tokens], "the vectors")

    @check(points=0, hint="nn.Embedding starts with 1: draw anew. Was the table itself multiplied?")
    def test_token_vectors_start(self, submission: SubmissionNames) -> None:
        """The table starts with a standard deviation of 0.02, and zeros for the padding token"""
        embedding = submission.TokenEmbedding(vocab_size=500, d_model=64, padding_idx=3)
        table = embedding.embedding.weight.tensor()
        assert_shape(table, (500, 64), "the token table")
        assert_close(float(table.std()), 0.02, "the standard deviation", rtol=0.05)
        assert_close(float(table[3].abs().max()), 0.0, "the largest number in the padding row")


def assert_adds(submission: SubmissionNames, encoding: Handle, x: Tensor, added: Tensor) -> None:
    """Demand a new tensor with what is added, and vectors that are left as they came."""
    there = submission.send(x)
    assert_close(encoding(there).tensor(), x + added, "the output")
    assert_close(there.tensor(), x, "what came in, afterwards,")


class TestWaves:
    """Positions as waves"""

    practice = True

    @check(points=0, hint="Columns alternate, sines in table[:, 0::2], cosines in table[:, 1::2].")
    def test_first_positions(self, submission: SubmissionNames) -> None:
        """Positions 0 and 1 read 0, 1, 0, 1 and sin 1, cos 1, sin 0.01, cos 0.01"""
        import torch

        encoding = submission.SinusoidalPositionalEncoding(d_model=4, max_len=8)
        pattern = encoding(torch.zeros(1, 2, 4)).tensor()
        expected = torch.tensor(
            [[[0.0, 1.0, 0.0, 1.0], [0.8414710, 0.5403023, 0.0099998, 0.9999500]]]
        )
        assert_close(pattern, expected, "the pattern")

    @check(points=0, hint="Add the pattern to what comes in, the same for each sequence.")
    def test_waves_are_added(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The pattern is added to every sequence of the batch"""
        import torch

        encoding = submission.SinusoidalPositionalEncoding(d_model=6, max_len=8)
        x = torch.randn(3, 5, 6, generator=torch.Generator().manual_seed(rng.randrange(2**31)))
        pattern = encoding(torch.zeros(1, 5, 6)).tensor()
        assert_adds(submission, encoding, x, pattern)

    @check(points=0, hint="Compare the length with max_len before anything else.")
    def test_waves_length(self, submission: SubmissionNames) -> None:
        """More than max_len positions are refused"""
        import torch

        encoding = submission.SinusoidalPositionalEncoding(d_model=4, max_len=8)
        encoding(torch.zeros(1, 8, 4))
        with raises("Exception", what="a sequence of 9 with max_len=8"):
            encoding(torch.zeros(1, 9, 4))


class TestRows:
    """Positions as parameters"""

    practice = True

    @check(points=0, hint="Take the first T rows of the table and add them.")
    def test_learned_rows_are_added(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Each position adds its own row, the same for every sequence of the batch"""
        import torch

        encoding = submission.LearnedPositionalEmbedding(d_model=6, max_len=8)
        x = torch.randn(3, 5, 6, generator=torch.Generator().manual_seed(rng.randrange(2**31)))
        rows = encoding(torch.zeros(1, 5, 6)).tensor()
        assert_shape(rows, (1, 5, 6), "the output")
        assert_differs(rows[:, :4], rows[:, 1:], "the row of the next position")
        assert_adds(submission, encoding, x, rows)

    @check(points=0, hint="One nn.Parameter, or one nn.Embedding, with max_len rows.")
    def test_learned_rows_are_counted(self, submission: SubmissionNames) -> None:
        """There are max_len rows of d_model learned numbers, and nothing else is learned"""
        encoding = submission.LearnedPositionalEmbedding(d_model=6, max_len=8)
        learned = tensors(elements(encoding.parameters()))
        assert_close(float(sum(part.numel() for part in learned)), 48.0, "the learned numbers")

    @check(points=0, hint="Compare the length with max_len before anything else.")
    def test_learned_rows_length(self, submission: SubmissionNames) -> None:
        """More than max_len positions are refused"""
        import torch

        encoding = submission.LearnedPositionalEmbedding(d_model=4, max_len=8)
        encoding(torch.zeros(1, 8, 4))
        with raises("Exception", what="a sequence of 9 with max_len=8"):
            encoding(torch.zeros(1, 9, 4))
