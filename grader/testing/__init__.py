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

The standard library and pytest only; torch, NumPy and pandas when a value of theirs is compared:
students have this file too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from grader.testing.comparisons import (
    assert_close,
    assert_differs,
    assert_equal,
    assert_shape,
    differing,
)
from grader.testing.data import data_path
from grader.testing.effects import Folder, Printed, drawn, in_folder, printed, printing
from grader.testing.failure import CheckFailed, fail
from grader.testing.forms.described import Member, NamedValues, Raised, Record
from grader.testing.handles import (
    Handle,
    SubmissionNames,
    attribute,
    elements,
    entered,
    standing_in,
    take,
    tensors,
    values,
)
from grader.testing.links import NotDefined, StudentError, WorkerStopped, settle

__all__ = [
    "CheckFailed",
    "Folder",
    "Handle",
    "Member",
    "NamedValues",
    "NotDefined",
    "Printed",
    "Raised",
    "Record",
    "StudentError",
    "SubmissionNames",
    "WorkerStopped",
    "assert_close",
    "assert_differs",
    "assert_equal",
    "assert_shape",
    "attribute",
    "check",
    "data_path",
    "differing",
    "drawn",
    "elements",
    "entered",
    "fail",
    "in_folder",
    "in_some_way",
    "parameters",
    "printed",
    "printing",
    "raises",
    "settle",
    "standing_in",
    "take",
    "tensors",
    "tried",
    "values",
]

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

        class TestMean:
            '''Means of numbers'''

            @check(points=2, hint="Divide by how many there are.", timeout_s=5)
            def test_mean(self, submission):
                '''The mean of three numbers'''
                assert_close(submission.mean([1, 2, 6]).value(), 3.0, "the mean")

    In a lesson in one file it is not needed: there the marker of the cell says all this.

    Args:
        points: what passing it earns; the variants of a parametrised check share it equally;
            0 in a class that says `practice = True`: it helps in the notebook and is not graded.
        hint: one sentence that helps a student who failed, without giving the solution away.
        requires: name or names of test functions of the same assignment that must pass first.
        timeout_s: seconds this check may take, if not the course's limit.
        devices: where it makes sense: `"cpu"`, `"cuda"`.
    """

    def mark(function: F) -> F:
        needed = (requires,) if isinstance(requires, str) else tuple(requires)
        spec = CheckSpec(float(points), hint, needed, timeout_s, tuple(devices))
        function.__grader_check__ = spec  # type: ignore[attr-defined]
        return function

    return mark


def tried(part: Callable[[], object]) -> Exception | None:
    """Do one part of a check to its end: why it failed, or None if it holds.

        if tried(lambda: submission.Counter(start=5).done()) is not None:
            fail("Counter can't be told where to start", expected="Counter(start=5)")

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

        account = submission.Account(10)
        in_some_way((
            lambda: assert_equal(account.balance.value(), 10, "the balance"),
            lambda: assert_equal(account.balance().value(), 10, "the balance"),  # a method
        ))

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

        found = parameters(submission.Layer(4, 8))
        assert_equal(sum(value.numel() for _, value in found), 40, "the number of parameters")

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
    """Demand that what is done inside raises one of these exceptions.

        with raises("ValueError", "IndexError", what="an empty list"):
            submission.largest([])

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
