"""Hidden checks of assignment 06, third part: what a training consists of, each by its values."""

import math
import random

import torch
import torch.nn.functional as F
from drawn_tokens import assert_distributed, assert_independent
from sent_models import sent
from sure_texts import MODEL, drawn_model
from torch import Tensor
from trained_tables import (
    ENTROPY,
    PEAK,
    STEPS,
    VOCAB,
    drawn_rule,
    drawn_text,
    expected_loss,
    sound_parts,
    trained,
)

from course.checks.drawn_modules import normal
from course.checks.writers import token_ids
from grader.testing import (
    Handle,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_equal,
    assert_shape,
    check,
    elements,
    in_some_way,
    raises,
    tensors,
    values,
)
from grader.testing.failure import fail


class TestBatches:
    """Bonus: batches of a text"""

    bonus = True

    @check(points=0.5, hint="The target at a place is the token after the input's.")
    def test_pieces(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Inputs are pieces of the text, targets are what follows each token"""
        tokens = torch.tensor(rng.sample(range(100), 40))
        place = {token: number for number, token in enumerate(tokens.tolist())}
        text = submission.send(tokens)
        (inputs, targets), (others, _) = (batch(submission, text, 7, 5) for _ in range(2))
        first = [place.get(row[0], -100) for row in inputs.tolist()]
        places = torch.tensor(first).unsqueeze(1) + torch.arange(5)
        if bool((places < 0).any() | (places + 1 >= len(tokens)).any()):
            fail("an input is no token of the text, or has none after it")
        if len(set(first)) == 1:  # by chance once in 35 ** 6 = 1.8e9
            fail("all pieces of a batch begin at the same place")
        assert_differs(others, inputs, "what a second call draws")
        assert_equal(inputs.tolist(), tokens[places].tolist(), "the inputs")
        assert_equal(targets.tolist(), tokens[places + 1].tolist(), "the targets")

    @check(points=0.5, hint="How many places are there where a piece can begin?")
    def test_starts(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Pieces begin anywhere, each on its own, and a text that is too short is refused"""
        length = rng.randrange(3, 6)
        starts, _ = batch(submission, torch.arange(length + 6), 3000, length)
        assert_distributed(starts[:, 0], torch.full((6,), 1 / 6), "where pieces begin")
        assert_independent(starts[::2, 0], starts[1::2, 0], 6, "where pieces begin")
        _, ends = batch(submission, torch.arange(length + 1), 2, length)
        assert_equal(ends[:, -1].tolist(), [length] * 2, "the last targets of the only piece")
        with raises("ValueError", what="a text of as many tokens as a piece"):
            submission.get_batch(torch.arange(length), 2, length).done()


def batch(
    submission: SubmissionNames, tokens: Tensor | Handle, batch_size: int, length: int
) -> tuple[Tensor, Tensor]:
    """A batch of the notebook's, both parts (batch_size, length)."""
    parts = tensors(elements(submission.get_batch(tokens, batch_size, length)))
    assert_equal(len(parts), 2, "the number of tensors in a batch")
    for part, what in zip(parts, ("the inputs", "the targets"), strict=True):
        assert_shape(part, (batch_size, length), what)
    return parts[0], parts[1]


class TestLoss:
    """Bonus: cross-entropy"""

    bonus = True

    @check(points=0.5, hint="-ln softmax(z)[y] is logsumexp(z) - z[y].")
    def test_values(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The mean of -ln p(target), for logits of any size"""
        targets = token_ids(rng, 3, 5, 7)
        for size in (1.0, 5.0, 1e4):
            logits = size * normal(rng, 3, 5, 7)
            loss = submission.cross_entropy(logits, targets).tensor()
            expected = F.cross_entropy(logits.double().mT, targets)
            assert_close(loss, expected.float(), f"the loss of logits of size {size:g}")

    @check(points=0.5, hint="Neither the sum nor the number may count what is ignored.")
    def test_ignored(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Targets that are to be ignored change neither the loss nor a gradient"""
        for number, given in ((-100, {}), (2, {"ignore_index": 2})):
            logits, targets = normal(rng, 2, 6, 7), token_ids(rng, 2, 6, 7)
            targets[targets == number] = 3
            targets[0, 1:4] = number
            ours = logits.clone().requires_grad_()
            expected = F.cross_entropy(ours.mT, targets, ignore_index=number)
            expected.backward()
            theirs = submission.send(logits).requires_grad_()
            loss = submission.cross_entropy(theirs, targets, **given)
            loss.backward()
            assert_close(loss.detach().tensor(), expected.detach(), "the loss")
            assert_close(theirs.grad.tensor(), ours.grad, "the gradient")


class TestClipping:
    """Bonus: clipped gradients"""

    bonus = True

    @check(points=0.5, hint="One norm for all gradients together, one factor for all of them.")
    def test_clipping(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Gradients that are too long together are shortened by one factor, others are not"""
        shapes = [(3, 4), (5,), (2, 2)]
        for factor in (0.5, 0.99, 1.01, 3.0):
            gradients = [normal(rng, *shape) for shape in shapes]
            length = float(torch.cat([each.flatten() for each in gradients]).norm())
            parameters = with_gradients(submission, rng, gradients)
            given = submission.module("builtins").iter(parameters)  # to be gone through once
            found = submission.clip_gradients(given, factor * length).value()
            assert_close(a_float(found), length, "the length before")
            now = tensors(one.grad for one in parameters[:-1])
            expected = [min(1.0, factor) * each for each in gradients]
            assert_close(now, expected, "the gradients afterwards")
            assert_equal(parameters[-1].grad.value(), None, "the gradient that there was not")


def a_float(found: object) -> float:
    """Demand that what came back is a number, and no tensor."""
    if not isinstance(found, float):
        fail("what comes back is no float", expected="float", actual=type(found).__name__)
    return float(found)


def with_gradients(
    submission: SubmissionNames, rng: random.Random, gradients: list[Tensor]
) -> list[Handle]:
    """Parameters over there with these gradients, and a last one without any."""
    make = submission.module("torch.nn").Parameter
    parameters = [make(submission.send(normal(rng, *each.shape))) for each in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = submission.send(gradient)
    return [*parameters, make(submission.send(normal(rng, 3)))]


class Expected:
    """What AdamW makes of a parameter in double precision, after Loshchilov and Hutter 2019.

    Not torch's own, which takes a second to import.
    """

    def __init__(
        self,
        start: Tensor,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        self.value = start.double()
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay
        self.means = [torch.zeros_like(self.value) for _ in betas]
        self.n = 0

    def step(self, gradient: Tensor, rate: float) -> None:
        """Take a step."""
        self.n += 1
        for mean, beta, new in zip(self.means, self.betas, (gradient, gradient**2), strict=True):
            mean.mul_(beta).add_((1 - beta) * new.double())
        first, second = (
            mean / (1 - beta**self.n) for mean, beta in zip(self.means, self.betas, strict=True)
        )
        decay = self.weight_decay * self.value
        self.value = self.value - rate * (first / (second.sqrt() + self.eps) + decay)


class TestOptimizer:
    """Bonus: AdamW"""

    bonus = True

    @check(points=1, hint="Go through the algorithm line by line; n counts from 1.")
    def test_steps(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Some steps lead where those of torch.optim.AdamW lead"""
        start = [normal(rng, *shape) for shape in [(4, 3), (5,), (3,)]]
        make = submission.module("torch.nn").Parameter
        given = {"betas": (0.7, 0.95), "eps": 0.3, "weight_decay": 0.6}
        cases = []
        for options in ({}, given):
            ours = [Expected(each, **options) for each in start]  # type: ignore[arg-type]
            theirs = [make(submission.send(each)) for each in start]
            cases.append((ours, theirs, submission.send({}), options))
        for _ in range(4):
            rate = rng.uniform(0.1, 0.3)
            for ours, theirs, state, options in cases:
                # Beside a gradient of 1e-8, eps is large even if it is not given.
                for one, other, tiny in zip(ours[:-1], theirs[:-1], (1, 1e-8), strict=True):
                    size = rng.uniform(0.2, 3) * (1 if options else tiny)
                    gradient = size * normal(rng, *one.value.shape)
                    one.step(gradient, rate)
                    other.grad = submission.send(gradient)
                submission.adamw_step(theirs, state, rate, *options.values())
        for ours, theirs, _, options in cases:
            there = tensors(one.detach() for one in theirs)
            here = [one.value.float() for one in ours]
            how = "with options" if options else "as it is"
            assert_close(there[:-1], here[:-1], f"the parameters after four steps, {how}")
            assert_close(there[-1], here[-1], "the parameter without a gradient")


class TestSchedule:
    """Bonus: warm-up and cosine"""

    bonus = True

    @check(points=0.5, hint="Where is step number `warmup`, and where is the last one?")
    def test_rates(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The rate goes up in equal parts, comes down by half a cosine, and stays down"""
        n_steps, warmup = rng.randrange(20, 30), rng.randrange(4, 8)
        peak, floor = rng.uniform(0.5, 2), rng.uniform(0.1, 0.2)
        whole = {"warmup": warmup, "floor": floor}
        for given, up, least in ((whole, warmup, floor), ({}, 0, 0.0)):
            steps = range(n_steps + 3)
            rates = values(
                submission.learning_rate_at(step, n_steps, peak, *given.values()) for step in steps
            )
            expected = []
            for step in steps:
                done = min(1.0, (step - up) / (n_steps - up))
                down = least + (peak - least) * math.cos(math.pi * done / 2) ** 2
                expected.append(peak * (step + 1) / up if step < up else down)
            assert_close([float(rate) for rate in rates], expected, "the rates of the steps")


class TestValidation:
    """Bonus: the loss of a text that was kept back"""

    bonus = True

    @check(points=0.5, hint="The last piece may be shorter: add up, and divide once.")
    def test_validation(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Each token but the first counts once, and all alike"""
        length = 6
        model = drawn_model(rng, max_len=length)
        theirs = sent(submission, model)
        for count in (2 * length + 3, 2 * length + 1, length - 1):
            tokens = token_ids(rng, 1, count, MODEL["vocab_size"])[0]
            total = torch.zeros(())
            for inputs, targets in zip(
                tokens[:-1].split(length), tokens[1:].split(length), strict=True
            ):
                with torch.no_grad():
                    logits = model(inputs.unsqueeze(0))[0][0]
                total += F.cross_entropy(logits, targets, reduction="sum")
            found = submission.validation_loss(theirs, tokens, length).value()
            expected = float(total / (count - 1))
            assert_close(a_float(found), expected, f"the loss of a text of {count} tokens")


class TestTraining:
    """Bonus: a model that generalises"""

    bonus = True

    WITHIN = 0.12
    """How far above the entropy the loss may be, in nats."""

    @check(
        points=1.5,
        timeout_s=30,
        hint="A new batch in every step; the loss of one batch alone says nothing about others.",
    )
    def test_generalises(self, submission: SubmissionNames, rng: random.Random) -> None:
        """After train(model, tokens) the model knows what may follow in any text of the kind"""
        rule = drawn_rule(rng)
        text = drawn_text(rng, rule, 1500)

        def with_own_parts() -> None:
            model, losses, diary = trained(submission, text)
            found = model.table.detach().tensor()
            assert_shape(found, (VOCAB, VOCAB), "the model's parameter")
            loss = expected_loss(found, rule)
            if not loss < ENTROPY + self.WITHIN:
                fail(
                    "the loss of a text that was kept back is too high",
                    expected=f"at most {ENTROPY + self.WITHIN:.2f}",
                    actual=f"{loss:.2f}",
                )
            self.assert_told(losses.value(), diary.steps.value())
            self.assert_scheduled(diary.moves.value())
            assert_equal(len(submission.train(model, text, 1).value()), 1, "the number of losses")

        def with_sound_parts() -> None:
            with sound_parts(submission):
                with_own_parts()

        in_some_way([with_own_parts, with_sound_parts])

    @staticmethod
    def assert_told(losses: list[float], steps: list[int]) -> None:
        """Demand a loss for each step, and that somebody was told of each."""
        assert_equal(len(losses), STEPS, "the number of losses")
        assert_close(a_float(losses[0]), math.log(VOCAB), "the loss of the first batch")
        last = sum(losses[-30:]) / 30  # of 30 * BATCH * LENGTH tokens
        if not abs(last - ENTROPY) < 0.2:
            fail("the losses are not those of the batches", expected="near ln 2", actual=last)
        assert_equal(list(steps), list(range(STEPS)), "what after_step was called with")

    @staticmethod
    def assert_scheduled(moves: list[float]) -> None:
        """Demand that AdamW's steps, at most as long as the rate, follow a warm-up."""
        first, highest = PEAK / (STEPS // 10), max(moves)
        assert_close(moves[0] / first, 1.0, "the first step over a part of the peak", rtol=0.05)
        if not moves[-1] < 0.1 * highest:
            fail("the last steps are not much shorter than the longest")
