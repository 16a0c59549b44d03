"""Handles: how a check holds an object that lives in a submission.

A handle is opaque on purpose. Comparing, counting, iterating or adding would ask the submission for
its opinion, and a submission lies; so all of that raises `HandleMisuse`, and `.value()` and
`.tensor()` fetch plain data to compare here. `repr` is local: pytest calls it when a check fails.

A link (`links.py`) carries the operations. Nothing waits for them until a value is asked for, so
that a check costs a few trips through the wall instead of one for each attribute and call.
What the submission's code raises arrives then:

    weight = model.embedding.weight       # nothing has happened yet
    out = model(ids).tensor()             # all of it happens, in this order; errors are raised here
    with raises("ValueError"):            # waits at its end
        model(-ids)
    try:
        out = model(ids).done()           # waits, and gives the handle
    except StudentError: ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from grader.testing.crossing import TENSOR_DTYPES
from grader.testing.forms.standard import MAX_TAKEN
from grader.testing.links import Link, NotDefined, Ref, StudentError, settle
from grader.testing.operations import Op


class HandleMisuse(TypeError):
    """A check tried to let the submission decide; this is an error of the suite."""


class Handle:
    """An object in a submission. Attributes, calls and indexing give further handles.

        cart = submission.Cart("Ada")  # nothing has happened yet
        cart.add("tea", price=2.5)
        assert_close(cart.total().value(), 2.5, "the total")  # all of it happens, in this order

    It has no opinion: `cart == other`, `len(cart)` or `if cart:` raise, for the submission must not
    be asked about a verdict. Fetch what you compare.
    """

    __slots__ = ("__weakref__", "_label", "_link", "_ref")

    def __init__(self, link: Link, ref: Ref, label: str) -> None:
        object.__setattr__(self, "_link", link)
        object.__setattr__(self, "_ref", ref)
        object.__setattr__(self, "_label", label)

    def value(self) -> Any:
        """Fetch by value: plain data, tensors, arrays, frames; what else: `docs/write-a-course.md`.

        Raises:
            grader.testing.CheckFailed: it is something else, or too much.
        """
        return link_of(self).request(Op.FETCH, object=ref_of(self))

    def tensor(self) -> Any:
        """Fetch a tensor by value: a plain, detached `torch.Tensor` on the CPU.

        An array of NumPy becomes a tensor: a student may return either.

        Raises:
            grader.testing.CheckFailed: it is something else.
        """
        return _demand_tensor(self.value(), self)

    def done(self) -> Handle:
        """Wait until there is such an object, and return this handle.

        Raises:
            StudentError: the submission's code raised.
        """
        link_of(self).request(Op.AWAIT, object=ref_of(self))
        return self

    def __getattr__(self, name: str) -> Handle:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return _follow(self, f".{name}", Op.GET, name=name)

    def __setattr__(self, name: str, value: Any) -> None:
        link_of(self).tell(Op.SET, object=ref_of(self), name=name, value=lower(value))

    def __call__(self, *args: Any, **kwargs: Any) -> Handle:
        """Call it over there; arguments may be plain data, tensors and handles."""
        return _follow(self, "(…)", Op.CALL, args=lower(list(args)), kwargs=lower(kwargs))

    def __getitem__(self, key: Any) -> Handle:
        return _follow(self, "[…]", Op.ITEM, key=lower(key))

    def __repr__(self) -> str:
        return f"<submission's {label_of(self)}>"

    def __del__(self) -> None:
        link_of(self).release(ref_of(self))


COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge", "hash", "bool", "contains")
CONVERSIONS = ("len", "iter", "next", "reversed", "index", "int", "float", "complex", "round")
UNARY = ("neg", "pos", "abs", "invert")
BINARY = (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow", "matmul"),
    *("and", "or", "xor", "lshift", "rshift"),
)
OTHERS = ("enter", "exit", "setitem", "delitem", "reduce")


def _refuse(handle: Handle, *_: Any) -> NoReturn:
    raise HandleMisuse(
        f"{handle!r} is a handle: fetch it with .tensor() or .value() before using it here; "
        'operators of an object act over there: submission.module("operator").add(a, b)'
    )


for _name in (*COMPARISONS, *CONVERSIONS, *UNARY, *BINARY, *(f"r{n}" for n in BINARY), *OTHERS):
    setattr(Handle, f"__{_name}__", _refuse)


def link_of(handle: Handle) -> Link:
    """The link that a handle's object lives behind."""
    link: Link = object.__getattribute__(handle, "_link")
    return link


def ref_of(handle: Handle) -> Ref:
    """The number that a handle's object has over there."""
    ref: Ref = object.__getattribute__(handle, "_ref")
    return ref


def label_of(handle: Handle) -> str:
    """How error messages call a handle's object."""
    label: str = object.__getattribute__(handle, "_label")
    return label


def attribute(handle: Handle, name: str) -> Handle:
    """An attribute whose name a handle uses itself: `value`, `tensor` or `done`.

        counter = submission.Counter(5)
        assert_equal(attribute(counter, "value").value(), 5, "the counter's value")

    All other attributes need no help: `counter.start`.
    """
    return _follow(handle, f".{name}", Op.GET, name=name)


def _follow(handle: Handle, step: str, op: Op, **fields: Any) -> Handle:
    """A handle on what an operation on another handle's object gives."""
    link = link_of(handle)
    return Handle(link, link.defer(op, object=ref_of(handle), **fields), label_of(handle) + step)


def lower(value: Any) -> Any:
    """Replace handles by their refs inside lists, tuples and dicts that are about to be sent."""
    kind = type(value)
    if kind is Handle:
        return ref_of(value)
    if kind is list:
        return [lower(item) for item in value]
    if kind is tuple:
        return tuple(lower(item) for item in value)
    if kind is dict:
        return {key: lower(item) for key, item in value.items()}
    return value


def elements(handle: Handle) -> list[Handle]:
    """Handles on the elements of a sequence, dict (its keys) or iterator; at most 10,000.

        first, second = elements(submission.open_accounts(2))
        first.pay(3)
        assert_equal(second.left().value(), 10, "what is left on the other account")

    For values `handle.value()` is enough, and for things without an end `take`.
    """
    link = link_of(handle)
    label = label_of(handle)
    refs = link.elements(ref_of(handle))
    return [Handle(link, ref, f"{label}[{index}]") for index, ref in enumerate(refs)]


def values(handles: Iterable[Handle]) -> list[Any]:
    """Fetch several objects by value in one trip.

        small, large = values((submission.mean([1, 2]), submission.mean([10, 20])))
        assert_close(large, 10 * small, "the mean of numbers ten times as large")

    Raises:
        StudentError: the submission's code raised.
        grader.testing.CheckFailed: one of them can't cross.
    """
    handles = list(handles)
    if not handles:
        return []
    fetched: list[Any] = link_of(handles[0]).request(Op.FETCH, object=lower(handles))
    return fetched


def tensors(handles: Iterable[Handle]) -> list[Any]:
    """Fetch several tensors by value in one trip.

        first, second = tensors((submission.Layer(4, 8).weight, submission.Layer(4, 8).weight))
        assert_differs(first, second, "the weights of two layers")

    Raises:
        grader.testing.CheckFailed: one of them is something else.
    """
    handles = list(handles)
    return [
        _demand_tensor(value, handle)
        for value, handle in zip(values(handles), handles, strict=True)
    ]


def _demand_tensor(value: Any, handle: Handle) -> Any:
    value = as_tensor(value)
    if type(value).__module__ != "torch" or type(value).__name__ != "Tensor":
        from grader.testing.failure import fail

        what = f"{label_of(handle)} is not a tensor"
        fail(what, expected="a tensor", actual=type(value).__name__)
    return value


def as_tensor(value: Any) -> Any:
    """The tensor of an array that has crossed; anything else as it is."""
    if type(value).__module__ != "numpy" or not hasattr(value, "ndim"):
        return value
    import torch

    name = str(value.dtype)
    return torch.from_numpy(value.copy()) if name in TENSOR_DTYPES else value


def take(handle: Handle, count: int) -> list[Any]:
    """Fetch the first values of something that can be iterated, which need not have an end.

        assert_equal(take(submission.primes(), 4), [2, 3, 5, 7], "the first primes")

    Args:
        handle: an iterator, a generator, a sequence.
        count: how many values, at most 10,000; fewer come if there are no more.
    """
    link = link_of(handle)
    first = link.defer(Op.TAKE, object=ref_of(handle), count=min(count, MAX_TAKEN))
    fetched: list[Any] = link.request(Op.FETCH, object=first)
    return fetched


@contextmanager
def standing_in(owner: Handle, **names: Handle) -> Iterator[None]:
    """Let global names mean other objects to the code of a class, while inside.

        with standing_in(submission.Editor, Stack=submission.module("collections").deque):
            editor = submission.Editor()  # built on a sound stack, whatever the student's is like
        editor.type("a")
        assert_equal(editor.undo().value(), "a", "what is undone")

    So a check can judge a class apart from what it builds on: a submission's model made of sound
    parts. Code that took hold of an object earlier, under another name, is not reached.

    Args:
        owner: the class; the names are those that its `__init__` looks up.
        names: what they mean meanwhile.
    """
    scope = attribute(attribute(owner, "__init__"), "__globals__")
    own = {}
    for name in names:
        try:
            own[name] = scope[name].done()
        except StudentError:
            continue  # there is no such name
    scope.update(names)
    try:
        yield
    finally:
        try:
            settle()  # what raises in there must not keep the names from being put back
        finally:
            for name in names:
                scope.pop(name, None)
            scope.update(own)


@contextmanager
def entered(manager: Handle) -> Iterator[Handle]:
    """Enter a context manager over there; it is left in any case.

        with entered(submission.borrowed("atlas")) as book:
            assert_equal(book.title.value(), "atlas", "the title of what is borrowed")

    Raises:
        StudentError: the submission's code raised.
    """
    enter, leave = attribute(manager, "__enter__"), attribute(manager, "__exit__")
    inside = enter().done()
    try:
        yield inside
    finally:
        try:
            settle()  # as in `standing_in`
        finally:
            leave(None, None, None)


class SubmissionNames:
    """The `submission` fixture: the names that the notebook defined, as handles.

        submission.seed(rng.randrange(2**31))
        numbers = submission.send([3, 1, 2])  # a list over there
        submission.sort_in_place(numbers)
        assert_equal(numbers.value(), [1, 2, 3], "the list after sorting")

    A name that is not defined is found out when a value is asked for: `NotDefined`.
    """

    def __init__(self, link: Link, device: str = "cpu") -> None:
        self._link = link
        self.device = device

    def __getattr__(self, name: str) -> Handle:
        if name.startswith("__"):
            raise AttributeError(name)
        return Handle(self._link, self._link.defer(Op.NAME, name=name), name)

    def defines(self, name: str) -> bool:
        """Whether the notebook defined this name, as far as the submission says."""
        try:
            getattr(self, name).done()
        except NotDefined:
            return False
        return True

    def module(self, name: str) -> Handle:
        """A module over there: `submission.module("torch")` reaches the submission's torch."""
        return Handle(self._link, self._link.defer(Op.MODULE, name=name), name)

    def send(self, value: Any) -> Handle:
        """Put a value over there and get a handle on it."""
        return Handle(self._link, self._link.defer(Op.SEND, value=lower(value)), "value")

    def placed(self, module: Handle) -> Handle:
        """Move a module over there to the device that is graded on, where what is sent arrives."""
        if self.device != "cpu":
            module.to(self.device)
        return module

    def seed(self, seed: int) -> None:
        """Seed the random generators over there: Python's, NumPy's, torch's."""
        self._link.tell(Op.SEED, seed=seed)

    @contextmanager
    def no_grad(self) -> Iterator[None]:
        """Calls inside build no autograd graph over there."""
        self._link.tell(Op.GRAD, enabled=False)
        try:
            yield
        finally:
            self._link.tell(Op.GRAD, enabled=True)
