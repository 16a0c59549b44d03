"""Which combinations of layers make a complete wall."""

from __future__ import annotations

from itertools import chain, combinations

import pytest

from grader.jail.properties import (
    ALWAYS,
    LANDLOCK,
    NAMESPACES,
    PRIVILEGES,
    SECCOMP,
    USER_ID,
    missing,
    mode,
)

LAYERS = (NAMESPACES, USER_ID, LANDLOCK, SECCOMP, PRIVILEGES)


@pytest.mark.parametrize(
    "layers",
    [
        {NAMESPACES, LANDLOCK, SECCOMP, PRIVILEGES},
        {NAMESPACES, SECCOMP, PRIVILEGES},
        {LANDLOCK, SECCOMP, PRIVILEGES},
    ],
)
def test_complete(layers: set[str]) -> None:
    assert missing({*ALWAYS, *layers}) == ()


@pytest.mark.parametrize(
    ("layers", "lacking"),
    [
        ({LANDLOCK, PRIVILEGES}, {"chmod", "network", "signal", "outlive", "kernel"}),
        ({SECCOMP, PRIVILEGES}, {"read", "write"}),
        ({SECCOMP, USER_ID, PRIVILEGES}, {"read", "write"}),
        ({NAMESPACES, LANDLOCK, PRIVILEGES}, {"kernel"}),
        ({NAMESPACES, LANDLOCK, SECCOMP}, {"privileges"}),
    ],
)
def test_incomplete(layers: set[str], lacking: set[str]) -> None:
    assert {item.id for item in missing({*ALWAYS, *layers})} == lacking


def test_more_layers_never_lack_more() -> None:
    subsets = chain.from_iterable(combinations(LAYERS, size) for size in range(len(LAYERS) + 1))
    for subset in subsets:
        for layer in LAYERS:
            assert set(missing({*subset, layer})) <= set(missing(subset))


def test_without_limits_nothing_is_complete() -> None:
    assert {item.id for item in missing(LAYERS)} == {"limits"}


def test_everything_missing_says_what_would_provide_it() -> None:
    assert all(item.provide for item in missing(()))
    assert len(missing(())) == 9


def test_modes_have_names() -> None:
    assert mode({NAMESPACES, SECCOMP}) == "full"
    assert mode({LANDLOCK, SECCOMP}) == "pod"
