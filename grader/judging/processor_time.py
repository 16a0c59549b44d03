"""The judge's own time: what a check computes of a submission's answers has an end too."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import NoReturn

AGAIN_S = 1.0
"""A finalizer may swallow the first one."""


class Overrun(BaseException):
    """A check took more processor time than it may. No `except Exception` in it catches this."""


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise `Overrun` inside when this process has used so much processor time since.

    Waiting, for a worker or for a core, is not counted. A single operation of C code is not cut
    off: the grader, which watches from outside, ends the process then.
    """
    if not hasattr(signal, "setitimer"):  # Windows: nothing is graded there
        yield
        return
    before = signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, seconds, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _stop(*_: object) -> NoReturn:
    raise Overrun
