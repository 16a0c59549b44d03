"""Hidden checks of assignment 01, first part: the vectors of tokens and those of positions.

None of them uses any dropout or a sequence of max_len tokens, so that no question depends on
another one's answer.
"""

import math
import random
from collections.abc import Callable

import torch
from drawn_embeddings import (
    VOCAB,
    embed,
    generator,
    positions,
    redraw,
    token_ids,
    token_rows,
    token_table,
)
from embedding_ways import TOKENS, Build, Way, embedding_of, judge, judge_each_kind, ways
from torch import Tensor

from grader.testing import (
    Handle,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_equal,
    assert_shape,
    check,
    differing,
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

        def verdict(build: Build, kind: str) -> None:
            for d_model in (rng.choice((6, 10, 14)), rng.choice((20, 32, 50)), 64):
                embedding = build(vocab_size=VOCAB, d_model=d_model, max_len=12, positional=kind)
                redraw(embedding, rng)
                rows = token_rows(embedding, d_model)
                assert_differs(rows[1:], rows[:-1], "the token table from one row to the next")
                first, second = token_ids(rng, 2, 7), token_ids(rng, 2, 7)
                difference = embed(embedding, first, d_model) - embed(embedding, second, d_model)
                expected = math.sqrt(d_model) * (rows[first] - rows[second])
                assert_close(difference, expected, "the difference of two tokens", atol=1e-4)

        judge_each_kind(submission, rng, TOKENS, verdict)

    @check(points=0.5, hint="How large are the numbers that `nn.Embedding` starts from?")
    def test_start_of_the_table(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The token table starts normally distributed with mean 0 and standard deviation 0.02"""

        def verdict(build: Build, kind: str) -> None:
            embedding = build(vocab_size=500, d_model=64, max_len=12, positional=kind)
            assert_starts_normal(token_table(embedding).tensor(), "the token table")

        judge_each_kind(submission, rng, TOKENS, verdict)

    @check(points=0.5, hint="The scale belongs to the graph: nothing may be detached or changed.")
    def test_gradient_of_tokens(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Each occurrence of a token adds its scaled gradient to the token's row"""
        d_model = rng.choice((6, 10, 14))

        def verdict(build: Build, kind: str) -> None:
            embedding = build(vocab_size=VOCAB, d_model=d_model, max_len=12, positional=kind)
            # that token 0 is no padding unless somebody says so is asked elsewhere
            tokens = token_ids(rng, 3, 11).clamp(min=1)
            upstream = torch.randn(3, 11, d_model, generator=generator(rng))
            out = embedding(tokens)
            assert_shape(out.tensor(), (3, 11, d_model), "the output")
            out.backward(upstream)
            expected = torch.zeros(VOCAB, d_model)
            expected.index_add_(0, tokens.flatten(), upstream.flatten(0, 1) * math.sqrt(d_model))
            gradient = token_table(embedding).grad.tensor()
            used = gradient[:VOCAB] if gradient.dim() else gradient
            assert_close(used, expected, "the gradient of the token table", atol=1e-4)

        judge_each_kind(submission, rng, TOKENS, verdict)


def assert_starts_normal(numbers: Tensor, what: str) -> None:
    """Demand numbers drawn from N(0, 0.02).

    Of the at least 19,000 that are asked for, the standard deviation is off by 10 % in 19 of its
    own standard deviations, the mean by 0.001 in 6.8, the share by 0.03 in 8.8: a right start
    fails with a probability below 1e-10.
    """
    numbers = numbers.double()
    assert_close(float(numbers.std()), 0.02, f"the standard deviation of {what}", rtol=0.1)
    assert_close(float(numbers.mean()), 0.0, f"the mean of {what}", atol=0.001)
    # 68.3 % of normal numbers lie within one standard deviation, and 57.7 % of uniform ones
    within = float((numbers.abs() < 0.02).double().mean())
    assert_close(within, 0.683, f"the share of {what} below one standard deviation", atol=0.03)


class TestSinusoidal:
    """Sinusoidal positions"""

    def assert_pattern(self, build: Build, rng: random.Random, d_model: int) -> None:
        """Demand the pattern of this width, at a random length."""
        length = rng.randrange(9, 20)
        embedding = build(
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

        def verdict(build: Build) -> None:
            for d_model in (2, 2 * rng.randrange(2, 8), 2 * rng.randrange(10, 30)):
                self.assert_pattern(build, rng, d_model)

        judge(submission, rng, "sinusoidal", "sinusoidal", verdict)

    @check(points=0.5, hint="An odd width has one sine more than cosines.")
    def test_odd_widths(self, submission: SubmissionNames, rng: random.Random) -> None:
        """An odd width ends with a sine"""

        def verdict(build: Build) -> None:
            for d_model in (3, 2 * rng.randrange(2, 8) + 1, 2 * rng.randrange(10, 30) + 1):
                self.assert_pattern(build, rng, d_model)

        judge(submission, rng, "sinusoidal", "sinusoidal", verdict)

    @check(points=0.5, hint="A shorter sequence takes the first rows of the pattern: no others.")
    def test_every_length(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A position's pattern does not depend on the length, the sequences or their vectors"""
        longest = rng.randrange(10, 14)
        arguments = {
            "vocab_size": VOCAB,
            "d_model": 8,
            "max_len": longest + 1,
            "positional": "sinusoidal",
        }

        def verdict(build: Build) -> None:
            whole = positions(build(**arguments), rng, (2, longest), 8)
            assert_differs(whole[:, 1:], whole[:, :-1], "the pattern from one position to the next")
            embedding = build(**arguments)
            lengths = list(range(2, longest + 1))
            rng.shuffle(lengths)
            # as many sequences as tokens, too: the sizes must not be taken for one another
            for length, batch in [(3, 3), *((length, rng.randrange(2, 5)) for length in lengths)]:
                out = positions(embedding, rng, (batch, length), 8)
                expected = whole[:1, :length].expand(batch, -1, -1)
                assert_close(out, expected, "the pattern of positions")

        judge(submission, rng, "sinusoidal", "sinusoidal", verdict)
        assert_adds(submission, rng, "sinusoidal")

    @check(points=0.5, hint="Positions are large numbers: mind the precision they are held in.")
    def test_far_positions(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Far positions get their sines and cosines too, and sinusoidal is the default"""
        d_model = 2 * rng.randrange(4, 10)

        def verdict(build: Build) -> None:
            embedding = build(vocab_size=VOCAB, d_model=d_model, max_len=1100)
            out = positions(embedding, rng, (2, 1080), d_model)
            # float32 angles are off by up to 1e-3 out there, and that is good enough
            expected = sinusoid(1080, d_model).expand(2, -1, -1)
            assert_close(out, expected, "the pattern of positions", atol=4e-3)

        judge(submission, rng, "sinusoidal", "sinusoidal", verdict)

    @check(points=0.5, hint="A buffer follows the module around; a parameter is trained.")
    def test_fixed_in_training(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Training leaves the sines and cosines alone"""

        def verdict(build: Build) -> None:
            embedding = build(vocab_size=VOCAB, d_model=8, max_len=12, positional="sinusoidal")
            before = positions(embedding, rng, (2, 11), 8)
            what = "the pattern from one position to the next"
            assert_differs(before[:, 1:], before[:, :-1], what)
            out = embedding(token_ids(rng, 2, 11))
            upstream = torch.randn(2, 11, 8, generator=generator(rng))
            parameters = elements(embedding.parameters())
            untrained = tensors(parameters)
            if tried(lambda: out.backward(upstream)) is None:  # else there is no gradient at all
                descend(embedding)
                if all(map(torch.equal, tensors(parameters), untrained)):
                    fail("a step of gradient descent changes nothing")
            after = positions(embedding, rng, (2, 11), 8)
            assert_close(after, before, "the pattern after training")

        judge(submission, rng, "sinusoidal", "sinusoidal", verdict)


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

    def judge(
        self, submission: SubmissionNames, rng: random.Random, verdict: Callable[[Handle], None]
    ) -> None:
        """Pass a verdict on an embedding with learned positions, if there are such."""

        def on_one(build: Build) -> None:
            sizes = {"vocab_size": VOCAB, "d_model": self.D_MODEL, "max_len": self.MAX_LEN}
            verdict(build(**sizes, positional="learned"))

        judge(submission, rng, "learned", "learned", on_one)

    @check(points=0.5, hint="One vector for each position, and nothing else, is learned.")
    def test_count(self, submission: SubmissionNames, rng: random.Random) -> None:
        """max_len vectors are learned beside the token table"""

        def verdict(embedding: Handle) -> None:
            learned = [
                parameter.tensor().numel()
                for parameter in elements(embedding.parameters())
                if parameter.requires_grad.value() is True
            ]
            beside = sum(learned) - token_rows(embedding, self.D_MODEL).numel()
            expected = self.MAX_LEN * self.D_MODEL
            assert_equal(beside, expected, "the number of values that are learned")

        self.judge(submission, rng, verdict)

    @check(points=0.25, hint="Their start is the token table's; they are not multiplied later on.")
    def test_start_of_positions(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Learned vectors start normally distributed with mean 0 and standard deviation 0.02"""

        def verdict(build: Build) -> None:
            embedding = build(vocab_size=VOCAB, d_model=64, max_len=301, positional="learned")
            start = positions(embedding, rng, (2, 300), 64)[0]  # 300 * 64 = 19,200 numbers
            assert_starts_normal(start, "what positions add")

        judge(submission, rng, "learned", "learned", verdict)

    @check(points=0.5, hint="Position t adds one vector of its own, as it is, in every sequence.")
    def test_rows_are_added(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Each position adds its own learned vector, the same for every length and sequence"""

        def verdict(embedding: Handle) -> None:
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
            what = "what is added from one position to the next"
            assert_differs(whole[:, 1:], whole[:, :-1], what)
            lengths = rng.sample(range(2, self.LENGTH), 4)
            for length, batch in [(3, 3), *((length, rng.randrange(2, 5)) for length in lengths)]:
                out = positions(embedding, rng, (batch, length), self.D_MODEL)
                expected = whole[:1, :length].expand(batch, -1, -1)
                assert_close(out, expected, "what the positions of a shorter sequence add")

        self.judge(submission, rng, verdict)
        assert_adds(submission, rng, "learned")

    @check(points=0.75, hint="Are the vectors parameters, and does the gradient reach them?")
    def test_gradient(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Training moves the vectors of the positions that were used, and no others"""
        batch, length = 3, self.LENGTH - 4

        def verdict(embedding: Handle) -> None:
            redraw(embedding, rng)
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

        self.judge(submission, rng, verdict)


def assert_adds(submission: SubmissionNames, rng: random.Random, kind: str) -> None:
    """Demand that the vectors of tokens come through positions unchanged.

    Where they are not what they should be, it is compared what they are beside other positions:
    how tokens are scaled is another question. Code that takes its positions from nothing that is
    called as in the text is compared with itself.
    """
    way = next(ways(submission, rng, kind, frozenset({kind})))
    first, second = token_ids(rng, 2, 7), token_ids(rng, 2, 7)
    rows = torch.randn(VOCAB, 8, generator=generator(rng))

    def differences(way: Way) -> Tensor:
        sizes = {"vocab_size": VOCAB, "d_model": 8, "max_len": 12}
        embedding = embedding_of(way, submission, **sizes, positional=kind)
        token_table(embedding).data[:VOCAB].copy_(rows)
        return embed(embedding, first, 8) - embed(embedding, second, 8)

    actual = differences(way)
    if not differing(actual, math.sqrt(8) * (rows[first] - rows[second]), atol=1e-4).any():
        return
    without: list[Tensor] = []
    if tried(lambda: without.append(differences(way.with_other(kind)))) is None:
        assert_close(actual, without[0], "what a token's vector is beside its position", atol=1e-4)


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
