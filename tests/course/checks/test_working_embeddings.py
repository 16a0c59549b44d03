"""Embeddings that look tokens up and tell places apart are seen to work, and no others."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import torch
from torch import Tensor

import solutions.tiny_transformer as reference
from course.checks.working_embeddings import KINDS, assert_embeds, working_kinds
from grader.testing.handles import SubmissionNames
from grader.testing.local import LocalLink


class Edited(reference.TransformerEmbedding):
    """The reference, in parts."""

    def vectors(self, tokens: Tensor) -> Tensor:
        return self.token_embedding(tokens)

    def places(self, x: Tensor) -> Tensor:
        return self.position(x) - x

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.vectors(tokens)
        return x + self.places(x)


class NoTokens(Edited):
    def vectors(self, tokens: Tensor) -> Tensor:
        return 0 * super().vectors(tokens)


class NoiseForTokens(Edited):
    def vectors(self, tokens: Tensor) -> Tensor:
        return torch.randn_like(super().vectors(tokens))


class NumbersForTokens(Edited):
    def vectors(self, tokens: Tensor) -> Tensor:
        return tokens.unsqueeze(-1) + 0 * super().vectors(tokens)


class BesideAConstant(Edited):
    def places(self, x: Tensor) -> Tensor:
        return 1e7 + super().places(x)


class NoPlaces(Edited):
    def places(self, x: Tensor) -> Tensor:
        return 0 * x


class OnePlace(Edited):
    def places(self, x: Tensor) -> Tensor:
        return super().places(x)[:, :1]


class NumbersForPlaces(Edited):
    def places(self, x: Tensor) -> Tensor:
        return torch.arange(x.size(1)).unsqueeze(1) + 0 * x


def submission(embedding: type) -> SubmissionNames:
    return SubmissionNames(LocalLink({"TransformerEmbedding": embedding}))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "embedding",
    [NoTokens, NoiseForTokens, NumbersForTokens, BesideAConstant, NoPlaces, NumbersForPlaces],
)
def test_what_only_looks_like_an_embedding_is_seen(embedding: type, kind: str) -> None:
    with pytest.raises(AssertionError):
        assert_embeds(submission(embedding), Random(0), kind)


def test_waves_that_are_the_same_everywhere_are_seen() -> None:
    with pytest.raises(AssertionError):
        assert_embeds(submission(OnePlace), Random(0), "sinusoidal")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("embedding", [reference.TransformerEmbedding, Edited])
def test_right_embeddings_work_whatever_is_drawn(embedding: type, seed: int) -> None:
    assert working_kinds(submission(embedding), Random(seed)) == list(KINDS)


def test_one_kind_that_does_not_work_costs_no_other() -> None:
    class LearnedAlone(Edited):
        def __init__(self, *args: Any, positional: str = "sinusoidal", **kwargs: Any) -> None:
            if positional != "learned":
                raise NotImplementedError
            super().__init__(*args, positional=positional, **kwargs)

    assert working_kinds(submission(LearnedAlone), Random(0)) == ["learned"]
