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
from pathlib import Path

import msgpack
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
from grader.testing.failure import CheckFailed
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

# everything that msgpack can say, with our extensions well and badly filled
WIRE = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5) | NUMBERS, inner, max_size=4)
        | st.builds(
            msgpack.ExtType,
            st.integers(0, 20),
            inner.map(packed) | TENSORS | st.binary(max_size=30) | st.integers(0, 99).map(lambda n: b"%d" % n),
        )
    ),
    max_leaves=12,
)  # fmt: skip

PLAIN = (type(None), bool, int, float, str, bytes, list, tuple, dict, slice, type(...), Ref)


@LONGER
@given(WIRE)
def test_whatever_msgpack_can_say_is_plain_data_or_refused(value: object) -> None:
    with contextlib.suppress(ProtocolError):
        found = decode_body(packed(value))
        assert type(found) in (*PLAIN, torch.Tensor, torch.dtype, torch.device)


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
            assert type(value) in (*PLAIN, torch.Tensor, torch.dtype, torch.device)


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
