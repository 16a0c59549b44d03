"""The near end of the wall: talks to one worker, believes bytes alone, waits for nothing long.

One loop reads replies, output and status together, so that no full pipe can block it, and every
step has a deadline. A worker that breaks the protocol, floods or falls silent is ended.
"""

from __future__ import annotations

import json
import os
import secrets
import select
import signal
import time
from collections.abc import Callable
from typing import Any, NoReturn

from grader.errors import GraderFault
from grader.links import Link, NotDefined, Ref, StudentError, WorkerStopped
from grader.model import Ending, EndingKind, Isolation, Limits
from grader.worker.batch import Batch
from grader.worker.launch import WorkerPipes
from grader.worker.objects import MAX_ELEMENTS
from grader.worker.protocol import (
    HEADER,
    MAX_FRAME,
    ProtocolError,
    Unsendable,
    decode_body,
)

START_S = 60.0
LAST_WORD_S = 3.0
MAX_STATUS = 1 << 16
CHUNK = 1 << 16


class WorkerLink(Link):
    """One worker, as a `Link`.

    Attributes:
        ending: why the worker is gone; None while it lives.
        output: what the student's code printed, at most `limits.output_bytes`.
        isolation: which properties of the wall hold.
        cpu_s, peak_bytes: what it used, known after its end.
        killed: whether SIGKILL ended it for no reason that is known: perhaps its own doing, perhaps
            the kernel's when memory ran out, perhaps an operator's.
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
        self._pipes = pipes
        self._open = {pipes.replies, pipes.output, pipes.status}
        self._unclosed = {pipes.requests, *self._open}
        self._received = bytearray()
        self._status = bytearray()
        self._printed = 0
        self._batch = Batch()
        self._last_op = ""
        self._released: list[int] = []
        self._exit: dict[str, Any] | None = None
        self._fault: str | None = None
        self._left_s = START_S
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

    def allow(self, seconds: float, limit_text: str) -> None:
        """Let the following requests together take this long; `limit_text` explains the limit.

        Only waiting for the worker counts: what a check itself computes is no submission's fault.
        """
        self._left_s = seconds
        self._limit_text = limit_text

    def release(self, ref: Ref) -> None:
        """Tell the worker with the next batch that nobody holds this object any more."""
        self._released.append(ref.id)

    def _queue(self, op: str, fields: dict[str, Any]) -> None:
        if self.ending is not None:
            raise WorkerStopped(self.ending.message)
        try:
            if self._released and not self._batch:
                released, self._released = self._released, []
                self._batch.add("release", {"refs": released})
            if not self._batch.add(op, fields):
                self._exchange()
                self._batch.add(op, fields)
        except Unsendable as error:
            raise GraderFault("a check sent what can't be sent", where=str(error)) from None
        self._last_op = op

    def _drop(self) -> None:
        self._batch.clear()

    def _exchange(self) -> Any:
        """Have everything performed that was queued, and read the value of the last operation.

        Raises:
            StudentError: the submission's code raised. NotDefined: it has no such name.
            WorkerStopped: it crashed, hit a limit or broke the protocol; `ending` says which.
            grader.testing.CheckFailed: it returned what can't be fetched.
        """
        if self.ending is not None:
            raise WorkerStopped(self.ending.message)
        number = secrets.randbits(62)  # a reply can't be forged ahead of its question
        try:
            frame = bytearray(self._batch.take(number))
        except Unsendable as error:
            raise GraderFault("a check sent what can't be sent", where=str(error)) from None
        if self._received:
            self._stop(EndingKind.PROTOCOL, "it answered before it was asked")
        asked = time.monotonic()
        answered = self._pump(
            self._frame_complete, asked + self._left_s, self._pipes.replies, frame
        )
        self._left_s -= time.monotonic() - asked
        if not answered:
            if self._pipes.replies not in self._open:
                self._explain_end()
            if self._fault is not None:
                raise GraderFault("a worker failed", where=self._fault)
            self._stop(EndingKind.TIME, f"stopped {self._limit_text}")
        return self._read_reply(number, self._last_op)

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
        self._await_exit()
        self._close(self._pipes.output, self._pipes.status)

    # ------------------------------------------------------------ replies

    def _read_reply(self, number: int, op: str) -> Any:
        size = HEADER.unpack(self._received[: HEADER.size])[0]
        body = bytes(self._received[HEADER.size : HEADER.size + size])
        del self._received[: HEADER.size + size]
        try:
            reply = decode_body(body, _no_ref)
        except ProtocolError as error:
            self._stop(EndingKind.PROTOCOL, f"its reply is malformed ({error})")
        if type(reply) is not dict or type(reply.get("id")) is not int or reply["id"] != number:
            self._stop(EndingKind.PROTOCOL, "its reply answers another question")
        if reply.get("ok") is True:
            value = reply.get("value")
            if not _fits(op, value):
                self._stop(EndingKind.PROTOCOL, "its reply is malformed")
            return value
        raise self._reported(reply)

    def _reported(self, reply: dict[str, Any]) -> Exception:
        """The exception that a reply reports, from fields that may hold anything."""
        if type(reply.get("undefined")) is str:
            return NotDefined(reply["undefined"][:200])
        if type(reply.get("unsendable")) is str:
            from grader.testing import CheckFailed

            return CheckFailed(f"the result can't be fetched: {reply['unsendable'][:300]}")
        error = reply.get("error")
        if type(error) is not dict:
            self._stop(EndingKind.PROTOCOL, "its reply is malformed")
        kinds = error.get("kinds")
        names = (
            tuple(str(name)[:200] for name in kinds[:16])
            if type(kinds) is list and kinds
            else ("Exception",)
        )
        cell, line = error.get("cell"), error.get("line")
        return StudentError(
            names,
            str(error.get("message", ""))[:2000],
            cell=cell if type(cell) is int else None,
            line=line if type(line) is int else None,
            source_line=str(error.get("source_line", ""))[:200],
        )

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
            self._note(json.loads(line))

    def _note(self, event: dict[str, Any]) -> None:
        if event["event"] == "ready":
            found = event["isolation"]
            self.isolation = Isolation(
                mode=found["mode"], layers=tuple(found["layers"]), missing=tuple(found["missing"])
            )
        elif event["event"] == "refused":
            self._fault = "the wall lacks: " + "; ".join(
                item["property"] for item in event["missing"]
            )
        elif event["event"] == "failed":
            self._fault = event["message"]
        elif event["event"] == "exit":
            self._exit = event
            self.cpu_s = event.get("cpu_s", 0.0)
            self.peak_bytes = event.get("peak_bytes", 0)

    # ------------------------------------------------------------ endings

    def _explain_end(self) -> None:
        """The worker closed its replies: wait a moment for the supervisor's word on why."""
        self._await_exit()
        if self._fault is not None:
            raise GraderFault("a worker failed", where=self._fault)
        if self._exit is None and self._pipes.status not in self._open:
            raise GraderFault("a worker's supervisor was killed")
        if self._exit is None:
            self._stop(EndingKind.EXITED, "its code closed the connection to the grader")
        reason, code = self._exit.get("reason"), self._exit.get("code")
        if reason == "grader went away":
            raise GraderFault("a worker's zygote was killed")
        self.killed = reason is None and code == -signal.SIGKILL
        self._stop(*explain_exit(self._exit, self.limits))

    def _await_exit(self) -> None:
        deadline = time.monotonic() + LAST_WORD_S
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


def _fits(op: str, value: Any) -> bool:
    """Whether a reply's value is of the kind that the operation gives."""
    if op == "elements":
        return type(value) is int and 0 <= value <= MAX_ELEMENTS
    if op == "definitions":
        return type(value) is list
    return op == "fetch" or value is None


def _no_ref(_: int) -> NoReturn:
    raise ProtocolError("a reference where a value was asked for")


REASONS = {
    "memory": EndingKind.MEMORY,
    "wall time": EndingKind.TIME,
    "threads": EndingKind.PROCESSES,
    "disk": EndingKind.DISK,
    "files": EndingKind.DISK,
}


def explain_exit(event: dict[str, Any], limits: Limits) -> tuple[EndingKind, str]:
    """Put a supervisor's exit event into plain words, with the limit that was hit."""
    reason, code = event.get("reason"), int(event.get("code", 0))
    limit_texts = {
        "memory": f"it used more than {limits.memory_bytes / (1 << 30):g} GiB of memory",
        "wall time": f"it ran longer than {limits.wall_s:g} s in all",
        "threads": f"it started more than {limits.processes} threads",
        "disk": f"it wrote more than {limits.scratch_bytes >> 20} MiB of files",
        "files": "it created too many files",
    }
    if reason in REASONS:
        return REASONS[reason], f"stopped: {limit_texts[reason]}"
    if code >= 0:
        return EndingKind.EXITED, f"its code ended the process (exit code {code})"
    if -code == signal.SIGXCPU:
        return EndingKind.TIME, "stopped: it used too much processor time"
    if -code == signal.SIGXFSZ:
        return EndingKind.DISK, "stopped: it wrote too large a file"
    if -code == signal.SIGSYS:
        return EndingKind.SIGNAL, "stopped: it made a system call that a grading forbids"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return EndingKind.SIGNAL, f"its process was ended by {name}"
