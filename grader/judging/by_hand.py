"""A person at work in a judge: a debugger where a check failed, or a prompt.

Both run in the judge, the trusted side, and in a fork of it that grades one submission: the objects
of the submission are handles, which answer through the wall. What is written to the terminal is
made harmless first, since a student may have chosen it.
"""

from __future__ import annotations

import code
import contextlib
import io
import os
import pdb
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO

import msgspec
import pytest

from grader.judging.evidence import frame_in_check
from grader.model import Suite
from grader.testing.excerpts import excerpt
from grader.testing.failure import CheckFailed
from grader.testing.handles import Handle
from grader.testing.links import StudentError, WorkerStopped
from grader.testing.verdicts import in_words
from grader.text import printable
from grader.wire.judge import JobRequest

WELCOME = """\
`submission` answers through the wall: submission.NAME(…) shows what it gives, .value() and
.tensor() fetch it. `reference` and `rng` are those of the check. Ctrl-D ends."""


class Shown(io.TextIOBase):
    """Writes to a terminal what is no order to it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text in which every active character is an escape."""
        self._stream.write("\n".join(printable(part) for part in text.expandtabs().split("\n")))
        return len(text)

    def flush(self) -> None:
        """Have it on the screen."""
        self._stream.flush()


class AtWork:
    """One person at one terminal, in a process that ends with the job.

    Args:
        terminal: its descriptor.
        request: what is done there.
    """

    def __init__(self, terminal: int, request: JobRequest) -> None:
        self.kind = request.by_hand
        for standard in (0, 1, 2):
            os.dup2(terminal, standard)
        if request.terminal:
            os.environ["TERM"] = request.terminal
        # `input` edits lines only on the interpreter's own streams
        sys.stdin = open(0, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
        sys.stdout = open(  # noqa: SIM115
            1, "w", encoding="utf-8", errors="replace", closefd=False, buffering=1
        )
        self._shown = Shown(sys.stdout)
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401  (that it is there lets `input` edit lines)

    def debug(self, error: BaseException, item: pytest.Item) -> None:
        """Open a debugger at the line of a check that raised."""
        step = frame_in_check(error, item) or error.__traceback__
        if step is None:
            return
        here = types.TracebackType(None, step.tb_frame, step.tb_lasti, step.tb_lineno)
        told = f"{type(error).__name__}: {in_words(error)}"
        self._shown.write(f"{told}\n`q` leaves; `submission` answers through the wall.\n")
        debugger = _Debugger(self._shown)
        debugger.reset()
        debugger.interaction(None, here)

    def shell(self, names: Mapping[str, Any]) -> None:
        """Open a prompt with these names."""
        console = _Console(dict(names), self._shown)
        with contextlib.suppress(SystemExit):
            console.interact(WELCOME, exitmsg="")


class _Debugger(pdb.Pdb):
    def __init__(self, shown: Shown) -> None:
        # no file of a person's home decides what happens in a judge
        super().__init__(
            stdout=shown,  # type: ignore[arg-type]  # it writes, no more
            nosigint=True,
            readrc=False,
        )
        self.use_rawinput = True

    def displayhook(self, obj: object) -> None:
        """Show what an expression gives; of a handle what it stands for."""
        if obj is not None:
            self.message(_told(obj))


class _Console(code.InteractiveConsole):
    def __init__(self, names: dict[str, Any], shown: Shown) -> None:
        super().__init__(names)
        self._shown = shown

    def runcode(self, code: types.CodeType) -> None:
        """Run what was typed."""
        with contextlib.redirect_stdout(self._shown), _displaying(self._displayed):
            super().runcode(code)

    def _displayed(self, value: object) -> None:
        if value is not None:
            self.locals["_"] = value
            self.write(f"{_told(value)}\n")

    def write(self, data: str) -> None:
        """Write to the terminal."""
        self._shown.write(data)
        self._shown.flush()

    def showtraceback(self) -> None:
        """Say what was raised, without the way to it: that leads through the grader."""
        self.write(f"{_raised(sys.exc_info()[1])}\n")


@contextlib.contextmanager
def _displaying(hook: Callable[[object], None]) -> Iterator[None]:
    before, sys.displayhook = sys.displayhook, hook
    try:
        yield
    finally:
        sys.displayhook = before


def _told(value: object) -> str:
    """A value as a person wants to see it: what a handle stands for, if that can be fetched."""
    if type(value) is not Handle:
        return excerpt(repr(value), 4000)
    try:
        fetched = value.value()
    except CheckFailed:  # it is no plain data
        return repr(value)
    except (StudentError, WorkerStopped) as error:
        return _raised(error)
    return f"{value!r} -> {excerpt(fetched)}"


def _raised(error: BaseException | None) -> str:
    place = ""
    if isinstance(error, StudentError) and error.cell is not None:
        place = f" (code cell {error.cell}, line {error.line})"
    return f"{type(error).__name__}: {error}{place}"


def at_ease(suite: Suite) -> Suite:
    """A suite whose checks wait for a person: no limit of their own, and nothing that must pass."""
    checks = tuple(
        msgspec.structs.replace(check, timeout_s=None, requires=()) for check in suite.checks
    )
    return msgspec.structs.replace(suite, checks=checks)
