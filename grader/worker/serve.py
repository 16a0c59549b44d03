"""The worker's end of the wall: runs the notebook's cells, then answers requests one at a time.

Everything here runs beside student code and may be tampered with by it. That is fine: nothing that
leaves this process is believed beyond its bytes.
"""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

from grader.testing.objects import MAX_MESSAGE, NameNotDefined, ObjectServer, describe_error
from grader.testing.operations import ALWAYS, Op
from grader.testing.refusals import why_not_fetched
from grader.wire.batch import decode_batch
from grader.wire.definitions import read_cells
from grader.wire.reply import ERROR, ERROR_KEYS, ID, UNDEFINED, UNSENDABLE, error_reply, value_reply
from grader.wire.values import HEADER, Unsendable, encode_frame
from grader.worker.cell_limit import time_limit
from grader.worker.shell import GradingShell, make_shell, rehearse

CHUNK = 1 << 16


def warm() -> None:
    """Make in the zygote what every worker needs: its fork is its own."""
    make_shell()
    rehearse()


def serve(requests: int, replies: int, *, device: str = "cpu", scratch: str = "") -> NoReturn:
    """Answer requests until the other end closes; then end without running student `atexit` code.

    Args:
        requests: descriptor to read frames from.
        replies: descriptor to write frames to.
        device: where tensors that arrive are put.
        scratch: the one folder that the notebook may write to; it becomes the working directory.
    """
    _fresh_interpreter(scratch)
    shell = GradingShell.instance()
    shell.screen = sys.stdout
    sys.modules["__main__"] = shell.user_module
    server = ObjectServer(shell.user_ns, device=device)
    received = bytearray()
    while True:
        body = _read_frame(requests, received)
        if body is None:
            os._exit(0)
        number, batch = decode_batch(body)
        _write_all(replies, _encode(_answer(server, shell, number, batch)))


def _fresh_interpreter(scratch: str) -> None:
    if scratch:
        os.chdir(scratch)
        sys.path.insert(0, scratch)
    sys.argv = ["notebook"]
    # line buffered, so that prints arrive before a crash
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115


def _answer(
    server: ObjectServer, shell: GradingShell, number: int, batch: list[Any]
) -> dict[str, Any]:
    """Perform operations in order; the reply holds the value of the last, or what was raised."""
    value: Any = None
    raised: dict[str, Any] | None = None
    for op, fields in batch:
        if raised is not None and op not in ALWAYS:
            continue
        try:
            if op == Op.CELL:
                value = _run_cell(shell, **fields)
            elif op == Op.SCRIPT:
                shell.begin_script(**fields)
            elif op == Op.DEFINITIONS:
                value = read_cells([shell.as_python(source) for source in fields["sources"]])
            else:
                value = server.perform(op, **fields)
        except NameNotDefined as error:
            raised = raised or {UNDEFINED: str(error)}
        except Unsendable as error:
            raised = raised or {UNSENDABLE: why_not_fetched(error)[:MAX_MESSAGE]}
        except BaseException as error:
            raised = raised or {ERROR: _told(error)}
    if raised is not None:
        return error_reply(number, raised)
    return value_reply(number, value)


def _run_cell(shell: GradingShell, number: int, source: str, limit_s: float) -> list[str]:
    """Run a cell; what comes back are the modules imported until now that exist only elsewhere."""
    with time_limit(limit_s):
        shell.run_notebook_cell(number, source)
    return sorted(shell.elsewhere.imported)


def _encode(reply: dict[str, Any]) -> bytes:
    try:
        return encode_frame(reply)
    except Unsendable as error:
        reason = why_not_fetched(error)[:MAX_MESSAGE]
        return encode_frame(error_reply(reply[ID], {UNSENDABLE: reason}))
    except BaseException as error:
        return encode_frame(error_reply(reply[ID], {ERROR: _told(error)}))


def _told(error: BaseException) -> dict[str, Any]:
    """What crosses of an exception."""
    return {key: value for key, value in describe_error(error).items() if key in ERROR_KEYS}


def _read_frame(descriptor: int, received: bytearray) -> bytes | None:
    """The next frame's body, None at the end; what was read beyond it stays in `received`."""
    wanted = HEADER.size
    while len(received) < wanted or len(received) < (
        wanted := HEADER.size + HEADER.unpack_from(received)[0]
    ):
        chunk = os.read(descriptor, max(wanted - len(received), CHUNK))
        if not chunk:
            return None
        received += chunk
    body = bytes(received[HEADER.size : wanted])
    del received[:wanted]
    return body


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
