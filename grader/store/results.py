"""Results that outlive a run: what has not changed is not graded again.

    OUTPUT/.results/runs/NAME.json     a run, under the digest of everything that decided it
    OUTPUT/.results/suites/NAME.json   a suite's description, likewise
    OUTPUT/.results/readings/NAME.json what a file said that took long to read, likewise

Each file is written in one step as soon as it is known, so that whatever ends the grader costs at
most the submissions that it was grading. A file starts with a signature of its name and the rest,
made with the instructor's key (`keys.py`): one that is cut off, damaged, or put there by
somebody who may write to the folder is as good as none. Deleting the folder costs time, nothing
else. Without a key nothing is kept, and nothing that was kept is believed.

A file's modification time is when a run last had use for it: after half a year it is removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import msgspec

from grader.config.course import Course, describe_assignments
from grader.errors import GraderError
from grader.gradebook import RunInfo
from grader.model import Assignment, Check, Ending, EndingKind, Job, Limits, Run, Suite, Value
from grader.serialization import from_json, to_json
from grader.store.fingerprint import engine_digest, suite_digests
from grader.store.keys import Key, instructors_key
from grader.store.output import GRADEBOOK, PRIVATE, RESULTS, write_atomically

T = TypeVar("T")

UNUSED_S = 180 * 24 * 3600.0
"""How long a result is kept that no run has use for: longer than a term."""


class Recipe(Value, frozen=True):
    """Everything that decides a run. Who handed the work in is part of it: a result is not shared.

    `engine` and `suite` are digests, see `grader/store/fingerprint.py`.
    """

    engine: str
    suite: str
    checks: tuple[Check, ...]
    student: str
    name: str
    submission: str
    device: str
    seed: int
    limits: Limits
    sandbox: bool
    until_lost: bool = False
    first: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    known_to_pass: tuple[str, ...] = ()


class SuiteRecipe(Value, frozen=True):
    """Everything that decides a suite's description."""

    engine: str
    suite: str
    assignment: Assignment
    folders: tuple[str, ...]


class ReadingRecipe(Value, frozen=True):
    """Everything that decides what a file says: as what it is read, and the digest of its bytes."""

    engine: str
    kind: str
    content: str


class Results:
    """The results in an output folder, which this run has locked.

    Args:
        output: the folder; None keeps nothing.
        sandbox: whether submissions are graded behind the wall.
        force: find nothing, so that everything is graded anew.
        mode: who may read what is kept.
    """

    def __init__(
        self,
        output: Path | None,
        *,
        sandbox: bool = True,
        force: bool = False,
        mode: int = PRIVATE,
    ) -> None:
        self._output = output
        self._sandbox = sandbox
        self._force = force
        self._mode = mode
        self._without_key = ""
        self._distrusted = 0

    def remarks(self) -> list[str]:
        """What a person should know about what was kept, up to now."""
        told = []
        if self._without_key:
            told.append(f"results are not kept for the next run: {self._without_key}")
        if self._distrusted:
            files = "file is" if self._distrusted == 1 else "files are"
            told.append(
                f"{self._distrusted} kept {files} not signed with your key, or damaged: not "
                f"believed, and what should be known from there is found out again: "
                f"{self._output and self._output / RESULTS}"
            )
        return told

    def find(self, job: Job) -> Run | None:
        """Return what an earlier run found out about this very job, if it did."""
        run = self._read("runs", _name(self._recipe(job)), Run)
        # the file may lie elsewhere now
        return None if run is None else msgspec.structs.replace(run, submission=job.submission)

    def keep(self, job: Job, run: Run) -> None:
        """Keep a run, unless its ending was our fault or the file could not be read.

        Raises:
            GraderError: it can't be written.
        """
        if not run.ending.ours and run.ending.kind is not EndingKind.UNREADABLE:
            self._write("runs", _name(self._recipe(job)), run)

    def find_suites(self, course: Course, assignments: Iterable[str]) -> dict[str, Suite] | None:
        """Return the suites of some assignments, of all when none are named, if all are known."""
        if self._output is None or self._force:
            return None
        suites = {}
        for name, recipe in _suite_recipes(course, assignments).items():
            suite = self._read("suites", _name(recipe), Suite)
            if suite is None:
                return None
            suites[name] = suite
        return suites

    def keep_suites(self, course: Course, suites: Mapping[str, Suite]) -> None:
        """Keep suites that a judge has described.

        Raises:
            GraderError: they can't be written.
        """
        digests = {name: suite.digest for name, suite in suites.items()}
        for name, recipe in _suite_recipes(course, suites, digests).items():
            self._write("suites", _name(recipe), suites[name])

    def find_reading(self, kind: str, content: str, type_: type[T]) -> T | None:
        """Return what an earlier run has read in the bytes of this digest."""
        return self._read("readings", _name(ReadingRecipe(engine_digest(), kind, content)), type_)

    def keep_reading(self, kind: str, content: str, said: Value) -> None:
        """Keep what the bytes of this digest said.

        Raises:
            GraderError: it can't be written.
        """
        self._write("readings", _name(ReadingRecipe(engine_digest(), kind, content)), said)

    def forget_unused(self) -> None:
        """Remove what no run has found or kept for half a year; what can't be removed stays."""
        if self._output is None:
            return
        oldest = time.time() - UNUSED_S
        for folder in ("runs", "suites", "readings"):
            with contextlib.suppress(OSError), os.scandir(self._output / RESULTS / folder) as kept:
                for entry in kept:
                    with contextlib.suppress(OSError):
                        if entry.stat(follow_symlinks=False).st_mtime < oldest:
                            Path(entry).unlink()

    def seconds(self) -> dict[str, float]:
        """How long submissions took when they were graded last, by `STUDENT/ASSIGNMENT`."""
        if self._output is None:
            return {}
        try:
            content = (self._output / GRADEBOOK).read_bytes()
            return from_json(content, _Times).run.seconds_per_submission
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return {}

    def late(self) -> frozenset[str]:
        """Which submissions a time limit stopped when they were graded last."""
        if self._output is None:
            return frozenset()
        try:
            content = (self._output / GRADEBOOK).read_bytes()
            scores = from_json(content, _Endings).scores
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return frozenset()
        late = (one for one in scores if one.ending.kind is EndingKind.TIME)
        return frozenset(f"{one.student}/{one.assignment}" for one in late)

    # ------------------------------------------------------------ files

    def _recipe(self, job: Job) -> Recipe:
        return Recipe(
            engine=engine_digest(),
            suite=job.suite.digest,
            checks=job.suite.checks,
            student=job.submission.student,
            name=job.submission.name,
            submission=job.submission.digest,
            device=job.device,
            seed=job.seed,
            limits=job.limits,
            sandbox=self._sandbox,
            until_lost=job.until_lost,
            first=job.first,
            asked=job.checks,
            known_to_pass=job.known_to_pass,
        )

    @cached_property
    def _key(self) -> Key | None:
        """The instructor's key; None when there is none to trust, which `remarks` tells."""
        assert self._output is not None
        try:
            return instructors_key(self._output)
        except GraderError as error:
            self._without_key = f"{error}" + (f" ({error.hint})" if error.hint else "")
            return None

    def _read(self, kind: str, name: str, type_: type[T]) -> T | None:
        if self._output is None or self._force or self._key is None:
            return None
        path = self._path(self._output, kind, name)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        signature, _, body = content.partition(b"\n")
        if not self._key.has_signed(signature, f"{kind}/{name}", body):
            self._distrusted += 1
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # it is of use
        try:
            return from_json(body, type_)
        except (msgspec.MsgspecError, UnicodeDecodeError):  # of an earlier version of ours
            return None

    def _write(self, kind: str, name: str, value: Value) -> None:
        if self._output is None or self._key is None:
            return
        body = to_json(value)
        signature = self._key.sign(f"{kind}/{name}", body).encode()
        path = self._path(self._output, kind, name)
        write_atomically(path, signature + b"\n" + body, mode=self._mode)

    @staticmethod
    def _path(output: Path, kind: str, name: str) -> Path:
        return output / RESULTS / kind / f"{name}.json"


class _Times(msgspec.Struct):
    """The part of a gradebook that tells how long each submission took."""

    run: RunInfo


class _Ended(msgspec.Struct):
    """The part of a score that tells how its run ended."""

    student: str
    assignment: str
    ending: Ending


class _Endings(msgspec.Struct):
    """The part of a gradebook that tells how each run ended."""

    scores: tuple[_Ended, ...]


def _suite_recipes(
    course: Course, assignments: Iterable[str], digests: Mapping[str, str] | None = None
) -> dict[str, SuiteRecipe]:
    names = list(assignments) or [assignment.id for assignment in course.assignments]
    digests = suite_digests(course, names) if digests is None else digests
    return {
        assignment.id: SuiteRecipe(
            engine=engine_digest(),
            suite=digests[assignment.id],
            assignment=assignment,
            folders=(str(course.root), str(course.checks), str(course.suites)),
        )
        for assignment in describe_assignments(course, digests)
    }


def _name(recipe: Value) -> str:
    """SHA-256 of a recipe. Its `repr` holds everything, also names that UTF-8 can't."""
    return hashlib.sha256(repr(recipe).encode("utf-8", "surrogatepass")).hexdigest()
