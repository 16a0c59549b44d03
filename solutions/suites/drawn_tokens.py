"""What generation's checks ask of chance.

Which tokens a sampler draws is its own affair: samples are compared with probabilities.
"""

import math
import random
from collections.abc import Callable, Sequence

import torch
from own_samplers import SamplerWriter, own_function
from sure_texts import (
    MODEL,
    ROOMY,
    assert_heeds_the_model,
    continuation,
    drawn_model,
    each_alone,
    known_logits,
    send,
)
from torch import Tensor

from course.checks.drawn_modules import generator
from course.checks.writers import Writer, token_ids
from course.parts import TinyTransformerLM
from grader.testing import Handle, SubmissionNames, assert_close, assert_equal, raises, tried
from grader.testing.failure import fail

LEAST_P = 1e-9
"""Samples that are less probable than this are not taken for bad luck.

Counts are no normal numbers: where the smallest expected one is 6.4 of 1,500, so large a statistic
has probability 1.5e-7, and 3.8e-8 where it is 12.8 of 3,000 (computed exactly, count by count). A
right submission is judged by two samples of each kind and 26 milder ones: it fails with less
than 6e-7.
"""


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


def assert_chance(writer: Writer, rng: random.Random) -> None:
    """Demand that neighbours in the batch and in the text, equally probable, are independent."""
    size = 4
    model = writer.indifferent_model(torch.zeros(size), max_len=ROOMY)
    prompt = token_ids(rng, 1, 2, size).expand(160, -1)
    # The first is left out: who writes one too few has the prompt's last token there.
    new = continuation(writer, model, prompt, 10)[:, 1:].clamp(0, size - 1)
    assert_independent(new[::2], new[1::2], size, "neighbours in the batch")
    assert_independent(new[:, 1:], new[:, :-1], size, "neighbours in the text")


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
    writer, name = SamplerWriter(submission), keeps.__name__.removeprefix("keeps_")
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
    submission: SubmissionNames,
    rng: random.Random,
    name: str,
    least: float,
    most: float,
    beyond: Sequence[float],
) -> None:
    """Demand that one end of a limit leaves the best token, the other all, and refusals beyond."""
    writer = SamplerWriter(submission)
    assert_heeds_the_model(writer, rng)
    logits = known_logits(rng)
    model = writer.indifferent_model(logits, max_len=ROOMY)
    prompt = token_ids(rng, 1000, 2, len(logits))
    new = continuation(writer, model, prompt, 2, temperature=1.0, **{name: least})
    assert_equal(new.unique().tolist(), [int(logits.argmax())], f"what {name}={least:g} leaves")
    whole = logits.double().softmax(0).unsqueeze(0)
    assert_drawn(writer, model, prompt[:1], whole, whole, {name: most})
    for limit in beyond:
        with raises("ValueError", what=f"{name}={limit:g}"):
            writer.write(model, prompt[:2], 1, temperature=1.0, **{name: limit})


def assert_together(
    submission: SubmissionNames, rng: random.Random, limits: dict[str, float]
) -> None:
    """Demand that of two limits each counts, if each does when it is given alone.

    What both leave is what the stricter one leaves, so there are two kinds of rows.
    """
    order = rng.sample(range(6), 6)
    sharp, flat = [1.6, 0.0, -3.0, -3.2, -3.4, -3.6], [1.0, 0.8, 0.6, 0.4, 0.2, 0.0]
    table = torch.tensor([sharp, flat] * 3)[:, order]
    writer = SamplerWriter(submission)
    model = writer.table_model(table, max_len=ROOMY)
    prompt = torch.arange(6).repeat(40).unsqueeze(1)  # (240, 1)
    functions = {"top_k": keeps_top_k, "top_p": keeps_top_p, "min_p": keeps_min_p}
    kept = {name: functions[name](table.softmax(dim=1), limits[name]) for name in limits}

    def judge(*names: str) -> None:
        given = {name: limits[name] for name in names}
        new = continuation(writer, model, prompt, 1, temperature=1.0, **given).clamp(0, 5)
        if not all(bool(kept[name][prompt, new].all()) for name in names):
            fail(f"with {' and '.join(names)}, a token is drawn that should never be")
        if len(names) == 1:  # with other probabilities, the other limit leaves other tokens
            left = table[0].softmax(dim=0) * kept[names[0]][0]
            assert_distributed(new[::2], left / left.sum(), names[0])

    if all(tried(lambda name=name: judge(name)) is None for name in limits):
        judge(*limits)


def assert_keeps(
    submission: SubmissionNames, rng: random.Random, keeps: Kept, limit: float
) -> None:
    """Demand of the notebook's `keep_…`, if it has one, new logits: kept as they are, or -inf.

    At the end that leaves all there are tokens which are too rare for any sample to show.
    """
    name = keeps.__name__.replace("keeps", "keep")
    # Rows of unlike height and order; no two tokens are nearly as probable, and no limit is near.
    logits = torch.tensor([rng.sample([0.0, -0.7, -1.6, -3.0, -5.0], 5) for _ in range(3)])
    logits += torch.tensor([[0.0], [40.0], [-25.0]])
    if not own_function(submission, name, logits, limit):
        return
    keep, sent = getattr(submission, name), submission.send(logits.clone())
    kept = keeps(logits.double().softmax(dim=1), limit)
    assert_close(keep(sent, limit).tensor(), logits.masked_fill(~kept, -math.inf), "the new logits")
    rare = torch.tensor([[0.0, -20.0, -40.0]])
    ends = {"keep_top_k": 3, "keep_top_p": 1.0, "keep_min_p": 0.0}
    everything = keep(submission.send(rare), ends[name]).tensor()
    assert_close(everything, rare, f"the new logits, {name}(logits, {ends[name]:g})")
    keep(sent, ends[name]).add_(1.0).done()
    assert_close(sent.tensor(), logits, "the logits that were given")
