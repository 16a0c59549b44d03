"""A worker's warm crews, one for each course: what the plugin and the tasks of a worker share."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from grader.config.course import Course, load_course
from grader.errors import GraderError, GraderFault, no_room, told
from grader.intake.reading import AtHand
from grader.intake.readings import ReadingBudget
from grader.integrations.dask.archive import unpack
from grader.integrations.dask.messages import Answer, Order, Setup
from grader.judging.engine import Engine
from grader.judging.gpus import find_gpus
from grader.model import Ending, EndingKind, Run, Submission
from grader.serialization import from_json, to_json
from grader.store.fingerprint import engine_digest, suite_digests, versions

LEAST_FREE = 256 << 20
"""A worker with less room on its disk grades nothing: a submission's scratch may take 96 MiB."""

FAULTS = 3
"""So many faults in a row, of different submissions, are a worker's own."""


class Stopped(Exception):
    """Nobody wants the answer any more."""


class Crew:
    """One course on this worker: its files and an engine, which all threads share.

    Args:
        setup: what to grade with.
        archive: the course.
        scratch: where its folder is made.

    Raises:
        GraderError: this worker can't grade it: the message says why.
    """

    def __init__(self, setup: Setup, archive: bytes, scratch: str) -> None:
        require_same(setup)
        require_room(scratch)
        self._setup, self._archive, self._scratch = setup, archive, scratch
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._engine: Engine | None = None
        self._running: set[str] = set()
        self._unwanted: set[str] = set()
        self._faults = 0
        self._closed = False
        self.used_at = time.monotonic()
        with self._lock:
            self._open()

    def grade(self, key: str, order: bytes, content: bytes, begun: Callable[[], None]) -> bytes:
        """Grade one submission, with as many at once as there are threads that call this.

        Args:
            key: names it, for `forget`.
            order: the JSON of an `Order`.
            content: the submission's bytes.
            begun: told when it begins.

        Returns:
            The JSON of an `Answer`.

        Raises:
            Stopped: it is not wanted any more.
        """
        asked = from_json(order, Order)
        with self._lock:
            engine = self._open()
            self._running.add(key)
        try:
            budget = ReadingBudget()
            run = self._run(engine, key, asked, content, budget, begun)
        except GraderError as error:
            run = _fault(asked.submission, str(error))
        finally:
            with self._lock:
                self._running.discard(key)
                self._unwanted.discard(key)
            self.used_at = time.monotonic()
        return to_json(Answer(run, budget.seconds, self._unfit(run)))

    def _run(
        self,
        engine: Engine,
        key: str,
        order: Order,
        content: bytes,
        budget: ReadingBudget,
        begun: Callable[[], None],
    ) -> Run:
        if order.device != "cpu" and not find_gpus():
            return _fault(order.submission, "the worker has the resource GPU, and no GPU")
        runs = engine.run(
            [order.job(engine.suites)],
            1,
            lambda _: begun(),
            source=AtHand(content),
            budget=budget,
            stopped=lambda: self._closed or key in self._unwanted,
        )
        with contextlib.closing(runs):
            for run in runs:
                return run
        raise Stopped(key)

    def forget(self, key: str) -> None:
        """Nobody wants what came of this task: it ends within a second, if it is being graded."""
        if key in self._running:
            self._unwanted.add(key)

    def rest(self) -> None:
        """End its processes and remove its folder; the next submission starts them again."""
        with self._lock:
            if self._running:
                return
            self._end()

    def close(self) -> None:
        """End its processes, and what is being graded, and remove its folder."""
        self._closed = True
        with self._lock:
            self._end()

    # ------------------------------------------------------------ what it is made of

    def _open(self) -> Engine:
        """The engine, ready to grade; the lock is held meanwhile."""
        if self._closed:
            raise Stopped
        if self._engine is None:
            try:
                self._engine = self._start()
            except OSError as error:
                self._end()
                raise no_room(error, self._scratch) or GraderFault(
                    "a worker can't write to its folder",
                    where=self._scratch,
                    hint="start it with another `--local-directory`",
                ) from error
            except BaseException:
                self._end()
                raise
        return self._engine

    def _start(self) -> Engine:
        course = self._unpacked() if self._setup.archive else self._in_place()
        engine = Engine(course, sandbox=self._setup.sandbox, assignments=self._setup.suites)
        try:
            engine.warm_up()
        except BaseException:
            engine.close()
            raise
        return engine

    def _in_place(self) -> Course:
        """The course where the client has it: this worker must see the very same there."""
        try:
            return self._same_course(Path(self._setup.root))
        except (GraderError, OSError) as error:
            raise GraderFault(
                f"the course is too large to be sent, and is not seen here ({told(error)})",
                where=self._setup.root,
                hint="put it on a file system that all workers have at the same path",
            ) from None

    def _unpacked(self) -> Course:
        self._folder = Path(tempfile.mkdtemp(prefix="grader-course-", dir=self._scratch))
        unpack(self._archive, self._setup.archive, self._folder)
        return self._same_course(self._folder)

    def _same_course(self, folder: Path) -> Course:
        course = load_course(folder)
        found = suite_digests(course, self._setup.suites)
        wrong = [name for name in found if found[name] != self._setup.suites[name]]
        if wrong:
            name = wrong[0]
            raise GraderFault(
                f"other checks than the client's: `{name}` is {found[name][:16]} here, "
                f"{self._setup.suites[name][:16]} there"
            )
        return course

    def _end(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _unfit(self, run: Run) -> str:
        """Why this worker can't grade any more, after a run; empty if it can."""
        if run.ending.kind not in (EndingKind.FAULT, EndingKind.REFUSED):
            self._faults = 0
            return ""
        self._faults += 1
        try:
            require_room(self._scratch)
        except GraderError as error:
            return str(error)
        if self._faults >= FAULTS or run.ending.kind is EndingKind.REFUSED:
            return f"{self._faults} submissions in a row failed here: {run.ending.message}"
        return ""


def _fault(submission: Submission, message: str) -> Run:
    return Run(submission=submission, ending=Ending(kind=EndingKind.FAULT, message=message))


def require_same(setup: Setup) -> None:
    """Demand that this worker runs what the client runs.

    Raises:
        GraderFault: it doesn't; both digests are named, and what differs.
    """
    if engine_digest() == setup.engine:
        return
    here, there = versions(), setup.versions
    differing = [
        f"{name} {here.get(name, 'missing')} instead of {there.get(name, 'none')}"
        for name in sorted(here | there)
        if here.get(name) != there.get(name)
    ]
    raise GraderFault(
        f"another engine: {engine_digest()[:16]} here, {setup.engine[:16]} at the client "
        f"({', '.join(differing) or 'the same versions, other source'})",
        hint="install the same environment on every worker",
    )


def require_room(folder: str) -> None:
    """Demand that there is room to grade in a worker's folders.

    Raises:
        GraderFault: there is too little in one of them, or it can't be written to.
    """
    for place in dict.fromkeys((folder, tempfile.gettempdir())):
        try:
            with tempfile.TemporaryFile(dir=place) as file:
                file.write(b"x" * 4096)
                file.flush()
            free = shutil.disk_usage(place).free
        except OSError as error:
            raise no_room(error, place) or GraderFault(
                "a worker can't write to its folder",
                where=place,
                hint="start it with another `--local-directory`, or another TMPDIR",
            ) from error
        if free < LEAST_FREE:
            raise GraderFault(
                f"only {free >> 20} MiB are free, and grading takes {LEAST_FREE >> 20}",
                where=place,
                hint="free some space there",
            )
