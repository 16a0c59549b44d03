"""Hidden checks of assignment 01, second part: lengths, training, dtypes and devices.

Only the checks of `dropout` and `max_len` use any dropout or a sequence of max_len tokens, so that
no question depends on another one's answer.
"""

import random
from functools import partial

import pytest
import torch
from drawn_embeddings import VOCAB, embed, embed_unlike, positions, redraw, token_ids
from embedding_ways import Build, judge, judge_each_kind, judge_whole
from torch import Tensor

from course.checks.working_embeddings import KINDS
from grader.testing import (
    Handle,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_equal,
    assert_shape,
    check,
    entered,
    raises,
    tried,
)
from grader.testing.failure import fail

WHOLE = "TransformerEmbedding"
OTHER_DEVICE = "course.checks.other_device"


class TestMaxLen:
    """The longest sequence"""

    @pytest.mark.parametrize("kind", KINDS)
    @check(points=0.5, hint="max_len itself is still allowed.")
    def test_longest(self, submission: SubmissionNames, rng: random.Random, kind: str) -> None:
        """A sequence of max_len tokens is embedded; max_len is 1024 if nothing else is said"""

        def verdict(build: Build) -> None:
            for max_len in (1, rng.randrange(2, 20), None):
                embedding = build(vocab_size=VOCAB, d_model=4, positional=kind, max_len=max_len)
                embed_unlike(embedding, token_ids(rng, 2, max_len or 1024), 4)

        judge(submission, rng, kind, kind, verdict)

    @pytest.mark.parametrize("kind", KINDS)
    @check(points=0.5, hint="A sequence longer than max_len is an error, even by one token.")
    def test_too_long(self, submission: SubmissionNames, rng: random.Random, kind: str) -> None:
        """A sequence of more than max_len tokens is refused, of more than 1024 by default"""

        def verdict(build: Build) -> None:
            # one row alone is added to any number of tokens by broadcasting
            for max_len in (rng.randrange(5, 20), 1, None):
                embedding = build(vocab_size=VOCAB, d_model=4, max_len=max_len, positional=kind)
                longest = max_len or 1024
                embed_unlike(embedding, token_ids(rng, 2, max(1, longest - 2)), 4)
                for length in (longest + 1, 3 * longest):
                    tokens = token_ids(rng, 2, length)
                    with raises("Exception", what="a sequence that is too long"):
                        embedding(tokens)

        judge(submission, rng, kind, kind, verdict)


class TestDropout:
    """Dropout on the sum"""

    def build(self, build: Build, kind: str, rng: random.Random, **arguments: object) -> Handle:
        """With generators in one state, all have the same parameters."""
        embedding = build(vocab_size=VOCAB, d_model=32, max_len=17, positional=kind, **arguments)
        redraw(embedding, rng)
        return embedding

    @check(points=0.75, hint="Dropout follows the module's training flag.")
    def test_off_in_eval(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Dropout acts in training, anew in each call, and never in eval mode"""

        def verdict(build: Build, kind: str) -> None:
            embedding = self.build(build, kind, rng, dropout=0.5)
            tokens = token_ids(rng, 2, 16)
            calm = embed_unlike(embedding, tokens, 32)
            embedding.train()
            noisy, again = embed(embedding, tokens, 32), embed(embedding, tokens, 32)
            embedding.eval()
            assert_differs(noisy, calm, "the output in training")
            assert_differs(noisy, again, "the output of a second call in training")
            assert_close(embed(embedding, tokens, 32), calm, "the output in eval mode")

        judge_each_kind(submission, rng, WHOLE, verdict)

    @check(points=0.75, hint="Add first, then drop single elements of the sum; keep the mean.")
    def test_elements_of_the_sum(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Elements of the sum are dropped at the given rate, or 0.1, the others scaled up"""

        def verdict(build: Build, kind: str) -> None:
            for probability in (rng.choice((0.2, 0.3, 0.4)), None):
                self.assert_dropped(submission, rng, partial(self.build, build, kind), probability)

        judge_each_kind(submission, rng, WHOLE, verdict)

    def assert_dropped(
        self, submission: SubmissionNames, rng: random.Random, build: Build, given: float | None
    ) -> None:
        """Demand dropout at a rate that is given, or at 0.1 if nothing is said."""
        probability, seed = 0.1 if given is None else given, rng.randrange(2**31)
        tokens = token_ids(rng, 4, 16)

        def built(dropout: float | None) -> Handle:
            submission.seed(seed)
            return build(random.Random(seed), dropout=dropout)

        whole = embed(built(0.0), tokens, 32)
        embedding = built(given)
        embedding.train()
        out = embed(embedding, tokens, 32)
        dropped = out == 0
        share = float(dropped.float().mean())
        # Binomial, 2048 draws: 0.07 is 6.4 standard deviations at 0.4 and more below. A right rate
        # misses it with a probability of 1e-10 (exact sum), in four tries 4e-10.
        if abs(share - probability) > 0.07:
            fail("the share of dropped elements is off", expected=probability, actual=share)
        for dim in range(3):
            if torch.equal(dropped, dropped.narrow(dim, 0, 1).expand_as(dropped)):
                fail("elements are not dropped one by one")
        kept = whole.masked_fill(dropped, 0.0) / (1 - probability)
        assert_close(out, kept, "what is left of the sum", atol=1e-4)

    @check(points=0.5, hint="0.0 is a probability like any other.")
    def test_zero_probability(self, submission: SubmissionNames, rng: random.Random) -> None:
        """With dropout=0 training drops nothing, with more it does"""

        def verdict(build: Build, kind: str) -> None:
            seed, tokens = rng.randrange(2**31), token_ids(rng, 2, 16)
            outputs = {}
            for probability in (0.0, 0.5):
                submission.seed(seed)
                embedding = self.build(build, kind, random.Random(seed), dropout=probability)
                embedding.train()
                outputs[probability] = embed(embedding, tokens, 32)
                embedding.eval()
                calm = embed_unlike(embedding, tokens, 32)
                if probability == 0.0:
                    assert_close(outputs[0.0], calm, "the output in training")
            assert_differs(outputs[0.5], outputs[0.0], "the output with dropout")

        judge_each_kind(submission, rng, WHOLE, verdict)


class TestDtypeDevice:
    """Any dtype, any device"""

    WIDTH, LENGTH = 8, 400

    def build(self, build: Build, kind: str, **arguments: object) -> Handle:
        """One that is long enough for low precision to show."""
        sizes = {"vocab_size": VOCAB, "d_model": self.WIDTH, "max_len": self.LENGTH + 1}
        return build(**sizes, positional=kind, **arguments)

    def in_training(self, build: Build, kind: str, ids: Tensor) -> Handle | None:
        """One that drops something, or None if that fails in any case: another question's business.

        What is compared between dtypes and devices has no dropout, lest it be random.
        """
        embedding = self.build(build, kind, dropout=0.5)
        embedding.train()
        return embedding if tried(lambda: embed(embedding, ids, self.WIDTH)) is None else None

    @pytest.mark.parametrize("kind", KINDS)
    @check(points=0.5, hint="Does anything on the way force float32?")
    def test_double(self, submission: SubmissionNames, rng: random.Random, kind: str) -> None:
        """After .double() the same vectors come out as float64"""

        def verdict(build: Build) -> None:
            embedding = self.build(build, kind)
            redraw(embedding, rng)
            tokens = token_ids(rng, 2, 9)
            single = embed_unlike(embedding, tokens, self.WIDTH)
            embedding.double()
            double = embed(embedding, tokens, self.WIDTH)
            assert_close(double, single.double(), "the output in float64", atol=1e-4)

        judge_whole(submission, rng, kind, verdict)

    @pytest.mark.parametrize("kind", KINDS)
    @check(points=0.5, hint="Mixing bfloat16 with float32 gives float32: what stays behind?")
    def test_bfloat16(self, submission: SubmissionNames, rng: random.Random, kind: str) -> None:
        """In bfloat16 and float16 that comes out, in training too, positions still right"""

        def verdict(build: Build) -> None:
            for dtype in (torch.float16, torch.bfloat16):
                embedding = self.build(build, kind)
                redraw(embedding, rng)
                single = positions(embedding, rng, (2, self.LENGTH), self.WIDTH)
                assert_differs(single, torch.zeros_like(single), "what the positions add")
                embedding.to(dtype)
                low = positions(embedding, rng, (2, self.LENGTH), self.WIDTH)
                if low.dtype != dtype:
                    fail("the output has the wrong dtype", expected=dtype, actual=low.dtype)
                assert_close(low.float(), single, "what the positions add", rtol=0.02, atol=0.02)
            ids = token_ids(rng, 2, 9)
            trained = self.in_training(build, kind, ids)
            if trained is not None:
                dtype = embed(trained.to(torch.bfloat16), ids, self.WIDTH).dtype
                if dtype != torch.bfloat16:
                    fail("in training the dtype is wrong", expected=torch.bfloat16, actual=dtype)

        judge_whole(submission, rng, kind, verdict)

    @pytest.mark.parametrize("kind", KINDS)
    @check(points=0.5, hint="What moves along with .to(device), and what is left on the CPU?")
    def test_moves_along(self, submission: SubmissionNames, rng: random.Random, kind: str) -> None:
        """Everything moves with the module to another device, what is dropped in training too"""

        def verdict(build: Build) -> None:
            embedding, ids = self.build(build, kind), token_ids(rng, 2, 9)
            expected = embed_unlike(embedding, ids, self.WIDTH)
            trained = self.in_training(build, kind, ids)
            elsewhere = submission.module(OTHER_DEVICE)
            with entered(elsewhere.OtherDevice()):
                out = embedding.to("meta")(submission.send(ids).to("meta"))
                assert_close(elsewhere.values_there(out).tensor(), expected, "the output there")
                if trained is not None:
                    out = trained.to("meta")(submission.send(ids).to("meta"))
                    there = elsewhere.values_there(out).tensor()
                    assert_shape(there, expected.shape, "in training it")

        judge_whole(submission, rng, kind, verdict)

    @pytest.mark.parametrize("kind", KINDS)
    @check(points=0.5, hint="Tensors made in forward belong where the input is.")
    def test_stays_on_device(
        self, submission: SubmissionNames, rng: random.Random, kind: str
    ) -> None:
        """What forward creates lives on the input's device"""

        def verdict(build: Build) -> None:
            ids, seed = token_ids(rng, 2, 9), rng.randrange(2**31)
            submission.seed(seed)
            expected = embed_unlike(self.build(build, kind), ids, self.WIDTH)
            submission.seed(seed)
            embedding, tokens = self.build(build, kind), submission.send(ids)
            torch_there = submission.module("torch")
            # With another default device, a tensor that forward makes without saying where lies
            # there.
            with entered(submission.module(OTHER_DEVICE).OtherDevice()):
                torch_there.set_default_device("meta")
                try:
                    out = embedding(tokens).done()
                finally:
                    torch_there.set_default_device(None)
            here = submission.device.partition(":")[0]
            assert_equal(out.device.type.value(), here, "the device")
            assert_close(out.tensor(), expected, "the output")

        judge_whole(submission, rng, kind, verdict)
