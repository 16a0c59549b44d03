"""What crosses the wall: frames of 4 bytes of big-endian length and a msgpack body.

To a worker go batches: a number and operations in order, each a name and its fields. Back comes one
reply under the same number: the value of the last operation, or the first thing that was raised.

Both sides send plain data by exact type: None, bool, int, float, str, bytes, list, tuple, dict, and
torch tensors, dtypes, devices and sizes by value. What has a form (`grader/testing/forms`) crosses
as the form's name and parts that are plain themselves. All else crosses as a `Ref`, a number.
Nothing here can run code, and every limit is checked before the memory that it bounds is taken.

torch is used only when the process has imported it already: a course without torch needs none.
NumPy and the like are imported when a first value of theirs arrives, where they are installed.
"""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Callable
from typing import Any

import msgpack

from grader.testing import forms
from grader.testing.crossing import (
    KEYS,
    MAX_ALL_ODD_KEYS,
    MAX_DEPTH,
    MAX_DIMS,
    MAX_FRAME,
    MAX_KEY_PARTS,
    MAX_NODES,
    MAX_ODD_KEYS,
    MAX_STR,
    NODES_OF_A_FORM,
    NODES_OF_A_TENSOR,
    SETS,
    TENSOR_DTYPES,
    Crossing,
    TooMuch,
    Unsendable,
    odd_keys,
    too_large,
)
from grader.testing.forms.arrays import from_bytes
from grader.testing.forms.described import NamedValues
from grader.testing.forms.parts import MAX_INT_BITS, MAX_TEXTS, Malformed, Texts
from grader.testing.links import Ref

__all__ = ["HEADER", "MAX_FRAME", "TENSOR_DTYPES", "Decoder", "Encoder", "ProtocolError",
           "TooMuch", "Unsendable", "decode_body", "encode_frame", "frame"]  # fmt: skip

HEADER = struct.Struct(">I")
COUNT = struct.Struct("<I")

(
    EXT_TENSOR,
    EXT_REF,
    EXT_INT,
    EXT_DTYPE,
    EXT_TUPLE,
    EXT_DICT,
    EXT_DEVICE,
    EXT_SLICE,
    EXT_ELLIPSIS,
    EXT_ARRAY,
    EXT_TEXTS,
    EXT_FORM,
) = range(1, 13)


class ProtocolError(Exception):
    """A frame that breaks the rules. From a worker it ends the worker."""


# ---------------------------------------------------------------- encoding


def encode_frame(message: dict[str, Any]) -> bytes:
    """Encode a message, plain data and refs under string keys, as one frame.

    Raises:
        Unsendable: too large, too deep, too many values, or not plain data.
    """
    return frame(msgpack.packb(Encoder().encode(message, 0)))


def frame(body: bytes) -> bytes:
    """A body as it crosses, behind its length.

    Raises:
        Unsendable: it is too large.
    """
    if len(body) > MAX_FRAME:
        raise too_large(len(body))
    return HEADER.pack(len(body)) + body


class Encoder(Crossing):
    """Plain data, refs and tensors as msgpack knows them; everything else is `Unsendable`."""

    encode = Crossing.walk

    def for_ref(self, value: Ref) -> Any:
        """Its number."""
        return msgpack.ExtType(EXT_REF, str(value.id).encode())

    def for_large(self, value: int) -> Any:
        """Its digits."""
        # no decimal digits: a submission may have changed how many Python writes
        data = value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)
        return msgpack.ExtType(EXT_INT, data)

    def for_tuple(self, items: list[Any]) -> Any:
        """A list that says that it is a tuple."""
        return msgpack.ExtType(EXT_TUPLE, msgpack.packb(items))

    def for_dict(self, pairs: list[list[Any]]) -> Any:
        """The list of its pairs."""
        return msgpack.ExtType(EXT_DICT, msgpack.packb(pairs))

    def for_slice(self, parts: list[Any]) -> Any:
        """The list of its parts."""
        return msgpack.ExtType(EXT_SLICE, msgpack.packb(parts))

    def for_ellipsis(self) -> Any:
        """Nothing but its kind."""
        return msgpack.ExtType(EXT_ELLIPSIS, b"")

    def for_dtype(self, value: Any) -> Any:
        """Its name."""
        return msgpack.ExtType(EXT_DTYPE, str(value).removeprefix("torch.").encode())

    def for_device(self, value: Any) -> Any:
        """Its name."""
        return msgpack.ExtType(EXT_DEVICE, str(value).encode())

    def for_tensor(self, dtype: str, value: Any) -> Any:
        """Its dtype and shape, and its bytes."""
        uint8 = _torch().uint8
        raw = value.reshape(-1).view(uint8).numpy().tobytes() if value.numel() else b""
        return msgpack.ExtType(EXT_TENSOR, msgpack.packb([dtype, list(value.shape)]) + raw)

    def for_array(self, dtype: str, shape: tuple[int, ...], raw: Any) -> Any:
        """Its dtype and shape, and its bytes."""
        return msgpack.ExtType(EXT_ARRAY, msgpack.packb([dtype, list(shape)]) + raw.tobytes())

    def for_texts(self, texts: list[str]) -> Any:
        """How many they are, the length of each in UTF-8, and all of them together."""
        encoded = [text.encode() for text in texts]
        size = sum(map(len, encoded)) + 4 * len(encoded)
        if size > MAX_FRAME:
            raise too_large(size)
        lengths = struct.pack(f"<{len(encoded)}I", *map(len, encoded))
        return msgpack.ExtType(EXT_TEXTS, COUNT.pack(len(encoded)) + lengths + b"".join(encoded))

    def for_form(self, form: str, parts: list[Any]) -> Any:
        """Its name and its parts."""
        return msgpack.ExtType(EXT_FORM, msgpack.packb([form, *parts]))


# ---------------------------------------------------------------- decoding


def decode_body(body: bytes, from_ref: Callable[[int], Any] = Ref) -> Any:
    """Decode a frame's body from an untrusted sender.

    Args:
        body: the frame without its length.
        from_ref: makes an object of a remote object's number.

    Raises:
        ProtocolError: anything is out of bounds, malformed or unknown.
    """
    if len(body) > MAX_FRAME:
        raise ProtocolError("frame too large")
    try:
        return Decoder(from_ref).walk(_unpack(body), 0)
    except ProtocolError:
        raise
    except Malformed as error:
        raise ProtocolError(str(error)) from None
    except Exception as error:
        raise ProtocolError(f"malformed frame: {type(error).__name__}") from None


def _unpack(data: bytes) -> Any:
    # msgpack allocates arrays and maps from their headers: the caps keep that below the frame
    return msgpack.unpackb(
        data,
        raw=False,
        strict_map_key=True,
        max_array_len=MAX_NODES,
        max_map_len=MAX_NODES,
        max_str_len=MAX_STR,
        max_bin_len=MAX_STR,
        max_ext_len=MAX_FRAME,
    )


class Decoder:
    """The way back, from a sender who lies; anything out of bounds is a `ProtocolError`."""

    def __init__(self, from_ref: Callable[[int], Any]) -> None:
        self.from_ref = from_ref
        self.nodes = 0
        self.odd_keys = 0
        self.texts = 0

    def walk(self, value: Any, depth: int) -> Any:
        """The value that msgpack's `value`, `depth` deep, stands for."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise ProtocolError("too many values")
        if depth > MAX_DEPTH:
            raise ProtocolError("nested too deep")
        kind = type(value)
        if kind is list:
            return [self.walk(item, depth + 1) for item in value]
        if kind is dict:
            return {key: self.walk(item, depth + 1) for key, item in value.items()}
        if kind is msgpack.ExtType:
            reader = _READERS.get(value.code)
            if reader is None:
                raise ProtocolError("unknown extension")
            return reader(self, bytes(value.data), depth)
        if value is None or kind in (bool, int, float, str, bytes):
            return value
        raise ProtocolError("unexpected type")

    def _items(self, data: bytes, depth: int) -> list[Any]:
        items = self.walk(_unpack(data), depth)
        if type(items) is not list:
            raise ProtocolError("not a sequence")
        return items

    def _tensor(self, data: bytes, _: int) -> Any:
        self.nodes += NODES_OF_A_TENSOR
        return _decode_tensor(data)

    def _ref(self, data: bytes, _: int) -> Any:
        if len(data) > 18 or not data.isdigit():
            raise ProtocolError("malformed reference")
        return self.from_ref(int(data))

    def _int(self, data: bytes, _: int) -> int:
        if len(data) > MAX_INT_BITS // 8 + 1:
            raise ProtocolError("malformed integer")
        return int.from_bytes(data, "big", signed=True)

    def _dtype(self, data: bytes, _: int) -> Any:
        name = data.decode("ascii")
        if name not in TENSOR_DTYPES:
            raise ProtocolError("unknown dtype")
        return getattr(_torch(), name)

    def _device(self, data: bytes, _: int) -> Any:
        if len(data) > 16:
            raise ProtocolError("malformed device")
        return _torch().device(data.decode("ascii"))

    def _tuple(self, data: bytes, depth: int) -> tuple[Any, ...]:
        return tuple(self._items(data, depth))

    def _slice(self, data: bytes, depth: int) -> slice:
        start, stop, step = self._items(data, depth)
        return slice(start, stop, step)

    def _ellipsis(self, _data: bytes, _: int) -> Any:
        return ...

    def _dict(self, data: bytes, depth: int) -> dict[Any, Any]:
        pairs = self._items(data, depth)
        self._demand_keys([key for key, _ in pairs])
        return dict(pairs)

    def _demand_keys(self, keys: list[Any]) -> None:
        for key in keys:
            _demand_key(key)
        odd = odd_keys(keys)
        self.odd_keys += odd
        if odd > MAX_ODD_KEYS or self.odd_keys > MAX_ALL_ODD_KEYS:
            raise ProtocolError("too many keys")

    def _array(self, data: bytes, _: int) -> Any:
        self.nodes += NODES_OF_A_TENSOR
        name, shape, raw = _with_header(data)
        return from_bytes(name, shape, raw)

    def _texts(self, data: bytes, _: int) -> Texts:
        (count,) = COUNT.unpack_from(data)
        self.texts += count
        start = COUNT.size * (count + 1)
        if self.texts > MAX_TEXTS or start > len(data):
            raise ProtocolError("too many texts")
        texts = Texts()
        for size in struct.unpack_from(f"<{count}I", data, COUNT.size):
            if size > len(data) - start:
                raise ProtocolError("malformed texts")
            texts.append(data[start : start + size].decode())
            start += size
        if start != len(data):
            raise ProtocolError("malformed texts")
        return texts

    def _form(self, data: bytes, depth: int) -> Any:
        self.nodes += NODES_OF_A_FORM - 2  # the list and its name are counted as they are walked
        form, *parts = self._items(data, depth)
        if form in SETS and parts and type(parts[0]) is list:
            self._demand_keys(parts[0])
        return forms.together(form, parts)


_READERS: dict[int, Callable[[Decoder, bytes, int], Any]] = {
    EXT_TENSOR: Decoder._tensor, EXT_REF: Decoder._ref, EXT_INT: Decoder._int,
    EXT_DTYPE: Decoder._dtype, EXT_TUPLE: Decoder._tuple, EXT_DICT: Decoder._dict,
    EXT_DEVICE: Decoder._device, EXT_SLICE: Decoder._slice, EXT_ELLIPSIS: Decoder._ellipsis,
    EXT_ARRAY: Decoder._array, EXT_TEXTS: Decoder._texts, EXT_FORM: Decoder._form,
}  # fmt: skip


def _demand_key(key: Any) -> None:
    """Demand a key of plain, hashable values; a tuple's and a frozen set's parts are counted."""
    parts, seen = [key], 0
    while parts:
        part = parts.pop()
        seen += 1
        if seen > MAX_KEY_PARTS:
            raise ProtocolError("key too large")
        if type(part) in (tuple, frozenset, NamedValues):
            parts += part
        elif type(part) not in KEYS:
            raise ProtocolError("malformed key")


def _torch() -> Any:
    torch = sys.modules.get("torch")
    if torch is None:
        raise ProtocolError("a tensor where no torch is")
    return torch


def _decode_tensor(data: bytes) -> Any:
    """Bytes of exactly the announced shape and dtype, or nothing."""
    torch = _torch()
    name, shape, raw = _with_header(data)
    if type(name) is not str or name not in TENSOR_DTYPES or len(shape) > MAX_DIMS:
        raise ProtocolError("malformed tensor")
    if any(type(size) is not int or not 0 <= size <= 1 << 40 for size in shape):
        raise ProtocolError("malformed tensor shape")
    count = math.prod(shape)
    if count * TENSOR_DTYPES[name] != len(raw):
        raise ProtocolError("tensor bytes do not fit its shape")
    dtype = getattr(torch, name)
    if count == 0:
        return torch.empty(shape, dtype=dtype)
    if name == "bool" and max(raw) > 1:
        raise ProtocolError("malformed bool tensor")
    return torch.frombuffer(bytearray(raw), dtype=dtype).reshape(shape)


def _with_header(data: bytes) -> tuple[Any, list[Any], memoryview]:
    """The dtype and the sizes before the bytes of a tensor or an array, and those bytes."""
    unpacker = msgpack.Unpacker(max_buffer_size=1024, max_array_len=MAX_DIMS + 1, max_str_len=16)
    unpacker.feed(data[:1024])
    header = unpacker.unpack()
    if type(header) is not list or len(header) != 2 or type(header[1]) is not list:
        raise ProtocolError("malformed tensor")
    return header[0], header[1], memoryview(data)[unpacker.tell() :]
