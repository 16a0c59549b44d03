"""Hidden checks of assignment 01, first part: the vectors of tokens and those of positions.

None of them uses any dropout or a sequence of max_len tokens, so that no question depends on
another one's answer.
"""

import math
import random

import torch
from drawn_embeddings import (
    VOCAB,
    build,
    embed,
    generator,
    positions,
    redraw,
    token_ids,
    token_rows,
    token_table,
)
from torch import Tensor

from course.checks.working_embeddings import assert_embeds, working_kinds
from grader.testing import (
    Handle,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_equal,
    assert_shape,
    check,
    elements,
    tensors,
    tried,
    values,
)
from grader.testing.failure import fail


class TestScale:
    """Token vectors are scaled"""

    @check(points=1, hint="Compare the variance of a token's vector with that of its position.")
    def test_differences_of_tokens(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A token's vector is its row of the table times sqrt(d_model), for every width"""
        for kind in working_kinds(submission, rng):
            for d_model in (rng.choice((6, 10, 14)), rng.choice((20, 32, 50)), 64):
                embedding = build(
                    submission, vocab_size=VOCAB, d_model=d_model, max_len=12, positional=kind
                )
                redraw(embedding, rng)
                rows = token_rows(embedding, d_model)
                assert_differs(rows[1:], rows[:-1], "the token table from one row to the next")
                first, second = token_ids(rng, 2, 7), token_ids(rng, 2, 7)
                difference = embed(embedding, first, d_model) - embed(embedding, second, d_model)
                expected = math.sqrt(d_model) * (rows[first] - rows[second])
                assert_close(difference, expected, "the difference of two tokens", atol=1e-4)

    @check(points=0.5, hint="How large are the numbers that `nn.Embedding` starts from?")
    def test_start_of_the_table(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The token table starts normally distributed with mean 0 and standard deviation 0.02"""
        kind = working_kinds(submission, rng)[0]
        embedding = build(submission, vocab_size=500, d_model=64, max_len=12, positional=kind)
        table = token_table(embedding).tensor().double()
        assert_close(
            float(table.std()), 0.02, "the standard deviation of the token table", rtol=0.1
        )
        assert_close(float(table.mean()), 0.0, "the mean of the token table", atol=0.001)
        # 68 % of normal numbers lie within one standard deviation, and 58 % of uniform ones
        within = float((table.abs() < 0.02).double().mean())
        assert_close(within, 0.683, "the share of numbers below one standard deviation", atol=0.03)

    @check(points=0.5, hint="The scale belongs to the graph: nothing may be detached or changed.")
    def test_gradient_of_tokens(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Each occurrence of a token adds its scaled gradient to the token's row"""
        d_model = rng.choice((6, 10, 14))
        for kind in working_kinds(submission, rng):
            embedding = build(
                submission, vocab_size=VOCAB, d_model=d_model, max_len=12, positional=kind
            )
            tokens = token_ids(rng, 3, 11)
            upstream = torch.randn(3, 11, d_model, generator=generator(rng))
            out = embedding(tokens)
            assert_shape(out.tensor(), (3, 11, d_model), "the output")
            out.backward(upstream)
            expected = torch.zeros(VOCAB, d_model)
            expected.index_add_(0, tokens.flatten(), upstream.flatten(0, 1) * math.sqrt(d_model))
            gradient = token_table(embedding).grad.tensor()
            used = gradient[:VOCAB] if gradient.dim() else gradient
            assert_close(used, expected, "the gradient of the token table", atol=1e-4)


class TestSinusoidal:
    """Sinusoidal positions"""

    def assert_pattern(self, submission: SubmissionNames, rng: random.Random, d_model: int) -> None:
        """Demand the pattern of this width, at a random length."""
        length = rng.randrange(9, 20)
        embedding = build(
            submission,
            vocab_size=VOCAB,
            d_model=d_model,
            max_len=length + rng.randrange(1, 6),
            positional="sinusoidal",
        )
        out = positions(embedding, rng, (3, length), d_model)
        expected = sinusoid(length, d_model).expand(3, -1, -1)
        assert_close(out, expected, "the pattern of positions", atol=1e-4)

    @check(points=1, hint="Column 2i is a sine and 2i + 1 a cosine of one angle; check the base.")
    def test_even_widths(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Positions add the pattern of sines and cosines, in every row of the batch"""
        assert_embeds(submission, rng, "sinusoidal")
        for d_model in (2, 2 * rng.randrange(2, 8), 2 * rng.randrange(10, 30)):
            self.assert_pattern(submission, rng, d_model)

    @check(points=0.5, hint="An odd width has one sine more than cosines.")
    def test_odd_widths(self, submission: SubmissionNames, rng: random.Random) -> None:
        """An odd width ends with a sine"""
        assert_embeds(submission, rng, "sinusoidal")
        for d_model in (3, 2 * rng.randrange(2, 8) + 1, 2 * rng.randrange(10, 30) + 1):
            self.assert_pattern(submission, rng, d_model)

    @check(points=0.5, hint="A shorter sequence takes the first rows of the pattern: no others.")
    def test_every_length(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A position's pattern does not depend on the length or the number of sequences"""
        assert_embeds(submission, rng, "sinusoidal")
        longest = rng.randrange(10, 14)
        arguments = {"vocab_size": VOCAB, "d_model": 8, "max_len": longest + 1}
        whole = positions(
            build(submission, **arguments, positional="sinusoidal"), rng, (2, longest), 8
        )
        assert_differs(whole[:, 1:], whole[:, :-1], "the pattern from one position to the next")
        embedding = build(submission, **arguments, positional="sinusoidal")
        lengths = list(range(2, longest + 1))
        rng.shuffle(lengths)
        # as many sequences as tokens, too: the sizes must not be taken for one another
        for length, batch in [(3, 3), *((length, rng.randrange(2, 5)) for length in lengths)]:
            out = positions(embedding, rng, (batch, length), 8)
            expected = whole[:1, :length].expand(batch, -1, -1)
            assert_close(out, expected, "the pattern of positions")

    @check(points=0.5, hint="Positions are large numbers: mind the precision they are held in.")
    def test_far_positions(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Far positions get their sines and cosines too, and sinusoidal is the default"""
        assert_embeds(submission, rng, "sinusoidal")
        d_model = 2 * rng.randrange(4, 10)
        embedding = build(submission, vocab_size=VOCAB, d_model=d_model, max_len=1100)
        out = positions(embedding, rng, (2, 1080), d_model)
        # float32 angles are off by up to 1e-3 out there, and that is good enough
        expected = sinusoid(1080, d_model).expand(2, -1, -1)
        assert_close(out, expected, "the pattern of positions", atol=4e-3)

    @check(points=0.5, hint="A buffer follows the module around; a parameter is trained.")
    def test_fixed_in_training(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Training leaves the sines and cosines alone"""
        assert_embeds(submission, rng, "sinusoidal")
        embedding = build(
            submission, vocab_size=VOCAB, d_model=8, max_len=12, positional="sinusoidal"
        )
        before = positions(embedding, rng, (2, 11), 8)
        assert_differs(before[:, 1:], before[:, :-1], "the pattern from one position to the next")
        out = embedding(token_ids(rng, 2, 11))
        upstream = torch.randn(2, 11, 8, generator=generator(rng))
        parameters = elements(embedding.parameters())
        untrained = tensors(parameters)
        if tried(lambda: out.backward(upstream)) is None:  # else there is no gradient at all
            descend(embedding)
            if all(map(torch.equal, tensors(parameters), untrained)):
                fail("a step of gradient descent changes nothing")
        assert_close(positions(embedding, rng, (2, 11), 8), before, "the pattern after training")


def sinusoid(length: int, d_model: int) -> Tensor:
    """Vaswani et al. 2017, section 3.5, in double precision, rounded to float32."""
    position = torch.arange(length, dtype=torch.float64).unsqueeze(1)
    column = torch.arange(d_model)
    angle = position / 10000.0 ** ((column - column % 2).double() / d_model)
    return torch.where(column % 2 == 0, angle.sin(), angle.cos()).float()


class TestLearned:
    """Learned positions"""

    D_MODEL, MAX_LEN = 6, 11
    LENGTH = MAX_LEN - 1

    def build(self, submission: SubmissionNames, rng: random.Random) -> Handle:
        """One with learned positions, if there are such."""
        assert_embeds(submission, rng, "learned")
        return build(
            submission,
            vocab_size=VOCAB,
            d_model=self.D_MODEL,
            max_len=self.MAX_LEN,
            positional="learned",
        )

    @check(points=0.5, hint="One vector for each position, and nothing else, is learned.")
    def test_count(self, submission: SubmissionNames, rng: random.Random) -> None:
        """max_len vectors are learned beside the token table"""
        embedding = self.build(submission, rng)
        learned = [
            parameter.tensor().numel()
            for parameter in elements(embedding.parameters())
            if parameter.requires_grad.value() is True
        ]
        beside = sum(learned) - token_rows(embedding, self.D_MODEL).numel()
        assert_equal(beside, self.MAX_LEN * self.D_MODEL, "the number of values that are learned")

    @check(points=0.75, hint="Position t adds one vector of its own, as it is, in every sequence.")
    def test_rows_are_added(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Each position adds its own learned vector, the same for every length and sequence"""
        embedding = self.build(submission, rng)
        redraw(embedding, rng)
        whole = positions(embedding, rng, (2, self.LENGTH), self.D_MODEL)
        tokens = token_rows(embedding, self.D_MODEL)
        fetched = tensors(elements(embedding.parameters()))
        learned = [value.flatten() for value in fetched if value.shape != tokens.shape]
        if not learned:
            fail("no positions are learned")
        # Whichever way the vectors are laid out, their numbers are the ones that are added.
        closest = nearest(whole.flatten(), torch.cat(learned))
        assert_close(closest, whole.flatten(), "what a position adds beyond its vector")
        assert_differs(whole[:, 1:], whole[:, :-1], "what is added from one position to the next")
        lengths = rng.sample(range(2, self.LENGTH), 4)
        for length, batch in [(3, 3), *((length, rng.randrange(2, 5)) for length in lengths)]:
            out = positions(embedding, rng, (batch, length), self.D_MODEL)
            expected = whole[:1, :length].expand(batch, -1, -1)
            assert_close(out, expected, "what the positions of a shorter sequence add")

    @check(points=0.75, hint="Are the vectors parameters, and does the gradient reach them?")
    def test_gradient(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Training moves the vectors of the positions that were used, and no others"""
        embedding = self.build(submission, rng)
        redraw(embedding, rng)
        batch, length = 3, self.LENGTH - 4
        before = positions(embedding, rng, (2, self.LENGTH), self.D_MODEL)
        upstream = torch.randn(batch, length, self.D_MODEL, generator=generator(rng))
        out = embedding(token_ids(rng, batch, length))
        assert_shape(out.tensor(), tuple(upstream.shape), "the output")
        out.backward(upstream)
        descend(embedding)
        expected = before.clone()
        expected[:, :length] -= upstream.sum(dim=0)
        after = positions(embedding, rng, (2, self.LENGTH), self.D_MODEL)
        assert_close(after, expected, "what the positions add after a step", atol=1e-4)


def nearest(wanted: Tensor, candidates: Tensor) -> Tensor:
    """For each wanted number (N,) the nearest of the candidates (M,), however many these are."""
    ordered = candidates.sort().values
    above = torch.searchsorted(ordered, wanted).clamp(max=len(ordered) - 1)
    below = (above - 1).clamp(min=0)
    nearer = (ordered[above] - wanted).abs() < (ordered[below] - wanted).abs()
    return torch.where(nearer, ordered[above], ordered[below])


def descend(embedding: Handle) -> None:
    """One step of gradient descent, rate 1, on what the embedding calls its parameters."""
    parameters = elements(embedding.parameters())
    gradients = values(parameter.grad for parameter in parameters)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        if gradient is not None:
            parameter.data.sub_(parameter.grad)
