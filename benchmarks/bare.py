"""The floor: the same checks on every submission in one process, without any wall.

    python -m benchmarks.bare COURSE SUBMISSIONS RESULTS.json

torch is imported and the suite collected once; each notebook is a namespace that its cells were
executed in. Nothing is isolated: one endless loop, exit or patched function ends or forges it all.
"""

from __future__ import annotations

import contextlib
import json
import random
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.classroom import ASSIGNMENT
from grader.config.course import load_course
from grader.config.suite_files import suite_files
from grader.model import Assignment, Check, total
from grader.testing.handles import SubmissionNames
from grader.testing.links import check_run, settle
from grader.testing.local import LocalLink
from grader.testing.operations import Op
from grader.testing.suites import PYTEST_OPTIONS, build_suite, is_practice


class Bare:
    """A pytest plugin that runs the collected checks on one notebook after the other."""

    def __init__(self, notebooks: list[Path], public: Path | None) -> None:
        self.notebooks = notebooks
        self.public = public
        self.link = LocalLink({})
        self.check = ""
        self.failed = False
        self.earned: dict[str, float] = {}

    @pytest.fixture
    def submission(self) -> SubmissionNames:
        return SubmissionNames(self.link)

    @pytest.fixture
    def rng(self) -> random.Random:
        return random.Random(self.check)

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self) -> Generator[None, object, object]:
        result = yield
        settle()
        return result

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Iterator[None]:
        self.failed = self.failed or call.excinfo is not None
        yield

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = [item for item in session.items if not is_practice(item)]
        suite = build_suite(Assignment(id="", title=""), items, self.public)
        pairs = list(zip(items, suite.checks, strict=True))
        for notebook in self.notebooks:
            self.link = LocalLink(namespace_of(notebook))
            points = [check.points for item, check in pairs if self._passes(item, check)]
            self.earned[notebook.parent.name] = total(points)
        return True

    def _passes(self, item: pytest.Item, check: Check) -> bool:
        self.check, self.failed = check.id, False
        self.link.request(Op.RESET, seed=0)
        with check_run():
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        return not self.failed


def namespace_of(notebook: Path) -> dict[str, Any]:
    """Execute a notebook's code cells; one that raises is passed over, as in a grading."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    content = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        with contextlib.suppress(Exception):
            exec(cell["source"], namespace)
    return namespace


def main() -> None:
    course_path, submissions, results = map(Path, sys.argv[1:])
    course = load_course(course_path)
    import torch

    torch.set_num_threads(1)
    folders = (course.checks, course.suites)
    files = [str(path) for folder in folders for path in suite_files(folder, ASSIGNMENT)]
    plugin = Bare(sorted(submissions.glob("*/*.ipynb")), course.checks)
    support = f"--override-ini=pythonpath={course.suites}"
    pytest.main([*PYTEST_OPTIONS, support, *files], plugins=[plugin])
    results.write_text(json.dumps(plugin.earned), encoding="utf-8")


if __name__ == "__main__":
    main()
