"""An engine that stays warm between two calls.

A click on formgrader's button autogrades one submission; a click on "all" does so for one student
after the other, in the same process. Only the first of them waits for torch.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from grader.config.course import Course
from grader.judging.engine import Engine
from grader.judging.executor import Executor, Starts
from grader.model import Suite, Value
from grader.store.fingerprint import suite_digests

IDLE_S = 60.0
"""How long an engine waits for more work."""


class _Kind(Value, frozen=True):
    """What must be the same for an engine to be used again; `key` is the same then, too."""

    course: Course
    assignment: str
    sandbox: bool
    digest: str
    starts: str

    @property
    def key(self) -> str:
        """All of it in words: a course has parts that can't be a key themselves."""
        return repr(self)


_lock = threading.Lock()
_waiting: dict[str, tuple[Executor, threading.Timer]] = {}


@contextmanager
def warm_engine(
    course: Course,
    assignment: str,
    *,
    sandbox: bool,
    known: Mapping[str, Suite] | None = None,
    starts: Starts = Engine,
) -> Iterator[Executor]:
    """Lend an engine for one assignment; it ends when nobody wants it for a while.

    Args:
        course: what to grade with.
        assignment: its id.
        sandbox: whether submissions are walled in.
        known: the assignment's suite, when an earlier run has described it.
        starts: starts one, if none waits.

    Raises:
        SuiteError: the suite can't be read.
    """
    digest = suite_digests(course, [assignment])[assignment]
    kind = _Kind(course, assignment, sandbox, digest, str(starts)).key
    engine = _take(kind) or starts(course, sandbox=sandbox, assignments=[assignment], known=known)
    try:
        yield engine
    except BaseException:
        engine.close()
        raise
    _keep(kind, engine)


def _take(kind: str) -> Executor | None:
    with _lock:
        engine, timer = _waiting.pop(kind, (None, None))
    if timer is not None:
        timer.cancel()
    return engine


def _keep(kind: str, engine: Executor) -> None:
    timer = threading.Timer(IDLE_S, _end, [kind, engine])
    timer.daemon = True
    with _lock:
        _waiting[kind] = (engine, timer)
    timer.start()


def _end(kind: str, engine: Executor) -> None:
    with _lock:
        if _waiting.get(kind, (None,))[0] is not engine:
            return  # somebody has taken it in this very moment
        del _waiting[kind]
    engine.close()


@atexit.register
def close_all() -> None:
    """End every engine that waits."""
    with _lock:
        engines = [engine for engine, _ in _waiting.values()]
        _waiting.clear()
    for engine in engines:
        engine.close()
