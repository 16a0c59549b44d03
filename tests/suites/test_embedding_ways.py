"""Embeddings are judged in ways that do without what is unsolved, and in no others."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

import solutions.tiny_transformer.embeddings as reference
from grader.testing import StudentError
from grader.testing.handles import SubmissionNames
from grader.testing.local import LocalLink

SUITES = Path(__file__).parents[2] / "solutions" / "suites"
SOURCE = Path(reference.__file__).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def embedding_ways() -> Iterator[ModuleType]:
    sys.path.insert(0, str(SUITES))
    try:
        import embedding_ways

        yield embedding_ways
    finally:
        sys.path.remove(str(SUITES))


def submission(**changes: Any) -> SubmissionNames:
    """The reference in a namespace of its own, with other parts; None is left out."""
    names: dict[str, Any] = {"__name__": "notebook"}
    exec(SOURCE, names)
    for name, part in changes.items():
        names[name] = part
        if part is None:
            del names[name]
    return SubmissionNames(LocalLink(names))


def found(module: ModuleType, names: SubmissionNames, kind: str, *asked: str) -> list[Any]:
    return list(module.ways(names, Random(0), kind, frozenset(asked)))


def test_what_works_is_first_judged_as_it_is(embedding_ways: ModuleType) -> None:
    ways = found(embedding_ways, submission(), "learned", "tokens")
    assert ways[0] == embedding_ways.Way()
    assert not any(way.composed or "tokens" in way.stood_in for way in ways)


@pytest.mark.parametrize("kind", ["sinusoidal", "learned"])
def test_unsolved_tokens_are_stood_in_for_unless_asked_for(
    embedding_ways: ModuleType, kind: str
) -> None:
    names = submission(TokenEmbedding=None)
    ways = found(embedding_ways, names, kind, kind)
    assert [way.stood_in for way in ways] == [{"tokens"}]
    with pytest.raises((AssertionError, StudentError)):
        found(embedding_ways, names, kind, "tokens")


def test_unsolved_positions_are_stood_in_for_unless_asked_for(embedding_ways: ModuleType) -> None:
    names = submission(SinusoidalPositionalEncoding=None)
    ways = found(embedding_ways, names, "sinusoidal", "tokens")
    assert [way.stood_in for way in ways] == [{"sinusoidal"}]
    with pytest.raises((AssertionError, StudentError)):
        found(embedding_ways, names, "sinusoidal", "sinusoidal")


class Unsolved(nn.Module):
    def __init__(self, *sizes: int, **options: object) -> None:
        raise NotImplementedError


@pytest.mark.parametrize("whole", [None, Unsolved])
def test_parts_are_put_together_only_where_the_whole_is_unsolved(
    embedding_ways: ModuleType, whole: Any
) -> None:
    names = submission(TransformerEmbedding=whole)
    ways = found(embedding_ways, names, "sinusoidal", "sinusoidal")
    assert ways[0] == embedding_ways.Way(composed=True)
    names = submission(SinusoidalPositionalEncoding=None)
    assert not any(way.composed for way in found(embedding_ways, names, "sinusoidal", "tokens"))


def test_what_stands_in_is_seen_to_work_whatever_it_draws(embedding_ways: ModuleType) -> None:
    unsolved = dict.fromkeys(embedding_ways.PARTS.values())
    for seed in range(2):
        torch.manual_seed(seed)
        for kind in embedding_ways.KINDS:
            assert found(embedding_ways, submission(**unsolved), kind)
