"""What may cross the wall by value, and in which words everything else is refused.

`protocol.Encoder` makes bytes of it for a worker. `Copier` makes a copy of it in a student's own
notebook, where no wall is: what a check gives and what it gets mean the same in both places.

Standard library only, for students have this file; torch is used when the process has imported it.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, ClassVar

from grader.testing.links import Ref

MAX_FRAME = 64 << 20
MAX_NODES = 200_000
MAX_DEPTH = 16
MAX_STR = 1 << 20
MAX_DIMS = 12
MAX_ODD_KEYS = 1024
"""Most entries of a dict whose keys are not strings: integers can be chosen to collide."""
MAX_ALL_ODD_KEYS = 16 * MAX_ODD_KEYS
"""Most such entries of all dicts of a frame together."""
MAX_KEY_PARTS = 64
"""Most values in a key that is a tuple: those that collide are compared part by part."""
NODES_OF_A_TENSOR = 10
"""As how many plain values a tensor counts: it takes as long to make one."""

TENSOR_DTYPES = {
    "float32": 4, "float64": 8, "float16": 2, "bfloat16": 2, "int64": 8, "int32": 4, "int16": 2,
    "int8": 1, "uint8": 1, "bool": 1, "complex64": 8, "complex128": 16,
}  # fmt: skip
"""Dtypes that cross by value, with their bytes an element."""


class Unsendable(Exception):
    """A value that can't cross, said in words for the author of the check or the student."""


class TooMuch(Unsendable):
    """It is plain data, and more of it than may cross."""


def too_large(size: int) -> TooMuch:
    """The refusal of what takes so many bytes."""
    return TooMuch(f"{size:,} bytes are more than the {MAX_FRAME:,} that may cross at once")


class Crossing:
    """Walks a value that is to cross: plain data, refs and tensors; all else is `Unsendable`.

    What becomes of each part is for those that derive from this to say.
    """

    max_nodes, max_depth = MAX_NODES, MAX_DEPTH
    max_str, max_odd_keys, max_all_odd_keys = MAX_STR, MAX_ODD_KEYS, MAX_ALL_ODD_KEYS

    def __init__(self) -> None:
        self.nodes = 0
        self.odd_keys = 0

    def walk(self, value: Any, depth: int) -> Any:
        """What becomes of a value that lies `depth` deep.

        Raises:
            Unsendable: too deep, too many values, or not plain data.
        """
        self.nodes += 1
        if self.nodes > self.max_nodes:
            raise TooMuch(f"more than {self.max_nodes:,} values")
        if depth > self.max_depth:
            raise TooMuch(f"nested more than {self.max_depth} deep")
        kind = type(value)
        if value is None or kind is bool or kind is float:
            return value
        handler = self.HANDLERS.get(kind)
        if handler is not None:
            return handler(self, value, depth)
        torch = sys.modules.get("torch")
        if torch is not None:
            if kind is torch.Tensor or kind is torch.nn.Parameter:
                self.nodes += NODES_OF_A_TENSOR
                return self._tensor(torch, value)
            if kind is torch.dtype:
                return self._dtype(value)
            if kind is torch.device:
                return self.for_device(value)
            if kind is torch.Size:
                return self.for_tuple([int(size) for size in value])
        raise Unsendable(f"a {kind.__name__} is not plain data")

    def _ref(self, value: Ref, _: int) -> Any:
        return self.for_ref(value)

    def _int(self, value: int, _: int) -> Any:
        if -(1 << 63) <= value < 1 << 63:
            return value
        if value.bit_length() > 1200:
            raise TooMuch("an integer of more than 1200 bits")
        return self.for_large(value)

    def _text(self, value: str | bytes, _: int) -> Any:
        if len(value) > self.max_str:
            raise TooMuch(f"a text of more than {self.max_str:,} characters")
        if type(value) is str:
            return value.encode("utf-8", "replace").decode()
        return value

    def _list(self, value: list[Any], depth: int) -> list[Any]:
        return [self.walk(item, depth + 1) for item in value]

    def _tuple(self, value: tuple[Any, ...], depth: int) -> Any:
        return self.for_tuple(self._list(list(value), depth))

    def _dict(self, value: dict[Any, Any], depth: int) -> Any:
        if all(type(key) is str for key in value):
            return {self._text(key, 0): self.walk(item, depth + 1) for key, item in value.items()}
        if len(value) > self.max_odd_keys:
            raise TooMuch(f"a dict of more than {self.max_odd_keys} keys that are not strings")
        self.odd_keys += len(value)
        if self.odd_keys > self.max_all_odd_keys:
            most = self.max_all_odd_keys
            raise TooMuch(f"dicts of more than {most} keys that are not strings")
        for key in value:
            self._demand_key(key)
        return self.for_dict(
            [[self.walk(k, depth + 1), self.walk(v, depth + 1)] for k, v in value.items()]
        )

    def _demand_key(self, key: Any) -> None:
        """Only what can be told apart without asking anyone may be a key."""
        if type(key) is tuple:
            for part in key:
                self._demand_key(part)
        elif key is not None and type(key) not in (bool, int, float, str, bytes):
            raise Unsendable(f"a dict with a {type(key).__name__} as a key is not plain data")

    def _slice(self, value: slice, depth: int) -> Any:
        return self.for_slice(self._list([value.start, value.stop, value.step], depth))

    def _dtype(self, value: Any) -> Any:
        if str(value).removeprefix("torch.") not in TENSOR_DTYPES:
            raise Unsendable(f"the dtype {value} is not plain data")
        return self.for_dtype(value)

    def _ellipsis(self, _value: Any, _: int) -> Any:
        return self.for_ellipsis()

    def _tensor(self, torch: Any, tensor: Any) -> Any:
        plain = torch.Tensor.detach(tensor)
        if plain.device.type == "meta":
            raise Unsendable("a tensor on the meta device has no values")
        if plain.layout is not torch.strided:
            plain = plain.to_dense()
        name = str(plain.dtype).removeprefix("torch.")
        size = TENSOR_DTYPES.get(name)
        if size is None or plain.dim() > MAX_DIMS:
            raise Unsendable(f"a tensor of dtype {name} with {plain.dim()} dimensions")
        if plain.numel() * size > MAX_FRAME:
            raise TooMuch(f"a tensor of {plain.numel() * size:,} bytes")
        return self.for_tensor(name, plain.resolve_conj().resolve_neg().cpu().contiguous())

    HANDLERS: ClassVar[dict[type, Callable[[Any, Any, int], Any]]] = {
        Ref: _ref, int: _int, str: _text, bytes: _text, list: _list, tuple: _tuple, dict: _dict,
        OrderedDict: _dict, slice: _slice, type(...): _ellipsis,
    }  # fmt: skip

    # ------------------------------------------------------------ what becomes of the parts

    def for_ref(self, value: Ref) -> Any:
        """A remote object."""
        raise NotImplementedError

    def for_large(self, value: int) -> Any:
        """An integer beyond 64 bits."""
        raise NotImplementedError

    def for_tuple(self, items: list[Any]) -> Any:
        """A tuple, of what became of its items."""
        raise NotImplementedError

    def for_dict(self, pairs: list[list[Any]]) -> Any:
        """A dict with keys that are not strings, of what became of its keys and values."""
        raise NotImplementedError

    def for_slice(self, parts: list[Any]) -> Any:
        """A slice, of what became of its start, stop and step."""
        raise NotImplementedError

    def for_ellipsis(self) -> Any:
        """An ellipsis."""
        raise NotImplementedError

    def for_dtype(self, value: Any) -> Any:
        """One of torch's dtypes."""
        raise NotImplementedError

    def for_device(self, value: Any) -> Any:
        """One of torch's devices."""
        raise NotImplementedError

    def for_tensor(self, dtype: str, value: Any) -> Any:
        """A dense, contiguous tensor on the CPU that may share memory with the original."""
        raise NotImplementedError


class Copier(Crossing):
    """A copy that shares nothing with the original, and is what would arrive across the wall."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = 0

    def for_ref(self, value: Ref) -> Any:
        """The same: a number."""
        return value

    def for_large(self, value: int) -> Any:
        """The same: integers never change."""
        return value

    def for_tuple(self, items: list[Any]) -> Any:
        """A plain tuple, whatever it was."""
        return tuple(items)

    def for_dict(self, pairs: list[list[Any]]) -> Any:
        """A plain dict, whatever it was."""
        return dict(pairs)

    def for_slice(self, parts: list[Any]) -> Any:
        """A new slice."""
        return slice(*parts)

    def for_ellipsis(self) -> Any:
        """There is one only."""
        return ...

    def for_dtype(self, value: Any) -> Any:
        """The same: there is one of each."""
        return value

    def for_device(self, value: Any) -> Any:
        """The same: it never changes."""
        return value

    def for_tensor(self, dtype: str, value: Any) -> Any:  # noqa: ARG002
        """A clone."""
        self._bytes += value.numel() * value.element_size()
        if self._bytes > MAX_FRAME:
            raise too_large(self._bytes)
        return value.clone()


class BelievedCopier(Copier):
    """The same for what a check sends: the worker believes the judge, whatever the size."""

    max_nodes = max_depth = max_str = max_odd_keys = max_all_odd_keys = sys.maxsize

    def _demand_key(self, key: Any) -> None:
        pass

    def _bytes_like(self, value: bytearray | memoryview, _: int) -> bytes:
        return bytes(value)

    def _ordered(self, value: OrderedDict[Any, Any], _: int) -> Any:
        """Only what msgpack itself has a word for is of any size."""
        return Copier().walk(value, 0)

    HANDLERS: ClassVar[dict[type, Callable[[Any, Any, int], Any]]] = {
        **Copier.HANDLERS, OrderedDict: _ordered, bytearray: _bytes_like, memoryview: _bytes_like,
    }  # fmt: skip
