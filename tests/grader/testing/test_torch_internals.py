"""torch's own rooms move from release to release: what is taken from them has a public way beside."""

from __future__ import annotations

import importlib
import types
from collections.abc import Iterator

import pytest
import torch

from grader.testing.torch_internals import (
    COMPILER,
    FIRST_USES,
    determinism_switch,
    grad_switch,
)


@pytest.fixture(params=["as it is", "without its internals"])
def some_torch(request: pytest.FixtureRequest) -> Iterator[types.ModuleType]:
    found = torch
    if request.param != "as it is":
        found = types.ModuleType("torch")
        found.set_grad_enabled = torch.set_grad_enabled
        found.use_deterministic_algorithms = torch.use_deterministic_algorithms
    yield found
    torch.set_grad_enabled(True)
    torch.use_deterministic_algorithms(False)


def test_gradients_can_be_switched(some_torch: types.ModuleType) -> None:
    for enabled in (False, True):
        grad_switch(some_torch)(enabled)
        assert torch.is_grad_enabled() is enabled


def test_determinism_can_be_switched(some_torch: types.ModuleType) -> None:
    for enabled in (True, False):
        determinism_switch(some_torch)(enabled)
        assert torch.are_deterministic_algorithms_enabled() is enabled


def test_this_torch_has_a_compiler_of_that_name() -> None:
    assert importlib.util.find_spec(COMPILER) is not None


def test_some_first_uses_are_there() -> None:
    assert any(importlib.util.find_spec(name) for name in FIRST_USES)
