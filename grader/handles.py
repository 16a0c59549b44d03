"""Handles: how a check holds an object that lives in a submission.

A handle is opaque on purpose. Comparing, counting, iterating or adding would ask the submission for
its opinion, and a submission lies; so all of that raises `HandleMisuse`, and `.value()` and
`.tensor()` fetch plain data to compare here. `repr` is local: pytest calls it when a check fails.

A `Link` carries the operations: `WorkerLink` through the wall, `grader.local.LocalLink` in-process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, Protocol


class StudentError(Exception):
    """The submission's code raised. `kinds` are the class names it reports, the class first.

    `cell` and `line` are the student's own: the innermost frame that lies in a notebook cell.
    """

    def __init__(
        self,
        kinds: tuple[str, ...],
        message: str,
        *,
        cell: int | None = None,
        line: int | None = None,
        source_line: str = "",
    ) -> None:
        super().__init__(f"{kinds[0]}: {message}")
        self.kinds = kinds
        self.message = message
        self.cell = cell
        self.line = line
        self.source_line = source_line


class NotDefined(StudentError):
    """The submission defines no such name."""

    def __init__(self, name: str) -> None:
        super().__init__(("NameError",), f"{name} is not defined")
        self.name = name


class WorkerStopped(Exception):
    """The worker is gone: it crashed, hung or hit a limit. The next check gets a new one."""


class HandleMisuse(TypeError):
    """A check tried to let the submission decide; this is an error of the suite."""


class Ref:
    """The wire form of a remote object: a number that means nothing here."""

    __slots__ = ("id",)

    def __init__(self, id: int) -> None:  # noqa: A002
        self.id = id


class Link(Protocol):
    """Carries one operation to where the submission lives."""

    def request(self, op: str, **fields: Any) -> Any:
        """Perform `op`; Refs in the answer name remote objects.

        Raises:
            StudentError: the submission's code raised.
            WorkerStopped: there is no worker any more.
        """
        ...

    def release(self, ref: Ref) -> None:
        """Say that nobody holds this object any more. Never raises."""
        ...


class Handle:
    """An object in a submission. Attributes, calls and indexing give further handles."""

    __slots__ = ("__weakref__", "_label", "_link", "_ref")

    def __init__(self, link: Link, ref: Ref, label: str) -> None:
        object.__setattr__(self, "_link", link)
        object.__setattr__(self, "_ref", ref)
        object.__setattr__(self, "_label", label)

    def value(self) -> Any:
        """Fetch by value: None, numbers, strings, tensors, and lists, tuples, dicts of them."""
        return self._link.request("fetch", object=self._ref)

    def tensor(self) -> Any:
        """Fetch a tensor by value: a plain, detached `torch.Tensor` on the CPU.

        Raises:
            grader.testing.CheckFailed: it is something else.
        """
        from grader.testing import fail

        value = self.value()
        if type(value).__module__ != "torch" or type(value).__name__ != "Tensor":
            fail(f"{self._label} is not a tensor", expected="a tensor", actual=type(value).__name__)
        return value

    def __getattr__(self, name: str) -> Handle:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self._follow(f"{self._label}.{name}", "get", object=self._ref, name=name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._link.request("set", object=self._ref, name=name, value=lower(value))

    def __call__(self, *args: Any, **kwargs: Any) -> Handle:
        return self._follow(
            f"{self._label}(…)", "call", object=self._ref, args=lower(list(args)), kwargs=lower(kwargs)
        )

    def __getitem__(self, key: Any) -> Handle:
        return self._follow(f"{self._label}[…]", "item", object=self._ref, key=lower(key))

    def _follow(self, label: str, op: str, **fields: Any) -> Handle:
        return Handle(self._link, self._link.request(op, **fields), label)

    def __repr__(self) -> str:
        return f"<submission's {self._label}>"

    def __del__(self) -> None:
        # a handle that failed to build has no link
        link = getattr(type(self), "_link").__get__(self, type(self)) if _has_link(self) else None
        if link is not None:
            link.release(self._ref)

    def _refuse(self, *_: Any) -> NoReturn:
        raise HandleMisuse(
            f"{self!r} is a handle: fetch it with .tensor() or .value() before using it here"
        )

    __hash__ = None  # type: ignore[assignment]
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse  # type: ignore[assignment]
    __bool__ = __len__ = __iter__ = __contains__ = __index__ = __int__ = __float__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = _refuse
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __neg__ = __pos__ = __abs__ = __invert__ = _refuse
    __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = __round__ = __complex__ = __divmod__ = __rdivmod__ = _refuse
    __enter__ = __exit__ = __next__ = __reversed__ = __reduce__ = __delitem__ = __setitem__ = _refuse  # type: ignore[assignment]


def _has_link(handle: Handle) -> bool:
    try:
        object.__getattribute__(handle, "_link")
    except AttributeError:
        return False
    return True


def lower(value: Any) -> Any:
    """Replace handles by their refs inside lists, tuples, dicts and slices that are about to be sent."""
    kind = type(value)
    if kind is Handle:
        return object.__getattribute__(value, "_ref")
    if kind is list:
        return [lower(item) for item in value]
    if kind is tuple:
        return tuple(lower(item) for item in value)
    if kind is dict:
        return {key: lower(item) for key, item in value.items()}
    return value


def elements(handle: Handle) -> list[Handle]:
    """Handles on the elements of a sequence, dict (its keys) or iterator; at most 10,000."""
    link = object.__getattribute__(handle, "_link")
    label = object.__getattribute__(handle, "_label")
    refs = link.request("elements", object=object.__getattribute__(handle, "_ref"))
    return [Handle(link, ref, f"{label}[{index}]") for index, ref in enumerate(refs)]


class SubmissionNames:
    """The `submission` fixture: the names that the notebook defined, as handles."""

    def __init__(self, link: Link, device: str = "cpu") -> None:
        self._link = link
        self.device = device

    def __getattr__(self, name: str) -> Handle:
        if name.startswith("__"):
            raise AttributeError(name)
        return Handle(self._link, self._link.request("name", name=name), name)

    def defines(self, name: str) -> bool:
        """Whether the notebook defined this name, as far as the submission says."""
        try:
            getattr(self, name)
        except NotDefined:
            return False
        return True

    def module(self, name: str) -> Handle:
        """A module over there: `submission.module("torch")` reaches the submission's torch."""
        return Handle(self._link, self._link.request("module", name=name), name)

    def send(self, value: Any) -> Handle:
        """Put a value over there and get a handle on it."""
        return Handle(self._link, self._link.request("send", value=lower(value)), "value")

    def seed(self, seed: int) -> None:
        """Seed the random generators over there: Python's, NumPy's, torch's."""
        self._link.request("seed", seed=seed)

    @contextmanager
    def no_grad(self) -> Iterator[None]:
        """Calls inside build no autograd graph over there."""
        self._link.request("grad", enabled=False)
        try:
            yield
        finally:
            self._link.request("grad", enabled=True)
