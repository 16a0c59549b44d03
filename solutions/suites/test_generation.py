"""Hidden checks of assignment 06. They know `generate` and `overfit`, and the course's own model.

What a text must be is computed here, by the course's model with weights drawn here and sent
over; which tokens a sampler draws is its own affair, so samples are compared with probabilities.
A model whose final norm gives a constant has the same known logits whatever the text is.
"""

import contextlib
import math
import random
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from course.checks.test_generation import PARTS, Writer, token_ids
from course.parts import TinyTransformerLM
from grader.testing import (
    Handle,
    StudentError,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_equal,
    attribute,
    check,
    elements,
    entered,
    fail,
    raises,
    tensors,
    tried,
    values,
)

VOCAB, WINDOW = 12, 8
ROOMY = 32
"""A max_len that no text reaches: the window is a question of its own."""

MODEL = {"vocab_size": VOCAB, "d_model": 16, "n_heads": 2, "n_layers": 2, "d_ff": 24}
NEARLY_ZERO = 1e-4
"""A temperature at which logits that are 0.03 * MARGIN apart leave nothing to chance."""

MARGIN = 0.05
SHARP = 1 / NEARLY_ZERO
"""Logits multiplied by this leave nothing to chance, whatever becomes of the temperature."""

LEAST_P = 1e-7
"""Samples that are less probable than this are not taken for bad luck."""


# ---------------------------------------------------------------- models and texts


def generator(rng: random.Random) -> torch.Generator:
    """A generator of random tensors."""
    return torch.Generator().manual_seed(rng.randrange(2**31))


def drawn_model(rng: random.Random, **changes: object) -> TinyTransformerLM:
    """The course's model, here, with weights so large that every token of a text matters."""
    model = TinyTransformerLM(**{**MODEL, "max_len": WINDOW, "tie_weights": False, **changes})
    source = generator(rng)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape, generator=source))
        model.lm_head.weight.mul_(3)
        model.ln_f.bias.mul_(0.2)  # or the same few tokens would follow whatever text
    return model.eval()


def send(
    writer: Writer, model: TinyTransformerLM, sharpness: float = SHARP, **changes: object
) -> Handle:
    """The same model over there, its logits multiplied."""
    theirs = writer.model(**{**MODEL, "max_len": model.max_len, **changes})
    for name in PARTS:
        state = getattr(model, name).state_dict()
        getattr(theirs, name).load_state_dict(dict(state))
    theirs.lm_head.weight.data.mul_(sharpness)
    return theirs


def next_logits(model: TinyTransformerLM, text: Tensor, window: int) -> Tensor:
    """The logits (B, V) after a text, of which the last `window` tokens are seen."""
    with torch.no_grad():
        logits: Tensor = model(text[:, -window:])[0][:, -1]
    return logits


def most_probable(
    model: TinyTransformerLM, prompt: Tensor, new: int, window: int
) -> tuple[Tensor, Tensor]:
    """The greedy continuations (B, new), and the smallest lead (B,) that a token had in each."""
    text, lead = prompt, torch.full((prompt.size(0),), math.inf)
    for _ in range(new):
        best = next_logits(model, text, window).topk(2, dim=-1)
        lead = lead.minimum(best.values[:, 0] - best.values[:, 1])
        text = torch.cat([text, best.indices[:, :1]], dim=1)
    return text[:, prompt.size(1) :], lead


def clear_case(
    rng: random.Random, length: int, new: int, batch: int = 3
) -> tuple[TinyTransformerLM, Tensor, Tensor]:
    """A model, prompts, and their one right continuation, for which the whole window matters.

    Each continuation starts with another token.
    """
    while True:
        model = drawn_model(rng)
        prompts = token_ids(rng, 40, length, VOCAB)
        expected, lead = most_probable(model, prompts, new, WINDOW)
        good = lead > MARGIN
        # As long as everything fits into the window, it can't be off by one.
        for window in (WINDOW - 1, 1) if length + new > WINDOW else (1,):
            wrong, _ = most_probable(model, prompts, new, window)
            good &= (wrong != expected).any(dim=1)
        rows = {int(expected[row, 0]): row for row in good.nonzero().flatten().tolist()}
        chosen = list(rows.values())[:batch]
        # Who reads a wrong place writes wrong texts, but not one text for all.
        if len(chosen) == batch and differ(wrong[chosen]):
            logits = model(prompts[chosen, -WINDOW:])[0]
            if differ(logits[:, 0].argmax(dim=-1)) and differ(logits[:, -2].argmax(dim=-1)):
                return model, prompts[chosen], expected[chosen]


def differ(rows: Tensor) -> bool:
    """Whether not all rows are the same."""
    return len(rows.unique(dim=0)) > 1


def continuation(
    writer: Writer, model: Handle, prompt: Tensor, new: int, **options: object
) -> Tensor:
    """Fetch the new tokens (B, new) alone, as int64; what else comes back is a public check's."""
    text = writer.write(model, prompt, new, **options)
    batch, length = prompt.shape
    if batch == 1 and text.dim() == 1:
        text = text.unsqueeze(0)
    if text.dim() != 2 or text.size(0) != batch or text.size(1) < new:
        fail(
            "the text has the wrong shape",
            expected=(batch, length + new),
            actual=tuple(text.shape),
        )
    whole = text.size(1) >= length + new
    return (text[:, length : length + new] if whole else text[:, -new:]).long()


def certain(writer: Writer, model: Handle, prompt: Tensor, new: int, **options: object) -> Tensor:
    """Fetch what a model from `send` is certain of, prompt by prompt."""
    return torch.cat([continuation(writer, model, row, new, **options) for row in prompt.split(1)])


def assert_heeds_the_model(writer: Writer, rng: random.Random) -> None:
    """Demand that four heads continue a prompt in more than one way, and each in one way only.

    That is the twin of everything that must not change the text.
    """
    model, prompt, source = drawn_model(rng), token_ids(rng, 1, 4, VOCAB), generator(rng)
    head = model.lm_head.weight.data
    heads: dict[int, Tensor] = {}
    while len(heads) < 4:
        head.copy_(1.5 * torch.randn(head.shape, generator=source))
        expected, lead = most_probable(model, prompt, 1, WINDOW)
        if lead > MARGIN:
            heads[int(expected)] = head.clone()
    theirs = send(writer, model)
    texts = []
    for weight in (*heads.values(), next(iter(heads.values()))):
        theirs.lm_head.weight.data.copy_(SHARP * weight)
        texts.append(certain(writer, theirs, prompt, 3))
    if not differ(torch.cat(texts)):
        fail("the text by another model does not change although it should")
    assert_close(texts[-1], texts[0], "the text by the same model")


def each_alone(
    writer: Writer, model: Handle, prompt: Tensor, new: int, **options: object
) -> Tensor:
    """Fetch the new tokens (B, new) of prompts that are continued in a call each, in one trip."""
    texts = tensors(
        writer.generate(model, row, max_new_tokens=new, **options) for row in prompt.split(1)
    )
    if any(text.numel() < new for text in texts):
        fail("a text is too short")
    return torch.stack([text.flatten()[-new:].long() for text in texts])


# ---------------------------------------------------------------- statistics


def p_value(statistic: float, degrees: int) -> float:
    """How probable so large a chi-square is."""
    half = torch.tensor([degrees / 2, statistic / 2], dtype=torch.float64)
    return float(torch.special.gammaincc(half[0], half[1]))


def assert_distributed(tokens: Tensor, probabilities: Tensor, what: str) -> None:
    """Demand that tokens look drawn from probabilities (V,), by Pearson's chi-square test."""
    size = len(probabilities)
    if bool(((tokens < 0) | (tokens >= size)).any()):
        fail(f"{what}: there is a token outside the vocabulary")
    counts = tokens.flatten().bincount(minlength=size).double()
    possible = probabilities > 0
    if bool((counts[~possible] > 0).any()):
        fail(f"{what}: there is a token that should never be drawn")
    expected = tokens.numel() * probabilities[possible].double()
    statistic = float(((counts[possible] - expected) ** 2 / expected).sum())
    if int(possible.sum()) > 1 and p_value(statistic, int(possible.sum()) - 1) < LEAST_P:
        fail(f"{what}: the tokens are not drawn with the right probabilities")


def assert_independent(first: Tensor, second: Tensor, size: int, what: str) -> None:
    """Demand that pairs of tokens below `size` show no connection."""
    table = (first.flatten() * size + second.flatten()).bincount(minlength=size * size)
    table = table.reshape(size, size).double()
    expected = table.sum(1, keepdim=True) * table.sum(0, keepdim=True) / table.sum()
    if bool((expected < 5).any()):
        fail(f"{what}: some tokens are hardly ever drawn")
    statistic = float(((table - expected) ** 2 / expected).sum())
    if p_value(statistic, (size - 1) ** 2) < LEAST_P:
        fail(f"{what}: the draws depend on one another")


def known_logits(rng: random.Random) -> Tensor:
    """Logits (6,), spread over two and a half units, in random order."""
    return torch.tensor(rng.sample([0.0, 0.5, 1.0, 1.5, 2.0, 2.5], 6)) + rng.uniform(-3, 3)


def single_minded(writer: Writer, rng: random.Random) -> tuple[Handle, int]:
    """A model that is certain of one token, after any text, and the token."""
    token = rng.randrange(VOCAB)
    logits = torch.zeros(VOCAB)
    logits[token] = 1000.0
    return writer.indifferent_model(logits, max_len=ROOMY), token


# ---------------------------------------------------------------- the questions


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
        model = writer.indifferent_model(logits, max_len=ROOMY)
        prompt = token_ids(rng, 3000, 2, len(logits))
        given = {} if temperature == 1 else {"temperature": temperature}
        expected = (logits.double() / temperature).softmax(0)

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


def assert_chance(writer: Writer, rng: random.Random) -> None:
    """Demand that neighbours in the batch and in the text, equally probable, are independent."""
    size = 4
    model = writer.indifferent_model(torch.zeros(size), max_len=ROOMY)
    prompt = token_ids(rng, 1, 2, size).expand(160, -1)
    # The first is left out: who writes one too few has the prompt's last token there.
    new = continuation(writer, model, prompt, 10)[:, 1:].clamp(0, size - 1)
    assert_independent(new[::2], new[1::2], size, "neighbours in the batch")
    assert_independent(new[:, 1:], new[:, :-1], size, "neighbours in the text")


class TestSideEffects:
    """No side effects"""

    @check(points=0.5, hint="Return a new tensor; nobody may write into the prompt.")
    def test_prompt_untouched(self, submission: SubmissionNames, rng: random.Random) -> None:
        """The prompt is left as it is, and the text is no part of it"""
        writer = Writer(submission)
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
            one, two = (continuation(writer, model, prompt, 25) for _ in range(2))
            assert_differs(one, two, "the text of a second call")
            later.append(submission.module("torch").rand(8).tensor())
        assert_differs(*later, "what is drawn afterwards, from another seed,")


class TestInference:
    """No gradient, no dropout"""

    @check(points=0.5, hint="Nothing is trained here: autograd needs to remember nothing.")
    def test_no_gradient(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Nothing is kept for a backward pass, and the model can be trained afterwards"""
        writer = Writer(submission)
        model, token = single_minded(writer, rng)
        prompt = token_ids(rng, 3, 4, VOCAB)
        with saved_tensors(submission) as saved:
            model(prompt)
            if not elements(saved):
                fail("the model has no gradient even outside of generate")
            saved.clear()
            new = continuation(writer, model, prompt, 4)
            if elements(saved):
                fail("autograd remembers what generate has computed")
            model(prompt)
            if not elements(saved):
                fail("the model has no gradient any more after generate")
        if not bool((new[:, -3:] == token).all()):
            fail("the new tokens are not those that the model is certain of")

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
        model = writer.indifferent_model(known_logits(rng), max_len=ROOMY)
        prompt = token_ids(rng, 2, 3, 6)
        for temperature in (rng.uniform(0.5, 2), rng.uniform(3, 5)):
            continuation(writer, model, prompt, 2, temperature=temperature)
            with raises("ValueError", what="a negative temperature"):
                writer.write(model, prompt, 2, temperature=-temperature)


# ---------------------------------------------------------------- bonus


Kept = Callable[[Tensor, float], Tensor]
"""Probabilities (B, V) and a limit to what is kept: bool (B, V)."""


def keeps_top_k(probabilities: Tensor, k: float) -> Tensor:
    """The k most probable tokens."""
    least = probabilities.sort(dim=1, descending=True).values[:, int(k) - 1]
    return probabilities >= least.unsqueeze(1)


def keeps_top_p(probabilities: Tensor, p: float) -> Tensor:
    """The fewest tokens that have probability p together."""
    ordered, order = probabilities.sort(dim=1, descending=True)
    before = ordered.cumsum(dim=1) - ordered
    return torch.zeros_like(probabilities, dtype=torch.bool).scatter(1, order, before < p)


def keeps_min_p(probabilities: Tensor, p: float) -> Tensor:
    """Tokens at least p times as probable as the most probable one."""
    return probabilities >= p * probabilities.amax(dim=1, keepdim=True)


def limited_case(
    rng: random.Random, keeps: Kept, limit: float, temperature: float
) -> tuple[TinyTransformerLM, Tensor, Tensor, Tensor]:
    """A model, three prompts, and probabilities (3, 8): what a limit leaves, and all without."""
    # Prompts of one token: which position counts is another question.
    prompts, source = torch.arange(8).unsqueeze(1), generator(rng)
    while True:
        model = drawn_model(rng, vocab_size=8)
        with torch.no_grad():
            _, states = model(prompts, return_hidden_states=True)
            normed = model.ln_f(states[-1])[:, -1]  # (8, d_model)
        for _ in range(20):  # with another model it may be easier
            head = torch.randn(8, MODEL["d_model"], generator=source)
            head *= 1.3 / (normed @ head.T).std()
            logits = (normed @ head.T).double()
            left, clear = limited(logits, keeps, limit, temperature)
            chosen = clear.nonzero().flatten()[-3:]
            unlike = torch.pdist(left[chosen], p=1) > 0.5
            if len(chosen) == 3 and unlike.all():
                model.lm_head.weight.data.copy_(head)
                whole = logits[chosen].softmax(dim=1)
                return model, prompts[chosen], left[chosen], whole


def limited(logits: Tensor, keeps: Kept, limit: float, temperature: float) -> tuple[Tensor, Tensor]:
    """The probabilities (B, V) that a limit leaves, and in which rows (B,) it does so clearly."""
    probabilities = (logits / temperature).softmax(dim=1)
    kept = keeps(probabilities, limit)
    left = probabilities * kept
    left /= left.sum(dim=1, keepdim=True)
    clear = probabilities.sort(dim=1).values.diff(dim=1).amin(dim=1) > 0.002
    # One token too few or too many must show in so many draws.
    clear &= left.masked_fill(~kept, 1).amin(dim=1) > 0.05
    clear &= probabilities.masked_fill(kept, 0).amax(dim=1) > 0.02
    clear &= (kept.sum(dim=1) >= 2) & (kept.sum(dim=1) < 8)
    if keeps is not keeps_top_k:
        for nearby in (0.95 * limit, 1.05 * limit):
            clear &= (keeps(probabilities, nearby) == kept).all(dim=1)
        if temperature != 1:  # a limit that is applied too early keeps others
            clear &= (keeps(logits.softmax(dim=1), limit) != kept).any(dim=1)
    return left, clear


def assert_limited(
    submission: SubmissionNames,
    rng: random.Random,
    keeps: Kept,
    limit: float,
    temperature: float = 1.0,
) -> None:
    """Demand samples from what a limit leaves, in a batch of three unlike prompts."""
    writer, name = Writer(submission), keeps.__name__.removeprefix("keeps_")
    model, prompts, left, whole = limited_case(rng, keeps, limit, temperature)
    theirs = send(writer, model, sharpness=1.0, vocab_size=8)
    limits = {name: int(limit) if name == "top_k" else limit}
    assert_drawn(writer, theirs, prompts, left, whole, limits, temperature)


def assert_drawn(
    writer: Writer,
    model: Handle,
    prompts: Tensor,
    left: Tensor,
    whole: Tensor,
    limits: dict[str, float],
    temperature: float = 1.0,
) -> None:
    """Demand tokens drawn, after each prompt (B, T), from the probabilities (B, V) that are left.

    Who spoils a batch even without limits, at temperature 1 and from the whole, has lost that in
    another question, and is judged by one prompt at a time.
    """
    (name, limit), size = next(iter(limits.items())), len(prompts)
    many = prompts.repeat(3000 // size, 1)

    def judge(new: Tensor, expected: Tensor) -> None:
        for row in range(size):
            assert_distributed(new[row::size], expected[row], f"{name}={limit:g}")

    def limited_draws(way: Callable[..., Tensor], prompts: Tensor) -> Tensor:
        return way(writer, model, prompts, 1, temperature=temperature, **limits)

    failure = tried(lambda: judge(limited_draws(continuation, many), left))
    if failure is None:
        return
    if tried(lambda: judge(continuation(writer, model, many, 1, temperature=1.0), whole)) is None:
        raise failure
    if tried(lambda: judge(limited_draws(each_alone, many[:450]), left)) is not None:
        raise failure


def assert_ends(
    submission: SubmissionNames, rng: random.Random, name: str, least: float, most: float
) -> None:
    """Demand that one end of a limit leaves the most probable token and the other leaves all."""
    writer = Writer(submission)
    logits = known_logits(rng)
    model = writer.indifferent_model(logits, max_len=ROOMY)
    prompt = token_ids(rng, 1000, 2, len(logits))
    new = continuation(writer, model, prompt, 2, temperature=1.0, **{name: least})
    assert_equal(new.unique().tolist(), [int(logits.argmax())], f"what {name}={least:g} leaves")
    whole = logits.double().softmax(0).unsqueeze(0)
    assert_drawn(writer, model, prompt[:1], whole, whole, {name: most})


class TestTopK:
    """Bonus: top-k"""

    bonus = True

    @check(points=0.6, timeout_s=30, hint="Each sequence has its own k most probable tokens.")
    def test_top_k(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Of the k most probable tokens one is drawn, with their probabilities scaled up"""
        assert_limited(submission, rng, keeps_top_k, rng.randrange(3, 6))

    @check(points=0.4, timeout_s=30, hint="What if k is 1, or more than there are tokens?")
    def test_top_k_ends(self, submission: SubmissionNames, rng: random.Random) -> None:
        """One token is always the best, and a large k changes nothing"""
        assert_ends(submission, rng, "top_k", 1, rng.randrange(7, 20))


class TestTopP:
    """Bonus: top-p"""

    bonus = True

    @pytest.mark.parametrize("temperature", [1.0, 2.0])
    @check(
        points=0.6,
        timeout_s=30,
        hint="Temperature first; the token that reaches p still belongs to it.",
    )
    def test_top_p(
        self, submission: SubmissionNames, rng: random.Random, temperature: float
    ) -> None:
        """Of the fewest tokens with probability p one is drawn, at temperature"""
        assert_limited(submission, rng, keeps_top_p, rng.uniform(0.6, 0.8), temperature)

    @check(points=0.4, timeout_s=30, hint="What if p is tiny, or 1?")
    def test_top_p_ends(self, submission: SubmissionNames, rng: random.Random) -> None:
        """A tiny p leaves the best token, and p = 1 changes nothing"""
        assert_ends(submission, rng, "top_p", rng.uniform(1e-4, 1e-2), 1.0)


class TestMinP:
    """Bonus: min-p"""

    bonus = True

    @pytest.mark.parametrize("temperature", [1.0, 2.0])
    @check(
        points=0.6,
        timeout_s=30,
        hint="Temperature first; then compare with the most probable token's.",
    )
    def test_min_p(
        self, submission: SubmissionNames, rng: random.Random, temperature: float
    ) -> None:
        """Tokens far less probable than the best are not drawn, at temperature"""
        assert_limited(submission, rng, keeps_min_p, rng.uniform(0.2, 0.4), temperature)

    @check(points=0.4, timeout_s=30, hint="What if the fraction is 0, or 1?")
    def test_min_p_ends(self, submission: SubmissionNames, rng: random.Random) -> None:
        """Fraction 1 leaves the best token, and 0 changes nothing"""
        assert_ends(submission, rng, "min_p", 1.0, 0.0)


class TestCache:
    """Bonus: keys and values kept"""

    bonus = True

    ROOM = 24
    BATCH = 6
    D_FF = 4 * MODEL["d_model"]

    @check(
        points=1.2,
        timeout_s=30,
        hint="A token's key and value stay what they are: compute them once.",
    )
    def test_less_work(self, submission: SubmissionNames, rng: random.Random) -> None:
        """use_cache=True writes the same text with much less work"""
        length, new = 6, self.ROOM - 6
        # What the feed-forward networks alone compute for a token, and if every text is read anew.
        token = self.BATCH * 4 * MODEL["d_model"] * self.D_FF * MODEL["n_layers"]
        whole = token * sum(range(length, length + new))

        def verdict(writer: Writer, model: Handle) -> None:
            prompt = token_ids(rng, self.BATCH, length, VOCAB)
            self.compare(writer, model, rng, [prompt], new)
            with counted_work(submission) as work:
                self.write(writer, model, prompt, new, True)
            flops = work().value()
            if type(flops) is not int or not flops < whole / 2:
                fail("with the cache, no less is computed than without")
            if flops < token * new:
                fail("with the cache, less is computed than a model needs for so many tokens")

        self.judge(submission, verdict)

    @check(
        points=0.8,
        requires=["test_less_work"],
        hint="When the window moves, every token moves to another position.",
    )
    def test_beyond_window(self, submission: SubmissionNames, rng: random.Random) -> None:
        """use_cache=True writes the same text when it outgrows max_len"""

        def verdict(writer: Writer, model: Handle) -> None:
            lengths = (self.ROOM - 5, self.ROOM, self.ROOM + 5)
            prompts = [token_ids(rng, self.BATCH, length, VOCAB) for length in lengths]
            self.compare(writer, model, rng, prompts, 10)

        self.judge(submission, verdict)

    @staticmethod
    def write(writer: Writer, model: Handle, prompt: Tensor, new: int, kept: bool) -> Tensor:
        """Fetch new tokens, with the cache or without."""
        return continuation(writer, model, prompt, new, use_cache=kept)

    def compare(
        self, writer: Writer, model: Handle, rng: random.Random, prompts: list[Tensor], new: int
    ) -> None:
        """Demand the same texts with the cache and without, from other weights for each prompt."""
        written = set()
        for prompt in prompts:
            texts = []
            for _ in range(2):
                self.redraw(model, rng)  # some weights care little for what lies far back
                plain, cached = (
                    self.write(writer, model, prompt, new, kept) for kept in (False, True)
                )
                assert_close(cached, plain, "the text with the cache")
                written |= {tuple(row) for row in plain.tolist()}
                texts.append(plain)
            assert_differs(*texts, "the text by another model")
        if len(written) == 1:
            fail("the text of another prompt does not change although it should")

    def judge(
        self,
        submission: SubmissionNames,
        verdict: Callable[[Writer, Handle], None],
    ) -> None:
        """Pass a verdict on the course's model and, if it fails, on the notebook's own.

        A cache has to know how its model's blocks are made, and may know those of only one.
        """
        writer = Writer(submission)
        sizes = {**MODEL, "d_ff": self.D_FF, "max_len": self.ROOM, "tie_weights": False}
        failure = tried(lambda: verdict(writer, writer.model(**sizes)))
        if failure is not None:
            if not submission.defines("TinyTransformerLM"):
                raise failure
            verdict(writer, submission.placed(submission.TinyTransformerLM(**sizes)))

    @staticmethod
    def redraw(model: Handle, rng: random.Random) -> None:
        """Large weights, so that even a tiny lead decides; float64, so that rounding does not.

        They are drawn here: who sets the seed inside of `generate` would get the same ones again.
        """
        parameters, source = elements(model.parameters()), generator(rng)
        shapes = values(parameter.shape for parameter in parameters)
        for parameter, shape in zip(parameters, shapes, strict=True):
            if len(shape) != 1:
                parameter.data.copy_(0.5 * torch.randn(shape, generator=source))
        model.lm_head.weight.data.mul_(1e9)
        model.double().eval()


@contextlib.contextmanager
def counted_work(submission: SubmissionNames) -> Iterator[Callable[[], Handle]]:
    """Gives how many floating point operations were done over there, as torch counts them."""
    counter = submission.module("torch.utils.flop_counter").FlopCounterMode(display=False)
    with entered(counter):
        yield counter.get_total_flops


TEXT_MODEL = {
    **MODEL,
    "n_layers": 1,
    "vocab_size": 16,
    "d_model": 32,
    "d_ff": 64,
    "max_len": 48,
    "dropout": 0.0,
}


class TestMilestone:
    """Bonus: a text learned by heart"""

    bonus = True

    GIVEN = 8

    @check(
        points=2,
        timeout_s=60,
        hint="Judge your training by the text that comes out, not by the loss.",
    )
    def test_repeats(self, submission: SubmissionNames, rng: random.Random) -> None:
        """After overfit(model, tokens) the model repeats the text from its first tokens"""
        size = TEXT_MODEL["vocab_size"]
        words = [rng.choices(range(1, size), k=rng.randrange(2, 6)) for _ in range(9)]
        text = [token for word in rng.choices(words, k=30) for token in [*word, 0]]
        tokens = torch.tensor(text[: TEXT_MODEL["max_len"]])
        model = submission.module("course.parts").TinyTransformerLM(**TEXT_MODEL)
        submission.placed(model)
        submission.overfit(model, tokens)
        learned = TinyTransformerLM(**TEXT_MODEL).eval()
        for name in PARTS:
            state = attribute(model, name).state_dict().value()
            try:
                getattr(learned, name).load_state_dict(state)
            except (RuntimeError, TypeError, AttributeError):
                fail("the model no longer has the parameters that it had")
        given = tokens[: self.GIVEN].unsqueeze(0)
        rest = tokens[self.GIVEN :]
        written, _ = most_probable(learned, given, len(rest), TEXT_MODEL["max_len"])
        match = float((written[0] == rest).double().mean())
        if match < 0.95:
            fail(
                "too little of the text comes back", expected="at least 95 %", actual=f"{match:.0%}"
            )
