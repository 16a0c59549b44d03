"""Hidden checks of assignment 06, first part: which text is written, and what else must not happen.

They know `generate`, and the course's own model. What a text must be is computed by the course's
model here, with weights drawn here and sent over (`sure_texts.py`); samples are compared with
probabilities (`drawn_tokens.py`).
"""

import random

import pytest
import torch
from drawn_tokens import assert_chance, assert_distributed
from own_samplers import SamplerWriter, own_function
from sure_texts import (
    APART,
    NEARLY_ZERO,
    ROOMY,
    TINY,
    WINDOW,
    assert_heeds_the_model,
    certain,
    clear_case,
    continuation,
    each_alone,
    known_logits,
    next_logits,
    send,
)
from torch import Tensor

from course.checks.writers import Writer, token_ids
from grader.testing import (
    Handle,
    SubmissionNames,
    assert_close,
    assert_differs,
    check,
    entered,
    tensors,
    tried,
)
from grader.testing.failure import fail


class TestContext:
    """The most probable continuation"""

    @pytest.mark.parametrize(
        ("length", "new"),
        [(3, 5), (5, 6), (WINDOW, 6), (2 * WINDOW + 3, 6)],
        ids=["below", "across", "at", "above"],
    )
    @check(
        points=2.8, hint="The model sees at most the last max_len tokens; the last logits count."
    )
    def test_most_probable(
        self, submission: SubmissionNames, rng: random.Random, length: int, new: int
    ) -> None:
        """The token follows that the model is sure of, for a prompt and max_len:"""
        writer = Writer(submission)
        model, prompt, expected = clear_case(rng, length, new)
        actual = certain(writer, send(writer, model), prompt, new)
        assert_close(actual, expected, "the continuation")

    @check(points=0.4, hint="Subtract the largest logit before you divide by the temperature.")
    def test_nearly_zero(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Close to temperature 0 the most probable token follows"""
        writer = SamplerWriter(submission)
        assert_heeds_the_model(writer, rng)
        model, prompt, _ = clear_case(rng, 4, 4)
        sure = certain(writer, send(writer, model), prompt, 4)
        assert_differs(sure[1:], sure[:-1], "the continuation of another prompt")
        theirs = send(writer, model, sharpness=0.03)  # a somewhat larger temperature shows
        actual = certain(writer, theirs, prompt, 4, temperature=NEARLY_ZERO)
        assert_close(actual, sure, "the continuation")
        # Together, for rows differ in their largest logits: by so much that over the temperature
        # it is no number any more. And as far from 0 as what is trained.
        largest = next_logits(model, prompt, WINDOW).amax(dim=-1)  # (B,)
        apart = float(largest.max() - largest.min())
        theirs = send(writer, model, sharpness=max(30.0, APART / apart))
        actual = continuation(writer, theirs, prompt, 4, temperature=TINY)
        together = continuation(writer, send(writer, model), prompt, 4)
        assert_close(actual, together, "the continuation, nearer to temperature 0")

    @check(points=0.4, hint="Ask the model for no more than model(tokens) and max_len.")
    def test_any_model(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Any model is continued, whatever it is made of and however many tokens it knows"""
        writer = Writer(submission)
        assert_heeds_the_model(writer, rng)
        model, prompt, expected = self.of_many_tokens(writer, rng)
        actual = continuation(writer, model, prompt, 1)
        assert_close(actual, expected, "the continuation")

    @check(
        points=0.4, hint="What you make, a tensor of new tokens too, belongs where the prompt is."
    )
    def test_elsewhere(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A model on another device is continued there"""
        writer = Writer(submission)
        assert_heeds_the_model(writer, rng)
        model, prompt, expected = self.of_many_tokens(writer, rng)
        elsewhere = submission.module("course.checks.other_device")
        with entered(elsewhere.OtherDevice()):
            start = submission.send(prompt).to("meta")
            text = writer.generate(model.to("meta"), start, max_new_tokens=1)
            written = elsewhere.values_there(text).tensor()
        # how many tokens are written, and whether the prompt is among them, is asked elsewhere
        length = prompt.size(1)
        whole = written.size(1) > length
        follows = written[:, length : length + 1] if whole else written[:, -1:]
        assert_close(follows.long(), expected, "the continuation over there")

    @staticmethod
    def of_many_tokens(writer: Writer, rng: random.Random) -> tuple[Handle, Tensor, Tensor]:
        """A model sure of tokens beyond 1,000, prompts (2, 3) and what follows (2, 1).

        It has neither parts nor parameters, unless `generate` belongs to a class that has.
        """
        size = rng.randrange(1100, 1200)
        prompt = torch.tensor([[7, 3, 1], [5, 9, 1]])  # rows that differ are asked about elsewhere
        if writer.takes_any_model:
            bare = writer.submission.module("course.checks.bare_models").BareModel
            return bare(size, size - 2, size - 1, ROOMY), prompt, (-2 * prompt[:, -1:] - 1) % size
        model = writer.model(vocab_size=size, max_len=ROOMY)
        model.ln_f.weight.data.zero_()
        model.ln_f.bias.data.fill_(1.0)
        model.lm_head.weight.data.zero_()
        model.lm_head.weight.data[1050].fill_(100.0)
        return model, prompt, torch.full((2, 1), 1050)


class TestSampling:
    """Sampling"""

    @pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
    @check(
        points=2.7,
        timeout_s=30,
        hint="Divide the logits by the temperature, then softmax, then draw.",
    )
    def test_distribution(
        self, submission: SubmissionNames, rng: random.Random, temperature: float
    ) -> None:
        """Tokens are drawn with the probabilities of the temperature, which is 1 if not given:"""
        writer = SamplerWriter(submission)
        logits = known_logits(rng)
        # Each half of the vocabulary follows itself alone, so that it matters what the prompt is.
        half = len(logits)
        table = torch.full((2 * half, 2 * half), -60.0)
        table[:half, :half], table[half:, half:] = logits, logits.flip(0)
        model = writer.table_model(table, max_len=ROOMY)
        prompt = token_ids(rng, 3000, 2, half)
        given = {} if temperature == 1 else {"temperature": temperature}
        expected = torch.cat([(logits.double() / temperature).softmax(0), torch.zeros(half)])
        other = continuation(writer, model, prompt[:60] + half, 1, **given)
        if bool((other < half).any()):
            fail("what follows another prompt does not change although it should")

        def judge(*samples: Tensor) -> None:
            for tokens in samples:
                assert_distributed(tokens, expected, f"temperature {temperature:g}")

        def in_a_batch() -> None:
            new = continuation(writer, model, prompt, 2, **given)
            judge(*new.unbind(dim=1))  # whether steps depend on one another: see `test_chance`

        def one_by_one() -> None:
            new = each_alone(writer, model, prompt[:600], 2, **given)
            judge(*new.unbind(dim=1), new)

        failure = tried(in_a_batch)
        if failure is None:
            return
        # Draws that depend on one another cost their points there; so many of them look wrong here.
        if tried(lambda: assert_chance(writer, rng)) is None or tried(one_by_one) is not None:
            raise failure

    @check(points=0.3, timeout_s=30, hint="Try your sample_next on logits of your own.")
    def test_one_token(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Asked by itself, sample_next draws a token a row, at temperature 1 if none is given"""
        writer = SamplerWriter(submission)
        assert_heeds_the_model(writer, rng)
        logits = torch.stack([known_logits(rng), known_logits(rng)])  # (2, 6)
        if own_function(submission, "sample_next", logits):  # work may be divided otherwise
            for given in ((), (0.5,)):
                self.assert_drawn(writer, rng, logits, given)

    @staticmethod
    def assert_drawn(
        writer: Writer, rng: random.Random, logits: Tensor, given: tuple[float, ...]
    ) -> None:
        """Demand that tokens are drawn from logits (2, V), at a temperature or without one."""
        sample, many = writer.submission.sample_next, logits.repeat(4500, 1)  # (9000, V)

        def judge(draws: list[Handle]) -> None:
            tokens = torch.cat([drawn.flatten() for drawn in tensors(draws)])
            if tokens.numel() % 600:
                fail("there is not one token for each row")
            for row in range(2):
                expected = (logits[row].double() / (given or (1.0,))[0]).softmax(0)
                assert_distributed(tokens[row::2], expected, "sample_next")

        failure = tried(lambda: judge([sample(many, *given)]))
        if failure is None:
            return
        # As above: who draws once for all rows has lost that elsewhere.
        chance = tried(lambda: assert_chance(writer, rng))
        rows = many[:600].split(1)
        if chance is None or tried(lambda: judge([sample(row, *given) for row in rows])):
            raise failure


class TestIndependence:
    """Each sequence on its own"""

    @check(points=0.5, hint="Does a sequence see anything of the others in its batch?")
    def test_alone(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A prompt is continued in a batch as it is alone"""
        writer = Writer(submission)
        assert_heeds_the_model(writer, rng)
        model, prompt, _ = clear_case(rng, 4, 4, batch=4)
        theirs = send(writer, model)
        together = continuation(writer, theirs, prompt, 4)
        alone = certain(writer, theirs, prompt, 4)
        assert_close(together, alone, "the continuations in a batch")
        assert_differs(together[1:], together[:-1], "the continuation of another prompt")

    @check(points=0.5, hint="Every token of every sequence needs a draw of its own.")
    def test_chance(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Neighbours in the batch and in the text are drawn independently"""
        writer = SamplerWriter(submission)
        assert_heeds_the_model(writer, rng)
        assert_chance(writer, rng)
