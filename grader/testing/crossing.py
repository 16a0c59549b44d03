"""What may cross the wall by value, and in which words everything else is refused.

Plain data and tensors are walked here; whatever has a form (`forms/`) is taken apart into them.
`protocol.Encoder` makes bytes of it for a worker. `Copier` makes a copy of it in a student's own
notebook, where no wall is: what a check gives and what it gets mean the same in both places.

Standard library only, for students have this file; torch, NumPy, pandas, pyarrow, matplotlib and
Pillow are used when the process has imported them.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Collection
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar

from grader.testing import forms
from grader.testing.forms.arrays import Raw, from_bytes
from grader.testing.forms.described import Member, NamedValues
from grader.testing.forms.parts import (
    MAX_FRAME,
    MAX_INT_BITS,
    MAX_TEXTS,
    Malformed,
    Texts,
    TooMuch,
    Unsendable,
)
from grader.testing.links import Ref

__all__ = ["MAX_FRAME", "TooMuch", "Unsendable"]

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
"""As how many plain values a tensor or an array counts: it takes as long to make one."""
NODES_OF_A_FORM = 12
"""As how many plain values whatever has a form counts, beside its parts."""
SMALL = 1 << 20
"""Integers below are keys like texts: too few of them collide, whoever has chosen them."""
KEYS = (type(None), bool, int, float, str, bytes, complex, date, datetime, time, timedelta, Decimal,
        Fraction, Member)  # fmt: skip
"""Types that may be a key, or in a set, beside tuples and frozen sets of them."""
SETS = ("set", "frozenset")

TENSOR_DTYPES = {
    "float32": 4, "float64": 8, "float16": 2, "bfloat16": 2, "int64": 8, "int32": 4, "int16": 2,
    "int8": 1, "uint8": 1, "bool": 1, "complex64": 8, "complex128": 16,
}  # fmt: skip
"""Dtypes that cross by value, with their bytes an element."""


def too_large(size: int) -> TooMuch:
    """The refusal of what takes so many bytes."""
    return TooMuch(f"{size:,} bytes are more than the {MAX_FRAME:,} that may cross at once")


def odd_keys(keys: Collection[Any]) -> int:
    """How many of these keys somebody could have chosen so that they collide."""
    return sum(
        type(key) not in (str, bytes) and (type(key) is not int or not -SMALL < key < SMALL)
        for key in keys
    )


class Crossing:
    """Walks a value that is to cross; what is no plain data and has no form is `Unsendable`.

    What becomes of each part is for those that derive from this to say.
    """

    max_nodes, max_depth = MAX_NODES, MAX_DEPTH
    max_str, max_odd_keys, max_all_odd_keys = MAX_STR, MAX_ODD_KEYS, MAX_ALL_ODD_KEYS
    max_texts = MAX_TEXTS

    def __init__(self) -> None:
        self.nodes = 0
        self.odd_keys = 0
        self.texts = 0

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
        return self._formed(value, depth)

    def _formed(self, value: Any, depth: int) -> Any:
        """What becomes of a value that is more than plain data."""
        plain = forms.neutral(value)
        if plain is not value:
            return self.walk(plain, depth)
        found = forms.apart(value)
        if found is None:
            name = type(value).__name__
            article = "an" if name[:1] in "AEIOUaeiou" else "a"
            raise Unsendable(f"{article} {name} is not plain data")
        form, parts = found
        self.nodes += NODES_OF_A_FORM
        if form == "array":
            return self.walk(parts[0], depth)
        if form in SETS:
            self._demand_keys(value, f"a {form} of more than {{}} values that are not strings")
        return self.for_form(form, self._list(parts, depth))

    def _raw(self, value: Raw, _: int) -> Any:
        return self.for_array(*value)

    def _texts(self, value: Texts, _: int) -> Any:
        self.texts += len(value)
        if self.texts > self.max_texts:
            raise TooMuch(f"columns of more than {self.max_texts:,} texts", "send a part of them")
        return self.for_texts([self._text(text, 0) for text in value])

    def _ref(self, value: Ref, _: int) -> Any:
        return self.for_ref(value)

    def _int(self, value: int, _: int) -> Any:
        if -(1 << 63) <= value < 1 << 63:
            return value
        if value.bit_length() > MAX_INT_BITS:
            raise TooMuch(
                f"an integer of more than {MAX_INT_BITS:,} bits",
                "ask for less of it: a remainder, or its bit_length()",
            )
        return self.for_large(value)

    def _text(self, value: str | bytes | bytearray | memoryview, _: int) -> Any:
        if len(value) > self.max_str:
            raise TooMuch(f"a text of more than {self.max_str:,} characters")
        if type(value) is str:
            return value.encode("utf-8", "replace").decode()
        return bytes(value)  # type: ignore[arg-type]

    def _list(self, value: list[Any], depth: int) -> list[Any]:
        return [self.walk(item, depth + 1) for item in value]

    def _tuple(self, value: tuple[Any, ...], depth: int) -> Any:
        self.nodes += 1  # it crosses as a list in a wrapping
        return self.for_tuple(self._list(list(value), depth))

    def _dict(self, value: dict[Any, Any], depth: int) -> Any:
        if all(type(key) is str for key in value):
            return {self._text(key, 0): self.walk(item, depth + 1) for key, item in value.items()}
        self.nodes += 1 + len(value)
        self._demand_keys(value, "a dict of more than {} keys that are not strings")
        return self.for_dict(
            [[self.walk(k, depth + 1), self.walk(v, depth + 1)] for k, v in value.items()]
        )

    def _demand_keys(self, keys: Collection[Any], too_many: str) -> None:
        """Only few keys may be such that somebody could make them collide."""
        odd = odd_keys(keys)
        self.odd_keys += odd
        if odd > self.max_odd_keys or self.odd_keys > self.max_all_odd_keys:
            raise TooMuch(too_many.format(self.max_odd_keys), "fetch a sorted list of them")
        for key in keys:
            self._demand_key(key)

    def _demand_key(self, key: Any) -> None:
        """Only what can be told apart without asking anyone may be a key."""
        if type(key) in (tuple, frozenset, NamedValues):
            for part in key:
                self._demand_key(part)
        elif type(key) not in KEYS:
            plain = forms.neutral(key)
            if plain is key:
                name = type(key).__name__
                raise Unsendable(f"a dict with a {name} as a key is not plain data")
            self._demand_key(plain)

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
        Ref: _ref, int: _int, str: _text, bytes: _text, bytearray: _text, memoryview: _text,
        list: _list, tuple: _tuple, dict: _dict, OrderedDict: _dict, slice: _slice,
        type(...): _ellipsis, Raw: _raw, Texts: _texts,
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

    def for_array(self, dtype: str, shape: tuple[int, ...], raw: Any) -> Any:
        """One of NumPy's arrays: its bytes may be those of the original."""
        raise NotImplementedError

    def for_texts(self, texts: list[str]) -> Any:
        """The texts of a column."""
        raise NotImplementedError

    def for_form(self, form: str, parts: list[Any]) -> Any:
        """What has a form, of what became of its parts."""
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
        self._count(value.numel() * value.element_size())
        return value.clone()

    def for_array(self, dtype: str, shape: tuple[int, ...], raw: Any) -> Any:
        """A copy."""
        self._count(raw.nbytes)
        return from_bytes(dtype, list(shape), memoryview(raw.tobytes()))

    def for_texts(self, texts: list[str]) -> Any:
        """The same in a new list."""
        self._count(sum(map(len, texts)))
        return Texts(texts)

    def for_form(self, form: str, parts: list[Any]) -> Any:
        """What would be made of the parts behind the wall.

        Raises:
            Unsendable: nothing would.
        """
        try:
            return forms.together(form, parts)
        except Malformed as error:
            raise Unsendable(f"a value that does not survive being sent ({error})") from None

    def _count(self, size: int) -> None:
        self._bytes += size
        if self._bytes > MAX_FRAME:
            raise too_large(self._bytes)


class BelievedCopier(Copier):
    """The same for what a check sends: the worker believes the judge, whatever the size."""

    max_nodes = max_depth = max_str = max_odd_keys = max_all_odd_keys = max_texts = sys.maxsize

    def _demand_key(self, key: Any) -> None:
        pass

    def _formed(self, value: Any, _: int) -> Any:
        """Only what msgpack itself has a word for is of any size."""
        return Copier().walk(value, 0)

    HANDLERS: ClassVar[dict[type, Callable[[Any, Any, int], Any]]] = {
        **Copier.HANDLERS, OrderedDict: _formed,
    }  # fmt: skip
