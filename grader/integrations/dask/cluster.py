"""A cluster as a person asks for it: where it is, and how long it may be away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from grader.config.course import Course
from grader.errors import NobodyGrades
from grader.intake.readings import Readings
from grader.integrations.dask.address import Address, read_address
from grader.integrations.dask.archive import MOST_BYTES
from grader.judging.executor import Executor
from grader.model import Suite

WAIT_S = 300.0
"""How long a run waits for workers, or for the scheduler to come back."""


class Cluster:
    """Starts executors on a cluster: a `grader.judging.executor.Starts`.

    Args:
        text: what `--cluster` says.
        insecure: whether an address that others can listen to is meant.
        wait_s: how long to wait when nobody is there to grade.
        tell: hears what a person should know while it goes on.
        most_bytes: how large a course may be that is sent.

    Raises:
        UsageError: it is no address of a cluster.
    """

    def __init__(
        self,
        text: str,
        *,
        insecure: bool = False,
        wait_s: float = WAIT_S,
        tell: Callable[[str], None] = lambda _: None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.address: Address = read_address(text)
        self.wait_s = wait_s
        self.tell = tell
        self.most_bytes = most_bytes
        self._remarks: list[str] = []
        if not (insecure or self.address.safe):
            self._remarks.append(
                f"the cluster at {self.address} uses no TLS: whoever can reach its network can "
                "read submissions, change scores and run code as you; use tls://, or say "
                "--insecure-cluster if that network is yours alone"
            )

    def __call__(
        self,
        course: Course,
        *,
        sandbox: bool = True,
        assignments: Iterable[str] = (),
        known: Mapping[str, Suite] | None = None,
        readings: Readings | None = None,
    ) -> Executor:
        """Start an executor there; it connects when it has something to grade."""
        from grader.integrations.dask.executor import DaskExecutor

        return DaskExecutor(
            self, course, sandbox=sandbox, assignments=assignments, known=known, readings=readings
        )

    def __str__(self) -> str:
        return str(self.address)

    def remarks(self) -> list[str]:
        """What a person should know after the run."""
        return self._remarks

    def gave_up(self, reason: str) -> NobodyGrades:
        """The error that ends a run on which nobody works any more; its reason is told."""
        self.tell(f"given up after waiting {self.wait_s:g} s: {reason}")
        return NobodyGrades(reason, where=str(self.address))
