"""What generation's checks ask of a cache of keys and values, and of what a model is asked for.

Counting work is not enough: what is done in another thread is counted by nobody. But what is kept
shows in the text, wherever it was computed. In the middle of a text, the model is turned: its
embedding's and its feed-forward networks' parameters are negated. What was kept of the tokens so
far stays as it was; what is computed again comes out otherwise.

So there are three texts: by the model as it is, by a model that is turned after some steps and
reads everything anew, and by one whose *positions* are turned from one on. The last is what a cache
writes, and `generate` without a cache can be made to write it, its other habits included.

Models are float32, as everybody's are: a cache may have room of that type, and so may a mask. Lest
rounding decides a text, weights are drawn until each of its tokens leads clearly.
"""

import contextlib
import random
from collections.abc import Callable, Iterator

import torch
from sure_texts import MODEL, VOCAB, continuation
from torch import Tensor

from course.checks.drawn_modules import generator
from course.checks.writers import Writer, token_ids
from grader.testing import (
    Handle,
    SubmissionNames,
    assert_close,
    assert_differs,
    elements,
    entered,
    in_some_way,
    settle,
    values,
)
from grader.testing.failure import fail

ROOM = 16
BATCH = 6
LAYERS = 2  # each needs a cache of its own
D_FF = 4 * MODEL["d_model"]

LEAD = 3e-4
"""By how much a token has to lead, as a part of its logit: float32 hardly errs by 3e-6."""

FAR_SIDE = """
import math

import torch

PARTS = "embedding", "ln_f", "lm_head"


class Witness:
    '''Sees what a model's parts give, in whatever thread, and whether it can be differentiated.'''

    def __init__(self, model):
        self.seen = seen = []
        see = lambda module, inputs, output: seen.append(output.requires_grad)
        self.hooks = [getattr(model, part).register_forward_hook(see) for part in PARTS]


class Leads:
    '''Notes the smallest lead, as a part of the logit, that a text's next token has.'''

    def __init__(self, model):
        self.seen = seen = [math.inf]

        def see(module, inputs, output):  # no method: who copies the model would copy its object
            last = output.detach()[..., -1, :] if output.dim() > 2 else output.detach()
            best, second = last.topk(2).values.unbind(-1)
            seen.append(float(((best - second) / best.abs()).min()))

        self.hook = model.lm_head.register_forward_hook(see)

    def least(self):
        return min(self.seen)


def feed_forward_maps(model, tokens, shape):
    '''Modules of the blocks that turn (B, T, ...) into (B, T, ...) by a matrix of a shape.'''
    maps = []

    def see(module, inputs, output):
        if isinstance(output, torch.Tensor) and output.shape[:2] == tokens.shape:
            maps.append(module)

    hooks = [
        module.register_forward_hook(see)
        for module in model.blocks.modules()
        if any(parameter.shape[:2] == shape for parameter in module.parameters(recurse=False))
    ]
    model(tokens)
    for hook in hooks:
        hook.remove()
    return maps


class Turn:
    '''Negates the parameters of some modules: after a number of steps, or from a position on.'''

    def __init__(self, modules, steps, start):
        self.modules, self.steps, self.start = modules, steps, start
        self.calls, self.turned = {}, False

    def negate(self, module):
        for parameter in module.parameters():
            parameter.data.neg_()

    def count(self, part, steps):
        self.calls[part] = self.calls.get(part, 0) + 1
        if self.calls[part] == steps and not self.turned:
            self.turned = True
            for module in self.modules:
                self.negate(module)

    def before(self, module, inputs):
        self.count(type(module), self.steps + 1)

    def after(self, module, inputs, output):
        self.count(type(module), self.steps)

    def mix(self, module, inputs, output):
        self.negate(module)
        turned = module.forward(*inputs)
        self.negate(module)
        return torch.cat([output[:, : self.start], turned[:, self.start :]], dim=1)

    def hang_on(self, model):
        if self.start is not None:
            self.hooks = [module.register_forward_hook(self.mix) for module in self.modules]
            return
        self.hooks = [
            model.embedding.register_forward_pre_hook(self.before),
            model.ln_f.register_forward_hook(self.after),
            model.lm_head.register_forward_hook(self.after),
        ]

    def take_off(self):
        for hook in self.hooks:
            hook.remove()
        if self.turned:
            for module in self.modules:
                self.negate(module)
"""
"""Runs beside the submission. What it says is never a reason to give points: the texts are."""


def far_side(submission: SubmissionNames, name: str, *arguments: object) -> Handle:
    """An object of one of those classes, over there."""
    scope = submission.send({})
    submission.module("builtins").exec(FAR_SIDE, scope)
    return scope[name](*arguments)


@contextlib.contextmanager
def witnessed(submission: SubmissionNames, model: Handle) -> Iterator[Callable[[], list[bool]]]:
    """Gives whether what a model's parts gave since the last time can be differentiated."""
    witness = far_side(submission, "Witness", model)

    def since() -> list[bool]:
        seen: list[bool] = values(elements(witness.seen))
        witness.seen.clear()
        return seen

    try:
        yield since
    finally:
        try:
            settle()
        finally:
            for hook in elements(witness.hooks):
                hook.remove()


@contextlib.contextmanager
def counted_work(submission: SubmissionNames) -> Iterator[Callable[[], Handle]]:
    """Gives how many floating point operations were done over there, as torch counts them.

    They are those of the thread that is asked: see `CacheJudge.assert_kept` for the others.
    """
    counter = submission.module("torch.utils.flop_counter").FlopCounterMode(display=False)
    with entered(counter):
        yield counter.get_total_flops


class CacheJudge:
    """Judges the cache on one model.

    Args:
        writer: how texts are written.
        model: over there.
        rng: decides weights.
    """

    def __init__(self, writer: Writer, model: Handle, rng: random.Random) -> None:
        self.writer, self.model, self.rng = writer, model, rng
        # The second map of a feed-forward network comes after what is kept of a token: a key and a
        # value, or what they are made of. The next block's depend on it.
        shape, tokens = (MODEL["d_model"], D_FF), torch.zeros(2, 3, dtype=torch.int64)
        inner = far_side(writer.submission, "feed_forward_maps", model, tokens, shape)
        self.turned = [model.embedding, *elements(inner)]

    def write(self, prompt: Tensor, new: int, kept: bool) -> Tensor:
        """Fetch new tokens, with the cache or without."""
        return continuation(self.writer, self.model, prompt, new, use_cache=kept)

    def write_turned(
        self, prompt: Tensor, new: int, kept: bool, *, steps: int = 0, start: int | None = None
    ) -> Tensor:
        """The same, by a model that is turned after `steps` steps, or from position `start` on."""
        turn = far_side(self.writer.submission, "Turn", self.turned, steps, start)
        turn.hang_on(self.model)
        try:
            return self.write(prompt, new, kept)
        finally:
            turn.take_off()

    def redraw(self, sharpness: float = 1e9) -> None:
        """Large weights: unless logits are to be mild, even a tiny lead decides.

        They are drawn here: who sets the seed inside of `generate` would get the same ones again.
        """
        parameters, source = elements(self.model.parameters()), generator(self.rng)
        shapes = values(parameter.shape for parameter in parameters)
        for parameter, shape in zip(parameters, shapes, strict=True):
            if len(shape) != 1:
                parameter.data.copy_(0.5 * torch.randn(shape, generator=source))
        self.model.lm_head.weight.data.mul_(sharpness)
        self.model.eval()

    @contextlib.contextmanager
    def watched(self) -> Iterator[Callable[[], bool]]:
        """Gives whether each token that was written led clearly.

        A model that does not call its `lm_head` is taken for a clear one.
        """
        leads = far_side(self.writer.submission, "Leads", self.model)
        try:
            yield lambda: leads.least().value() > LEAD
        finally:
            leads.hook.remove()

    def clear_text(self, prompt: Tensor, new: int) -> Tensor:
        """Redraw the model, and fetch what it writes without a cache, no token by a narrow lead."""
        for _ in range(20):  # one is enough for most, however much is looked at over there
            self.redraw()
            with self.watched() as clear:
                text = self.write(prompt, new, False)
                if clear():
                    break
        return text

    def assert_same_text(self, prompts: list[Tensor], new: int) -> None:
        """Demand the same texts with the cache and without, the first from two models."""
        texts, written = [], set()
        for prompt in (prompts[0], *prompts):
            plain = self.clear_text(prompt, new)
            cached = self.write(prompt, new, True)
            assert_close(cached, plain, "the text with the cache")
            written |= {tuple(row) for row in plain.tolist()}
            texts.append(plain)
        assert_differs(*texts[:2], "the text by another model")
        if len(written) == 1:
            fail("the text of another prompt does not change although it should")

    def assert_less_work(self, prompt: Tensor, new: int) -> None:
        """Demand the same text with much less work, and with as much as a model needs."""
        new = min(new, 8)  # to count is slow
        plain = self.clear_text(prompt, new)
        length = prompt.size(1)
        # What the feed-forward networks alone compute for a token, and if every text is read anew.
        token = BATCH * 4 * MODEL["d_model"] * D_FF * LAYERS
        whole = token * sum(range(length, length + new))
        with counted_work(self.writer.submission) as work:
            cached = self.write(prompt, new, True)
        flops = work().value()
        assert_close(cached, plain, "the text with the cache")
        if type(flops) is not int or not flops < whole / 2:
            fail("with the cache, no less is computed than without")
        if flops < token * new:
            fail("with the cache, less is computed than a model needs for so many tokens")

    def assert_kept(self, prompt: Tensor, new: int) -> None:
        """Demand that what was computed of a token stays what it was, when the model is turned."""
        length, steps = prompt.size(1), new // 3

        def kept_from(start: int) -> Tensor:
            return self.write_turned(prompt, new, False, start=start)

        for _ in range(8):
            self.redraw()  # some weights care little for what lies far back
            others = (
                self.write(prompt, new, False),
                self.write_turned(prompt, new, False, steps=steps),
            )
            with self.watched() as clear:
                text = kept_from(length + steps - 1)
                sure = clear()
            if sure and all(clearly_other(text, other) for other in others):
                break
        else:
            fail("what was read before makes no difference to the text")
        cached = self.write_turned(prompt, new, True, steps=steps)
        if torch.equal(cached, text):
            return
        if torch.equal(cached, others[0]):
            fail("with the cache, the model's lm_head is not called for each token")
        # Who does not read the prompt at once has read less of the text after so many steps.
        for start in (length + steps - 2, steps):
            if torch.equal(cached, kept_from(start)) and not any(
                torch.equal(cached, other) for other in others
            ):
                return
        # Who continues each row on its own asks for each token as often as there are rows.
        rows = [self.write_turned(row, new, True, steps=steps) for row in prompt.split(1)]
        if not torch.equal(torch.cat(rows), text):
            fail("with the cache, what was computed of earlier tokens is computed again")


def clearly_other(text: Tensor, other: Tensor) -> bool:
    """Whether at least half of the rows differ."""
    return 2 * int((text != other).any(dim=1).sum()) >= len(text)


def judge_cache(
    submission: SubmissionNames, rng: random.Random, verdict: Callable[[CacheJudge], None]
) -> None:
    """Pass a verdict on the course's model and, if it fails, on the notebook's own.

    A cache has to know how its model's blocks are made, and may know those of only one.
    """
    writer = Writer(submission)
    sizes = {
        **MODEL,
        "n_layers": LAYERS,
        "d_ff": D_FF,
        "max_len": ROOM,
        "tie_weights": False,
        "dropout": 0.5,
    }

    ways = [lambda: verdict(CacheJudge(writer, writer.model(**sizes), rng))]
    if submission.defines("TinyTransformerLM"):

        def own() -> Handle:
            return submission.placed(submission.TinyTransformerLM(**sizes))

        ways.append(lambda: verdict(CacheJudge(writer, own(), rng)))
    in_some_way(ways)


def some_prompts(rng: random.Random, *lengths: int) -> list[Tensor]:
    """Prompts (BATCH, T) for each length."""
    return [token_ids(rng, BATCH, length, VOCAB) for length in lengths]
