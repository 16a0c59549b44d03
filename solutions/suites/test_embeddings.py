"""Hidden checks of assignment 01. They know `TransformerEmbedding` and its token table, no more.

With the token table zeroed, the output is the position alone; the difference of two outputs at the
same place is the token alone; only the checks of `dropout` and `max_len` use any dropout or a
sequence of max_len tokens. So no question depends on another one's answer.
"""

import math
import random

import pytest
import torch
from torch import Tensor

from course.checks.working_embeddings import KINDS, assert_embeds, working_kinds
from grader.testing import (
    Handle,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_equal,
    assert_shape,
    check,
    elements,
    entered,
    raises,
    tensors,
    tried,
    values,
)
from grader.testing.failure import fail

TOO_LONG = ("ValueError", "AssertionError", "IndexError", "RuntimeError")
VOCAB = 23
OTHER_DEVICE = "course.checks.other_device"


def build(submission: SubmissionNames, **arguments: object) -> Handle:
    """An embedding in eval mode on the device that is graded on.

    It has no dropout unless told; what is None is left to the embedding's own default.
    """
    told = {"dropout": 0.0, **arguments}
    embedding = submission.TransformerEmbedding(
        **{name: value for name, value in told.items() if value is not None}
    )
    submission.placed(embedding).eval()
    return embedding


def generator(rng: random.Random) -> torch.Generator:
    """A torch generator seeded by a check's own."""
    return torch.Generator().manual_seed(rng.randrange(2**31))


def token_ids(rng: random.Random, batch: int, length: int) -> Tensor:
    """Random ids (batch, length) below VOCAB; the first two sequences differ from the start on."""
    ids = torch.randint(VOCAB, (batch, length), generator=generator(rng))
    ids[1, 0] = (ids[0, 0] + 1) % VOCAB
    return ids


def token_table(embedding: Handle) -> Handle:
    """The token table (vocab_size, d_model), at its pinned place."""
    return embedding.token_embedding.embedding.weight


def token_rows(embedding: Handle, d_model: int) -> Tensor:
    """The token table by value, with at least VOCAB rows; their number is a public check's."""
    rows: Tensor = token_table(embedding).tensor()
    assert_shape(rows[:VOCAB] if rows.dim() else rows, (VOCAB, d_model), "the token table")
    return rows


def redraw(embedding: Handle, rng: random.Random) -> None:
    """Give every parameter fresh numbers from N(0, 1), so that nothing hides in small ones.

    They are drawn here and looked at afterwards: whether they arrived is no matter of trust.
    """
    parameters = elements(embedding.parameters())
    drawn = [torch.randn(old.shape, generator=generator(rng)) for old in tensors(parameters)]
    for parameter, new in zip(parameters, drawn, strict=True):
        parameter.data.copy_(new)
    for new, kept in zip(drawn, tensors(parameters), strict=True):
        assert_close(kept.float(), new, "a parameter that was given other numbers")


def embed(embedding: Handle, tokens: Tensor, d_model: int) -> Tensor:
    """The output (B, T, d_model), of that shape for certain."""
    out: Tensor = embedding(tokens).tensor()
    assert_shape(out, (*tokens.shape, d_model), "the output")
    return out


def embed_unlike(embedding: Handle, tokens: Tensor, d_model: int) -> Tensor:
    """The output, for certain not the same for two different sequences."""
    out = embed(embedding, tokens, d_model)
    assert_differs(out[0], out[1], "the output from one sequence to another")
    return out


def nearest(wanted: Tensor, candidates: Tensor) -> Tensor:
    """For each wanted number (N,) the nearest of the candidates (M,), however many these are."""
    ordered = candidates.sort().values
    above = torch.searchsorted(ordered, wanted).clamp(max=len(ordered) - 1)
    below = (above - 1).clamp(min=0)
    nearer = (ordered[above] - wanted).abs() < (ordered[below] - wanted).abs()
    return torch.where(nearer, ordered[above], ordered[below])


def positions(embedding: Handle, rng: random.Random, shape: tuple[int, int], width: int) -> Tensor:
    """What each position adds (B, T, width): the output with the token table zeroed."""
    token_table(embedding).data.zero_()
    return embed(embedding, token_ids(rng, *shape), width)


def sinusoid(length: int, d_model: int) -> Tensor:
    """Vaswani et al. 2017, section 3.5, in double precision, rounded to float32."""
    position = torch.arange(length, dtype=torch.float64).unsqueeze(1)
    column = torch.arange(d_model)
    angle = position / 10000.0 ** ((column - column % 2).double() / d_model)
    return torch.where(column % 2 == 0, angle.sin(), angle.cos()).float()


def descend(embedding: Handle) -> None:
    """One step of gradient descent, rate 1, on what the embedding calls its parameters."""
    parameters = elements(embedding.parameters())
    gradients = values(parameter.grad for parameter in parameters)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        if gradient is not None:
            parameter.data.sub_(parameter.grad)


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


class TestMaxLen:
    """The longest sequence"""

    @pytest.mark.parametrize("kind", KINDS)
    @check(points=0.5, hint="max_len itself is still allowed.")
    def test_longest(self, submission: SubmissionNames, rng: random.Random, kind: str) -> None:
        """A sequence of max_len tokens is embedded; max_len is 1024 if nothing else is said"""
        assert_embeds(submission, rng, kind)
        for max_len in (1, rng.randrange(2, 20), None):
            embedding = build(
                submission, vocab_size=VOCAB, d_model=4, positional=kind, max_len=max_len
            )
            embed_unlike(embedding, token_ids(rng, 2, max_len or 1024), 4)

    @pytest.mark.parametrize("kind", KINDS)
    @check(points=0.5, hint="A sequence longer than max_len is an error, even by one token.")
    def test_too_long(self, submission: SubmissionNames, rng: random.Random, kind: str) -> None:
        """A sequence of more than max_len tokens is refused"""
        assert_embeds(submission, rng, kind)
        max_len = rng.randrange(5, 20)
        embedding = build(submission, vocab_size=VOCAB, d_model=4, max_len=max_len, positional=kind)
        embed_unlike(embedding, token_ids(rng, 2, max_len - 2), 4)
        for length in (max_len + 1, 3 * max_len):
            tokens = token_ids(rng, 2, length)
            with raises(*TOO_LONG, what="a sequence that is too long"):
                embedding(tokens)


class TestDropout:
    """Dropout on the sum"""

    def build(
        self, submission: SubmissionNames, kind: str, seed: int, **arguments: object
    ) -> Handle:
        """With one seed, all have the same parameters."""
        submission.seed(seed)
        embedding = build(
            submission,
            vocab_size=VOCAB,
            d_model=32,
            max_len=17,
            positional=kind,
            **arguments,
        )
        redraw(embedding, random.Random(seed))
        return embedding

    @check(points=0.75, hint="Dropout follows the module's training flag.")
    def test_off_in_eval(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Dropout acts in training, anew in each call, and never in eval mode"""
        for kind in working_kinds(submission, rng):
            embedding = self.build(submission, kind, rng.randrange(2**31), dropout=0.5)
            tokens = token_ids(rng, 2, 16)
            calm = embed_unlike(embedding, tokens, 32)
            embedding.train()
            noisy, again = embed(embedding, tokens, 32), embed(embedding, tokens, 32)
            embedding.eval()
            assert_differs(noisy, calm, "the output in training")
            assert_differs(noisy, again, "the output of a second call in training")
            assert_close(embed(embedding, tokens, 32), calm, "the output in eval mode")

    @check(points=0.75, hint="Add first, then drop single elements of the sum; keep the mean.")
    def test_elements_of_the_sum(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Elements of the sum are dropped at the given rate, or 0.1, the others scaled up"""
        for kind in working_kinds(submission, rng):
            for probability in (rng.choice((0.2, 0.3, 0.4)), None):
                self.assert_dropped(submission, rng, kind, probability)

    def assert_dropped(
        self, submission: SubmissionNames, rng: random.Random, kind: str, given: float | None
    ) -> None:
        """Demand dropout at a rate that is given, or at 0.1 if nothing is said."""
        probability, seed = 0.1 if given is None else given, rng.randrange(2**31)
        tokens = token_ids(rng, 4, 16)
        whole = embed(self.build(submission, kind, seed, dropout=0.0), tokens, 32)
        embedding = self.build(submission, kind, seed, dropout=given)
        embedding.train()
        out = embed(embedding, tokens, 32)
        dropped = out == 0
        share = float(dropped.float().mean())
        if abs(share - probability) > 0.07:  # six standard deviations of 2048 draws
            fail("the share of dropped elements is off", expected=probability, actual=share)
        for dim in range(3):
            if torch.equal(dropped, dropped.narrow(dim, 0, 1).expand_as(dropped)):
                fail("elements are not dropped one by one")
        kept = whole.masked_fill(dropped, 0.0) / (1 - probability)
        assert_close(out, kept, "what is left of the sum", atol=1e-4)

    @check(points=0.5, hint="0.0 is a probability like any other.")
    def test_zero_probability(self, submission: SubmissionNames, rng: random.Random) -> None:
        """With dropout=0 training drops nothing, with more it does"""
        for kind in working_kinds(submission, rng):
            seed, tokens = rng.randrange(2**31), token_ids(rng, 2, 16)
            outputs = {}
            for probability in (0.0, 0.5):
                embedding = self.build(submission, kind, seed, dropout=probability)
                embedding.train()
                outputs[probability] = embed(embedding, tokens, 32)
                embedding.eval()
                calm = embed_unlike(embedding, tokens, 32)
                if probability == 0.0:
                    assert_close(outputs[0.0], calm, "the output in training")
            assert_differs(outputs[0.5], outputs[0.0], "the output with dropout")


class TestDtypeDevice:
    """Any dtype, any device"""

    WIDTH, LENGTH = 8, 400

    def build(self, submission: SubmissionNames, kind: str, **arguments: object) -> Handle:
        """One that is long enough for low precision to show."""
        return build(
            submission,
            vocab_size=VOCAB,
            d_model=self.WIDTH,
            max_len=self.LENGTH + 1,
            positional=kind,
            **arguments,
        )

    def in_training(self, submission: SubmissionNames, kind: str, ids: Tensor) -> Handle | None:
        """One that drops something, or None if that fails in any case: another question's business.

        What is compared between dtypes and devices has no dropout, lest it be random.
        """
        embedding = self.build(submission, kind, dropout=0.5)
        embedding.train()
        return embedding if tried(lambda: embed(embedding, ids, self.WIDTH)) is None else None

    @pytest.mark.parametrize("kind", KINDS)
    @check(points=0.5, hint="Does anything on the way force float32?")
    def test_double(self, submission: SubmissionNames, rng: random.Random, kind: str) -> None:
        """After .double() the same vectors come out as float64"""
        assert_embeds(submission, rng, kind)
        embedding = self.build(submission, kind)
        redraw(embedding, rng)
        tokens = token_ids(rng, 2, 9)
        single = embed_unlike(embedding, tokens, self.WIDTH)
        embedding.double()
        double = embed(embedding, tokens, self.WIDTH)
        assert_close(double, single.double(), "the output in float64", atol=1e-4)

    @pytest.mark.parametrize("kind", KINDS)
    @check(points=0.5, hint="Mixing bfloat16 with float32 gives float32: what stays behind?")
    def test_bfloat16(self, submission: SubmissionNames, rng: random.Random, kind: str) -> None:
        """After .to(torch.bfloat16) bfloat16 comes out, in training too, positions still right"""
        assert_embeds(submission, rng, kind)
        embedding = self.build(submission, kind)
        redraw(embedding, rng)
        single = positions(embedding, rng, (2, self.LENGTH), self.WIDTH)
        assert_differs(single, torch.zeros_like(single), "what the positions add")
        embedding.to(torch.bfloat16)
        low = positions(embedding, rng, (2, self.LENGTH), self.WIDTH)
        if low.dtype != torch.bfloat16:
            fail("the output has the wrong dtype", expected=torch.bfloat16, actual=low.dtype)
        assert_close(low.float(), single, "what the positions add", rtol=0.02, atol=0.02)
        ids = token_ids(rng, 2, 9)
        trained = self.in_training(submission, kind, ids)
        if trained is not None:
            dtype = embed(trained.to(torch.bfloat16), ids, self.WIDTH).dtype
            if dtype != torch.bfloat16:
                fail("in training the dtype is wrong", expected=torch.bfloat16, actual=dtype)

    @pytest.mark.parametrize("kind", KINDS)
    @check(points=0.5, hint="What moves along with .to(device), and what is left on the CPU?")
    def test_moves_along(self, submission: SubmissionNames, rng: random.Random, kind: str) -> None:
        """Everything moves with the module to another device, what is dropped in training too"""
        assert_embeds(submission, rng, kind)
        embedding, ids = self.build(submission, kind), token_ids(rng, 2, 9)
        expected = embed_unlike(embedding, ids, self.WIDTH)
        trained = self.in_training(submission, kind, ids)
        elsewhere = submission.module(OTHER_DEVICE)
        with entered(elsewhere.OtherDevice()):
            out = embedding.to("meta")(submission.send(ids).to("meta"))
            assert_close(elsewhere.values_there(out).tensor(), expected, "the output over there")
            if trained is not None:
                out = trained.to("meta")(submission.send(ids).to("meta"))
                assert_shape(elsewhere.values_there(out).tensor(), expected.shape, "in training it")

    @pytest.mark.parametrize("kind", KINDS)
    @check(points=0.5, hint="Tensors made in forward belong where the input is.")
    def test_stays_on_device(
        self, submission: SubmissionNames, rng: random.Random, kind: str
    ) -> None:
        """What forward creates lives on the input's device"""
        assert_embeds(submission, rng, kind)
        ids, seed = token_ids(rng, 2, 9), rng.randrange(2**31)
        submission.seed(seed)
        expected = embed_unlike(self.build(submission, kind), ids, self.WIDTH)
        submission.seed(seed)
        embedding, tokens = self.build(submission, kind), submission.send(ids)
        torch_there = submission.module("torch")
        # With another default device, a tensor that forward makes without saying where lies there.
        with entered(submission.module(OTHER_DEVICE).OtherDevice()):
            torch_there.set_default_device("meta")
            try:
                out = embedding(tokens).done()
            finally:
                torch_there.set_default_device(None)
        assert_equal(out.device.type.value(), submission.device.partition(":")[0], "the device")
        assert_close(out.tensor(), expected, "the output")
