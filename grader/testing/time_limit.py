"""A time limit for code that runs in this very process, on every system and in any thread.

In a student's own notebook there is no other process that could be ended, and on Windows no alarm.
So a second thread watches the clock, and has `TimeIsUp` raised in the thread that runs the code,
between two of its steps. One step that is native code, as a huge product of matrices or a sleep,
can't be cut: the exception comes when it is over.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import random
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

Result = TypeVar("Result")

PERIOD_S = 0.05
"""Between two looks at the clock."""

AGAIN_S = 0.0002
"""Between two attempts to stop what catches everything, about."""

DEEPEST = 16
"""Levels of such code, one in the other, that one attempt gets through."""

PATIENCE_S = 3.0
"""How long code may go on after its time until somebody is told that it can't be stopped."""

_raise_in = ctypes.PYFUNCTYPE(None, ctypes.c_ulong, ctypes.py_object)(
    ("PyThreadState_SetAsyncExc", ctypes.pythonapi)
)
"""Have an exception raised in a thread as soon as it comes to its next step."""

_NOTHING = ctypes.py_object()
"""Instead of an exception: the one that is under way is called back."""


class TimeIsUp(BaseException):
    """Stops code at its limit. Not an Exception: `except Exception` must not swallow it."""


class TimeLimit:
    """Runs code of the thread that enters this, for so long as it is allowed to take.

    Args:
        stuck: is called, in another thread, when code goes on for long although its time is up.
    """

    def __init__(self, stuck: Callable[[], object] = lambda: None) -> None:
        self._stuck = stuck
        self._left_s: float | None = None
        self._until: float | None = None
        self._over = threading.Event()

    def __enter__(self) -> TimeLimit:
        self._thread = threading.get_ident()
        threading.Thread(target=self._watch, name="time limit", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()

    def allow(self, seconds: float) -> None:
        """Let what runs from now on take so long, all together."""
        self._left_s = seconds

    def run(self, work: Callable[[], Result]) -> Result:
        """Do some work.

        Raises:
            TimeIsUp: it took too long.
        """
        if self._left_s is None:
            return work()
        began = time.monotonic()
        self._until = began + self._left_s
        try:
            return work()
        finally:
            # The first two steps here can't be interrupted, so no exception arrives after them:
            # none is sent any more, and one that is under way is called back. (Python 3.10 looks
            # for exceptions between a `finally:` and its first step, if that is not a `try:`.)
            try:
                self._until = None
                _raise_in(self._thread, _NOTHING)
            finally:
                self._left_s -= time.monotonic() - began

    def _watch(self) -> None:
        """Look at the clock, from a thread of its own."""
        told: float | None = None
        while not self._over.wait(PERIOD_S):
            until = self._until
            if until is None or time.monotonic() < until:
                continue
            self._stop(until, AGAIN_S if told is not until else 10 * AGAIN_S)
            if self._until is until and told is not until:
                told = until
                self._stuck()

    def _stop(self, until: float, again_s: float) -> None:
        """Raise exceptions in the thread until it gives up, or for so long as anybody waits."""
        end = time.monotonic() + PATIENCE_S
        interval = sys.getswitchinterval()
        sys.setswitchinterval(AGAIN_S)  # otherwise this thread's turn comes too seldom
        try:
            while self._until is until and time.monotonic() < end:
                exception = _stubborn(self._thread)
                if self._until is until:  # what is asked and what follows are one step
                    _raise_in(self._thread, exception)
                # never in step with a loop, which would catch each in the same place
                self._over.wait(random.uniform(0.5, 1.5) * again_s)
        finally:
            sys.setswitchinterval(interval)


def _stubborn(thread: int) -> type[TimeIsUp]:
    """An exception to raise in a thread that is followed by another when it is caught.

    To catch one creates it, and to create it asks for the next: so it gets out of a loop that
    catches everything and goes on. All of that is one step: a function written in Python would be
    several, and be interrupted by its own exception.
    """
    kind = type("TimeIsUp", (TimeIsUp,), {})
    more = map(_raise_in, itertools.repeat(thread, DEEPEST), itertools.repeat(kind))
    kind.__init__ = staticmethod(functools.partial(next, more, None))  # type: ignore[misc]
    return kind
