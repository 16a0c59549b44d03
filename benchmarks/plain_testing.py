"""`grader.testing` for a notebook that is its own judge: the same comparisons, plain objects.

This file is pasted into the peers' hidden test cells. Where the grader fetches by value through a
handle, a plain test takes a detached copy.
"""

import importlib
import math
import random
from contextlib import contextmanager

import torch

StudentError = Exception
Handle = object  # what types are called after


class Names:
    """What a notebook defined, by name."""

    device = "cpu"

    def __init__(self, namespace):
        self._namespace = namespace

    def __getattr__(self, name):
        if name not in self._namespace:
            raise NameError(f"{name} is not defined")
        return self._namespace[name]

    def send(self, value):
        return value

    def placed(self, module):
        return module

    def module(self, name):
        return importlib.import_module(name)

    def seed(self, seed):
        random.seed(seed)
        torch.manual_seed(seed)

    def no_grad(self):
        return torch.no_grad()


def start(seed):
    """Begin a check from a known state."""
    torch.set_grad_enabled(True)
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    random.seed(seed)
    torch.manual_seed(seed)


def fetch_tensor(thing):
    assert isinstance(thing, torch.Tensor), f"not a tensor: {type(thing).__name__}"
    dense = thing.detach() if thing.layout is torch.strided else thing.detach().to_dense()
    return dense.clone()


def fetch_value(thing):
    return tuple(thing) if isinstance(thing, torch.Size) else thing


class _Link:
    """Stands for the way to the one submission that there is."""


_LINK = _Link()


def link_of(_thing):
    return _LINK


def entered(manager):
    return manager


def elements(sequence):
    return list(sequence)


def values(things):
    return [fetch_value(thing) for thing in things]


def tensors(things):
    return [fetch_tensor(thing) for thing in things]


def tried(part):
    try:
        part()
    except Exception as error:
        return error
    return None


def in_some_way(ways):
    first = None
    for way in ways:
        error = tried(way)
        if error is None:
            return
        first = first or error
    if first is not None:
        raise first


@contextmanager
def standing_in(owner, **names):
    scope = owner.__init__.__globals__
    own = {name: scope[name] for name in names if name in scope}
    scope.update(names)
    try:
        yield
    finally:
        for name in names:
            scope.pop(name, None)
        scope.update(own)


def fail(message, expected=None, actual=None):
    raise AssertionError(f"{message}; expected {expected}, got {actual}")


def assert_equal(actual, expected, what="the result"):
    assert type(actual) is type(expected), f"{what} has the wrong type"
    assert actual == expected, f"{what}: expected {expected}, got {actual}"


def assert_shape(actual, shape, what="the result"):
    assert type(actual) is torch.Tensor, f"{what} is not a tensor"
    assert tuple(actual.shape) == tuple(shape), f"{what} has the wrong shape"


def assert_close(actual, expected, what="the result", *, rtol=1e-4, atol=1e-5):
    if isinstance(expected, (int, float)):
        assert type(actual) in (int, float), f"{what} is not a number"
        assert math.isclose(actual, expected, rel_tol=rtol, abs_tol=atol), what
        return
    assert_shape(actual, expected.shape, what)
    assert actual.dtype == expected.dtype, f"{what} has the wrong dtype"
    assert not torch.isnan(actual).any(), f"{what} contains NaN"
    if actual.is_floating_point():
        near = torch.isclose(actual.double(), expected.double(), rtol=rtol, atol=atol)
    else:
        near = actual == expected
    assert near.all(), f"{what}: {int((~near).sum())} values differ"


def differing(first, second, *, rtol=1e-4, atol=1e-5):
    wide = torch.complex128 if first.is_complex() or second.is_complex() else torch.float64
    left, right = first.to(wide), second.to(wide)
    near = torch.isclose(left, right, rtol=rtol, atol=atol)
    return ~(near | torch.isclose(right, left, rtol=rtol, atol=atol))


def assert_differs(first, second, what="the result", *, rtol=1e-4, atol=1e-5):
    assert_shape(first, second.shape, what)
    assert not torch.isnan(first).any(), f"{what} contains NaN"
    assert not torch.isnan(second).any(), f"{what} contains NaN"
    left, right = first.double(), second.double()
    near = torch.isclose(left, right, rtol=rtol, atol=atol)
    near |= torch.isclose(right, left, rtol=rtol, atol=atol)
    assert not near.all(), f"{what} does not change although it should"


class raises:  # noqa: N801 (reads like pytest.raises)
    def __init__(self, *names, what="the call"):
        self.names = names
        self.what = what

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        assert kind is not None, f"{self.what} raised nothing"
        kinds = [base.__name__ for base in kind.__mro__]
        if "NotImplementedError" in kinds and "NotImplementedError" not in self.names:
            return False
        assert set(self.names) & set(kinds), f"{self.what} raised {kind.__name__}"
        return True
