"""The process that decides: a warm pytest session that grades one submission after the other.

It collects all suites once, sends their descriptions to the grader, then waits for jobs. Each job
is graded in a fork of this process, so that nothing of one submission is left for the next. It
never runs a submission's code: the `submission` fixture holds handles on objects in a worker.

What it hears and says is in `grader/wire/judge.py`.
"""

from __future__ import annotations

import importlib
import os
import random
import select
import signal
import socket
import sys
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from grader.config.suite_files import suite_files
from grader.errors import GraderError, GraderFault, SuiteError
from grader.forking import join_pages, prepare_to_fork, start_loading
from grader.jail.limits import limit_data
from grader.jail.linux import PR_SET_PDEATHSIG, prctl, set_dumpable
from grader.judging.examination import Examination
from grader.judging.processor_time import at_most
from grader.judging.spawning import spawn
from grader.judging.transcript import Transcript
from grader.judging.worker_link import WorkerLink
from grader.model import (
    Ending,
    EndingKind,
    Run,
    Suite,
)
from grader.serialization import from_json, to_json
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
from grader.testing.verdicts import in_words
from grader.wire.judge import (
    BEGINS,
    ByHand,
    JobRequest,
    JudgeReady,
    JudgeSetup,
    read_frame,
    write_frame,
)
from grader.wire.worker import GPU_DRIVER_BYTES

if TYPE_CHECKING:
    from grader.judging.by_hand import AtWork

LEAST_BYTES = 1 << 30
"""Checks may take so much memory where a submission may take less."""


def main() -> None:
    """Run as a judge: the one argument is the control socket's descriptor."""
    _guard_process()
    start_loading()
    control = socket.socket(fileno=int(sys.argv[1]))
    setup = from_json(read_frame(control), JudgeSetup)
    plugin = Judge(setup, control)
    files = [path for assignment in setup.assignments for path in plugin.files_of(assignment.id)]
    try:
        _require_files(files, setup)
        plugin.load_reference()
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


def _require_files(files: Sequence[Path], setup: JudgeSetup) -> None:
    """Make sure that there is something to collect: without a path, pytest looks everywhere.

    Raises:
        SuiteError: no assignment has a file of checks.
    """
    if files:
        return
    folders = ", ".join(folder for folder in (setup.checks, setup.suites) if folder)
    named = " or ".join(f"test_{assignment.id}.py" for assignment in setup.assignments[:3])
    raise SuiteError(
        "no assignment has a file of checks",
        where=folders or setup.root,
        hint=f"write {named}" if folders else "set `checks` and `suites` in [tool.grader]",
    )


class Judge(CheckRunner):
    """The pytest plugin: fixtures, collection, and the loop over jobs."""

    def __init__(self, setup: JudgeSetup, control: socket.socket) -> None:
        super().__init__()
        self.setup = setup
        self.control = control
        self.reference_module: ModuleType | None = None
        self.names: Callable[[], SubmissionNames] | None = None
        self.random = random.Random(0)
        self.current_device = "cpu"
        self.processor_s = 0.0
        self.at_work: AtWork | None = None
        self._collection_error: SuiteError | None = None

    def files_of(self, assignment: str) -> list[Path]:
        """The public, then the hidden checks of an assignment."""
        folders = [Path(folder) for folder in (self.setup.checks, self.setup.suites) if folder]
        return [path for folder in folders for path in suite_files(folder, assignment)]

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
        try:
            self.reference_module = importlib.import_module(path.stem)
        except Exception as error:
            raise SuiteError(
                f"the reference can't be imported: {type(error).__name__}: {error}", where=str(path)
            ) from None

    # ------------------------------------------------------------ fixtures

    @pytest.fixture
    def submission(self) -> SubmissionNames:
        assert self.names is not None
        return self.names()

    @pytest.fixture
    def reference(self) -> ModuleType:
        if self.reference_module is None:
            raise GraderFault(
                "this course has no reference", hint="set `reference` in [tool.grader]"
            )
        return self.reference_module

    @pytest.fixture
    def rng(self) -> random.Random:
        return self.random

    @pytest.fixture
    def device(self) -> str:
        return self.current_device

    # ------------------------------------------------------------ collection

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
        if self.setup.spawn_socket is not None:
            _one_thread()
            prepare_to_fork()
            self._serve(suites)
        return True

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
        joining = join_pages()
        while True:
            while not _is_asked(self.control) and next(joining, False):
                pass
            byte, descriptors, _, _ = socket.recv_fds(self.control, 1, 2)
            if not byte:
                return
            if os.fork() == 0:
                _guard_process()
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
            if terminal is not None:
                from grader.judging.by_hand import AtWork, at_ease

                self.at_work, suite = AtWork(terminal, request), at_ease(suite)
            self.current_device = request.torch_device
            limit_data(_bytes_for_checks(request))
            run = Examination(
                request,
                suite,
                items,
                run_item=self._run_item,
                begins=lambda check: write_frame(job, BEGINS + check.encode()),
                spawn=lambda: self._spawn(request),
                reference=self.reference_module,
                known=self.setup.known.get(suite.assignment.id, {}),
            ).run()
            write_frame(job, to_json(run))
        except (OSError, EOFError):
            pass  # the grader went away
        except BaseException as error:
            ending = _failed(error, request)
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
                        "reference": self.reference_module,
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
        assert self.setup.spawn_socket is not None
        pipes = spawn(
            self.setup.spawn_socket,
            request.limits,
            device=request.device,
            sandbox=self.setup.sandbox,
            assignment=request.submission.assignment,
        )
        return WorkerLink(pipes, request.limits)


def _failed(error: BaseException, request: JobRequest) -> Ending:
    """What it means that no run came about."""
    if isinstance(error, MemoryError) and request.last_try:
        text = "stopped: what it returned filled the memory of the process that checks it"
        return Ending(kind=EndingKind.MEMORY, message=text)
    text = f"the judge failed: {type(error).__name__}: {in_words(error)}"
    return Ending(kind=EndingKind.FAULT, message=text)


def _is_asked(control: socket.socket) -> bool:
    return bool(select.select([control], [], [], 0)[0])


def _bytes_for_checks(request: JobRequest) -> int:
    """Memory that checks may take: they compute with sizes that a submission chose."""
    driver = 0 if request.device == "cpu" else GPU_DRIVER_BYTES
    return max(request.limits.memory_bytes, LEAST_BYTES) + driver


def _guard_process() -> None:
    """Die with the process that started this one; let no process of the same user look inside."""
    if sys.platform.startswith("linux"):
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        set_dumpable(False)


def _one_thread() -> None:
    """Forks of a process that has run a parallel region hang: stay with one thread."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
