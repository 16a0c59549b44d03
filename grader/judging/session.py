"""One submission on the judge's side: a notebook in a worker, replaced when it is lost.

A check that hangs, crashes or breaks the protocol costs itself: the next check gets a new worker in
which the notebook has been run again, a bounded number of times. A cell that ended a worker is left
out from then on. Every check starts from a known state: seed, dtype, threads, grad mode.

A worker that is killed by nobody knows whom is an accident, once in each place, a cell or a check:
what it was busy with is asked again, and no limit on restarts counts it. A submission that kills
itself does so again in the same place. What it has done in one place says nothing of another.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import Counter
from collections.abc import Callable, Sequence

from grader.judging.patience import STRETCH, limit_after
from grader.judging.worker_link import WorkerLink
from grader.model import (
    Cell,
    CellError,
    Check,
    Ending,
    EndingKind,
    Isolation,
    Limits,
    Submission,
    Usage,
)
from grader.testing.handles import SubmissionNames
from grader.testing.links import StudentError, WorkerStopped
from grader.testing.operations import Op
from grader.testing.tellings import MAX_SOURCE_LINE, builtin_name, in_confidence, line_of

GRACE_S = 2.0
"""A cell's own alarm rings first; this much later the worker is ended."""

RESET_S = 10.0
BEFORE_CELLS = 0
"""Where a worker is that runs no cell yet; cells are numbered from 1."""

READING_S = 5.0
"""How long a worker may take to read what the cells define."""

MEMORY_SIGNS = ("can't allocate memory", "DefaultCPUAllocator", "out of memory")


def derive_seed(base: int, secret: str, *parts: str) -> int:
    """A 62-bit seed that nobody can predict who does not know the suites.

    HMAC-SHA256 keyed by the suite's digest over the run's seed and the parts (submission, check).
    """
    text = "\0".join((str(base), *parts)).encode()
    return int.from_bytes(hmac.new(secret.encode(), text, hashlib.sha256).digest()[:8], "big") >> 2


class Session:
    """A submission's notebook, run in a worker.

    Args:
        submission: whose it is.
        cells: its code cells.
        limits: what it may use.
        spawn: starts a worker and returns its link.
        seed_of: gives the seed for a purpose: `"notebook"`, or `"worker"` and a check's id.
        device: where tensors live over there.
        compare: whether somebody wants to know what the cells define.

    Attributes:
        definitions: each cell's number with the digests of what it defines, if they were asked for.
        imported_elsewhere: what it imported of `PLACES`, for which it was given stand-ins.
        had_accident: whether somebody killed the worker during the last check, for the first time
            in it, nobody knows who.
        starved: whether the kernel ended a worker because the machine was out of memory.
        confidential: whether the worker that the last check was put to has heard what a hidden
            check asks: from then on its own words reach no student.
    """

    def __init__(
        self,
        submission: Submission,
        cells: Sequence[Cell],
        limits: Limits,
        spawn: Callable[[], WorkerLink],
        seed_of: Callable[..., int],
        device: str = "cpu",
        *,
        compare: bool = False,
    ) -> None:
        self.submission = submission
        self.cells = tuple(cells)
        self.limits = limits
        self.device = device
        self.definitions: list[tuple[int, list[str]]] = []
        self.cell_errors: dict[int, CellError] = {}
        self.imported_elsewhere: set[str] = set()
        self.ending: Ending | None = None
        self.output = ""
        self.had_accident = False
        self.starved = False
        self.confidential = False
        self.isolation: Isolation | None = None
        self._spawn = spawn
        self._seed_of = seed_of
        self._link: WorkerLink | None = None
        self._unread = compare
        self._deadly: set[int] = set()
        self._accidents: set[int | str] = set()
        self._late_cells: Counter[int] = Counter()
        self._late_checks = 0
        self._hidden_asked = False
        self._started = time.monotonic()
        self._workers = 0
        self._cpu_s = 0.0
        self._peak_bytes = 0

    # ------------------------------------------------------------ checks

    def names_for(self, check: Check) -> SubmissionNames:
        """The submission's names, in the state that every check starts from.

        Raises:
            WorkerStopped: no worker can be had any more; the message says why.
            GraderFault: a worker could not be built.
        """
        link = self._loaded()
        self.confidential = self.confidential or not check.public
        self._hidden_asked = self._hidden_asked or not check.public
        link.allow(RESET_S, "while it was being reset")
        # its own seed: with the check's, the submission could draw what it is about to be asked
        link.request(Op.RESET, seed=self._seed_of("worker", check.id))
        full = check.timeout_s or self.limits.check_s
        limit = limit_after(self._late_checks, full, self.limits.patience_s)
        why = "per check" if limit == full else "after others that took too long"
        left = self._time_left()
        link.allow(
            min(limit, left),
            f"after {limit:g} s in `{check.id}` (limit {limit:g} s {why})",
            at_most=min(full, STRETCH * limit, left),
        )
        return SubmissionNames(link, self.device)

    def settle(self, check: Check) -> Ending | None:
        """After a check: how the worker ended during it, or None if it lives."""
        self.had_accident = False
        if self._link is None or self._link.ending is None:
            return None
        ending = self._link.ending
        self.had_accident = self._is_accident(self._link, check.id)
        if ending.kind is EndingKind.TIME:
            self._late_checks += 1
        self._retire()
        return in_confidence(ending) if self.confidential else ending

    def give_up(self) -> None:
        """End the worker: what it answers can't be handled in time."""
        self._late_checks += 1
        self._retire()

    def close(self) -> None:
        """End the worker."""
        self._retire()

    def usage(self) -> Usage:
        """What it has cost up to now; complete after `close`."""
        return Usage(
            wall_s=round(time.monotonic() - self._started, 3),
            cpu_s=round(self._cpu_s, 3),
            peak_bytes=self._peak_bytes,
            workers=self._workers,
        )

    # ------------------------------------------------------------ workers

    def _loaded(self) -> WorkerLink:
        while self._link is None or self._link.ending is not None:
            self._retire()
            self._refuse_when_spent()
            self._link = self._spawn()
            self._workers += 1
            self.confidential = False
            self._link.wait_ready()
            self.isolation = self._link.isolation
            if self._unread:
                self._read_definitions(self._link)
            self._run_cells(self._link)
        return self._link

    def _refuse_when_spent(self) -> None:
        if self._workers - len(self._accidents) > self.limits.restarts:
            why = self.ending.message if self.ending else ""
            raise WorkerStopped(
                f"not run: the notebook had to be started {self._workers} times ({why})"
            )
        if self._time_left() <= 0:
            raise WorkerStopped(f"not run: the submission used up its {self.limits.wall_s:g} s")

    def _time_left(self) -> float:
        return self.limits.wall_s - (time.monotonic() - self._started)

    def _read_definitions(self, link: WorkerLink) -> None:
        """Have the cells read, while none of them has run over there."""
        self._unread = False
        link.allow(READING_S, "while its cells were read")
        try:
            found = link.request(Op.DEFINITIONS, sources=[cell.source for cell in self.cells])
        except (StudentError, WorkerStopped):
            return  # what Python itself can't read in time is compared with nothing
        pairs = zip(self.cells, found, strict=False)
        self.definitions = [
            (cell.number, [one for one in digests if type(one) is str])
            for cell, digests in pairs
            if type(digests) is list
        ]

    def _prepare(self, link: WorkerLink) -> None:
        link.allow(RESET_S, "while it was being reset")
        link.request(Op.RESET, seed=self._seed_of("notebook"))
        if self.submission.name.lower().endswith(".py"):
            # its own name would not be part of what decides a result that is kept
            link.request(Op.SCRIPT, name=f"{self.submission.assignment}.py")

    def _run_cells(self, link: WorkerLink) -> None:
        try:
            self._prepare(link)
        except WorkerStopped:
            self._is_accident(link, BEFORE_CELLS)
            return  # `_loaded` sees that the link has ended and tries again
        try:
            for cell in self.cells:
                if cell.number not in self._deadly:
                    self._run_cell(link, cell)
            if not self._hidden_asked:
                self.output = link.printed()
        except WorkerStopped:
            pass  # the same, without the deadly cell

    def _run_cell(self, link: WorkerLink, cell: Cell) -> None:
        limit = limit_after(
            self._late_cells[cell.number], self.limits.cell_s, self.limits.patience_s
        )
        link.allow(
            min(limit + GRACE_S, max(self._time_left(), 0.01)),
            f"after {limit:g} s in code cell {cell.number} (limit {limit:g} s per cell)",
        )
        try:
            imported = link.request(Op.CELL, number=cell.number, source=cell.source, limit_s=limit)
            if not self._hidden_asked:  # else it could tell of what a check has asked
                self.imported_elsewhere.update(imported)
        except StudentError as error:
            self._note_error(cell, error, limit)
        except WorkerStopped:
            assert link.ending is not None
            if not self._is_accident(link, cell.number):
                self._note_end_in(cell, link)
            raise

    def _is_accident(self, link: WorkerLink, place: int | str) -> bool:
        """Whether the worker was killed here, in a cell or a check, for the first time."""
        if not link.killed or place in self._accidents:
            return False
        self._accidents.add(place)
        return True

    def _note_end_in(self, cell: Cell, link: WorkerLink) -> None:
        assert link.ending is not None
        ending = link.ending
        self._deadly.add(cell.number)
        if self._hidden_asked:
            ending = in_confidence(ending)
        else:
            self.output = self.output or link.printed()
        self._note_ending(ending)
        self.cell_errors[cell.number] = CellError(
            cell=cell.number, error="Stopped", message=ending.message
        )

    def _note_error(self, cell: Cell, error: StudentError, limit: float) -> None:
        kind, message = error.kinds[0], error.message
        if kind == "TimeIsUp":
            self._late_cells[cell.number] += 1
            text = (
                f"stopped after {limit:g} s in code cell {cell.number} (limit {limit:g} s per cell)"
            )
            self._note_ending(Ending(kind=EndingKind.TIME, message=text))
            kind, message = "Stopped", f"after {limit:g} s (limit {limit:g} s per cell)"
        elif self._hidden_asked:
            kind, message = builtin_name(kind), ""
        if kind == "MemoryError" or any(sign in error.message for sign in MEMORY_SIGNS):
            size = f"{self.limits.memory_bytes / (1 << 30):g} GiB"
            text = f"code cell {cell.number} asked for more memory than it may have (limit {size})"
            self._note_ending(Ending(kind=EndingKind.MEMORY, message=text))
            message = message or f"more memory than it may have (limit {size})"
        if cell.number in self.cell_errors:
            return  # what it said when it was run first
        source_line = line_of(self.cells, error.cell, error.line)
        here = error.cell == cell.number and source_line is not None and not self._hidden_asked
        self.cell_errors[cell.number] = CellError(
            cell=cell.number,
            error=kind,
            message=message[:500],
            line=error.line if here else None,
            source_line=(source_line or "").strip()[:MAX_SOURCE_LINE] if here else "",
        )

    def note(self, ending: Ending) -> None:
        """Remember how a worker ended during a check: the first ending is the run's."""
        self._note_ending(ending)

    def _note_ending(self, ending: Ending) -> None:
        if self.ending is None:
            self.ending = ending

    def _retire(self) -> None:
        if self._link is not None:
            self._link.close()
            self._cpu_s += self._link.cpu_s
            self._peak_bytes = max(self._peak_bytes, self._link.peak_bytes)
            self.starved = self.starved or self._link.starved
            self._link = None
