"""A Dask worker's preload for `benchmarks.scaling`: crews answer at once, and nothing is graded.

What is measured then is all that is not grading: sending, scheduling, bringing back.
"""

from __future__ import annotations

from collections.abc import Callable

from grader.integrations.dask import plugin
from grader.integrations.dask.messages import Answer, Order
from grader.model import Outcome, Run, Status
from grader.serialization import from_json, to_json


class NoCrew:
    """Answers as a `Crew` that needs no time; an answer is as large as those of real courses."""

    used_at = float("inf")

    def __init__(self, *_: object) -> None: ...

    def grade(self, _key: str, order: bytes, _content: bytes, begun: Callable[[], None]) -> bytes:
        begun()
        outcomes = tuple(
            Outcome(check=f"check_{number}", status=Status.PASSED, seconds=0.01, detail="x" * 80)
            for number in range(33)
        )
        run = Run(
            submission=from_json(order, Order).submission, outcomes=outcomes, output="x" * 999
        )
        return to_json(Answer(run))

    def forget(self, _key: str) -> None: ...

    def rest(self) -> None: ...

    def close(self) -> None: ...


plugin.Crew = NoCrew  # type: ignore[assignment, misc]
