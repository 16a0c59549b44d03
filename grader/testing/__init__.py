"""What a suite imports: the `check` decorator, comparisons that explain themselves, remote objects.

    from grader.testing import assert_close, check

    class TestScale:
        '''Token vectors are scaled'''                    # a class is a question; this is its title

        @check(points=2, hint="Multiply by sqrt(d_model).")
        def test_difference_of_two_tokens(self, submission, rng):
            '''The difference of two outputs is sqrt(d_model) times that of the rows'''
            ...

A check sees three fixtures (and pytest's own: suites may define more):

- `submission`: the student's names as handles. `submission.TransformerEmbedding(100, 16)` builds
  one over there and gives a handle on it; `.tensor()` and `.value()` fetch by value.
- `reference`: the reference package, ordinary Python.
- `rng`: a `random.Random`, seeded anew for every check; `rng.randrange(2**31)` seeds torch.

The standard library and pytest only, torch when a tensor is compared: students have this file too.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from grader.testing.excerpts import excerpt
from grader.testing.failure import CheckFailed, fail
from grader.testing.handles import (
    Handle,
    SubmissionNames,
    attribute,
    elements,
    entered,
    standing_in,
    tensors,
    values,
)
from grader.testing.links import NotDefined, StudentError, WorkerStopped, settle

__all__ = [
    "CheckFailed",
    "Handle",
    "NotDefined",
    "StudentError",
    "SubmissionNames",
    "WorkerStopped",
    "assert_close",
    "assert_differs",
    "assert_equal",
    "assert_shape",
    "attribute",
    "check",
    "differing",
    "elements",
    "entered",
    "fail",
    "in_some_way",
    "parameters",
    "raises",
    "settle",
    "standing_in",
    "tensors",
    "tried",
    "values",
]

RTOL, ATOL = 1e-4, 1e-5
"""The ruler: what is forgiven in proportion to a value's size, and in any case."""

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True)
class CheckSpec:
    """What `check` was told; read by `grader.testing.suites`."""

    points: float
    hint: str
    requires: tuple[str, ...]
    timeout_s: float | None
    devices: tuple[str, ...]
    public: bool | None = None
    """None: the folder that its file lies in says so."""

    def told(self, *, public: bool, hint: str) -> CheckSpec:
        """The same with what stands in a lesson beside it; a hint of its own stays."""
        return replace(self, public=public, hint=self.hint or hint)


def check(
    *,
    points: float,
    hint: str = "",
    requires: Sequence[str] = (),
    timeout_s: float | None = None,
    devices: Sequence[str] = ("cpu",),
) -> Callable[[F], F]:
    """Mark a test as a check that earns points. Its docstring's first line is its title.

    Args:
        points: what passing it earns; the variants of a parametrised check share it equally;
            0 in a class that says `practice = True`: it helps in the notebook and is not graded.
        hint: one sentence that helps a student who failed, without giving the solution away.
        requires: names of test functions of the same assignment that must pass first.
        timeout_s: seconds this check may take, if not the course's limit.
        devices: where it makes sense: `"cpu"`, `"cuda"`.
    """

    def mark(function: F) -> F:
        spec = CheckSpec(float(points), hint, tuple(requires), timeout_s, tuple(devices))
        function.__grader_check__ = spec  # type: ignore[attr-defined]
        return function

    return mark


def about(what: str, said: str) -> str:
    """`the vectors: not as expected`: words that suit one and many, whatever `what` is.

    Args:
        what: as the author of a check calls it, perhaps for the middle of a sentence: with a comma.
        said: what is to be said of it.
    """
    return f"{what.rstrip(', ')}: {said}"


def assert_equal(actual: object, expected: object, what: str = "the result") -> None:
    """Compare plain values of one exact type: numbers, strings, tuples, lists, dicts of them."""
    if type(actual) is not type(expected):
        fail(
            about(what, "the wrong type"),
            expected=f"{type(expected).__name__} {excerpt(expected)}",
            actual=f"{type(actual).__name__} {excerpt(actual)}",
        )
    if actual != expected:
        fail(about(what, "not as expected"), expected=expected, actual=actual)


def assert_shape(tensor: Any, shape: Sequence[int], what: str = "the result") -> None:
    """Compare a fetched tensor's shape with a tuple of sizes."""
    actual = tuple(_tensor(tensor, what).shape)
    if actual != tuple(shape):
        fail(about(what, "the wrong shape"), expected=tuple(shape), actual=actual)


def assert_close(
    actual: Any,
    expected: Any,
    what: str = "the result",
    *,
    rtol: float = RTOL,
    atol: float = ATOL,
) -> None:
    """Compare tensors or numbers: type, shape, dtype and finiteness first, then the values.

    An infinity is equal to the same infinity; NaN is never equal to anything.
    The default tolerances admit fused and reordered float32 arithmetic.

    What is forgiven grows with `expected`. Where that comes from the submission, too, the
    submission chooses how much: such a check has a twin with `assert_differs`.
    """
    if isinstance(expected, (int, float)) and not isinstance(expected, bool):
        _assert_number_close(actual, float(expected), what, rtol, atol)
        return
    import torch

    _tensor(actual, what)
    assert_shape(actual, tuple(expected.shape), what)
    if actual.dtype != expected.dtype:
        fail(about(what, "the wrong dtype"), expected=expected.dtype, actual=actual.dtype)
    if torch.isnan(actual).any():
        fail(about(what, "NaN is in there"))
    if actual.is_floating_point() or actual.is_complex():
        wide = torch.complex128 if actual.is_complex() else torch.float64
        left, right = actual.to(wide), expected.to(wide)
        near = torch.isclose(left, right, rtol=rtol, atol=atol)
    else:
        left, right = actual, expected
        near = left == right
    if not bool(near.all()):
        place = tuple(int(i) for i in (~near).nonzero()[0])
        wrong = int((~near).sum())
        fail(
            about(
                what, f"not as expected, {wrong} of {near.numel()} values differ, first at {place}"
            ),
            expected=right[place].item(),
            actual=left[place].item(),
        )


def assert_differs(
    first: Any,
    second: Any,
    what: str = "the result",
    *,
    rtol: float = RTOL,
    atol: float = ATOL,
) -> None:
    """Demand that two fetched tensors of one shape differ: the twin of every "must not change".

    This and `assert_close` are two sides of one ruler: what `assert_close` forgives for values of
    this size, whichever of the two is expected, is no difference here. So neither tiny noise nor
    small changes of something huge are ever "the same" in one check and "different" in its twin.
    """
    import torch

    _tensor(first, what)
    _tensor(second, what)
    assert_shape(first, tuple(second.shape), what)
    if torch.isnan(first).any() or torch.isnan(second).any():
        fail(about(what, "NaN is in there"))
    if not bool(differing(first, second, rtol=rtol, atol=atol).any()):
        fail(about(what, "no change although there should be one"))


def differing(first: Any, second: Any, *, rtol: float = RTOL, atol: float = ATOL) -> Any:
    """Where two tensors differ by more than `assert_close` forgives: a bool tensor of their shape.

    For checks that demand a change in some places and none in others.

    Args:
        first: a fetched tensor.
        second: another one, of a shape that broadcasts with it.
        rtol: forgiven in proportion to the larger one of two values.
        atol: forgiven in any case.
    """
    import torch

    wide = torch.complex128 if first.is_complex() or second.is_complex() else torch.float64
    left, right = first.to(wide), second.to(wide)
    # |left - right| <= atol + rtol * max(|left|, |right|); an infinity equals itself alone
    near = torch.isclose(left, right, rtol=rtol, atol=atol)
    return ~(near | torch.isclose(right, left, rtol=rtol, atol=atol))


def tried(part: Callable[[], object]) -> Exception | None:
    """Do one part of a check to its end: why it failed, or None if it holds.

    For a check that has several ways to find something out.
    """
    try:
        part()
        settle()
    except (AssertionError, StudentError) as error:
        with contextlib.suppress(StudentError):
            settle()
        return error
    return None


def in_some_way(ways: Iterable[Callable[[], object]]) -> None:
    """Do a part of a check in one way after the other until it holds in one.

    Raises:
        AssertionError, StudentError: it holds in none; this is what the first way raised.
    """
    first: Exception | None = None
    for way in ways:
        error = tried(way)
        if error is None:
            return
        first = first or error
    if first is not None:
        raise first


def parameters(module: Handle, *inputs: Any) -> list[tuple[Handle, Any]]:
    """A module's parameters, each with its value.

    Args:
        module: a `torch.nn.Module` over there.
        inputs: what it can be called with: lazy parameters (`nn.LazyLinear`) have no values
            before a first call.
    """
    found: list[tuple[Handle, Any]] = []

    def fetch() -> None:
        handles = elements(module.parameters())
        found[:] = zip(handles, tensors(handles), strict=True)

    error = tried(fetch)
    if error is not None and inputs and tried(lambda: module(*inputs).done()) is None:
        error = tried(fetch)
    if error is not None:
        raise error
    return found


class raises:  # noqa: N801 (reads like pytest.raises)
    """`with raises("ValueError", "IndexError"): submission.f(-1)` demands one of these exceptions.

    Names are matched against the exception's class and its bases, as the submission reports them.
    An unfinished stub does not count: NotImplementedError is a RuntimeError by birth.
    """

    def __init__(self, *names: str, what: str = "the call") -> None:
        self.names = names
        self.what = what

    def __enter__(self) -> raises:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if error is not None:
            return self._expects(error)
        try:
            settle()
        except StudentError as late:
            if not self._expects(late):
                raise
            return True
        wanted = " or ".join(self.names)
        raise CheckFailed(f"{self.what} raised nothing", expected=wanted, actual="no exception")

    def _expects(self, error: BaseException) -> bool:
        """Whether it is one of these; False if that is none of our business."""
        if not isinstance(error, StudentError) or isinstance(error, NotDefined):
            return False
        if "NotImplementedError" in error.kinds and "NotImplementedError" not in self.names:
            return False
        if not set(self.names) & set(error.kinds):
            wanted = " or ".join(self.names)
            fail(f"{self.what} raised the wrong exception", expected=wanted, actual=error.kinds[0])
        return True


def _tensor(value: Any, what: str) -> Any:
    import torch

    if type(value) is not torch.Tensor:
        fail(about(what, "not a tensor"), expected="a tensor", actual=type(value).__name__)
    return value


def _assert_number_close(actual: Any, expected: float, what: str, rtol: float, atol: float) -> None:
    if type(actual) not in (int, float):
        fail(about(what, "not a number"), expected=expected, actual=type(actual).__name__)
    if not math.isclose(actual, expected, rel_tol=rtol, abs_tol=atol):
        fail(about(what, "not as expected"), expected=expected, actual=actual)
