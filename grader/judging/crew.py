"""The processes that grade: a warm judge and a warm zygote, started and replaced together.

The judge asks the zygote for workers over a socket that it inherits, so neither is of use without
the other. Both die with the grader, however it ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

import grader
from grader.config.course import Course, describe_assignments
from grader.errors import GraderFault, SuiteError, no_room, told
from grader.judging.known_texts import known_texts
from grader.judging.libraries import how_to_install
from grader.judging.loading import LOAD_S
from grader.judging.nursery import Nursery
from grader.judging.selftest import require_holding
from grader.judging.spawning import Zygote
from grader.model import Suite
from grader.serialization import from_json, to_json
from grader.testing.forms.parts import LIBRARIES
from grader.wire.judge import JobRequest, JudgeReady, JudgeSetup, read_frame, write_frame

ANSWER_S = 60.0
"""How long a judge may stall in the middle of a frame."""


class Crew:
    """One judge and, unless it only describes suites, one zygote to fork workers from.

    Both start at once, so that they warm up while the caller does something else.

    Args:
        course: what to grade with.
        digests: of the suites to load, by assignment id.
        grade: False starts no zygote.
        sandbox: False gives up the wall's isolation.
    """

    def __init__(
        self,
        course: Course,
        digests: Mapping[str, str],
        *,
        grade: bool = True,
        sandbox: bool = True,
    ) -> None:
        self._limits = course.limits
        self._untried = sandbox
        self._zygote: Zygote | None = None
        if grade:
            self._zygote = Zygote(
                preload=course.preload,
                later=course.preload_later,
                public=course.public,
                private=(*course.private, *course.known_answers),
                data={one.id: course.data_of(one.id) for one in course.assignments},
                withheld={one.id: one.withheld for one in course.assignments},
                sandbox=sandbox,
                beside_judge=True,
            )
        try:
            self._judge = JudgeProcess(
                lambda: judge_setup(course, digests, grade=grade, sandbox=sandbox), self._zygote
            )
        except BaseException:
            if self._zygote is not None:
                self._zygote.close()
            raise

    @property
    def alive(self) -> bool:
        """Whether both processes still run."""
        return self._judge.alive and (self._zygote is None or self._zygote.alive)

    def describe(self) -> dict[str, Suite]:
        """Wait until the judge has read the suites, and return them by assignment id.

        Raises:
            SuiteError: a suite or the reference can't be used.
            GraderFault: the judge died.
        """
        try:
            return self._judge.describe()
        except GraderFault:
            if self._zygote is not None and self._zygote.nursery is not None:
                self._zygote.wait_ready()  # if it died before it was a judge, this knows why
            raise

    def wait_ready(self) -> None:
        """Wait until workers can be had, and the first time let one try to break out.

        Raises:
            GraderFault: the zygote can't be used, or there is none, or the wall does not hold.
        """
        if self._zygote is None:
            raise GraderFault("an engine that only describes suites can't grade")
        self._zygote.wait_ready()
        if self._untried:
            require_holding(self._zygote, self._limits)
            self._untried = False

    def ask(self, request: JobRequest, terminal: int | None = None) -> socket.socket:
        """Hand over a job; on the connection come the pid that grades it, then a `Run`.

        Args:
            request: the job.
            terminal: the descriptor of one, where a person is to work in the judge.

        Raises:
            GraderFault: the judge is gone.
        """
        return self._judge.ask(request, terminal)

    def last_words(self) -> str:
        """What the judge said last, to explain its end."""
        return self._judge.last_words()

    def close(self) -> None:
        """End both and everything that they started."""
        self._judge.close()
        if self._zygote is not None:
            self._zygote.close()


class JudgeProcess:
    """The near end of a judge process.

    Args:
        setup: makes its first message, while it starts.
        zygote: whom it asks for workers.
        program: the module whose `main` it runs.
    """

    def __init__(
        self,
        setup: Callable[[], JudgeSetup],
        zygote: Zygote | None = None,
        program: str = "grader.judging.judge",
    ) -> None:
        self._suites: dict[str, Suite] | None = None
        try:
            self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as it)
            self._folder = tempfile.TemporaryDirectory(prefix="grader-", ignore_cleanup_errors=True)
        except OSError as error:
            raise (no_room(error) or GraderFault(f"no judge: {told(error)}")) from error
        self._control, far = socket.socketpair()
        with far:
            descriptors = [far.fileno(), *([] if zygote is None else [zygote.fileno()])]
            nursery = None if zygote is None else zygote.nursery
            self._process = self._started(program, descriptors, nursery)
        try:
            message = to_json(setup())
        except BaseException:
            self.close()
            raise
        self.say(message)

    def _started(
        self, program: str, descriptors: list[int], nursery: Nursery | None
    ) -> subprocess.Popen[bytes]:
        root = str(Path(grader.__file__).resolve().parents[1])
        code = f"import sys; sys.path[0] = {root!r}; from {program} import main; main()"
        environment = {**_environment(), "TMPDIR": self._folder.name}
        if nursery is not None:
            with Path(os.devnull).open("rb") as nothing:
                standard = [nothing.fileno(), self._log.fileno(), self._log.fileno()]
                return nursery.become(code, environment, [*standard, *descriptors])
        return subprocess.Popen(
            # `-I` would ignore the hash seed, which decides the order of parameters in a set
            [sys.executable, "-s", "-B", "-c", code, *map(str, descriptors)],
            pass_fds=descriptors,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            cwd="/",
            start_new_session=True,  # Ctrl-C is for the grader, which then ends its own
        )

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def describe(self) -> dict[str, Suite]:
        """See `Crew.describe`."""
        if self._suites is None:
            try:
                ready = from_json(read_frame(self._control), JudgeReady)
            except (EOFError, OSError):
                raise GraderFault("the judge ended at its start", where=self.last_words()) from None
            if ready.error:
                hint = ready.hint or how_to_install(ready.error)
                raise SuiteError(ready.error, where=ready.where, hint=hint)
            self._suites = {suite.assignment.id: suite for suite in ready.suites}
        return self._suites

    def ask(self, request: JobRequest, terminal: int | None = None) -> socket.socket:
        """See `Crew.ask`."""
        ours, theirs = socket.socketpair()
        ours.settimeout(ANSWER_S)
        try:
            with theirs:
                handed = [theirs.fileno(), *([] if terminal is None else [terminal])]
                socket.send_fds(self._control, [b"j"], handed)
            write_frame(ours, to_json(request))
        except OSError:
            ours.close()
            raise GraderFault("the judge ended", where=self.last_words()) from None
        return ours

    def say(self, message: bytes) -> None:
        """Send it a frame, which it reads when it is ready; if it is gone, `hear` will tell."""
        with contextlib.suppress(OSError):
            write_frame(self._control, message)

    def hear(self, most_s: float) -> bytes:
        """Wait for a frame, so many seconds at most between two pieces of it.

        Raises:
            OSError, EOFError: it is gone, or says nothing.
        """
        self._control.settimeout(most_s)
        return read_frame(self._control)

    def last_words(self) -> str:
        """See `Crew.last_words`."""
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        code = self._process.poll()
        if lines:
            return lines[-1][:500]
        return "it said nothing" if code is None else _exit_text(code)

    def close(self) -> None:
        """End it and its forks."""
        self._control.close()
        self._process.kill()
        self._process.wait()
        self._log.close()
        self._folder.cleanup()


def _exit_text(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"


def judge_setup(
    course: Course,
    digests: Mapping[str, str],
    *,
    grade: bool = False,
    sandbox: bool = True,
) -> JudgeSetup:
    """What a judge is told at its start, who describes suites alone or grades, too."""

    def text(path: Path | None) -> str | None:
        return None if path is None else str(path)

    return JudgeSetup(
        root=str(course.root),
        assignments=describe_assignments(course, digests),
        checks=text(course.checks),
        suites=text(course.suites),
        reference=text(course.reference),
        sandbox=sandbox,
        digests=dict(digests),
        one_file={name: str(path) for name, path in course.one_file.items() if name in digests},
        known=known_texts(course, digests) if grade else {},
        libraries=_libraries(course),
        data={name: tuple(map(str, course.data_of(name))) for name in digests},
        hidden_data=tuple(map(str, course.hidden_data)),
        material=tuple(str(path) for path in _material(course) if path is not None),
        load_s=max(LOAD_S, course.limits.cell_s),
    )


def _material(course: Course) -> tuple[Path | None, ...]:
    """Where the course's own code is, what everybody has before what nobody has."""
    handed_out = (course.notebooks, course.checks, *course.public)
    return (*handed_out, course.lessons, course.suites, course.reference)


def _libraries(course: Course) -> tuple[str, ...]:
    """Libraries of values that workers preload, so that checks will fetch some."""
    preloaded = {name.partition(".")[0] for name in (*course.preload, *course.preload_later)}
    return tuple(name for name in LIBRARIES if name in preloaded)


def _environment() -> dict[str, str]:
    """What the judge needs of the environment; pytest's variables and plugins are left out."""
    kept = {
        name: value
        for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH")
        if (value := os.environ.get(name))
    }
    return kept | {
        "CUDA_VISIBLE_DEVICES": "",  # it compares on the processor
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONHASHSEED": "0",
        "MPLBACKEND": "Agg",
    }
