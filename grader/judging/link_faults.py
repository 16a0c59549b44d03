"""What goes wrong on the way to a worker is ours, whatever the check that asked makes of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from grader.errors import GraderFault
from grader.testing.excerpts import excerpt
from grader.testing.failure import CheckFailed
from grader.testing.links import CantBeSent, StudentError, WorkerStopped

Step = TypeVar("Step", bound=Callable[..., Any])

MEANT = (CheckFailed, StudentError, WorkerStopped, CantBeSent, GraderFault, MemoryError)
"""What a link raises on purpose; and memory that is missing, for values that a submission chose."""


def ours(step: Step) -> Step:
    """Make everything else that a step of the link raises a `GraderFault`.

    So a check's own mistakes and the link's are told apart by their types.
    """

    @functools.wraps(step)
    def taken(*arguments: Any, **options: Any) -> Any:
        try:
            return step(*arguments, **options)
        except MEANT:
            raise
        except Exception as error:
            told = f"{type(error).__name__}: {excerpt(error.args)}"
            raise GraderFault("the link to a worker raised", where=told) from error

    return taken  # type: ignore[return-value]
