"""What the grader and the judge say to each other: frames of JSON, 4 bytes of length before each.

On the control socket the grader writes one `JudgeSetup`; the judge answers with one `Ready`. Then
each byte that the grader writes carries a descriptor, and a terminal's if a person is to work in
the judge: on the first come one `JobRequest`, and go the pid
of the process that grades it, `BEGINS` and a check's id whenever one begins, and one `Run`.
"""

from __future__ import annotations

import enum
import socket
import struct

import msgspec

from grader.model import Assignment, Cell, Limits, Submission, Suite, Value

LENGTH = struct.Struct(">I")
BEGINS = b"+"
"""The first byte of a frame that names the check that begins; a `Run` is a JSON object."""


class JudgeSetup(Value, frozen=True):
    """What a judge is told at its start. Folders are absolute paths.

    `digests` gives each assignment's suite its digest: see `grader/store/fingerprint.py`; `known`
    says by assignment which texts are no student's own: see `grader/judging/known_texts.py`.
    `libraries` are those whose values will be fetched: imported when there is nothing else to do.
    `data` lies beside the notebooks of an assignment, `hidden_data` is for checks alone.
    `material` is where the course's own code is: see `grader/judging/libraries.py`.
    `one_file` are the lessons that carry checks and reference. `load_s`: the processor time that a
    module, or a cell of such a lesson, may take while it is loaded.
    """

    root: str
    assignments: tuple[Assignment, ...]
    checks: str | None
    suites: str | None
    reference: str | None
    digests: dict[str, str]
    sandbox: bool = True
    known: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    libraries: tuple[str, ...] = ()
    data: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    hidden_data: tuple[str, ...] = ()
    material: tuple[str, ...] = ()
    one_file: dict[str, str] = msgspec.field(default_factory=dict)
    load_s: float = 60.0


class JudgeReady(Value, frozen=True):
    """The judge's first word: the suites, or why they can't be used."""

    suites: tuple[Suite, ...] = ()
    error: str = ""
    where: str = ""
    hint: str = ""


class ByHand(enum.StrEnum):
    """What a person does in a judge."""

    DEBUGGER = "debugger"
    SHELL = "shell"


class JobRequest(Value, frozen=True):
    """One submission to grade: a `Job` with the suite by name and the notebook read.

    `last_try`: what leaves a submission without a result, by the machine's fault for all that is
    known, is a fault, so that the job is tried again; when it goes on until the last try, it was
    the submission's own doing. `checks`: the ids of those that are asked for, all if empty.
    `known_to_pass`: those that pass without being asked.
    `by_hand`: what a person does in the judge, at the terminal that comes with the request, whose
    kind is `terminal`.
    """

    submission: Submission
    cells: tuple[Cell, ...]
    device: str
    seed: int
    limits: Limits
    last_try: bool = True
    until_lost: bool = False
    first: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    known_to_pass: tuple[str, ...] = ()
    by_hand: ByHand | None = None
    terminal: str = ""

    @property
    def torch_device(self) -> str:
        """What torch calls the device in the worker, which sees no other GPU than its own."""
        return self.device.partition(":")[0]


# ---------------------------------------------------------------- frames of JSON


def read_frame(connection: socket.socket) -> bytes:
    """Read one frame.

    Raises:
        EOFError: the other end closed.
    """
    (size,) = LENGTH.unpack(_read_exactly(connection, LENGTH.size))
    return _read_exactly(connection, size)


def write_frame(connection: socket.socket, body: bytes) -> None:
    """Write one frame."""
    connection.sendall(LENGTH.pack(len(body)) + body)


def _read_exactly(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        chunk = connection.recv(min(count - len(data), 1 << 20))
        if not chunk:
            raise EOFError
        data += chunk
    return bytes(data)
