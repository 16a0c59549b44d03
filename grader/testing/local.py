"""Public checks in a student's own notebook: the same check code, in-process, instant.

There is no wall here and none is needed: a student checks their own work. `pytest` runs the public
suite on the notebook's namespace; what comes back is data for `course.check` to show. Values are
copied and time is limited as in a grading, so that what passes here passes there.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from grader.errors import GraderError, SuiteError, UsageError
from grader.model import Assignment, Check
from grader.testing import suites
from grader.testing.crossing import BelievedCopier, Copier, Unsendable
from grader.testing.handles import SubmissionNames
from grader.testing.links import Link, NotDefined, Ref, StudentError, WorkerStopped
from grader.testing.objects import NameNotDefined, ObjectServer, describe_error
from grader.testing.operations import ALWAYS, Op
from grader.testing.practice import (
    Cause,
    Interrupted,
    LocalResult,
    Place,
    limit_of_the_course,
    own_place,
)
from grader.testing.refusals import not_fetched, not_sent, why_not_fetched
from grader.testing.suites import CheckRunner, build_suite
from grader.testing.time_limit import TimeIsUp, TimeLimit
from grader.testing.verdicts import outcome_of

LATER_S = 2.0
"""What a check may take when another one has taken too long."""

MOST_TIMEOUTS = 2
"""Checks that may take too long before those that are left are not run."""

TIDY_S = 1.0
"""What a check that was stopped may take to put things back."""


class OwnError(StudentError):
    """The student's code raised in this very process: `place` is theirs."""

    def __init__(self, told: dict[str, Any], place: Place | None) -> None:
        super().__init__(
            tuple(told["kinds"]),
            told["message"],
            cell=told["cell"],
            line=told["line"],
            source_line=told["source_line"],
        )
        self.place = place


class OwnCodeStopped(WorkerStopped):
    """The student's code took too long in this very process: it was at `place`."""

    def __init__(self, place: Place | None) -> None:
        super().__init__("stopped: it took too long")
        self.place = place


class LocalLink(Link):
    """Performs operations on a namespace of this very process; values are copied.

    Each is performed at once, and what it raises is kept until somebody waits, as across the wall:
    a check means the same in both places. So are values copied both ways.

    Args:
        namespace: the notebook's globals.
        limit: stops what takes too long.
    """

    def __init__(self, namespace: dict[str, Any], limit: TimeLimit | None = None) -> None:
        super().__init__()
        self._namespace = namespace
        self._server = ObjectServer(namespace)
        self._limit = limit if limit is not None else TimeLimit()
        self._value: Any = None
        self._raised: Exception | None = None

    def release(self, ref: Ref) -> None:
        """Forget an object."""
        self._server.perform(Op.RELEASE, refs=[ref.id])

    def _drop(self) -> None:
        self._raised = self._value = None

    def _queue(self, op: Op, fields: dict[str, Any]) -> None:
        if self._raised is not None and op not in ALWAYS:
            return
        try:
            sent = BelievedCopier().walk(fields, 0)
        except Unsendable as error:
            raise not_sent(error) from None
        try:
            value, raised = self._limit.run(lambda: self._performed(op, sent))
        except TimeIsUp as error:
            self._limit.allow(TIDY_S)
            value, raised = None, OwnCodeStopped(own_place(error, self._namespace))
        self._value = value
        self._raised = self._raised or raised

    def _performed(self, op: Op, fields: dict[str, Any]) -> tuple[Any, Exception | None]:
        """The value of an operation, or what it raised: in words, which may be the student's."""
        try:
            return self._server.perform(op, **fields), None
        except (KeyboardInterrupt, TimeIsUp):
            raise
        except NameNotDefined as error:
            return None, NotDefined(str(error))
        except Unsendable as error:
            return None, not_fetched(why_not_fetched(error))
        except BaseException as error:
            raised = OwnError(describe_error(error), own_place(error, self._namespace))
            raised.__cause__ = error
            return None, raised

    def _exchange(self) -> Any:
        error, self._raised = self._raised, None
        value, self._value = self._value, None
        if error is None:
            return copy_plain(value)
        raise error


def copy_plain(value: Any) -> Any:
    """Copy plain data so that the check and the notebook share nothing, as across the wall.

    Raises:
        grader.testing.CheckFailed: the value is not plain data.
    """
    try:
        # as deep, and with as many values beside it, as in a worker's reply
        return Copier().walk({"id": 0, "ok": True, "value": value}, 0)["value"]
    except Unsendable as error:
        raise not_fetched(why_not_fetched(error)) from None


def run_checks(
    namespace: dict[str, Any],
    file: Path,
    question: str | None = None,
    *,
    check_s: float | None = None,
) -> list[LocalResult]:
    """Run a file of public checks on a namespace.

    Args:
        namespace: the notebook's globals.
        file: `test_ASSIGNMENT.py`.
        question: only this question's checks; None runs all.
        check_s: what a check may take, in seconds; None takes the course's limit.

    Raises:
        SuiteError: the file can't be used.
        UsageError: it has no such question.
        Interrupted: somebody interrupted it, with the results up to then.
    """
    file = file.resolve()
    options = [*suites.PYTEST_OPTIONS, "--rootdir", str(file.parent), str(file)]
    with TimeLimit(_telling_that_it_is_stuck(sys.stderr)) as limit:
        limit_s = check_s if check_s is not None else limit_of_the_course()
        plugin = _LocalRun(namespace, file.parent, question, limit, limit_s)
        try:
            with _own_pytest(), _quiet() as said, _torch_state_kept(), _figures_kept():
                code = pytest.main(options, plugins=[plugin])
        except KeyboardInterrupt as interrupt:
            raise Interrupted(plugin.results, own_place(interrupt, namespace)) from None
    if plugin.error is not None:
        raise plugin.error
    if code is pytest.ExitCode.INTERRUPTED:
        raise Interrupted(plugin.results, plugin.interrupted_at)
    if code in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
        raise SuiteError("pytest does not start", where=said.getvalue().strip()[-500:])
    return plugin.results


def _telling_that_it_is_stuck(stream: Any) -> Callable[[], None]:
    def tell() -> None:
        print(
            "Your code takes longer than a check may, and can't be stopped from here: it is inside"
            " one long operation, or it catches every exception. Interrupt or restart the kernel.",
            file=stream,
            flush=True,
        )

    return tell


class _LocalRun(CheckRunner):
    """The pytest plugin of a run in a notebook."""

    def __init__(
        self,
        namespace: dict[str, Any],
        folder: Path,
        question: str | None,
        limit: TimeLimit,
        limit_s: float,
    ) -> None:
        super().__init__()
        self.link = LocalLink(namespace, limit)
        self.namespace = namespace
        self.folder = folder
        self.question = question
        self.limit = limit
        self.limit_s = limit_s
        self.timeouts = 0
        self.results: list[LocalResult] = []
        self.error: Exception | None = None
        self.interrupted_at: Place | None = None

    @pytest.fixture
    def submission(self) -> SubmissionNames:
        self.link.request(Op.RESET, seed=0)
        return SubmissionNames(self.link)

    @pytest.fixture
    def device(self) -> str:
        return "cpu"

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest) -> random.Random:
        return random.Random(request.node.name)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and self.error is None:
            self.error = SuiteError(
                "these checks can't be loaded", where=report.longreprtext[-500:]
            )

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self.interrupted_at = own_place(excinfo.value, self.namespace)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if self.error is not None:
            return True
        try:
            suite = build_suite(
                Assignment(id="", title=""), session.items, self.folder, practice=True
            )
        except Exception as error:
            self.error = error
            return True
        titles = {question.id: question.title for question in suite.assignment.questions}
        if self.question is not None and self.question not in titles:
            self.error = UsageError(
                f"there is no public question {self.question!r} in this notebook",
                hint="there are: " + ", ".join(titles),
            )
            return True
        passed: dict[str, bool] = {}
        for item, check in zip(session.items, suite.checks, strict=True):
            if self.question is not None and check.question != self.question:
                continue
            unmet = [name for name in check.requires if not passed.get(name, True)]
            result = self._run(item, check, titles[check.question], unmet)
            base = getattr(item, "originalname", item.name)
            passed[base] = passed.get(base, True) and result.passed
            passed[item.name] = result.passed
            self.results.append(result)
        return True

    def _run(self, item: pytest.Item, check: Check, title: str, unmet: list[str]) -> LocalResult:
        blank = LocalResult(
            question=check.question,
            question_title=title,
            check=check.id,
            title=check.title,
            points=check.points,
            passed=False,
        )
        if unmet:
            return replace(blank, skipped=True, message="waits for the check above")
        if self.timeouts >= MOST_TIMEOUTS:
            return replace(blank, skipped=True, message="not run: others took too long")
        seconds = check.timeout_s or self.limit_s
        seconds = min(seconds, LATER_S) if self.timeouts else seconds
        self.limit.allow(seconds)
        error = self.run(item)
        if error is None:
            return replace(blank, passed=True)
        cause = _cause(error, seconds)
        if cause is not None:
            self.timeouts += isinstance(error, OwnCodeStopped)
            return replace(blank, message=str(cause), cause=cause)
        return replace(blank, message=_comparison(check, error), hint=check.hint)


def _cause(error: BaseException, seconds: float) -> Cause | None:
    """Why the student's code did not come to its end; None if it did, and gave something wrong."""
    if isinstance(error, NotDefined):
        return Cause("NotDefined", f"`{error.name}` is not defined: run the cell that defines it")
    if isinstance(error, OwnCodeStopped):
        return Cause("TimeIsUp", f"stopped after {seconds:g} s: it took too long", error.place)
    if isinstance(error, OwnError):
        kind = error.kinds[0]
        if kind == "NotImplementedError":
            return Cause(kind, "not implemented yet", error.place)
        return Cause(kind, f"{kind}: {error.message}" if error.message else kind, error.place)
    return None


def _comparison(check: Check, error: BaseException) -> str:
    """What was expected and what came: checks that students have hide nothing from them."""
    if isinstance(error, (AssertionError, GraderError)):
        return outcome_of(msgspec.structs.replace(check, public=True), error, 0.0).message
    said = f"{type(error).__name__}: {error}".partition("\n")[0]
    return f"your code returned something that this check can't use ({said})"


@contextlib.contextmanager
def _quiet() -> Iterator[io.StringIO]:
    """What pytest prints is not for students, unless it does not start."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        yield said


@contextlib.contextmanager
def _own_pytest() -> Iterator[None]:
    """Other plugins and options that are installed or set here have no say in these checks."""
    names = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        os.environ.update(kept)


@contextlib.contextmanager
def _torch_state_kept() -> Iterator[None]:
    """A check must not change what the notebook's next cell draws at random."""
    torch = sys.modules.get("torch")
    state = random.getstate()
    if torch is None:
        yield
        random.setstate(state)
        return
    with torch.random.fork_rng(devices=[]):
        grad, dtype = torch.is_grad_enabled(), torch.get_default_dtype()
        threads = torch.get_num_threads()
        try:
            yield
        finally:
            random.setstate(state)
            torch.set_grad_enabled(grad)
            torch.set_default_dtype(dtype)
            torch.set_num_threads(threads)


@contextlib.contextmanager
def _figures_kept() -> Iterator[None]:
    """Figures that checks have drawn are closed: else Jupyter shows them all below the cell."""
    before = set(_figures())
    try:
        yield
    finally:
        for number in set(_figures()) - before:
            sys.modules["matplotlib.pyplot"].close(number)


def _figures() -> list[int]:
    pyplot = sys.modules.get("matplotlib.pyplot")
    return [] if pyplot is None else list(pyplot.get_fignums())
