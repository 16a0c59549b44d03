"""The near end of the wall: talks to one worker, believes bytes alone, waits for nothing long.

One loop reads replies, output and status together, so that no full pipe can block it, and every
step has a deadline. A worker that breaks the protocol, floods or falls silent is ended.
"""

from __future__ import annotations

import os
import secrets
import select
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from grader.errors import GraderFault
from grader.judging.clock import Clock
from grader.judging.endings import explain_exit
from grader.judging.link_faults import ours
from grader.judging.reported import reported
from grader.judging.spawning import WorkerPipes
from grader.model import Ending, EndingKind, Isolation, Limits
from grader.testing.links import Link, Ref, WorkerStopped
from grader.testing.objects import MAX_ELEMENTS
from grader.testing.operations import Op
from grader.testing.refusals import not_sent
from grader.wire.batch import Batch
from grader.wire.events import Event, Exit, Failed, Limit, Ready, Refused, decode_event
from grader.wire.places import PLACES
from grader.wire.reply import ID, OK, VALUE
from grader.wire.values import (
    HEADER,
    MAX_FRAME,
    ProtocolError,
    Unsendable,
    decode_body,
)

START_S = 60.0
LAST_WORD_S = 3.0
LEAST_S = 0.01
MAX_STATUS = 1 << 16
CHUNK = 1 << 16


class WorkerLink(Link):
    """One worker, as a `Link`.

    Attributes:
        ending: why the worker is gone; None while it lives.
        output: what the student's code printed, at most `limits.output_bytes`.
        isolation: which properties of the wall hold.
        cpu_s, peak_bytes: what it used, known after its end.
        killed: whether SIGKILL ended it for no reason that is known: its own doing, most likely,
            or an operator's.
        starved: whether the kernel ended it because the machine, not the submission, was out of
            memory.
    """

    def __init__(self, pipes: WorkerPipes, limits: Limits) -> None:
        super().__init__()
        self.limits = limits
        self.ending: Ending | None = None
        self.output = bytearray()
        self.isolation: Isolation | None = None
        self.cpu_s = 0.0
        self.peak_bytes = 0
        self.killed = False
        self.starved = False
        self._pipes = pipes
        self._open = {pipes.replies, pipes.output, pipes.status}
        self._unclosed = {pipes.requests, *self._open}
        self._received = bytearray()
        self._status = bytearray()
        self._printed = 0
        self._batch = Batch()
        self._asked_names: list[str] = []
        self._last_op = Op.RESET
        self._released: list[int] = []
        self._exit: Exit | None = None
        self._fault: str | None = None
        self._clock = Clock()
        self._limit_text = ""
        for descriptor in self._unclosed:
            os.set_blocking(descriptor, False)
        self._poll = select.poll()
        for descriptor in self._open:
            self._poll.register(descriptor, select.POLLIN)

    # ------------------------------------------------------------ the link

    def wait_ready(self) -> None:
        """Wait until the worker is behind the wall.

        Raises:
            GraderFault: it could not be built, or a property of the wall is missing.
        """
        deadline = time.monotonic() + START_S
        if not self._pump(lambda: self.isolation is not None, deadline, self._pipes.status):
            reason = self._fault or (
                self.ending.message if self.ending else "it did not start in time"
            )
            self.close()
            raise GraderFault(
                "a worker could not be started", where=reason, hint="run `grader doctor`"
            )

    def allow(self, seconds: float, limit_text: str, *, at_most: float | None = None) -> None:
        """Let the following requests together take this long; `limit_text` explains the limit.

        Only waiting for the worker and reading its answers counts: what a check itself computes is
        no submission's fault. With `at_most`, neither does the time in which the worker waits for a
        core of a busy machine, up to so many seconds in all.
        """
        self._clock.start(seconds, seconds if at_most is None else at_most)
        self._limit_text = limit_text

    def release(self, ref: Ref) -> None:
        """Tell the worker with the next batch that nobody holds this object any more."""
        self._released.append(ref.id)

    @ours
    def _queue(self, op: Op, fields: dict[str, Any]) -> None:
        if self.ending is not None:
            raise WorkerStopped(self.ending.message)
        try:
            if self._released and not self._batch:
                released, self._released = self._released, []
                self._batch.add(Op.RELEASE, {"refs": released})
            if not self._batch.add(op, fields):
                self._exchange()
                self._batch.add(op, fields)
            if op == Op.NAME:
                self._asked_names.append(fields["name"])
        except Unsendable as error:
            raise not_sent(error) from None
        self._last_op = op

    def _drop(self) -> None:
        self._batch.clear()
        self._asked_names = []

    @ours
    def _exchange(self) -> Any:
        """Have everything performed that was queued, and read the value of the last operation.

        Raises:
            StudentError: the submission's code raised. NotDefined: it has no such name.
            WorkerStopped: it crashed, hit a limit or broke the protocol; `ending` says which.
            CantBeSent: the check wants to send what can't be sent.
            grader.testing.CheckFailed: it returned what can't be fetched.
        """
        if self.ending is not None:
            raise WorkerStopped(self.ending.message)
        number = secrets.randbits(62)  # a reply can't be forged ahead of its question
        try:
            frame = bytearray(self._batch.take(number))
        except Unsendable as error:
            raise not_sent(error) from None
        if self._received:
            self._stop(EndingKind.PROTOCOL, "it answered before it was asked")
        asked, self._asked_names = self._asked_names, []
        with self._clock.running():
            self._await_reply(frame)
            return self._read_reply(number, self._last_op, asked)

    def _await_reply(self, frame: bytearray) -> None:
        while True:
            deadline = time.monotonic() + self._clock.left_s()
            if self._pump(self._frame_complete, deadline, self._pipes.replies, frame):
                return
            if self._pipes.replies not in self._open:
                self._explain_end()
            if self._fault is not None:
                raise GraderFault("a worker failed", where=self._fault)
            if self._clock.left_s() < LEAST_S:
                self._stop(EndingKind.TIME, f"stopped {self._limit_text}")

    def printed(self) -> str:
        """What the student's code has printed up to now, capped."""
        while self._pipes.output in self._wait(0.0, sending=False):
            before = self._printed
            self._receive(self._pipes.output)
            if self._printed == before:
                break
        return self.output.decode("utf-8", "replace")

    def close(self) -> None:
        """End the worker and keep its last word on what it used."""
        self.abandon()
        self._close(self._pipes.requests, self._pipes.replies)
        self._await_exit(LAST_WORD_S)
        self._close(self._pipes.output, self._pipes.status)

    # ------------------------------------------------------------ replies

    def _read_reply(self, number: int, op: Op, asked_names: Sequence[str]) -> Any:
        size = HEADER.unpack(self._received[: HEADER.size])[0]
        body = bytes(self._received[HEADER.size : HEADER.size + size])
        del self._received[: HEADER.size + size]
        try:
            reply = decode_body(body, _no_ref)
        except ProtocolError as error:
            self._stop(EndingKind.PROTOCOL, f"its reply is malformed ({error})")
        if type(reply) is not dict or type(reply.get(ID)) is not int or reply[ID] != number:
            self._stop(EndingKind.PROTOCOL, "its reply answers another question")
        if reply.get(OK) is True:
            value = reply.get(VALUE)
            if not _fits(op, value):
                self._stop(EndingKind.PROTOCOL, "its reply is malformed")
            return value
        raised = reported(reply, asked_names)
        if raised is None:
            self._stop(EndingKind.PROTOCOL, "its reply is malformed")
        raise raised

    # ------------------------------------------------------------ the loop

    def _frame_complete(self) -> bool:
        if len(self._received) < HEADER.size:
            return False
        size = HEADER.unpack(self._received[: HEADER.size])[0]
        if size > MAX_FRAME:
            self._stop(EndingKind.PROTOCOL, "its reply is too large")
        return len(self._received) >= HEADER.size + int(size)

    def _pump(
        self,
        done: Callable[[], bool],
        deadline: float,
        watched: int,
        to_send: bytearray | None = None,
    ) -> bool:
        """Move bytes until `done`; False at the deadline, a fault, or the end of `watched`."""
        if to_send:
            self._send(to_send)  # mostly all of it, at once
        while not done():
            left = deadline - time.monotonic()
            if left <= 0 or watched not in self._open or self._fault is not None:
                return False
            for descriptor in self._wait(left, bool(to_send)):
                if descriptor == self._pipes.requests:
                    self._send(to_send)
                else:
                    self._receive(descriptor)
        return True

    def _wait(self, left: float, sending: bool) -> list[int]:
        if sending:
            self._poll.register(self._pipes.requests, select.POLLOUT)
        ready = self._poll.poll(min(left, 1.0) * 1000)
        if sending:
            self._poll.unregister(self._pipes.requests)
        return [descriptor for descriptor, _ in ready]

    def _send(self, to_send: bytearray | None) -> None:
        if not to_send:
            return
        try:
            del to_send[: os.write(self._pipes.requests, to_send[:CHUNK])]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            to_send.clear()

    def _receive(self, descriptor: int) -> None:
        try:
            data = os.read(descriptor, CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._forget(descriptor)
        elif descriptor == self._pipes.output:
            self._keep_output(data)
        elif descriptor == self._pipes.status:
            self._read_status(data)
        else:
            self._received += data

    def _keep_output(self, data: bytes) -> None:
        self._printed += len(data)
        room = self.limits.output_bytes - len(self.output)
        self.output += data[: max(room, 0)]
        if self._printed > self.limits.output_kill_bytes and self.ending is None:
            megabytes = self.limits.output_kill_bytes >> 20
            self._stop(EndingKind.OUTPUT, f"stopped: it printed more than {megabytes} MiB")

    def _read_status(self, data: bytes) -> None:
        self._status += data
        if len(self._status) > MAX_STATUS:
            raise GraderFault("a supervisor wrote too much")
        *lines, rest = self._status.split(b"\n")
        self._status = bytearray(rest)
        for line in lines:
            self._note(decode_event(bytes(line)))

    def _note(self, event: Event) -> None:
        if isinstance(event, Ready):
            self._clock.watch(event.pid)
            self.isolation = Isolation(mode=event.mode, layers=event.layers)
        elif isinstance(event, Refused):
            self._fault = "the wall lacks: " + "; ".join(event.missing)
        elif isinstance(event, Failed):
            self._fault = event.message
        elif isinstance(event, Exit):
            self._exit = event
            self.cpu_s, self.peak_bytes = event.cpu_s, event.peak_bytes

    # ------------------------------------------------------------ endings

    def _explain_end(self) -> None:
        """The worker closed its replies: wait a moment for the supervisor's word on why.

        A dead worker's supervisor has something to say, however busy the machine is.
        """
        self._await_exit(LAST_WORD_S)
        if self._exit is None and self._clock.has_lost_its_process():
            self._await_exit(START_S)
        if self._fault is not None:
            raise GraderFault("a worker failed", where=self._fault)
        if self._exit is None and self._pipes.status not in self._open:
            raise GraderFault("a worker's supervisor was killed")
        if self._exit is None:
            self._stop(EndingKind.EXITED, "its code closed the connection to the grader")
        if self._exit.reason is Limit.NOBODY_LISTENS:
            raise GraderFault("a worker's zygote was killed")
        self.starved = self._exit.starved
        by_signal = self._exit.reason is None and self._exit.code == -signal.SIGKILL
        self.killed = by_signal and not self.starved
        self._stop(*explain_exit(self._exit, self.limits))

    def _await_exit(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        self._pump(lambda: self._exit is not None, deadline, self._pipes.status)

    def _stop(self, kind: EndingKind, message: str) -> NoReturn:
        """Note how it ended, end it and raise."""
        if self.ending is None:
            self.ending = Ending(kind=kind, message=message)
        self.close()
        raise WorkerStopped(self.ending.message)

    def _close(self, *descriptors: int) -> None:
        for descriptor in descriptors:
            if descriptor in self._unclosed:
                self._unclosed.discard(descriptor)
                self._forget(descriptor)
                os.close(descriptor)

    def _forget(self, descriptor: int) -> None:
        if descriptor in self._open:
            self._open.discard(descriptor)
            self._poll.unregister(descriptor)


def _fits(op: Op, value: Any) -> bool:
    """Whether a reply's value is of the kind that the operation gives."""
    if op == Op.ELEMENTS:
        return type(value) is int and 0 <= value <= MAX_ELEMENTS
    if op == Op.DEFINITIONS:
        return type(value) is list
    if op == Op.CELL:
        return type(value) is list and all(type(one) is str and one in PLACES for one in value)
    return op == Op.FETCH or value is None


def _no_ref(_: int) -> NoReturn:
    raise ProtocolError("a reference where a value was asked for")
