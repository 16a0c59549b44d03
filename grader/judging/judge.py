"""The process that decides: a warm pytest session that grades one submission after the other.

It collects all suites once, sends their descriptions to the grader, then waits for jobs. Each job
is graded in a fork of this process, so that nothing of one submission is left for the next. It
never runs a submission's code: the `submission` fixture holds handles on objects in a worker.

What it hears and says is in `grader/wire/judge.py`.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import sys
from collections.abc import Callable, Generator, Sequence
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from grader.config.suite_files import suite_files
from grader.errors import GraderError, GraderFault, SuiteError
from grader.forking import prepare_to_fork, start_loading
from grader.jail.limits import limit_data
from grader.judging.beside_data import beside_data
from grader.judging.examination import Examination
from grader.judging.judge_process import (
    bytes_for_checks,
    failed_run,
    guard_process,
    import_ahead,
    is_asked,
    require_files,
    stay_with_one_thread,
)
from grader.judging.lesson_suite import LessonModule, LessonSuite
from grader.judging.loading import cant_be_loaded, describe, import_reference
from grader.judging.processor_time import Overrun, at_most
from grader.judging.spawning import spawn
from grader.judging.transcript import Transcript
from grader.judging.worker_link import WorkerLink
from grader.lesson.cells import NOTEBOOK
from grader.model import Run, Suite
from grader.serialization import from_json, to_json
from grader.testing.data import CourseData
from grader.testing.handles import SubmissionNames
from grader.testing.links import check_run
from grader.testing.suites import (
    PYTEST_OPTIONS,
    CheckRunner,
    build_suite,
    collection_error,
    is_practice,
    missing_fixture,
    where,
)
from grader.wire.judge import (
    BEGINS,
    ByHand,
    JobRequest,
    JudgeReady,
    JudgeSetup,
    read_frame,
    write_frame,
)

if TYPE_CHECKING:
    from grader.judging.by_hand import AtWork


def main(kind: type[Judge] | None = None) -> None:
    """Run as a judge, of a kind.

    The arguments are descriptors: of the control socket, and of the one to ask for workers; without
    the latter it describes suites alone.
    """
    guard_process()
    start_loading()
    control, *spawn_socket = map(int, sys.argv[1:])
    channel = socket.socket(fileno=control)
    plugin = (kind or Judge)(from_json(read_frame(channel), JudgeSetup), channel, *spawn_socket)
    setup = plugin.setup
    CourseData(setup.data, setup.hidden_data).use()
    files = [path for assignment in setup.assignments for path in plugin.files_of(assignment.id)]
    try:
        require_files(files, setup)
        plugin.load_reference()
        plugin.load_lessons()
    except GraderError as error:
        plugin.report_error(error)
        return
    pytest.main(
        [
            *PYTEST_OPTIONS,
            f"--rootdir={setup.root}",
            f"--confcutdir={setup.root}",
            *map(str, files),
        ],
        plugins=[plugin],
    )


class Judge(CheckRunner):
    """The pytest plugin: fixtures, collection, and the loop over jobs."""

    def __init__(
        self, setup: JudgeSetup, control: socket.socket, spawn_socket: int | None = None
    ) -> None:
        super().__init__()
        self.setup = setup
        self.control = control
        self.spawn_socket = spawn_socket
        self.reference_module: ModuleType | None = None
        self.lessons: dict[Path, LessonSuite] = {}
        self.names: Callable[[], SubmissionNames] | None = None
        self.random = random.Random(0)
        self.current_device = "cpu"
        self.current_reference: ModuleType | None = None
        self.processor_s = 0.0
        self.at_work: AtWork | None = None
        self._collection_error: SuiteError | None = None

    def files_of(self, assignment: str) -> list[Path]:
        """The public, then the hidden checks of an assignment, then those in its lesson."""
        folders = [Path(folder) for folder in (self.setup.checks, self.setup.suites) if folder]
        lesson = self.setup.one_file.get(assignment)
        found = [path for folder in folders for path in suite_files(folder, assignment)]
        return [*found, Path(lesson)] if lesson else found

    def load_reference(self) -> None:
        """Import the reference package.

        Raises:
            SuiteError: it can't be imported.
        """
        if self.setup.reference is None:
            return
        path = Path(self.setup.reference)
        sys.path.insert(0, str(path.parent))
        if self.setup.suites:
            sys.path.insert(0, self.setup.suites)
        with beside_data(chain.from_iterable(self.setup.data.values())):
            self.reference_module = import_reference(path, self.setup.load_s)

    def load_lessons(self) -> None:
        """Read the lessons that carry checks.

        Raises:
            ReleaseError, SuiteError: one can't be used.
        """
        for assignment, lesson in self.setup.one_file.items():
            with beside_data(self.setup.data.get(assignment, ())):
                self.lessons[Path(lesson)] = LessonSuite(
                    Path(lesson), self.reference_module, self.setup.load_s
                )

    def reference_for(self, files: Sequence[Path]) -> ModuleType | None:
        """The reference that belongs to some files of checks: a lesson's own, or the course's."""
        own = (self.lessons[path].reference for path in files if path in self.lessons)
        return next(own, self.reference_module)

    # ------------------------------------------------------------ fixtures

    @pytest.fixture
    def submission(self) -> SubmissionNames:
        assert self.names is not None
        return self.names()

    @pytest.fixture
    def reference(self, request: pytest.FixtureRequest) -> ModuleType:
        found = self.reference_for([Path(request.node.path)])
        if found is None:
            raise GraderFault(
                "this course has no reference", hint="set `reference` in [tool.grader]"
            )
        return found

    @pytest.fixture
    def rng(self) -> random.Random:
        return self.random

    @pytest.fixture
    def device(self) -> str:
        return self.current_device

    # ------------------------------------------------------------ collection

    def pytest_pycollect_makemodule(
        self, module_path: Path, parent: pytest.Collector
    ) -> pytest.Module | None:
        """Collect a lesson's checks where pytest would run the lesson."""
        return self._lesson_module(module_path, parent)

    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> pytest.Module | None:
        """Collect a notebook's checks: pytest would pass it by."""
        return self._lesson_module(file_path, parent) if file_path.suffix == NOTEBOOK else None

    def _lesson_module(self, path: Path, parent: pytest.Collector) -> pytest.Module | None:
        if path not in self.lessons:
            return None
        made = LessonModule.from_parent(parent, path=path)
        made.of_lesson = self.lessons[path].module
        return made

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Import a file of checks within its time, and outlive one that would end this process."""
        if not isinstance(collector, pytest.Module):
            return (yield)
        raised: BaseException | None = None
        try:
            with at_most(self.setup.load_s):
                report = yield
            call = getattr(report, "call", None)
            raised = call.excinfo.value if call is not None and call.excinfo else None
        except (SystemExit, KeyboardInterrupt) as error:
            raised = error
            report = pytest.CollectReport(collector.nodeid, "failed", "", [])
        if isinstance(raised, (Overrun, SystemExit, KeyboardInterrupt)):
            said = f"a suite can't be loaded: {describe(raised, self.setup.load_s)}"
            failed = cant_be_loaded(said, raised, str(collector.path))
            self._collection_error = self._collection_error or failed
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and self._collection_error is None:
            self._collection_error = collection_error(report)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            missing = missing_fixture(item)
            if missing and self._collection_error is None:
                self._collection_error = SuiteError(
                    f"`{item.name}` asks for the fixture `{missing}`, which does not exist",
                    where=where(item),
                )

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        try:
            if self._collection_error is not None:
                raise self._collection_error
            suites = self._build_suites(session.items)
        except GraderError as error:
            self.report_error(error)
            return True
        write_frame(self.control, to_json(JudgeReady(suites=tuple(s for s, _ in suites.values()))))
        self.work(suites)
        return True

    def work(self, suites: dict[str, tuple[Suite, list[pytest.Item]]]) -> None:
        """Do with the suites and their items what this process is there for: wait for jobs."""
        if self.spawn_socket is not None:
            stay_with_one_thread()
            prepare_to_fork()
            self._serve(suites)

    def report_error(self, error: GraderError) -> None:
        """Tell the grader why the suites can't be used."""
        ready = JudgeReady(error=error.message, where=error.where, hint=error.hint)
        write_frame(self.control, to_json(ready))

    def _build_suites(
        self, items: Sequence[pytest.Item]
    ) -> dict[str, tuple[Suite, list[pytest.Item]]]:
        public = Path(self.setup.checks) if self.setup.checks else None
        suites = {}
        for assignment in self.setup.assignments:
            files = self.files_of(assignment.id)
            own = [item for item in items if Path(item.path) in files]
            graded = [item for item in own if not is_practice(item)]
            digest = self.setup.digests[assignment.id]
            suites[assignment.id] = (build_suite(assignment, own, public, digest=digest), graded)
        return suites

    # ------------------------------------------------------------ jobs

    def _serve(self, suites: dict[str, tuple[Suite, list[pytest.Item]]]) -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are reaped by the kernel
        ahead = import_ahead(self.setup.libraries)
        while True:
            while not is_asked(self.control) and next(ahead, False):
                pass
            byte, descriptors, _, _ = socket.recv_fds(self.control, 1, 2)
            if not byte:
                return
            if os.fork() == 0:
                guard_process()
                self.control.close()
                with socket.socket(fileno=descriptors[0]) as job:
                    self._answer(job, suites, *descriptors[1:])
                os._exit(0)
            for descriptor in descriptors:
                os.close(descriptor)

    def _answer(
        self,
        job: socket.socket,
        suites: dict[str, tuple[Suite, list[pytest.Item]]],
        terminal: int | None = None,
    ) -> None:
        try:
            request = from_json(read_frame(job), JobRequest)
            write_frame(job, str(os.getpid()).encode())
            suite, items = suites[request.submission.assignment]
            CourseData(self.setup.data, self.setup.hidden_data, suite.assignment.id).use()
            if terminal is not None:
                from grader.judging.by_hand import AtWork, at_ease

                self.at_work, suite = AtWork(terminal, request), at_ease(suite)
            self.current_device = request.torch_device
            self.current_reference = self.reference_for(self.files_of(suite.assignment.id))
            limit_data(bytes_for_checks(request))
            with beside_data(self.setup.data.get(suite.assignment.id, ())):
                run = Examination(
                    request,
                    suite,
                    items,
                    run_item=self._run_item,
                    begins=lambda check: write_frame(job, BEGINS + check.encode()),
                    spawn=lambda: self._spawn(request),
                    reference=self.current_reference,
                    known=self.setup.known.get(suite.assignment.id, {}),
                    material=self.setup.material,
                ).run()
            write_frame(job, to_json(run))
        except (OSError, EOFError):
            pass  # the grader went away
        except BaseException as error:
            ending = failed_run(error, request)
            write_frame(job, to_json(Run(submission=request.submission, ending=ending)))

    def _run_item(
        self,
        item: pytest.Item,
        seed: int,
        names: Callable[[], SubmissionNames],
        processor_s: float,
        transcript: Transcript | None = None,
    ) -> BaseException | None:
        """Run one test function; what it raised comes back."""
        self._item = item
        self.names = names
        self.processor_s = processor_s
        self.random = random.Random(seed)
        random.seed(seed)
        torch = sys.modules.get("torch")
        if torch is not None:
            torch.default_generator.manual_seed(seed)
        if self.at_work is not None and self.at_work.kind is ByHand.SHELL:
            return self._open_shell(names)
        return self.run(item, transcript)

    def _open_shell(self, names: Callable[[], SubmissionNames]) -> BaseException | None:
        """Let a person ask, in the place of a check."""
        assert self.at_work is not None
        try:
            submission = names()
            with check_run():
                self.at_work.shell(
                    {
                        "submission": submission,
                        "reference": self.current_reference,
                        "rng": self.random,
                        "device": self.current_device,
                    }
                )
        except Exception as error:
            return error
        return None

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self) -> Generator[None, object, object]:
        """As for every check, and within its processor time."""
        with at_most(self.processor_s):
            try:
                return (yield from super().pytest_pyfunc_call())
            except Exception as error:
                if self.at_work is not None:
                    self.at_work.debug(error, self._item)
                raise

    def _spawn(self, request: JobRequest) -> WorkerLink:
        assert self.spawn_socket is not None
        pipes = spawn(
            self.spawn_socket,
            request.limits,
            device=request.device,
            sandbox=self.setup.sandbox,
            assignment=request.submission.assignment,
        )
        return WorkerLink(pipes, request.limits)
