"""The way to a submission: operations go one way, values and what was raised come back.

`WorkerLink` leads through the wall, `grader.testing.local.LocalLink` stays in this process.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from grader.testing.operations import Op


class StudentError(Exception):
    """The submission's code raised. `kinds` are the class names it reports, the class first.

        try:
            submission.largest([]).done()
        except StudentError as error:
            assert_equal(error.kinds[0], "ValueError", "what an empty list raises")

    `raises` says the same in one line.
    `cell` and `line` are the student's own: the innermost frame that lies in a notebook cell.
    """

    def __init__(
        self,
        kinds: tuple[str, ...],
        message: str,
        *,
        cell: int | None = None,
        line: int | None = None,
        source_line: str = "",
    ) -> None:
        super().__init__(f"{kinds[0]}: {message}")
        self.kinds = kinds
        self.message = message
        self.cell = cell
        self.line = line
        self.source_line = source_line


class NotDefined(StudentError):
    """The submission defines no such name.

        try:
            scale = submission.SCALE.value()
        except NotDefined:
            scale = 1.0  # nobody has to set it

    Nothing has to be done about it: a check that it ends fails, and the student is told the name.
    """

    def __init__(self, name: str) -> None:
        super().__init__(("NameError",), f"{name} is not defined")
        self.name = name


class WorkerStopped(Exception):
    """The worker is gone: it crashed, hung or hit a limit. The next check gets a new one.

        error = tried(lambda: submission.largest([]).done())
        assert type(error) is StudentError  # it raised; had it crashed, the check would be over

    A check leaves it alone: it can't go on, and the report says what ended the worker.
    """


class CantBeSent(TypeError):
    """A check sends what can't cross the wall: the check's fault, or of what it was given."""


class Ref:
    """The wire form of a remote object: a number that means nothing here."""

    __slots__ = ("id",)

    def __init__(self, id: int) -> None:  # noqa: A002
        self.id = id


class Link(ABC):
    """Carries operations to where the submission lives, in order, before a value comes back.

    When one raises, those after it are left out, as in any program, until `settle` or `request` has
    raised it here. The operations of `ALWAYS` are not left out.
    """

    def __init__(self) -> None:
        self._last_number = 0
        self._unsettled = False

    def tell(self, op: Op, **fields: Any) -> None:
        """Have an operation that gives nothing performed some time.

        Raises:
            WorkerStopped: there is no worker any more.
        """
        self._unsettled = True
        run = _running.get()
        if run is not None:
            run.concerns(self, op, fields)
        self._queue(op, fields)

    def defer(self, op: Op, **fields: Any) -> Ref:
        """Have `op` performed some time; the answer names the object that it will give.

        Raises:
            WorkerStopped: there is no worker any more.
        """
        self._last_number += 1
        self.tell(op, into=self._last_number, **fields)
        return Ref(self._last_number)

    def request(self, op: Op, **fields: Any) -> Any:
        """Have everything performed, and `op` last: its value.

        Raises:
            StudentError: the submission's code raised.
            WorkerStopped: there is no worker any more.
        """
        self._unsettled = False
        self._queue(op, fields)
        value = self._exchange()
        run = _running.get()
        if run is not None:
            run.heard(op, fields, value)
        return value

    def elements(self, ref: Ref) -> list[Ref]:
        """Names for the elements of an object; raises what `request` does."""
        first = self._last_number + 1
        count = self.request(Op.ELEMENTS, object=ref, into=first)
        self._last_number += count
        return [Ref(first + index) for index in range(count)]

    def settle(self) -> None:
        """Wait until everything is performed; raises what `request` does."""
        if self._unsettled:
            self._unsettled = False
            self._exchange()

    def abandon(self) -> None:
        """Forget what nobody waited for."""
        self._unsettled = False
        self._drop()

    @abstractmethod
    def release(self, ref: Ref) -> None:
        """Say that nobody holds this object any more. Never raises."""

    @abstractmethod
    def _queue(self, op: Op, fields: dict[str, Any]) -> None:
        """Take an operation on; it may be performed now or later."""

    @abstractmethod
    def _drop(self) -> None:
        """Leave out what was taken on and not performed."""

    @abstractmethod
    def _exchange(self) -> Any:
        """Have all performed that was taken on; the value of the last one."""


class Listener(Protocol):
    """Hears what a check asks of a submission."""

    def heard(self, op: Op, fields: dict[str, Any], value: Any = None) -> None:
        """An operation was asked for, or, with its value, performed."""


class CheckRun:
    """One check on its way: the links through which it has asked for what nobody waited for.

    Args:
        listener: hears of each operation.
    """

    def __init__(self, listener: Listener | None = None) -> None:
        self._links: set[Link] = set()
        self._listener = listener

    def concerns(self, link: Link, op: Op, fields: dict[str, Any]) -> None:
        """The check has asked something of the submission behind this link."""
        self._links.add(link)
        self.heard(op, fields)

    def heard(self, op: Op, fields: dict[str, Any], value: Any = None) -> None:
        """An operation was asked for, or, with its value, performed."""
        if self._listener is not None:
            self._listener.heard(op, fields, value)

    def settle(self) -> None:
        """Wait until everything that the check asked for is done; raises what `request` does."""
        for link in tuple(self._links):
            link.settle()

    def abandon(self) -> None:
        """Forget what nobody waited for: whoever wanted it has ended."""
        for link in self._links:
            link.abandon()


_running: ContextVar[CheckRun | None] = ContextVar("running check", default=None)


@contextmanager
def check_run(listener: Listener | None = None) -> Iterator[CheckRun]:
    """Run a check within: what it asks for and does not wait for ends with it."""
    run = CheckRun(listener)
    token = _running.set(run)
    try:
        yield run
    finally:
        _running.reset(token)
        run.abandon()


def settle() -> None:
    """Wait until everything that this check asked of any submission is done.

        account = submission.Account(10)
        account.pay(3)
        settle()  # what `pay` raises is raised here, not where a value is asked for

    Raises:
        StudentError: the submission's code raised.
        WorkerStopped: there is no worker any more.
    """
    run = _running.get()
    if run is not None:
        run.settle()
