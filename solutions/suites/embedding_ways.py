"""Ways to build an embedding, so that one part is judged while others are unsolved or wrong.

`TransformerEmbedding` is built as it is, or with stand-ins for parts that a question does not ask
about. Where it does not work with any parts, its own parts are put together here instead.
A stand-in works, but is right in nothing that points are given for: whoever keeps one gains none.
"""

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from course.checks.working_embeddings import KINDS, assert_embeds
from grader.testing import (
    Handle,
    StudentError,
    SubmissionNames,
    in_some_way,
    standing_in,
    tried,
)

TOKENS = "tokens"
PARTS = {
    TOKENS: "TokenEmbedding",
    "sinusoidal": "SinusoidalPositionalEncoding",
    "learned": "LearnedPositionalEmbedding",
}
"""The class of each part, by what it is for: tokens, or one kind of position."""

STAND_INS = """
import torch
from torch import nn


class Tokens(nn.Module):
    '''Vectors of tokens: neither scaled nor small.'''

    def __init__(self, vocab_size, d_model, padding_idx=None):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model, padding_idx=padding_idx)

    def forward(self, tokens):
        return self.embedding(tokens)


class Places(nn.Module):
    '''Positions of any kind, in float32 and where all else is: trained, but not what is added.'''

    def __init__(self, d_model, max_len=1024):
        super().__init__()
        self.longest = max_len
        self.noise = nn.Parameter(torch.rand(2 * max_len, d_model) - 0.5)

    def forward(self, x):
        length = x.size(1)
        elsewhere = "meta" in (x.device.type, torch.empty(0).device.type)
        if elsewhere or x.dtype != torch.float32 or length == self.longest:
            raise NotImplementedError
        return x + 2 * self.noise[torch.arange(length, device=x.device) % self.longest]


class Composed(nn.Module):
    '''Tokens and positions, without dropout.'''

    def __init__(self, tokens, places):
        super().__init__()
        self.token_embedding = tokens
        self.places = places

    def forward(self, tokens):
        return self.places(self.token_embedding(tokens))
"""
"""Runs beside the submission."""

Build = Callable[..., Handle]
"""Builds an embedding from the arguments of `TransformerEmbedding`; None stands for a default."""

Verdict = Callable[[Build], None]


@dataclass(frozen=True)
class Way:
    """A way to build embeddings.

    Attributes:
        stood_in: the keys of PARTS that are not the submission's own.
        composed: whether the parts are put together here.
    """

    stood_in: frozenset[str] = frozenset()
    composed: bool = False

    def __call__(self, submission: SubmissionNames, **arguments: object) -> Handle:
        """Build one; it is where it was made, and in training mode."""
        if not (self.stood_in or self.composed):
            return submission.TransformerEmbedding(**arguments)
        made_here = submission.send({})
        submission.module("builtins").exec(STAND_INS, made_here)
        parts = {
            PARTS[part]: made_here["Tokens" if part == TOKENS else "Places"]
            for part in self.stood_in
        }
        if self.composed:
            arguments.pop("dropout", None)
            return compose(submission, made_here["Composed"], parts, **arguments)
        with standing_in(submission.TransformerEmbedding, **parts):
            return submission.TransformerEmbedding(**arguments)

    def with_other(self, kind: str) -> "Way":
        """The same with positions that are not the submission's."""
        return Way(self.stood_in | {kind}, self.composed)


def compose(
    submission: SubmissionNames,
    whole: Handle,
    parts: dict[str, Handle],
    *,
    vocab_size: int,
    d_model: int,
    positional: str = "sinusoidal",
    padding_idx: int | None = None,
    **sizes: int,
) -> Handle:
    """Put parts together, the submission's own where none stands in; nothing is dropped."""

    def part(name: str) -> Handle:
        return parts[name] if name in parts else getattr(submission, name)

    tokens = part(PARTS[TOKENS])(vocab_size, d_model, padding_idx)
    return whole(tokens, part(PARTS[positional])(d_model, **sizes))


def embedding_of(way: Way, submission: SubmissionNames, **arguments: object) -> Handle:
    """An embedding in eval mode on the device that is graded on, without dropout unless told."""
    told = {"dropout": 0.0, **arguments}
    embedding = way(
        submission, **{name: value for name, value in told.items() if value is not None}
    )
    submission.placed(embedding).eval()
    return embedding


# ---------------------------------------------------------------- which way is taken


def ways(
    submission: SubmissionNames, rng: random.Random, kind: str, asked: frozenset[str]
) -> Iterator[Way]:
    """The ways in which embeddings with this kind of position work, the submission's own first.

    Args:
        submission: whose they are.
        rng: decides what is tried.
        kind: of position.
        asked: what may not be stood in for.

    Raises:
        CheckFailed, StudentError: there is none; this is what happened in the first.
    """
    others = [part for part in (TOKENS, kind) if part not in asked]
    sets = [
        frozenset(chosen)
        for number in range(len(others) + 1)
        for chosen in itertools.combinations(others, number)
    ]
    first: Exception | None = None
    found = False
    for composed in (False, True):
        for stood_in in sets:
            way = Way(stood_in, composed)
            problem = tried(partial(assert_embeds, submission, rng, kind, way))
            if problem is None:
                found = True
                yield way
            first = first or problem
        # with other parts it works: then these are what is missing
        everything = Way(frozenset({TOKENS, kind}))
        if found or tried(partial(assert_embeds, submission, rng, kind, everything)) is None:
            break
    if not found and first is not None:
        raise first


def judge(
    submission: SubmissionNames, rng: random.Random, kind: str, part: str, verdict: Verdict
) -> None:
    """Pass a verdict on one part, in any way in which embeddings with this kind of position work.

    Raises:
        CheckFailed, StudentError: it holds in none.
    """
    found = ways(submission, rng, kind, frozenset({part}))
    in_some_way(partial(verdict, partial(embedding_of, way, submission)) for way in found)


def judge_whole(
    submission: SubmissionNames, rng: random.Random, kind: str, verdict: Verdict
) -> None:
    """Pass a verdict on everything: on the first way in which embeddings of this kind work."""
    verdict(partial(embedding_of, next(ways(submission, rng, kind, frozenset({kind}))), submission))


def judge_each_kind(
    submission: SubmissionNames,
    rng: random.Random,
    part: str,
    verdict: Callable[[Build, str], None],
) -> None:
    """Pass a verdict on a part with each kind of position that works in some way.

    Raises:
        CheckFailed, StudentError: it does not hold with one of them, or there is none.
    """
    problems = []
    for kind in KINDS:
        try:
            next(ways(submission, rng, kind, frozenset({part})))
        except (AssertionError, StudentError) as error:
            problems.append(error)
            continue
        judge(submission, rng, kind, part, lambda build, kind=kind: verdict(build, kind))
    if len(problems) == len(KINDS):
        raise problems[0]
