"""How far a grading is: how fast it goes, how long it will take, who takes long. Draws nothing."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

SLOW_S = 5.0
"""From here on, whoever is being graded is worth naming."""

RECENT = 16
"""The pace is that of so many: the long ones come first, so the average would mislead."""


class Pace:
    """Counts a grading as it happens.

    Args:
        clock: seconds, from any start.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._running: dict[str, float] = {}
        self._hosts: dict[str, str] = {}
        self._finished: deque[float] = deque(maxlen=RECENT)
        self.total = 0
        self.done = 0
        self.ungraded = 0
        self.problems = 0

    def start(self, total: int, kept: int) -> None:
        """So many make up the class, of which `kept` need not be graded."""
        self._started = self._clock()
        self.total, self.done = total, kept

    def begun(self, name: str, host: str = "") -> None:
        """One is being graded from now on, on another host if one is named."""
        self._running[name] = self._clock()
        self._hosts[name] = host

    def finished(self, name: str) -> None:
        """One is graded."""
        self._running.pop(name, None)
        self._hosts.pop(name, None)
        self._finished.append(self._clock())
        self.done += 1

    def slow(self) -> list[tuple[str, float]]:
        """Who has been running for long, with seconds, the longest first."""
        now = self._clock()
        # the list is made in one step: another thread may be counting
        running = [(self._where(name), now - at) for name, at in list(self._running.items())]
        return sorted((one for one in running if one[1] >= SLOW_S), key=lambda one: -one[1])

    def _where(self, name: str) -> str:
        host = self._hosts.get(name, "")
        return f"{name} on {host}" if host else name

    def text(self) -> str:
        """The pace in words: `2.1/s, 40 s left, 1 ungraded, 3 problems`."""
        parts = []
        rate = self._rate()
        if rate:
            parts.append(f"{rate:.1f}/s" if rate >= 1 else f"{60 * rate:.0f}/min")
            if self.done < self.total:
                parts.append(f"{duration((self.total - self.done) / rate)} left")
        if self.ungraded:
            parts.append(f"{self.ungraded} ungraded")
        if self.problems:
            parts.append(f"{self.problems} problem{'s' * (self.problems != 1)}")
        if hosts := len(set(self._hosts.values()) - {""}):
            parts.append(f"on {hosts} host{'s' * (hosts != 1)}")
        return ", ".join(parts)

    def _rate(self) -> float:
        """How many a second, lately; 0 as long as nobody can tell."""
        if not self._finished:
            return 0.0
        everything = len(self._finished) < RECENT
        first = self._started if everything else self._finished[0]
        elapsed = self._clock() - first
        count = len(self._finished) - (not everything)
        return count / elapsed if elapsed > 0 else 0.0


def duration(seconds: float) -> str:
    """Put seconds as a person would: `40 s`, `3 min`, `2 h 5 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
