"""What generation's checks ask for a text: models drawn here and sent over, their one right text.

A model made from a table of logits gives known ones, whatever stands elsewhere in the text.
"""

import math
import random

import torch
from torch import Tensor

from course.checks.drawn_modules import generator
from course.checks.writers import PARTS, Writer, ends_of_text, token_ids
from course.parts import TinyTransformerLM
from grader.testing import Handle, tensors
from grader.testing.failure import fail

VOCAB, WINDOW = 12, 8

ROOMY = 32
"""A max_len that no text reaches: the window is a question of its own."""

MODEL = {"vocab_size": VOCAB, "d_model": 16, "n_heads": 2, "n_layers": 1, "d_ff": 24}

NEARLY_ZERO = 1e-4
"""A temperature at which logits that are 0.03 * MARGIN apart leave nothing to chance."""

TINY = 1e-37
"""Nearly the smallest temperature of float32: a logit of 40 over it is none any more."""

APART = 80.0
"""Logits as far apart as this, over `TINY`, are beyond what float32 holds: 40 would do."""

MARGIN = 0.05

SHARP = 1 / NEARLY_ZERO
"""Logits multiplied by this leave nothing to chance, whatever becomes of the temperature."""


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
        sure = lead > MARGIN
        if len(expected[sure, 0].unique()) < batch:
            continue
        prompts, expected = prompts[sure], expected[sure]
        good = torch.ones(len(prompts), dtype=torch.bool)
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
    """Demand the tokens that a model is certain of after prompts of one token repeated.

    That is the twin of everything that must not change the text. Who looks at a wrong place of the
    text, or does not look far enough, sees the same there, and loses that elsewhere. Each token
    leads by 60, so that another one is drawn in one of 10^24 texts.
    """
    follows = ends_of_text(rng, VOCAB)
    model = writer.sure_model(follows, max_len=ROOMY)
    starts = [token for token, following in follows.items() if following != token]
    for start in rng.sample(starts, 3):
        assert_writes(writer, model, torch.full((1, 4), start), follows[start])


def assert_writes(
    writer: Writer, model: Handle, prompt: Tensor, token: int, **options: object
) -> None:
    """Demand one token, again and again, after each prompt."""
    # The first is left out: who writes one too few has the prompt's last token there.
    new = continuation(writer, model, prompt, 4, **options)[:, 1:]
    if not bool((new == token).all()):
        fail("the new tokens are not those that the model is certain of")


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


def known_logits(rng: random.Random) -> Tensor:
    """Logits (6,), spread over two and a half units, in random order."""
    return torch.tensor(rng.sample([0.0, 0.5, 1.0, 1.5, 2.0, 2.5], 6)) + rng.uniform(-3, 3)


def single_minded(writer: Writer, rng: random.Random, max_len: int = ROOMY) -> tuple[Handle, int]:
    """A model that is certain of one token, after any text, and the token."""
    token = rng.randrange(VOCAB)
    follows = dict.fromkeys(range(VOCAB), token)
    return writer.sure_model(follows, lead=1000.0, max_len=max_len), token
