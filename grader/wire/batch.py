"""What the judge sends: operations, collected and encoded until a value is asked for.

The worker believes the judge, so msgpack itself walks both ways. The careful codec, for what comes
back, is in `grader/wire/values.py`.
"""

from __future__ import annotations

from typing import Any

import msgpack

from grader.testing.links import Ref
from grader.testing.operations import Op
from grader.wire.values import EXT_REF, EXT_TUPLE, MAX_FRAME, Decoder, Encoder, frame

MAX_BATCH = 512
"""Most operations that wait to be sent together."""


class Batch:
    """Operations on their way to a worker, encoded in the moment in which they are added.

    The worker believes the judge, and there are thousands: msgpack walks them, not Python.
    """

    def __init__(self) -> None:
        self._operations: list[bytes] = []
        self._bytes = 0

    def clear(self) -> None:
        """Leave out what was added."""
        self._operations, self._bytes = [], 0

    def __len__(self) -> int:
        return len(self._operations)

    def add(self, op: Op, fields: dict[str, Any]) -> bool:
        """Add one operation; False if the batch has to be sent first.

        Raises:
            Unsendable: see `encode_frame`.
        """
        operation = _pack_believed([op.value, fields])
        size = self._bytes + len(operation)
        if self._operations and (size > MAX_FRAME - 64 or len(self) == MAX_BATCH):
            return False
        self._operations.append(operation)
        self._bytes = size
        return True

    def take(self, number: int) -> bytes:
        """All of it as one frame under this number; the batch is empty then.

        Raises:
            Unsendable: its one operation is too large.
        """
        packer = msgpack.Packer()
        head = packer.pack_array_header(2) + packer.pack(number)
        head += packer.pack_array_header(len(self))
        body = head + b"".join(self._operations)
        self.clear()
        return frame(body)


def _pack_believed(value: Any) -> bytes:
    try:
        packed: bytes = msgpack.packb(value, default=_extension, strict_types=True)
    except (OverflowError, UnicodeEncodeError, ValueError):
        # a large integer, a lone surrogate, too deep: the encoder knows what to do or to say
        packed = msgpack.packb(Encoder().encode(value, 0))
    return packed


def _extension(value: Any) -> Any:
    """What msgpack itself has no word for."""
    if type(value) is tuple:
        return msgpack.ExtType(EXT_TUPLE, _pack_believed(list(value)))
    return Encoder().encode(value, 0)


def decode_batch(body: bytes) -> tuple[int, list[Any]]:
    """A batch's number and operations; from the judge, who is believed."""
    number, operations = _unpack_believed(body)
    return number, operations


def _unpack_believed(data: bytes) -> Any:
    return msgpack.unpackb(data, ext_hook=_believed_extension, strict_map_key=False)


def _believed_extension(code: int, data: bytes) -> Any:
    if code == EXT_REF:
        return Ref(int(data))
    if code == EXT_TUPLE:
        return tuple(_unpack_believed(data))
    return Decoder(Ref).walk(msgpack.ExtType(code, data), 0)
