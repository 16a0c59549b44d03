"""Which checks reach which functions of the right answers: no other check can notice a bug there.

The right answers are run once, here, by every check, and what each of them enters is written down.
A mutant that differs in one function is then asked only what enters it; with the right answers, up
to this function, everything else happens as it did. This is what tools for mutation testing do, as
PIT does with its coverage of each test.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Mapping, Sequence
from types import TracebackType

from grader.authoring.edited import bare
from grader.config.course import Course
from grader.errors import GraderError
from grader.judging.crew import JudgeProcess, judge_setup
from grader.model import Cell, Value
from grader.serialization import from_json, to_json

Reach = Mapping[str, frozenset[str]]
"""For each check of an assignment, the functions that it enters: `name` or `Class.name`."""

THREADS = re.compile(r"\b(threading|_thread|concurrent|multiprocessing|asyncio)\b")

MOST_WAIT_S = 180.0
"""How long right answers may take before all checks are asked: some wait for what never comes."""

PROGRAM = "grader.authoring.tracing"


class TraceRequest(Value, frozen=True):
    """The right answers of each assignment, as the cells of a notebook."""

    cells: dict[str, tuple[Cell, ...]]


class Traced(Value, frozen=True):
    """What each check enters, by assignment; without those of which nothing is known."""

    entered: dict[str, dict[str, frozenset[str]]]


class Tracer:
    """A process that runs the right answers, beside whatever else is done until it is asked.

    Args:
        course: whose suites.
        cells: by assignment, the right answers.
        digests: of the assignments' suites.
    """

    def __init__(
        self, course: Course, cells: Mapping[str, tuple[Cell, ...]], digests: Mapping[str, str]
    ) -> None:
        self._cells = {name: own for name, own in cells.items() if not _has_threads(own)}
        self._process: JudgeProcess | None = None
        self._found: Mapping[str, Reach] | None = None
        if self._cells:
            self._process = JudgeProcess(lambda: judge_setup(course, digests), program=PROGRAM)
            self._process.say(to_json(TraceRequest(cells=self._cells)))

    def __enter__(self) -> Tracer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.close()

    def found(self) -> Mapping[str, Reach]:
        """Wait for what it finds. If it can't, nothing is known, and all checks are asked."""
        if self._found is None:
            self._found = {}
            if self._process is not None:
                with contextlib.suppress(GraderError, OSError, EOFError):
                    self._process.describe()
                    self._found = from_json(self._process.hear(MOST_WAIT_S), Traced).entered
        return self._found


def _has_threads(cells: Sequence[Cell]) -> bool:
    """Whether answers may do something where it is not seen."""
    return any(THREADS.search(cell.source) for cell in cells)


def changed_functions(right: Mapping[str, str], wrong: Mapping[str, str]) -> tuple[str, ...] | None:
    """The functions and methods whose bodies alone tell some answers from the right ones.

    Args:
        right: the right answers' texts by name.
        wrong: those of the others that may differ.

    Returns:
        Their names, `name` or `Class.name`; None if anything else differs, a default for example,
        which counts when a definition is carried out.
    """
    found: set[str] = set()
    for name, text in wrong.items():
        before, after = _Taken(right[name]), _Taken(text)
        if before.rest != after.rest or before.bodies.keys() != after.bodies.keys():
            return None
        found |= {one for one, body in before.bodies.items() if body != after.bodies[one]}
    return tuple(sorted(found))


class _Taken:
    """An answer taken apart: the bodies of its functions, and the rest, docstrings left out."""

    def __init__(self, text: str) -> None:
        self.bodies: dict[str, str] = {}
        tree = bare(ast.parse(text))
        self._take(tree, "")
        self.rest = ast.unparse(tree)

    def _take(self, node: ast.Module | ast.ClassDef, owner: str) -> None:
        for one in node.body:
            if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
                name = owner + one.name
                # a name that is given twice, as by `overload`, has both bodies
                self.bodies[name] = self.bodies.get(name, "") + ast.unparse(
                    ast.Module(one.body, [])
                )
                one.body = [ast.Pass()]
            elif isinstance(one, ast.ClassDef) and not owner:
                self._take(one, f"{one.name}.")
