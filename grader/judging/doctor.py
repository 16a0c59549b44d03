"""Whether this machine can wall submissions in: every property, tried, and what would give it.

It needs no course. What is tried, and how it is looked at, is in `selftest.py`.
"""

from __future__ import annotations

import math
import platform
import sys

from grader.errors import GraderFault
from grader.jail.properties import PROPERTIES, mode
from grader.judging.patience import loop_s
from grader.judging.selftest import PropertyResult, self_test
from grader.judging.spawning import Zygote
from grader.model import Limits, Value
from grader.store.fingerprint import versions

CHECKS, STUDENTS = 20, 30
"""How large an assignment and a class are for which the cost of endless answers is told."""

ONLY_LINUX = "Linux: a container or a virtual machine on this machine, or WSL 2"


class Loops(Value, frozen=True):
    """What answers that loop for ever in each of their checks cost at most, in seconds.

    `answer_s` is for one of `checks` checks, `class_s` for `students` of them, `slots` at a time.
    `wall_s` is the limit of a submission, whatever it does.
    """

    checks: int
    students: int
    slots: int
    answer_s: float
    class_s: float
    wall_s: float


class WallReport(Value, frozen=True):
    """What was found out about the wall on this machine.

    Attributes:
        system: the kernel and the processor.
        versions: the grader's, Python's and the main packages'.
        mode: "full" or "pod" when the wall is complete, else "none".
        complete: whether every property holds: only then is anything graded with the wall.
        properties: a result for each property.
        without: layers that are not to be had here, and the system's reason.
        loops: what answers cost that never end.
    """

    system: str
    versions: dict[str, str]
    mode: str
    complete: bool
    properties: tuple[PropertyResult, ...]
    without: dict[str, str]
    loops: Loops | None = None


def loops(limits: Limits, slots: int) -> Loops:
    """Say what a class costs in which nobody's answer ever ends."""
    answer_s = loop_s(limits, CHECKS)
    rounds = math.ceil(STUDENTS / slots)
    return Loops(CHECKS, STUDENTS, slots, answer_s, rounds * answer_s, limits.wall_s)


def examine(*, forbidden: tuple[str, ...] = ()) -> WallReport:
    """Let workers try to break out of the wall that this machine gives.

    Args:
        forbidden: layers to do without, for tests.

    Raises:
        GraderFault: no worker can be started, for another reason than a missing property.
    """
    if not sys.platform.startswith("linux"):
        results = tuple(PropertyResult(p.title, (), (), False, ONLY_LINUX) for p in PROPERTIES)
        return _report(results, {})
    try:
        with Zygote(preload=()) as zygote:
            zygote.wait_ready()
            results = self_test(zygote, Limits(), forbidden=forbidden)
            return _report(results, zygote.without)
    except GraderFault as fault:
        raise GraderFault(
            fault.message,
            where=fault.where,
            hint="no submission can be graded here until this is mended: see docs/threat-model.md",
        ) from fault


def _report(results: tuple[PropertyResult, ...], without: dict[str, str]) -> WallReport:
    complete = all(result.held for result in results)
    layers = {layer for result in results for layer in result.layers}
    return WallReport(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        versions=versions(),
        mode=mode(layers) if complete else "none",
        complete=complete,
        properties=results,
        without=without,
    )
