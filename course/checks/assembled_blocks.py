"""A submission's block, also while some of its parts are unsolved: others stand in for those.

What somebody has not solved yet costs the checks that ask for it, and no other. So a part that
gives nothing, or nothing of a fitting shape, is replaced, and a block that does not run is put
together from the parts that do. Where nobody has brought anything that could stand in, as in a
notebook, everything is taken as it is.

A block that runs is never touched, however its parts are called, or whether it has any. But where
the notebook's own `softmax` or `LayerNorm` is wrong, which has checks of its own, the parts find
torch's under these names; and whoever holds that class otherwise finds torch's methods in it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from random import Random
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn.functional import layer_norm

from course.checks.drawn_modules import normal
from course.checks.drawn_norms import drawn_norm
from course.checks.exact_functions import assert_same_gradients, assert_same_values
from grader.testing import Handle, StudentError, SubmissionNames, assert_close, attribute, tensors
from grader.testing.failure import CheckFailed, fail
from grader.testing.handles import link_of
from grader.testing.links import Link

ATTENTION, HEADS_PART, NETWORK = "scaled_dot_product_attention", "MultiHeadAttention", "FeedForward"
PARTS = (ATTENTION, HEADS_PART, NETWORK)
GROUPED = "grouped_attention"
FUNCTIONS = (ATTENTION, GROUPED)
"""What is called as it is; all else makes modules."""
BLOCK = "TransformerBlock"
SOFTMAX, NORM = "softmax", "LayerNorm"

D_MODEL = 4
"""So small are the modules that only have to show whether they run."""

Trouble = dict[str, Exception]
"""Why parts have to be replaced, by name."""

Bring = Callable[[SubmissionNames], Handle]
"""Gives a dict, over there, with all that can stand in, and a function `using`."""

_brought: list[Bring] = []
_replaced: WeakKeyDictionary[Link, Trouble] = WeakKeyDictionary()
_unsound: WeakKeyDictionary[Link, tuple[str, ...]] = WeakKeyDictionary()


def bring_stand_ins(bring: Bring) -> None:
    """Let what this gives stand in for unsolved parts, from now on."""
    _brought[:] = [bring]


def block_maker(submission: SubmissionNames) -> Handle:
    """What makes the submission's blocks, of sizes: its own class, unless something is unsolved."""
    names = replaced(submission)
    if not names:
        return part(submission, BLOCK)
    if BLOCK in names:
        return stand_ins(submission, names)[BLOCK]
    return _with_stand_ins(submission, BLOCK, names)


def heads_maker(submission: SubmissionNames) -> Handle:
    """What makes the submission's own multi-head attention, whatever it has for one head."""
    if ATTENTION in replaced(submission):
        return _with_stand_ins(submission, HEADS_PART, (ATTENTION,))
    return part(submission, HEADS_PART)


def part(submission: SubmissionNames, name: str) -> Handle:
    """A part of the submission's own: its softmax and its norm are right, whatever they are."""
    return _using(submission, name, {}) if unsound(submission) else getattr(submission, name)


def unsound(submission: SubmissionNames) -> tuple[str, ...]:
    """Which of the submission's own softmax and norm are wrong; it is found out once."""
    if not _brought:
        return ()
    link = link_of(submission.send(None))
    if link not in _unsound:
        trials = {SOFTMAX: _assert_softmax, NORM: _assert_norm}
        _unsound[link] = tuple(
            name
            for name, trial in trials.items()
            if submission.defines(name) and _error(partial(trial, submission)) is not None
        )
    return _unsound[link]


def assert_own(submission: SubmissionNames, *names: str) -> None:
    """Demand that parts are the submission's own.

    Raises:
        StudentError, CheckFailed: what one of them did, or gave, when it was tried.
    """
    known = replaced(submission)
    for name in names:
        if name in known:
            raise known[name].with_traceback(None)


def replaced(submission: SubmissionNames) -> Trouble:
    """The unsolved parts that others stand in for; it is found out once."""
    if not _brought:
        return {}
    link = link_of(submission.send(None))
    if link not in _replaced:
        _replaced[link] = {
            name: error.with_traceback(None) for name, error in _needed(submission).items()
        }
    return _replaced[link]


def stand_ins(submission: SubmissionNames, names: Iterable[str]) -> Handle:
    """A dict, over there, of a whole block's parts: the submission's own, but for these names."""
    (bring,) = _brought
    scope = bring(submission)
    for name in PARTS:
        if name not in names and submission.defines(name):
            scope.update({name: part(submission, name)})
    return scope


# ---------------------------------------------------------------- what has to be replaced


def _needed(submission: SubmissionNames) -> Trouble:
    """The smallest set of parts that has to be replaced for the submission's block to run."""
    trouble = _parts_in_trouble(submission)
    own = _error(lambda: _run_block(submission, part(submission, BLOCK)))
    idle = {name for name in trouble if own is None and _is_idle(submission, name, trouble[name])}
    if own is None and not idle:
        return {}
    for count in range(max(len(idle), 1), len(trouble) + 1):
        for names in itertools.combinations(trouble, count):
            if not idle <= set(names):
                continue
            if _error(partial(_run_assembled, submission, names)) is None:
                return {name: trouble[name] for name in names}
    return {**trouble, BLOCK: own or CheckFailed(f"{BLOCK} does not run")}


def _is_idle(submission: SubmissionNames, name: str, error: Exception) -> bool:
    """Whether a part that gives nothing of a fitting shape is in use, in a block that runs."""
    if not isinstance(error, CheckFailed):
        return False  # it raises, so the block has another one
    made = _using(submission, BLOCK, {name: submission.send(None)})
    return _error(lambda: _run_block(submission, made)) is not None


def _parts_in_trouble(submission: SubmissionNames) -> Trouble:
    """The parts that do not run, or give nothing that fits, when they are called as in the text."""
    x = torch.linspace(-1, 1, 3 * D_MODEL).reshape(1, 3, D_MODEL)
    sizes = {"d_model": D_MODEL, "dropout": 0.0}

    def attend(make: Handle) -> None:
        heads = submission.placed(make(n_heads=2, **sizes)).eval()
        _assert_fits(heads(x, x, x).value(), x, HEADS_PART)

    def heads() -> None:
        # it may be right, and its attention unsolved
        if _error(lambda: attend(part(submission, HEADS_PART))) is not None:
            attend(_with_stand_ins(submission, HEADS_PART, (ATTENTION,)))

    def network() -> None:
        module = submission.placed(part(submission, NETWORK)(d_ff=6, **sizes)).eval()
        _assert_fits(module(x).value(), x, NETWORK)

    found = {
        ATTENTION: _error(
            lambda: _assert_fits(part(submission, ATTENTION)(x, x, x).value(), x, ATTENTION)
        ),
        HEADS_PART: _error(heads),
        NETWORK: _error(network),
    }
    return {name: error for name, error in found.items() if error is not None}


def _run_block(submission: SubmissionNames, make: Handle) -> None:
    block = submission.placed(make(d_model=D_MODEL, n_heads=2, d_ff=6, dropout=0.0)).eval()
    x = torch.linspace(-1, 1, 3 * D_MODEL).reshape(1, 3, D_MODEL)
    _assert_fits(block(x).value(), x, BLOCK)


def _run_assembled(submission: SubmissionNames, names: Iterable[str]) -> None:
    _run_block(submission, _with_stand_ins(submission, BLOCK, names))


def _with_stand_ins(submission: SubmissionNames, name: str, names: Iterable[str]) -> Handle:
    """What makes the submission's own class, which finds stand-ins under these names."""
    scope = stand_ins(submission, names)
    return _using(submission, name, {one: scope[one] for one in names})


def _using(submission: SubmissionNames, name: str, others: Mapping[str, Handle]) -> Handle:
    """The submission's own class or function, for whose code some names mean other objects."""
    (bring,) = _brought
    brought, make = bring(submission), getattr(submission, name)
    seen = attribute(make if name in FUNCTIONS else attribute(make, "__init__"), "__globals__")
    sound = {one: brought[one] for one in unsound(submission)}
    return brought["using"](make, seen, {**sound, **others})


def _assert_softmax(submission: SubmissionNames) -> None:
    """Demand all that somebody who calls it may rely on: any dimension, and gradients."""
    rng = Random(0)
    scores = normal(rng, 2, 3, 2, 4)
    scores[0, 0, 0] = torch.tensor([0.5, 1000.0, -math.inf, 999.0])
    for drawn, dim in ((scores, -1), (scores[0], 0), (normal(rng, 3, 4), 1)):
        own, exact = partial(submission.softmax, dim=dim), partial(torch.softmax, dim=dim)
        assert_same_values(submission, own, exact, [drawn])
        assert_same_gradients(submission, own, exact, [drawn], rng)


def _assert_norm(submission: SubmissionNames) -> None:
    """Demand the same of a norm: any number of dimensions, its parameters, and gradients."""
    rng = Random(0)
    norm = drawn_norm(submission, rng, D_MODEL)

    def exact(x: Tensor) -> Tensor:
        return layer_norm(x, (D_MODEL,), norm.gain, norm.shift)

    for shape in ((2, D_MODEL), (2, 3, D_MODEL), (2, 2, 3, D_MODEL)):
        assert_same_values(submission, norm.module, exact, [normal(rng, *shape) + 1])
    norm.gain.requires_grad_()
    norm.shift.requires_grad_()
    assert_same_gradients(submission, norm.module, exact, [normal(rng, 2, 3, D_MODEL)], rng)
    own = norm.collected(tensors(one.grad for one in norm.own))
    for gradient, drawn in zip(own, (norm.gain, norm.shift), strict=True):
        assert_close(gradient, drawn.grad, "a gradient", atol=1e-4)


def _assert_fits(result: Any, x: Tensor, name: str) -> None:
    """Demand a tensor of the shape of x, by itself or among others."""
    results = result if isinstance(result, (tuple, list)) else (result,)
    if not any(type(one) is Tensor and one.shape == x.shape for one in results):
        kinds = [tuple(one.shape) if type(one) is Tensor else one for one in results]
        fail(f"{name} gives nothing of the shape of what went in", actual=kinds)


def _error(trial: Callable[[], object]) -> Exception | None:
    """What a trial raises."""
    try:
        trial()
    except (CheckFailed, StudentError) as error:
        return error
    return None
