"""No check of any suite could be made to pass always without the gate's noticing.

The gate's own matrix, which mutant fails which check, says for every check what would be left of it:
a check that fails nothing is reported as unproven, a mutant that keeps its points as survivor. That
the matrix foretells this rightly is tried on one check of each suite, whose body is really removed.

The matrix takes minutes: GRADER_VERIFICATION may name a file that `grader verify --output FILE` has
just written of these suites.
"""

from __future__ import annotations

import ast
import os
import shutil
from pathlib import Path

import msgspec
import pytest
from toy import Silent

from grader.authoring.cases import Kind, Planned, plan_cases
from grader.authoring.lessons import lesson_paths
from grader.authoring.verify import AssignmentGate, Case, Verdict, Verification, try_cases
from grader.config.course import load_course
from grader.config.suite_files import suite_files
from grader.judging.engine import load_suites
from grader.model import Suite

ROOT = Path(__file__).parents[2]
COURSE = load_course(ROOT)

pytestmark = pytest.mark.slow


def own_mutants(root: Path, assignment: str) -> list[Planned]:
    """The mutants of an assignment, in it."""
    cases = plan_cases(load_course(root), [assignment])
    return [case for case in cases if case.kind is Kind.MUTANT and not case.origin]


@pytest.fixture(scope="module", params=lesson_paths(COURSE))
def gate(request: pytest.FixtureRequest) -> AssignmentGate:
    """What an assignment's mutants come to."""
    cases = own_mutants(ROOT, request.param)
    if "GRADER_VERIFICATION" in os.environ:
        return found_before(Path(os.environ["GRADER_VERIFICATION"]), cases)
    (found,) = try_cases(COURSE, cases, watcher=Silent()).gates
    return found


def found_before(verification: Path, cases: list[Planned]) -> AssignmentGate:
    """What the gate has said of these cases."""
    gates = msgspec.json.decode(verification.read_bytes(), type=Verification).gates
    (gate,) = (gate for gate in gates if gate.assignment == cases[0].assignment)
    by_name = {
        case.name: case for case in gate.cases if case.kind is Kind.MUTANT and not case.origin
    }
    return msgspec.structs.replace(gate, cases=tuple(by_name[case.name] for case in cases))


@pytest.fixture(scope="module")
def suite(gate: AssignmentGate) -> Suite:
    return load_suites(COURSE, [gate.assignment])[gate.assignment]


def function_of(check: str) -> str:
    """The test function of a check, whose variants it shares with others."""
    return check.partition("[")[0]


def killed_by(gate: AssignmentGate, function: str) -> list[Case]:
    """The mutants that fail a check, or a variant of it."""
    return [case for case in gate.cases if function in map(function_of, case.failed_checks)]


def foretold(case: Case, function: str, suite: Suite) -> set[str]:
    """The questions that a mutant still loses when one check passes always."""
    return {
        check.question
        for check in suite.checks
        if check.id in case.failed_checks and function_of(check.id) != function
    }


def test_the_matrix_tells_what_is_lost(gate: AssignmentGate, suite: Suite) -> None:
    assert [case for case in gate.cases if case.verdict is not Verdict.OK] == []
    for case in gate.cases:
        assert foretold(case, "", suite) == set(case.lost), case.name


def test_without_any_check_the_gate_fails(gate: AssignmentGate, suite: Suite) -> None:
    for check in suite.checks:
        assert any(check.id in case.failed_checks for case in gate.cases), f"{check.id}: unproven"


def test_a_check_that_is_really_removed_is_reported(
    gate: AssignmentGate, suite: Suite, tmp_path: Path
) -> None:
    required = {function_of(name) for check in suite.checks for name in check.requires}
    functions = sorted({function_of(check.id) for check in suite.checks} - required)
    function = min(functions, key=lambda name: (len(killed_by(gate, name)), name))
    names = {case.name for case in killed_by(gate, function)}
    root = with_check_removed(tmp_path, gate.assignment, function)
    cases = [case for case in own_mutants(root, gate.assignment) if case.name in names]
    (found,) = try_cases(load_course(root), cases, watcher=Silent()).gates
    assert function in map(function_of, found.unproven)
    assert not msgspec.structs.replace(found, demanding=True).passed
    before = {case.name: case for case in gate.cases}
    for case in found.cases:
        left = foretold(before[case.name], function, suite)
        assert set(case.lost) == left, case.name
        survives = not set(case.must_lose) <= left
        assert (case.verdict is Verdict.SURVIVES) is survives, case.name


def with_check_removed(folder: Path, assignment: str, function: str) -> Path:
    """A copy of the course in which one check has nothing to say."""
    root = folder / "copy"
    for part in ("course", "solutions", "tests/styles"):
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    removed = 0
    copy = load_course(root)
    folders = (copy.checks, copy.suites)
    for path in (path for folder in folders for path in suite_files(folder, assignment)):
        text = path.read_text(encoding="utf-8")
        lines = text.split("\n")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.name == function:
                statement = node.body[1]  # the first after the title
                lines[statement.lineno - 1] = " " * statement.col_offset + "return"
                del lines[statement.lineno : node.end_lineno]
                removed += 1
        path.write_text("\n".join(lines), encoding="utf-8")
    assert removed == 1, function
    return root
