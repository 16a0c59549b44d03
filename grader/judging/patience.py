"""How long the checks of one submission may take once one of them has taken too long.

A check of right code takes well under a second. Who needs ten seconds once has most likely a loop
without end, and will need them in every check: so each that takes too long makes the limit of those
after it shorter, in steps of four, down to `Limits.patience_s`. What a busy machine keeps a worker
waiting does not count against the shorter limit: see `grader/judging/clock.py`.
"""

from __future__ import annotations

from grader.model import Limits

STEP = 4.0
STRETCH = 2.0
"""How many times as long a check may take whose worker has to wait for a core all the time."""
START_S = 0.3
"""What it costs to replace a worker and run an ordinary notebook again, roughly."""


def limit_after(late: int, full_s: float, patience_s: float) -> float:
    """The limit of a check, or of a cell that is run again, when so many were late before it."""
    return max(min(full_s, patience_s), full_s / STEP ** min(late, 50))


def loop_s(limits: Limits, checks: int) -> float:
    """What an answer costs, about, that loops for ever in each of so many checks."""
    waits = (limit_after(late, limits.check_s, limits.patience_s) for late in range(checks))
    return min(limits.wall_s, sum(waits) + START_S * (1 + checks))
