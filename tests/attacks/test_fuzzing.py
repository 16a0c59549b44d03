"""Longer fuzzing of all that reads what a stranger wrote: replies of a worker, notebooks, archives.

Whatever the bytes, only the documented errors come out. The quick versions are beside the modules.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import threading
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import msgpack
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy import RIGHT, notebook

from grader.errors import IntakeError
from grader.intake.archive import Archive
from grader.intake.notebook import metadata_assignment, read
from grader.judging.spawning import WorkerPipes
from grader.judging.worker_link import WorkerLink
from grader.model import Limits
from grader.testing import forms
from grader.testing.failure import CheckFailed
from grader.testing.forms.described import Member, NamedValues, Raised, Record
from grader.testing.forms.parts import Texts
from grader.testing.links import NotDefined, Ref, StudentError, WorkerStopped
from grader.testing.operations import Op
from grader.wire.values import ProtocolError, decode_body

pytestmark = pytest.mark.slow

LONGER = settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])

NUMBERS = st.integers(-(1 << 63), (1 << 64) - 1)
LEAVES = (
    st.none()
    | st.booleans()
    | NUMBERS
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=20)
)


def packed(value: object) -> bytes:
    return bytes(msgpack.packb(value, use_bin_type=True))


TENSORS = st.builds(
    lambda name, shape, raw: packed([name, shape]) + raw,
    st.sampled_from(["float32", "int64", "bool", "complex128", "object", ""]),
    st.lists(st.integers(-2, 5) | NUMBERS, max_size=14),
    st.binary(max_size=64),
)

ARRAYS = st.builds(
    lambda name, shape, raw: packed([name, shape]) + raw,
    st.sampled_from(["float64", "int8", "bool", "datetime64[ns]", "object", "U3"]),
    st.lists(st.integers(0, 3) | NUMBERS, max_size=3),
    st.binary(max_size=32),
)
TEXTS = st.builds(
    lambda lengths, raw: b"".join(n.to_bytes(4, "little") for n in (len(lengths), *lengths)) + raw,
    st.lists(st.integers(0, 3) | st.integers(0, (1 << 32) - 1), max_size=4),
    st.binary(max_size=8),
)


def formed(inner: st.SearchStrategy[object]) -> st.SearchStrategy[bytes]:
    """The name of a form with parts that may be its own."""
    words = st.sampled_from(
        ["array", "masked", "texts", "zoned", "categories", "mixed", "range", "levels", "column",
         "Int64", "str", "object", "zone", "offset", "UTC", "timestamp[us]", "double", "string"]
    )  # fmt: skip
    parts = st.lists(inner | words | st.lists(inner | words, max_size=5), max_size=4)
    names = st.sampled_from(sorted(forms._BUILDERS))
    return st.builds(lambda name, held: packed([name, *held]), names, parts)


# everything that msgpack can say, with our extensions well and badly filled
WIRE = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5) | NUMBERS, inner, max_size=4)
        | st.builds(
            msgpack.ExtType,
            st.integers(0, 20),
            inner.map(packed) | TENSORS | ARRAYS | TEXTS | formed(inner) | st.binary(max_size=30) | st.integers(0, 99).map(lambda n: b"%d" % n),
        )
    ),
    max_leaves=12,
)  # fmt: skip

PLAIN = (type(None), bool, int, float, str, bytes, list, tuple, dict, slice, type(...), Ref)
FORMED = (
    complex, set, frozenset, range, Decimal, Fraction, date, datetime, time, timedelta, timezone,
    ZoneInfo, Record, NamedValues, Member, Raised, Texts, pd.DataFrame, pd.Series, pd.Timestamp, pd.Timedelta,
    type(pd.NaT), type(pd.NA), np.ndarray, np.dtype, np.generic, pd.Index, pa.Table,
)  # fmt: skip


def is_known(value: object) -> bool:
    return type(value) in (*PLAIN, torch.Tensor, torch.dtype, torch.device) or isinstance(
        value, FORMED
    )


@LONGER
@given(WIRE)
def test_whatever_msgpack_can_say_is_plain_data_or_refused(value: object) -> None:
    with contextlib.suppress(ProtocolError):
        found = decode_body(packed(value))
        assert is_known(found)


@contextlib.contextmanager
def worker_that_replies(body: bytes, *, echo: bool) -> Iterator[WorkerLink]:
    """A link to a thread that answers one request; with `echo`, under the request's own number."""
    ends = [os.pipe() for _ in range(4)]
    (requests, to_worker), (replies, from_worker), (output, printed), (status, said) = ends
    link = WorkerLink(WorkerPipes(to_worker, replies, output, status), Limits())
    os.write(said, b'{"event": "exit", "reason": null, "code": 0}\n')

    def answer() -> None:
        size = int.from_bytes(os.read(requests, 4), "big")
        question = msgpack.unpackb(os.read(requests, size), strict_map_key=False)
        reply = body
        if echo:
            reply = packed({"id": question[0], **msgpack.unpackb(body, strict_map_key=False)})
        os.write(from_worker, len(reply).to_bytes(4, "big") + reply)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield link
    finally:
        thread.join(10)
        link.close()
        for descriptor in (requests, from_worker, printed, said):
            os.close(descriptor)


REPLIES = st.fixed_dictionaries(
    {},
    optional={
        "ok": st.booleans() | WIRE,
        "value": WIRE,
        "undefined": WIRE,
        "unsendable": WIRE,
        "error": WIRE
        | st.fixed_dictionaries(
            {}, optional=dict.fromkeys(("kinds", "message", "cell", "line", "source_line"), WIRE)
        ),
    },
)


@settings(LONGER, max_examples=500)
@given(REPLIES, st.sampled_from([Op.FETCH, Op.CALL, Op.ELEMENTS, Op.CELL, Op.SET]), st.booleans())
def test_a_reply_is_a_value_or_a_documented_error(
    reply: dict[str, object], op: Op, echo: bool
) -> None:
    with worker_that_replies(packed(reply), echo=echo) as link:
        link.allow(5, "")
        try:
            value = link.request(op)
        except (StudentError, NotDefined, CheckFailed, WorkerStopped) as error:
            str(error)
        else:
            assert echo, "a reply to another question was taken"
            assert is_known(value)


def edited(content: bytes, edits: list[tuple[int, bytes]], cut: int) -> bytes:
    made = bytearray(content)
    for place, written in edits:
        made[place % len(made) : place % len(made) + len(written)] = written
    return bytes(made[: cut % len(made) or None])


EDITS = st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=6)), max_size=8)
CUTS = st.just(0) | st.integers(0, 1 << 20)


@LONGER
@given(EDITS, CUTS, st.sampled_from(["a.ipynb", "a.py", "a.qmd", "a.md"]))
def test_a_damaged_notebook_is_read_or_refused(
    edits: list[tuple[int, bytes]], cut: int, name: str
) -> None:
    content = edited(notebook(RIGHT, "# ümläut", "%magic").encode(), edits, cut)
    metadata_assignment(content)
    with contextlib.suppress(IntakeError):
        for cell in read(content, name).cells:
            cell.source.encode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["cells", "cell_type", "source", "metadata", "worksheets", "input", "grader", "assignment", "nbformat", "language"])
            | st.text(max_size=5),
            inner | st.sampled_from(["code", "markdown", "python"]),
            max_size=6,
        )
    ),
    max_leaves=30,
)  # fmt: skip


@LONGER
@given(JSON)
def test_any_json_is_a_notebook_or_refused(value: object) -> None:
    content = json.dumps(value).encode()
    metadata_assignment(content)
    with contextlib.suppress(IntakeError):
        for cell in read(content, "a.ipynb").cells:
            cell.source.encode()


def an_archive() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ann/adding.py", RIGHT)
        archive.writestr("zoe/ädding.ipynb", notebook(RIGHT))
        archive.writestr("zoe/", "")
    return made.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@LONGER
@given(EDITS, CUTS)
def test_a_damaged_archive_is_read_or_refused(
    folder: Path, edits: list[tuple[int, bytes]], cut: int
) -> None:
    path = folder / "a.zip"
    path.write_bytes(edited(an_archive(), edits, cut))
    with contextlib.suppress(IntakeError), Archive(path) as opened:
        opened.folders()
        for member in opened.members():
            assert not {"..", "", "."} & set(member.parts)
            with contextlib.suppress(IntakeError):
                opened.read(member.index)
