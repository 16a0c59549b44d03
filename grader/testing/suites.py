"""From collected pytest items to validated `Suite`s, before any submission is touched.

Public and hidden files of the same assignment make one suite (which they are: see
`grader/config/suite_files.py`). A class is a question, a test function marked with `check` a check.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from _pytest.assertion import rewrite, util

from grader.errors import SuiteError
from grader.model import MOST_SECONDS, Assignment, Check, Question, Suite, total
from grader.testing import CheckSpec
from grader.testing.check_code import code_digest, source_of
from grader.testing.excerpts import excerpt
from grader.testing.links import Listener, check_run, settle

MOST_POINTS = 1_000_000
PYTEST_OPTIONS = (
    # the user's own pytest configuration must not decide what counts
    *("-c", os.devnull),
    *("-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:stepwise", "-p", "no:junitxml"),
    *("-p", "no:pastebin", "-p", "no:faulthandler", "-p", "no:logging"),
    # hooks around every phase of every check, for what checks do not do
    *("-p", "no:unraisableexception", "-p", "no:threadexception"),
    "--import-mode=importlib",
    "--capture=no",
    "--strict-markers",
)


QUOTED = 240
"""Characters of a value that a plain `assert` quotes."""


class CheckRunner:
    """A pytest plugin that runs one collected check and tells what it raised."""

    def __init__(self) -> None:
        self._raised: BaseException | None = None

    def run(self, item: pytest.Item, listener: Listener | None = None) -> BaseException | None:
        """Set up, run and tear down one check: the first exception of these, or None.

        Args:
            item: the check.
            listener: hears what it asks of a submission.
        """
        self._raised = None
        with check_run(listener):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        return self._raised

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self) -> Generator[None, object, object]:
        """Have what the check asked for and did not wait for happen while it still counts."""
        with brief_assertions():
            try:
                result = yield
            except BaseException:
                with contextlib.suppress(Exception):
                    settle()  # a stand-in, for example, is taken away again
                raise
            settle()
            return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> pytest.TestReport:
        """Keep the exception itself: pytest's own report would render its traceback, at length."""
        if call.excinfo is not None and self._raised is None:
            self._raised = call.excinfo.value
        return pytest.TestReport(
            nodeid=item.nodeid,
            location=item.location,
            keywords={},
            outcome="passed" if call.excinfo is None else "failed",
            longrepr=None,
            when=call.when,  # type: ignore[arg-type]  # "collect" does not come here
        )


@contextlib.contextmanager
def brief_assertions() -> Iterator[None]:
    """Let a plain `assert` that fails quote what it compared in a few words.

    pytest would write values down in full, sort and align them: minutes, for what a submission may
    return. Its two functions for that have no switch.
    """
    compare, quote = util._reprcompare, rewrite._saferepr
    util._reprcompare, rewrite._saferepr = None, _quoted
    try:
        yield
    finally:
        util._reprcompare, rewrite._saferepr = compare, quote


def _quoted(obj: object) -> str:
    text = repr(obj[:QUOTED]) if type(obj) is str else excerpt(obj, QUOTED)
    return text.replace("\n", "\\n")


def question_id(class_name: str) -> str:
    """`TestDtypeDevice` is the question `dtype_device`."""
    name = class_name.removeprefix("Test") or class_name
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def build_suite(
    assignment: Assignment,
    items: Sequence[pytest.Item],
    public: Path | None,
    *,
    practice: bool = False,
    digest: str = "",
) -> Suite:
    """Validate one assignment's items and describe them.

    Args:
        assignment: id, title and due date; its questions come from the items.
        items: pytest's items from this assignment's files, in the order of the files.
        public: the folder of public checks; items elsewhere are hidden.
        practice: whether checks that only help in a notebook belong to it.
        digest: of everything that decides what the checks say; see `grader/store/fingerprint.py`.

    Raises:
        SuiteError: a check without points or title, a duplicate id, an unknown or circular
            `requires`, a test outside a class, a fixture that does not exist.
    """
    _reject_duplicates(items)
    shares = Counter(_function_key(item) for item in items)
    described = [(item, _describe(item, shares, public)) for item in items]
    kept = [(item, check) for item, check in described if practice or not is_practice(item)]
    items, checks = [item for item, _ in kept], [check for _, check in kept]
    _validate_requires(checks, items)
    questions = _questions(items, checks)
    files = tuple(dict.fromkeys(str(item.path) for item in items))
    return Suite(
        assignment=Assignment(id=assignment.id, title=assignment.title, questions=questions),
        checks=tuple(checks),
        files=files,
        digest=digest,
    )


def is_practice(item: pytest.Item) -> bool:
    """Whether this check only helps in the notebook: its class says `practice = True`."""
    return bool(getattr(getattr(item, "cls", None), "practice", False))


def where(item: pytest.Item) -> str:
    """`file:line` of an item, as an editor opens it."""
    path, line, _ = item.reportinfo()
    return f"{path}:{(line or 0) + 1}"


def spec_of(item: pytest.Item) -> CheckSpec:
    """What the `check` decorator was told about this item.

    Raises:
        SuiteError: it is a test without the decorator.
    """
    spec: CheckSpec | None = getattr(getattr(item, "function", None), "__grader_check__", None)
    if spec is None:
        raise SuiteError(
            f"`{item.name}` earns no points",
            where=where(item),
            hint="decorate it with @check(points=…)",
        )
    return spec


def _describe(item: pytest.Item, shares: Counter[tuple[str, str]], public: Path | None) -> Check:
    spec = spec_of(item)
    practice = is_practice(item)
    if practice and spec.points:
        raise SuiteError(
            f"`{item.name}` has points but only practises", where=where(item), hint="points=0"
        )
    if not practice and not 0 < spec.points <= MOST_POINTS:
        raise SuiteError(
            f"`{item.name}` has {spec.points:g} points", where=where(item), hint="give it some"
        )
    if spec.timeout_s is not None and not 0 < spec.timeout_s <= MOST_SECONDS:
        raise SuiteError(
            f"`{item.name}` has timeout_s = {spec.timeout_s:g}",
            where=where(item),
            hint="in seconds",
        )
    function: Any = item.function  # type: ignore[attr-defined]
    title = _first_line(function.__doc__)
    if not title:
        raise SuiteError(
            f"`{item.name}` has no title",
            where=where(item),
            hint="its docstring's first line is the title",
        )
    variant = item.name.removeprefix(_name(item))
    return Check(
        id=item.name,
        question=question_id(_question_class(item).__name__),
        title=f"{title} {variant}".strip(),
        points=spec.points / shares[_function_key(item)],
        public=_in_folder(item, public) if spec.public is None else spec.public,
        hint=spec.hint,
        requires=spec.requires,
        timeout_s=spec.timeout_s,
        devices=spec.devices,
        code=code_digest(function),
        source="" if practice else source_of(function)[0],
    )


def _in_folder(item: pytest.Item, folder: Path | None) -> bool:
    return folder is not None and folder.resolve() in Path(item.path).resolve().parents


def _questions(items: Sequence[pytest.Item], checks: Sequence[Check]) -> tuple[Question, ...]:
    found: dict[str, Question] = {}
    for item, check in zip(items, checks, strict=True):
        owner = _question_class(item)
        title = _first_line(owner.__doc__)
        known = found.get(check.question)
        if known is None and not title:
            raise SuiteError(
                f"question `{owner.__name__}` has no title",
                where=where(item),
                hint="give the class a docstring: its first line is what students read",
            )
        if known is None:
            bonus = bool(getattr(owner, "bonus", False))
            known = Question(id=check.question, title=title, points=0.0, bonus=bonus)
        found[check.question] = Question(
            id=known.id, title=known.title, points=known.points + check.points, bonus=known.bonus
        )
    return tuple(
        Question(id=q.id, title=q.title, points=total([q.points]), bonus=q.bonus)
        for q in found.values()
    )


def _question_class(item: pytest.Item) -> type:
    owner: type | None = getattr(item, "cls", None)
    if owner is None:
        raise SuiteError(
            f"`{item.name}` belongs to no question",
            where=where(item),
            hint="put it into a class TestQUESTION",
        )
    return owner


def _reject_duplicates(items: Sequence[pytest.Item]) -> None:
    seen: dict[str, pytest.Item] = {}
    for item in items:
        other = seen.setdefault(item.name, item)
        if other is not item:
            raise SuiteError(
                f"two checks are called `{item.name}`",
                where=f"{where(item)} and {where(other)}",
                hint="a check's name is its id: rename one",
            )


def _validate_requires(checks: Sequence[Check], items: Sequence[pytest.Item]) -> None:
    names = {check.id for check in checks} | {_name(item) for item in items}
    needs: dict[str, set[str]] = {}
    for check, item in zip(checks, items, strict=True):
        unknown = set(check.requires) - names
        if unknown:
            raise SuiteError(
                f"`{check.id}` requires `{sorted(unknown)[0]}`, which no check is called",
                where=where(item),
                hint="`requires` names test functions of the same assignment",
            )
        needs.setdefault(_name(item), set()).update(
            name.partition("[")[0] for name in check.requires
        )
    for item in items:
        if _reaches(_name(item), _name(item), needs):
            raise SuiteError(
                f"`{_name(item)}` requires itself, directly or in a circle", where=where(item)
            )


def _reaches(start: str, goal: str, needs: dict[str, set[str]]) -> bool:
    todo, seen = list(needs.get(start, ())), set()
    while todo:
        name = todo.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            todo += needs.get(name, ())
    return False


def _name(item: pytest.Item) -> str:
    return str(getattr(item, "originalname", None) or item.name)


def _function_key(item: pytest.Item) -> tuple[str, str]:
    return str(item.path), f"{getattr(item, 'cls', None)}.{_name(item)}"


def _first_line(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n")[0].strip()


# ---------------------------------------------------------------- while pytest collects


def missing_fixture(item: pytest.Item) -> str | None:
    """A fixture that a check asks for and that does not exist."""
    definitions: dict[str, Any] = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    for name in getattr(item, "fixturenames", ()):
        if name != "request" and name not in definitions and name not in parameters:
            return str(name)
    return None


def collection_error(report: pytest.CollectReport) -> SuiteError:
    """Say why a file of checks could not be collected, and where."""
    said = [line[2:].strip() for line in report.longreprtext.splitlines() if line.startswith("E ")]
    named = [line for line in said if re.match(r"[\w.]*(Error|Exception|Warning|Failed)\b", line)]
    reason = (named or said or report.longreprtext.strip().splitlines() or [report.nodeid])[0]
    crash = getattr(report.longrepr, "reprcrash", None)
    place = f"{crash.path}:{crash.lineno}" if crash is not None else report.nodeid
    for match in re.finditer(r'File "(.+)", line (\d+)', "\n".join(said)):  # of a syntax error
        place = f"{match[1]}:{match[2]}"
    return SuiteError(f"a suite can't be loaded: {reason}", where=place)
