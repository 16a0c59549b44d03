"""The objects of a submission and the operations a check may perform on them.

One `ObjectServer` serves a submission's namespace: in a worker behind the wall (`serve.py`) or in a
student's own notebook (`local.py`). Functions that reset torch are looked up when this module is
imported, before any cell has run, so that a patched `torch.manual_seed` changes nothing here.

Standard library only; torch and NumPy are used when they are there.
"""

from __future__ import annotations

import builtins
import importlib
import itertools
import random
import re
import sys
import traceback
from collections.abc import Callable
from typing import Any

from grader.testing import forms
from grader.testing.crossing import MAX_DEPTH
from grader.testing.forms.described import Member, NamedValues, Record, fields_of, name_of
from grader.testing.forms.parts import Unsendable
from grader.testing.forms.standard import taken
from grader.testing.links import Ref
from grader.testing.operations import Op
from grader.testing.terminal import Keyboard, Screen
from grader.testing.torch_internals import determinism_switch, grad_switch

MAX_ELEMENTS = 10_000
MAX_MESSAGE = 2_000
MAX_KINDS = 8
MAX_NAME = 200
CELL_FILE = re.compile(r"<cell (\d+)>|<ipython-input-.*|.*[/\\]ipykernel_\d+[/\\].*")
"""A notebook's cell in a traceback: numbered in a grading, a temporary file in Jupyter itself."""


def cell_file(number: int) -> str:
    """The file name that tracebacks show for a notebook's code cell."""
    return f"<cell {number}>"


class NameNotDefined(Exception):
    """The notebook defined no such name."""


class _TorchState:
    """torch's process-wide switches, by functions captured before any student code ran."""

    def __init__(self) -> None:
        torch = sys.modules.get("torch")
        self.torch = torch
        if torch is not None:
            # torch.manual_seed would render a traceback for each kind of device that is not there
            self.seed_cpu = torch.default_generator.manual_seed
            self.cuda_in_use = torch.cuda.is_initialized
            self.seed_cuda = torch.cuda.manual_seed_all
            self.set_grad_enabled = grad_switch(torch)
            self.set_default_dtype = torch.set_default_dtype
            self.set_default_device = torch.set_default_device
            self.set_num_threads = torch.set_num_threads
            self.use_deterministic_algorithms = determinism_switch(torch)
            self.float32 = torch.float32

    def seed(self, seed: int) -> None:
        if self.torch is not None:
            self.seed_cpu(seed)
            if self.cuda_in_use():
                self.seed_cuda(seed)

    def reset(self) -> None:
        if self.torch is not None:
            self.set_grad_enabled(True)
            self.set_default_dtype(self.float32)
            self.set_default_device(None)
            self.set_num_threads(1)
            self.use_deterministic_algorithms(False)

    def grad(self, enabled: bool) -> None:
        if self.torch is not None:
            self.set_grad_enabled(enabled)


class ObjectServer:
    """Performs operations on the objects reachable from one namespace.

    Args:
        namespace: the notebook's globals.
        device: where tensors that arrive are put: `"cpu"` or a CUDA device.
    """

    def __init__(self, namespace: dict[str, Any], *, device: str = "cpu") -> None:
        self.namespace = namespace
        self.device = device
        self._objects: dict[int, Any] = {}
        self._torch = _TorchState()
        self._random_seed = random.seed
        self._numpy_seed = _numpy_seed()
        self._terminals: list[tuple[Any, Any, Any]] = []
        self._operations: dict[str, Callable[..., Any]] = {
            Op.NAME: self._name,
            Op.MODULE: self._module,
            Op.GET: self._get,
            Op.SET: self._set,
            Op.ITEM: self._item,
            Op.CALL: self._call,
            Op.AWAIT: self._await,
            Op.FETCH: self._fetch,
            Op.ELEMENTS: self._elements,
            Op.TAKE: self._take,
            Op.SEND: self._send,
            Op.LISTEN: self._listen,
            Op.HEARD: self._heard,
            Op.SEED: self._seed,
            Op.GRAD: self._grad,
            Op.RESET: self._reset,
            Op.RELEASE: self._release,
        }

    # ------------------------------------------------------------ references

    def lift(self, value: Any) -> Any:
        """Replace refs by their objects and place tensors on the device, inside containers."""
        kind = type(value)
        if kind is Ref:
            if value.id not in self._objects:
                raise LookupError("an earlier step of this check has failed")
            return self._objects[value.id]
        if kind is list:
            return [self.lift(item) for item in value]
        if kind is tuple:
            return tuple(self.lift(item) for item in value)
        if kind is dict:
            return {key: self.lift(item) for key, item in value.items()}
        torch = self._torch.torch
        if torch is not None and kind is torch.Tensor and self.device != "cpu":
            return value.to(self.device)
        return value

    # ------------------------------------------------------------ operations

    def perform(self, op: str, **fields: Any) -> Any:
        """Perform one operation: plain data comes back; exceptions of the code pass.

        Those that give an object keep it under the number `into`, by which a `Ref` names it.
        """
        return self._operations[op](**fields)

    def _name(self, name: str, into: int) -> None:
        if name not in self.namespace:
            raise NameNotDefined(name)
        self._objects[into] = self.namespace[name]

    def _module(self, name: str, into: int) -> None:
        self._objects[into] = importlib.import_module(name)

    def _get(self, object: Any, name: str, into: int) -> None:  # noqa: A002
        self._objects[into] = getattr(self.lift(object), name)

    def _set(self, object: Any, name: str, value: Any) -> None:  # noqa: A002
        setattr(self.lift(object), name, self.lift(value))

    def _item(self, object: Any, key: Any, into: int) -> None:  # noqa: A002
        self._objects[into] = self.lift(object)[self.lift(key)]

    def _call(self, object: Any, args: list[Any], kwargs: dict[str, Any], into: int) -> None:  # noqa: A002
        self._objects[into] = self.lift(object)(*self.lift(args), **self.lift(kwargs))

    def _await(self, object: Any) -> None:  # noqa: A002
        self.lift(object)

    def _fetch(self, object: Any) -> Any:  # noqa: A002
        return plain(self.lift(object))

    def _elements(self, object: Any, into: int) -> int:  # noqa: A002
        items = list(itertools.islice(iter(self.lift(object)), MAX_ELEMENTS + 1))
        if len(items) > MAX_ELEMENTS:
            raise ValueError(f"more than {MAX_ELEMENTS} elements")
        self._objects.update(enumerate(items, into))
        return len(items)

    def _take(self, object: Any, count: int, into: int) -> None:  # noqa: A002
        self._objects[into] = taken(self.lift(object), count)

    def _send(self, value: Any, into: int) -> None:
        self._objects[into] = self.lift(value)

    def _listen(self, typed: list[str] | None) -> None:
        self._terminals.append((sys.stdout, sys.stdin, builtins.input))
        screen = sys.stdout = Screen()
        if typed is not None:
            sys.stdin = keyboard = Keyboard(typed, screen)
            builtins.input = keyboard.input

    def _heard(self, into: int) -> None:
        listening = sys.stdout
        if self._terminals:
            sys.stdout, sys.stdin, builtins.input = self._terminals.pop()
        self._objects[into] = listening.getvalue() if type(listening) is Screen else ""

    def _seed(self, seed: int) -> None:
        self._random_seed(seed)
        if self._numpy_seed is not None:
            self._numpy_seed(seed % 2**32)
        self._torch.seed(seed)

    def _grad(self, enabled: bool) -> None:
        self._torch.grad(enabled)

    def _reset(self, seed: int) -> None:
        self._objects.clear()
        if self._terminals:
            sys.stdout, sys.stdin, builtins.input = self._terminals[0]
            self._terminals.clear()
        self._torch.reset()
        self._seed(seed)

    def _release(self, refs: list[int]) -> None:
        for number in refs:
            self._objects.pop(number, None)


def _numpy_seed() -> Callable[[int], None] | None:
    numpy = sys.modules.get("numpy")
    return None if numpy is None else numpy.random.seed


# ---------------------------------------------------------------- values

LEAVES = frozenset({bool, int, float, str, bytes, type(None)})


def plain(value: Any, depth: int = 0) -> Any:
    """Take off what is a student's or a library's own, inside containers: what is left can cross.

    NumPy's numbers become Python's: a student may return either, and a check should not have to
    care. Neither do dicts and lists of their own classes differ from plain ones. An iterator is
    gone through, up to a limit.

    Raises:
        Unsendable: it has no end, or is somebody's own object in a set or as a key.
    """
    kind = type(value)
    if kind in LEAVES or depth > MAX_DEPTH:  # what lies deeper is refused by whoever walks it
        return value
    depth += 1
    if kind is list:
        return [plain(item, depth) for item in value]
    if kind is tuple:
        return tuple(plain(item, depth) for item in value)
    if kind is dict:
        return {_plain_key(key, depth): plain(item, depth) for key, item in value.items()}
    if kind in (set, frozenset):
        return kind(_plain_key(item, depth) for item in value)
    if kind is Record:
        fields = fields_of(value).items()
        return Record(name_of(value), {name: plain(item, depth) for name, item in fields})
    if kind is NamedValues:
        items = tuple(plain(item, depth) for item in value)
        return NamedValues(name_of(value), value._fields, items)
    if kind is Member:
        return Member(value.enumeration, value.name, plain(value.value, depth))
    found = forms.neutral(value)
    return value if found is value else plain(found, depth)


def _plain_key(key: Any, depth: int) -> Any:
    found = plain(key, depth)
    if type(found) is Record:
        name = name_of(found)
        raise Unsendable(f"a {name} in a set or as a key can't cross", "use a list or a tuple")
    return found


# ---------------------------------------------------------------- errors


def describe_error(error: BaseException) -> dict[str, Any]:
    """Say of an exception: its class names, message, and the innermost line in a notebook cell."""
    cell, line, source_line = _innermost_cell_line(error)
    return {
        "kinds": [base.__name__[:MAX_NAME] for base in type(error).__mro__[:MAX_KINDS]],
        "message": _message(error),
        "cell": cell,
        "line": line,
        "source_line": source_line,
    }


def _message(error: BaseException) -> str:
    try:
        return str(error)[:MAX_MESSAGE]
    except BaseException:
        return "(its message can't be shown)"


def _innermost_cell_line(error: BaseException) -> tuple[int | None, int | None, str]:
    place: tuple[int | None, int | None, str] = (None, None, "")
    if isinstance(error, SyntaxError) and (match := CELL_FILE.fullmatch(error.filename or "")):
        return _number(match), error.lineno, (error.text or "").rstrip("\n")[:200]
    try:
        # the deepest frames matter, and a recursion error has thousands
        frames = traceback.extract_tb(error.__traceback__, limit=-200)
    except BaseException:
        return place
    for frame in frames:
        if match := CELL_FILE.fullmatch(frame.filename):
            place = (_number(match), frame.lineno, (frame.line or "")[:200])
    return place


def _number(match: re.Match[str]) -> int | None:
    return int(match[1]) if match[1] else None
