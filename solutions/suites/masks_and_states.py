"""What full_model's checks ask of masks that a caller gives, and of hidden states."""

import random
from collections.abc import Iterable
from functools import partial

import torch
from judged_models import (
    HEADS,
    LAYERS,
    VOCAB,
    causal,
    logits_of,
    states_of,
    token_ids,
    ways_to_mask,
)
from torch import Tensor

from course.checks.living_models import TOLERANCE, logits_in
from grader.testing import (
    Handle,
    StudentError,
    SubmissionNames,
    assert_close,
    assert_differs,
    assert_equal,
    differing,
    elements,
    in_some_way,
    tried,
    values,
)
from grader.testing.failure import fail


def assert_all_masks_taken(model: Handle, tokens: Tensor, rng: random.Random) -> None:
    """Demand that whatever broadcasts to (B, n_heads, T, T) is a mask, and counts as it is.

    The model is compared with itself: what it makes of its vectors is another question.

    Args:
        model: in eval mode.
        tokens: (B, T); B is neither 1 nor n_heads.
        rng: decides the masks.
    """
    batch, length = tokens.shape

    def under(mask: Tensor) -> Tensor:
        return logits_of(model(tokens, mask=mask), tokens)

    def drawn(*shape: int) -> Tensor:
        chosen = [rng.random() < 0.5 for _ in range(torch.Size(shape).numel())]
        return torch.tensor(chosen).view(shape)

    itself = torch.eye(length, dtype=torch.bool)
    whole = (batch, HEADS, length, length)
    columns = drawn(batch, 1, 1, length)
    columns[..., :2] = True  # who sees nothing is another question
    of_heads = drawn(HEADS, length, length) | itself
    of_heads[0], of_heads[-1] = causal(length), causal(length).T
    for mask, what in ((columns, "(B, 1, 1, T)"), (of_heads, "(n_heads, T, T)")):
        expected = under(mask.expand(whole))
        assert_close(under(mask), expected, f"the logits under a mask {what}", **TOLERANCE)
    for head in (0, -1):
        what = "the logits under one head's mask, and under one for each head"
        assert_differs(under(of_heads[head]), expected, what, **TOLERANCE)
    what = "the logits when everything may be seen, and when only the past may"
    everything = torch.ones(length, length, dtype=torch.bool)
    assert_differs(under(everything), under(causal(length)), what, **TOLERANCE)
    far = (torch.arange(length).unsqueeze(1) - torch.arange(length)).abs()  # (T, T)
    what = "the logits when what is far away counts less, and when it counts more"
    assert_differs(under(-far.float()), under(far.float()), what, **TOLERANCE)


def assert_read_by_norm(submission: SubmissionNames, model: Handle, tokens: Tensor) -> None:
    """Demand that the last state is what `ln_f` read in the same call, with a mask and without.

    Whether it is called at all, and how often, is another question.
    """
    length = tokens.size(1)
    everything = torch.ones(length, length, dtype=torch.bool)
    told: list[dict[str, Tensor]] = [{}]
    if tried(lambda: logits_of(model(tokens, mask=everything), tokens)) is None:
        told.append({"mask": everything})
    for mask in told:
        seen = submission.module("unittest.mock").Mock(return_value=None)
        hook = model.ln_f.register_forward_hook(seen)
        try:
            last = states_of(model, tokens, **mask)[-1]
        finally:
            hook.remove()
        calls = elements(seen.call_args_list)
        read = values(call.args[1][0] for call in calls)
        alike = [type(x) is Tensor and x.shape == last.shape for x in read]
        near = [
            not differing(x, last, **TOLERANCE).any()
            for x, fits in zip(read, alike, strict=True)
            if fits
        ]
        if near and not any(near):
            fail("the last state is not what `ln_f` read in the same call")


def assert_same_gradients(model: Handle, tokens: Tensor) -> None:
    """Demand that a gradient reaches every block that it reaches when no states are asked for."""
    parameters = [elements(block.parameters()) for block in elements(model.blocks)]

    def reached(asked: bool) -> list[bool]:
        for parameter in (one for block in parameters for one in block):
            parameter.grad = None
        result = model(tokens, return_hidden_states=asked)
        logits = result if type(result.value()) is Tensor else result[0]
        logits.mul(torch.linspace(-1, 1, VOCAB)).sum().backward()
        found = []
        for block in parameters:
            gradients = values(parameter.grad for parameter in block)
            found.append(any(given is not None and bool(given.any()) for given in gradients))
        return found

    try:
        without = reached(False)
    except StudentError:
        return  # another question
    with_states = reached(True)
    for number, (usually, now) in enumerate(zip(without, with_states, strict=True)):
        if usually and not now:
            fail(f"no gradient reaches block {number} when states are asked for")


def assert_stages(model: Handle, tokens: Tensor, numbers: Iterable[int]) -> None:
    """Demand that these blocks turn the state before them into the state after them."""
    blocks = elements(model.blocks)
    assert_equal(len(blocks), LAYERS, "the number of blocks")

    def compare(told: dict[str, Tensor], mask: Tensor | None) -> None:
        states = states_of(model, tokens, **told)
        inputs = [model.embedding(tokens).tensor(), *states[1:]]
        for number in numbers:
            expected = blocks[number](inputs[number], mask=mask)[0].tensor()
            assert_close(states[number + 1], expected, f"state {number + 1}", **TOLERANCE)
            assert_differs(states[number + 1], inputs[number], f"state {number + 1}", **TOLERANCE)

    in_some_way(partial(compare, *way) for way in ways_to_mask(tokens.size(1)))


def assert_of_one_pass(model: Handle, rng: random.Random) -> None:
    """Demand states that see the future as little as the logits that come with them."""
    tokens = token_ids(rng, 2, 7)
    changed, place = tokens.clone(), rng.randrange(3, 7)
    changed[:, place] = (changed[:, place] + rng.randrange(1, VOCAB)) % VOCAB
    results = [model(given, return_hidden_states=True).value() for given in (tokens, changed)]
    before, after = (logits_in(result, (2, 7, VOCAB))[:, :place] for result in results)
    if differing(after, before, **TOLERANCE).any():
        return  # another question
    for number, (old, new) in enumerate(zip(results[0][1], results[1][1], strict=True)):
        what = f"what state {number} is before a token that changes"
        assert_close(new[:, :place], old[:, :place], what, **TOLERANCE)
