"""What a text that is written leaves as it was, and which temperatures are refused."""

import contextlib
import random
from collections.abc import Iterator

import torch
from kept_states import witnessed
from own_samplers import SamplerWriter, own_function
from sure_texts import (
    ROOMY,
    VOCAB,
    assert_heeds_the_model,
    assert_writes,
    certain,
    clear_case,
    continuation,
    drawn_model,
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
    assert_equal,
    check,
    elements,
    entered,
    raises,
    values,
)
from grader.testing.failure import fail


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
        # A prompt that fills the window, and a longer one, which who has no window can't read.
        for max_len in (4, 3):
            model, _ = single_minded(writer, rng, max_len)
            with contextlib.suppress(StudentError):
                writer.generate(model, sent, max_new_tokens=2).done()
            assert_close(sent.tensor(), prompt, "the prompt that fills the window, afterwards")

    @staticmethod
    def scribble(writer: Writer, model: Handle, prompt: Handle, new: int) -> None:
        """Overwrite a text that was generated."""
        text = writer.generate(model, prompt, max_new_tokens=new).done()
        with contextlib.suppress(StudentError):  # who can't be written to does no harm
            text.fill_(VOCAB).done()

    @check(points=0.4, hint="Leave the model in the mode in which you found it.")
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

    @check(points=0.35, hint="Note each module's own flag; `finally` runs after an error, too.")
    def test_modes(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Modules in unlike modes are left as they were, also when the model raises"""
        writer = Writer(submission)
        assert_heeds_the_model(writer, rng)
        model = send(writer, drawn_model(rng))
        prompt = token_ids(rng, 2, 5, VOCAB)
        for training in (True, False):
            model.train(training)
            model.blocks.train(not training)
            before = flags(model)
            continuation(writer, model, prompt, 2)
            assert_equal(flags(model), before, "the modes of the modules, afterwards")
            hooks = submission.module("course.checks.bare_models").failing(model, 2)
            with contextlib.suppress(StudentError):
                writer.generate(model, prompt, max_new_tokens=4).done()
            for hook in elements(hooks):
                hook.remove()
            assert_equal(flags(model), before, "the modes of the modules, after an error")
            with contextlib.suppress(StudentError):
                writer.generate(model, prompt, max_new_tokens=1, temperature=-1.0).done()
            assert_equal(flags(model), before, "the modes of the modules, after a refusal")

    @check(points=0.5, hint="Whoever sets the seed inside gets the same text every time.")
    def test_seed(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Every call draws anew, and the seed outside still decides what comes next"""
        writer = Writer(submission)
        assert_heeds_the_model(writer, rng)
        model = writer.indifferent_model(torch.zeros(VOCAB), max_len=ROOMY)
        prompt = token_ids(rng, 2, 3, VOCAB)
        seeds, later = rng.sample(range(2**31), 2), []
        for seed in (*seeds, seeds[1]):
            submission.seed(seed)
            one, two = (continuation(writer, model, prompt, 8) for _ in range(2))
            assert_differs(one, two, "the text of a second call")
            later.append(submission.module("torch").rand(8).tensor())
        assert_differs(*later[:2], "what is drawn afterwards, from another seed,")
        assert_close(later[2], later[1], "what is drawn afterwards, from the same seed,")

    @check(points=0.25, hint="Draw with generator=generator, wherever you draw.")
    def test_generator(self, submission: SubmissionNames, rng: random.Random) -> None:
        """All random numbers come from the generator that is given"""
        writer = Writer(submission)
        assert_heeds_the_model(writer, rng)
        model = writer.indifferent_model(torch.zeros(VOCAB), max_len=ROOMY)
        prompt, seeds = token_ids(rng, 2, 3, VOCAB), rng.sample(range(2**31), 2)

        torch_there = submission.module("torch")
        source = torch_there.Generator(submission.device)

        def text(seed: int | None = None) -> Tensor:
            submission.seed(rng.randrange(2**31))
            if seed is not None:
                source.manual_seed(seed)
            return continuation(writer, model, prompt, 8, generator=source)

        first = text(seeds[0])  # 16 tokens of 12: alike by chance once in 10^17
        later = torch_there.rand(8).tensor()
        assert_differs(text(), first, "the text of a second call with one generator")
        assert_close(text(seeds[0]), first, "the text from a generator in the same state")
        others = torch_there.rand(8).tensor()
        assert_differs(others, later, "what is drawn afterwards, from another seed,")
        assert_differs(text(seeds[1]), first, "the text from another generator")


def flags(model: Handle) -> list[bool]:
    """The training flags of a model's modules."""
    found: list[bool] = values(module.training for module in elements(model.modules()))
    return found


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
    """Temperature zero, and what is refused"""

    @check(points=0.4, hint="What does the softmax tend to as the temperature goes to zero?")
    def test_zero(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Temperature 0 writes the most probable continuation"""
        writer = SamplerWriter(submission)
        assert_heeds_the_model(writer, rng)
        model, prompt, _ = clear_case(rng, 4, 4)
        theirs = send(writer, model)
        sure = certain(writer, theirs, prompt, 4)
        assert_differs(sure[1:], sure[:-1], "the continuation of another prompt")
        mild = send(writer, model, sharpness=0.01)  # a small temperature in place of 0 shows
        for zero in (0, 0.0):
            actual = certain(writer, mild, prompt, 4, temperature=zero)
            assert_close(actual, sure, "the continuation at temperature 0")

    @check(points=0.3, hint="A temperature below 0 makes no sense: say so with a ValueError.")
    def test_negative(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A negative temperature is refused with a ValueError, also if nothing is to be drawn"""
        writer = Writer(submission)
        assert_heeds_the_model(writer, rng)
        model, token = single_minded(writer, rng)
        prompt = token_ids(rng, 2, 3, VOCAB)
        temperatures = (rng.uniform(0.1, 0.9), rng.uniform(3, 5))
        for temperature in temperatures:
            assert_writes(writer, model, prompt, token, temperature=temperature)
            for new in (2, 0):
                with raises("ValueError", what="a negative temperature"):
                    writer.write(model, prompt, new, temperature=-temperature)
        logits = torch.zeros(2, VOCAB)
        if own_function(submission, "sample_next", logits):
            for temperature in temperatures:
                with raises("ValueError", what="sample_next at a negative temperature"):
                    submission.sample_next(logits, -temperature).done()

    @check(points=0.3, hint="What can't be done is refused with a ValueError, before any work.")
    def test_refusals(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A negative number of tokens, and prompts without tokens, are refused with a ValueError"""
        writer = Writer(submission)
        assert_heeds_the_model(writer, rng)
        model, _ = single_minded(writer, rng)
        prompt = token_ids(rng, 2, 3, VOCAB)
        for new in (-1, -rng.randrange(2, 5)):
            with raises("ValueError", what="a negative number of new tokens"):
                writer.write(model, prompt, new)
        with raises("ValueError", what="a prompt without tokens"):
            writer.write(model, prompt[:, :0], 2)
