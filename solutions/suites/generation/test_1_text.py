"""Hidden checks of assignment 06, first part: which text is written, and what else must not happen.

They know `generate`, and the course's own model. What a text must be is computed by the course's
model here, with weights drawn here and sent over (`sure_texts.py`); samples are compared with
probabilities (`drawn_tokens.py`).
"""

import contextlib
import random
from collections.abc import Iterator

import pytest
import torch
from drawn_tokens import assert_chance, assert_distributed
from kept_states import witnessed
from sure_texts import (
    NEARLY_ZERO,
    ROOMY,
    VOCAB,
    WINDOW,
    assert_heeds_the_model,
    assert_writes,
    certain,
    clear_case,
    continuation,
    drawn_model,
    each_alone,
    known_logits,
    send,
    single_minded,
)
from torch import Tensor

from course.checks.writers import Writer, token_ids
from grader.testing import (
    Handle,
    StudentError,
    SubmissionNames,
    assert_close,
    assert_differs,
    check,
    elements,
    entered,
    raises,
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
        points=3.2, hint="The model sees at most the last max_len tokens; the last logits count."
    )
    def test_most_probable(
        self, submission: SubmissionNames, rng: random.Random, length: int, new: int
    ) -> None:
        """The token follows that the model is sure of, for a prompt and max_len:"""
        writer = Writer(submission)
        model, prompt, expected = clear_case(rng, length, new)
        actual = certain(writer, send(writer, model), prompt, new)
        assert_close(actual, expected, "the continuation")

    @check(points=0.8, hint="The lower the temperature, the more certain the best token.")
    def test_nearly_zero(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Close to temperature 0 the most probable token follows"""
        writer = Writer(submission)
        assert_heeds_the_model(writer, rng)
        model, prompt, _ = clear_case(rng, 4, 4)
        sure = certain(writer, send(writer, model), prompt, 4)
        assert_differs(sure[1:], sure[:-1], "the continuation of another prompt")
        theirs = send(writer, model, sharpness=0.03)  # a somewhat larger temperature shows
        actual = certain(writer, theirs, prompt, 4, temperature=NEARLY_ZERO)
        assert_close(actual, sure, "the continuation")


class TestSampling:
    """Sampling"""

    @pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
    @check(
        points=3,
        timeout_s=30,
        hint="Divide the logits by the temperature, then softmax, then draw.",
    )
    def test_distribution(
        self, submission: SubmissionNames, rng: random.Random, temperature: float
    ) -> None:
        """Tokens are drawn with the probabilities of the temperature, which is 1 if not given:"""
        writer = Writer(submission)
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
        writer = Writer(submission)
        assert_heeds_the_model(writer, rng)
        assert_chance(writer, rng)


class TestSideEffects:
    """No side effects"""

    @check(points=0.5, hint="Return a new tensor; nobody may write into the prompt.")
    def test_prompt_untouched(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The prompt is left as it is, and the text is no part of it"""
        writer = Writer(submission)
        assert_heeds_the_model(writer, rng)
        model, token = single_minded(writer, rng)
        prompt = token_ids(rng, 3, 4, VOCAB)
        sent = submission.send(prompt.clone())
        text = writer.write(model, sent, 4)
        if text.dim() != 2 or not bool((text[:, -3:] == token).all()):
            fail("the new tokens are not those that the model is certain of")
        assert_close(sent.tensor(), prompt, "the prompt afterwards")
        for new in (2, 0):
            self.scribble(writer, model, sent, new)
            assert_close(sent.tensor(), prompt, "the prompt, when the text is overwritten")

    @staticmethod
    def scribble(writer: Writer, model: Handle, prompt: Handle, new: int) -> None:
        """Overwrite a text that was generated."""
        text = writer.generate(model, prompt, max_new_tokens=new).done()
        with contextlib.suppress(StudentError):  # who can't be written to does no harm
            text.fill_(VOCAB).done()

    @check(points=0.75, hint="Leave the model in the mode in which you found it.")
    def test_mode(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A model in training stays in training, one in eval mode stays there"""
        writer = Writer(submission)
        assert_heeds_the_model(writer, rng)
        model = send(writer, drawn_model(rng), dropout=0.5)
        prompt = token_ids(rng, 2, 5, VOCAB)
        for training in (True, False, True):
            model.train(training)
            continuation(writer, model, prompt, 2)
            with submission.no_grad():
                one, two = (model(prompt)[0].tensor() for _ in range(2))
            if training:
                assert_differs(one, two, "the output of a model in training, afterwards")
            else:
                assert_close(one, two, "the output of a model in eval mode, afterwards")

    @check(points=0.75, hint="Whoever sets the seed inside gets the same text every time.")
    def test_seed(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Every call draws anew, and the seed outside still decides what comes next"""
        writer = Writer(submission)
        assert_heeds_the_model(writer, rng)
        model = writer.indifferent_model(torch.zeros(VOCAB), max_len=ROOMY)
        prompt = token_ids(rng, 2, 3, VOCAB)
        later = []
        for _ in range(2):
            submission.seed(rng.randrange(2**31))
            one, two = (continuation(writer, model, prompt, 8) for _ in range(2))
            assert_differs(one, two, "the text of a second call")
            later.append(submission.module("torch").rand(8).tensor())
        assert_differs(*later, "what is drawn afterwards, from another seed,")


class TestInference:
    """No gradient, no dropout"""

    @check(points=0.5, hint="Nothing is trained here: autograd needs to remember nothing.")
    def test_no_gradient(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Nothing is kept for a backward pass, and the model can be trained afterwards"""
        writer = Writer(submission)
        assert_heeds_the_model(writer, rng)
        model, token = single_minded(writer, rng)
        prompt = token_ids(rng, 3, 4, VOCAB)
        # What autograd saves is seen in this thread alone, what the model's parts give in all.
        with saved_tensors(submission) as saved, witnessed(submission, model) as since:
            model(prompt)
            if not (elements(saved) and all(since())):
                fail("the model has no gradient even outside of generate")
            saved.clear()
            assert_writes(writer, model, prompt, token)
            given = since()
            if elements(saved) or any(given):
                fail("autograd remembers what generate has computed")
            if not given:
                fail("the model was not asked")
            model(prompt)
            if not (elements(saved) and all(since())):
                fail("the model has no gradient any more after generate")

    @check(points=0.5, hint="Dropout is for training alone.")
    def test_no_dropout(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A model in training writes what it writes in eval mode"""
        writer = Writer(submission)
        assert_heeds_the_model(writer, rng)
        model, prompt, _ = clear_case(rng, 4, 4, batch=4)
        theirs = send(writer, model, dropout=0.5)
        calm = certain(writer, theirs, prompt, 4)
        assert_differs(calm[1:], calm[:-1], "the continuation of another prompt")
        theirs.train()
        assert_close(certain(writer, theirs, prompt, 4), calm, "the text of a model in training")


@contextlib.contextmanager
def saved_tensors(submission: SubmissionNames) -> Iterator[Handle]:
    """A list, over there, to which autograd adds what it saves."""
    saved = submission.send([])
    hooks = submission.module("torch.autograd.graph").saved_tensors_hooks(
        saved.append, submission.module("builtins").id
    )
    with entered(hooks):
        yield saved


class TestTemperature:
    """Temperature zero and below"""

    @check(points=0.5, hint="What does the softmax tend to as the temperature goes to zero?")
    def test_zero(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Temperature 0 writes the most probable continuation"""
        writer = Writer(submission)
        assert_heeds_the_model(writer, rng)
        model, prompt, _ = clear_case(rng, 4, 4)
        theirs = send(writer, model)
        sure = certain(writer, theirs, prompt, 4)
        assert_differs(sure[1:], sure[:-1], "the continuation of another prompt")
        mild = send(writer, model, sharpness=0.01)  # a small temperature in place of 0 shows
        for zero in (0, 0.0):
            actual = certain(writer, mild, prompt, 4, temperature=zero)
            assert_close(actual, sure, "the continuation at temperature 0")

    @check(points=0.5, hint="A temperature below 0 makes no sense: say so with a ValueError.")
    def test_negative(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A negative temperature is refused with a ValueError"""
        writer = Writer(submission)
        assert_heeds_the_model(writer, rng)
        model, token = single_minded(writer, rng)
        prompt = token_ids(rng, 2, 3, VOCAB)
        for temperature in (rng.uniform(0.5, 2), rng.uniform(3, 5)):
            assert_writes(writer, model, prompt, token, temperature=temperature)
            with raises("ValueError", what="a negative temperature"):
                writer.write(model, prompt, 2, temperature=-temperature)
