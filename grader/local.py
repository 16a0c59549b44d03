"""Public checks in a student's own notebook: the same check code, in-process, instant.

There is no wall here and none is needed: a student checks their own work. `pytest` runs the public
suite on the notebook's namespace; what comes back is data for `course.check` to show.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grader.handles import SubmissionNames
from grader.links import Link, NotDefined, Ref, StudentError
from grader.suites import CheckRunner
from grader.worker.objects import NameNotDefined, ObjectServer, describe_error


class LocalLink(Link):
    """Performs operations on a namespace of this very process; values are copied.

    Each is performed at once, and what it raises is kept until somebody waits, as across the wall:
    a check means the same in both places.
    """

    def __init__(self, namespace: dict[str, Any]) -> None:
        super().__init__()
        self._server = ObjectServer(namespace)
        self._value: Any = None
        self._raised: Exception | None = None

    def release(self, ref: Ref) -> None:
        """Forget an object."""
        self._server.perform("release", refs=[ref.id])

    def _drop(self) -> None:
        self._raised = self._value = None

    def _queue(self, op: str, fields: dict[str, Any]) -> None:
        if self._raised is not None and op not in self.ALWAYS:
            return
        try:
            self._value = self._server.perform(op, **fields)
        except Exception as error:
            self._raised = error

    def _exchange(self) -> Any:
        error, self._raised = self._raised, None
        value, self._value = self._value, None
        if error is None:
            return copied(value)
        if isinstance(error, NameNotDefined):
            raise NotDefined(str(error)) from None
        told = describe_error(error)
        raise StudentError(
            tuple(told["kinds"]),
            told["message"],
            cell=told["cell"],
            line=told["line"],
            source_line=told["source_line"],
        ) from error


def copied(value: Any) -> Any:
    """Copy plain data so that the check and the notebook share nothing, as across the wall.

    Raises:
        grader.testing.CheckFailed: the value is not plain data.
    """
    kind = type(value)
    if value is None or kind in (bool, int, float, str, bytes, Ref):
        return value
    if kind in (list, tuple):
        return kind(copied(item) for item in value)
    if isinstance(value, dict):
        return {copied(key): copied(item) for key, item in value.items()}
    if kind.__module__.partition(".")[0] == "torch":
        copy = _copied_torch(value)
        if copy is not None:
            return copy
    from grader.testing import CheckFailed

    raise CheckFailed(f"the result can't be fetched: a {kind.__name__} is not plain data")


def _copied_torch(value: Any) -> Any:
    import torch

    kind = type(value)
    if kind in (torch.Tensor, torch.nn.Parameter):
        dense = value.detach() if value.layout is torch.strided else value.detach().to_dense()
        return dense.cpu().clone()
    if kind is torch.Size:
        return tuple(int(size) for size in value)
    return value if kind in (torch.dtype, torch.device) else None


@dataclass(frozen=True)
class LocalResult:
    """One public check on one's own code."""

    question: str
    question_title: str
    check: str
    title: str
    points: float
    passed: bool
    message: str = ""
    hint: str = ""
    skipped: bool = False


def run_checks(
    namespace: dict[str, Any], file: Path, question: str | None = None
) -> Sequence[LocalResult]:
    """Run a file of public checks on a namespace.

    Args:
        namespace: the notebook's globals.
        file: `test_ASSIGNMENT.py`.
        question: only this question's checks; None runs all.

    Raises:
        SuiteError: the file can't be used.
    """
    from grader.errors import SuiteError
    from grader.suites import PYTEST_OPTIONS

    plugin = _LocalRun(namespace, file.parent, question)
    options = [*PYTEST_OPTIONS, "--rootdir", str(file.parent), str(file)]
    with _own_pytest(), _quiet() as said, _torch_state_kept():
        code = pytest.main(options, plugins=[plugin])
    if plugin.error is not None:
        raise plugin.error
    if code in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
        raise SuiteError("pytest does not start", where=said.getvalue().strip()[-500:])
    return plugin.results


class _LocalRun(CheckRunner):
    """The pytest plugin of a run in a notebook."""

    def __init__(self, namespace: dict[str, Any], folder: Path, question: str | None) -> None:
        super().__init__()
        self.link = LocalLink(namespace)
        self.folder = folder
        self.question = question
        self.results: list[LocalResult] = []
        self.error: Exception | None = None

    @pytest.fixture
    def submission(self) -> SubmissionNames:
        self.link.request("reset", seed=0)
        return SubmissionNames(self.link)

    @pytest.fixture
    def device(self) -> str:
        return "cpu"

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest) -> random.Random:
        return random.Random(request.node.name)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        from grader.errors import SuiteError

        if report.failed and self.error is None:
            self.error = SuiteError(
                "these checks can't be loaded", where=report.longreprtext[-500:]
            )

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        from grader.model import Assignment
        from grader.suites import build_suite

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

    def _run(self, item: pytest.Item, check: Any, title: str, unmet: list[str]) -> LocalResult:
        from grader.model import Status
        from grader.verdicts import outcome_of

        common = {
            "question": check.question, "question_title": title, "check": check.id,
            "title": check.title, "points": check.points, "hint": check.hint,
        }  # fmt: skip
        if unmet:
            return LocalResult(
                **common, passed=False, skipped=True, message="waits for the check above"
            )
        started = time.perf_counter()
        outcome = outcome_of(check, self.run(item), time.perf_counter() - started)
        return LocalResult(
            **common, passed=outcome.status is Status.PASSED, message=outcome.message
        )


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
    import sys

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
