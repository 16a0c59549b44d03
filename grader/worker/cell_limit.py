"""The time that a cell may take, kept by an alarm in its own process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

AGAIN_S = 1.0
"""Whoever swallows the alarm hears it again after so long, before the judge ends the worker."""


class TimeIsUp(BaseException):
    """Stops a cell at its limit. Not an Exception: `except Exception` must not swallow it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TimeIsUp` inside the cell. The judge's own deadline is the one that counts."""

    def stop(*_: object) -> None:
        raise TimeIsUp(f"stopped after {seconds:g} s (limit {seconds:g} s per cell)")

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
