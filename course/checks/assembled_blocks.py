"""A submission's block, also while some of its parts are unsolved: others stand in for those.

What somebody has not solved yet costs the checks that ask for it, and no other. So a part that
gives nothing, or nothing of a fitting shape, is replaced, and a block that does not run is put
together from the parts that do. Where nobody has brought anything that could stand in, as in a
notebook, everything is taken as it is.

A block that runs is never touched, however its parts are called, or whether it has any.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from grader.testing import Handle, StudentError, SubmissionNames, attribute
from grader.testing.failure import CheckFailed, fail
from grader.testing.handles import link_of
from grader.testing.links import Link

ATTENTION, HEADS_PART, NETWORK = "scaled_dot_product_attention", "MultiHeadAttention", "FeedForward"
PARTS = (ATTENTION, HEADS_PART, NETWORK)
BLOCK = "TransformerBlock"

D_MODEL = 4
"""So small are the modules that only have to show whether they run."""

Trouble = dict[str, Exception]
"""Why parts have to be replaced, by name."""

Bring = Callable[[SubmissionNames], Handle]
"""Gives a dict, over there, with all that can stand in, and a function `using`."""

_brought: list[Bring] = []
_replaced: WeakKeyDictionary[Link, Trouble] = WeakKeyDictionary()


def bring_stand_ins(bring: Bring) -> None:
    """Let what this gives stand in for unsolved parts, from now on."""
    _brought[:] = [bring]


def block_maker(submission: SubmissionNames) -> Handle:
    """What makes the submission's blocks, of sizes: its own class, unless something is unsolved."""
    names = replaced(submission)
    if not names:
        return submission.TransformerBlock
    if BLOCK in names:
        return stand_ins(submission, names)[BLOCK]
    return _with_stand_ins(submission, BLOCK, names)


def heads_maker(submission: SubmissionNames) -> Handle:
    """What makes the submission's own multi-head attention, whatever it has for one head."""
    if ATTENTION in replaced(submission):
        return _with_stand_ins(submission, HEADS_PART, (ATTENTION,))
    return submission.MultiHeadAttention


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
            scope.update({name: getattr(submission, name)})
    return scope


# ---------------------------------------------------------------- what has to be replaced


def _needed(submission: SubmissionNames) -> Trouble:
    """The smallest set of parts that has to be replaced for the submission's block to run."""
    trouble = _parts_in_trouble(submission)
    own = _error(lambda: _run_block(submission, submission.TransformerBlock))
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
        if _error(lambda: attend(submission.MultiHeadAttention)) is not None:
            attend(_with_stand_ins(submission, HEADS_PART, (ATTENTION,)))

    def network() -> None:
        module = submission.placed(submission.FeedForward(d_ff=6, **sizes)).eval()
        _assert_fits(module(x).value(), x, NETWORK)

    found = {
        ATTENTION: _error(
            lambda: _assert_fits(
                submission.scaled_dot_product_attention(x, x, x).value(), x, ATTENTION
            )
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
    """What makes the submission's own class, for whose code some names mean other objects."""
    (bring,) = _brought
    make = getattr(submission, name)
    seen = attribute(attribute(make, "__init__"), "__globals__")
    return bring(submission)["using"](make, seen, dict(others))


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
