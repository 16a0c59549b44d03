"""The strict gate on the small course, through the wall."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from toy import REFERENCE, Silent, write, write_gate

from grader.authoring.cases import Kind, material
from grader.authoring.strict import Fate, StrictGate, plan_strict
from grader.authoring.verify import AssignmentGate, verify
from grader.config.course import load_course
from grader.reports.verification import print_verification

DOCUMENTED = REFERENCE.replace(
    "def add(a, b):\n", 'def add(a, b):\n    """Add two numbers. Text is an error."""\n'
)

PROMISES = """
    [[promise]]
    in = "add"
    sentence = "Add two numbers."
    checks = ["small.test_small_sum", "any.test_any_sum"]
    mutants = ["integers_only", "add:binary:1"]

    [[promise]]
    in = "add"
    sentence = "Text is an error."
    checks = ["state.test_rejects_text"]
    mutants = ["accepts_text"]

    [[promise]]
    in = "Counter"
    sentence = "Counts."
    checks = ["state.test_counts"]
    mutants = ["starts_at_zero"]
"""

PARTIAL = """
    [asks]
    add = ["small", "any"]
    Counter = ["state"]

    [[lost]]
    stub = "add"
    questions = ["state"]
    reason = "what is not there refuses nothing"
"""

EQUIVALENTS = """
    [[equivalent]]
    mutant = "Counter.__init__:default:1"
    change = "def __init__(self, start=0): → def __init__(self, start=1):"
    reason = "nobody counts without a start"
"""

COMMUTES = """
    [[equivalent]]
    mutant = "add:swapped-parameters:1"
    change = "def add(a, b): → def add(b, a):"
    reason = "numbers may be added in any order"
"""


@pytest.fixture
def tables(toy: Path) -> Path:
    """The folder with the small course's tables for the strict gate, all as they should be."""
    write_gate(toy)
    write(toy / "reference/sums/__init__.py", DOCUMENTED)
    folder = toy / "lessons/01_adding"
    write(folder / "promises.toml", PROMISES)
    write(folder / "partial.toml", PARTIAL)
    write(folder / "equivalents.toml", EQUIVALENTS + COMMUTES)
    return folder


def gate_of(folder: Path, *kinds: Kind) -> AssignmentGate:
    course = load_course(folder.parents[1])
    (gate,) = verify(course, kinds=kinds or tuple(Kind), strict=True, watcher=Silent()).gates
    return gate


def strict(gate: AssignmentGate) -> StrictGate:
    assert gate.strict is not None
    return gate.strict


def shown(gate: AssignmentGate) -> str:
    from grader.authoring.verify import Verification

    out = Console(file=io.StringIO(), width=200)
    print_verification(Verification((gate,)), out=out)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def test_a_course_that_keeps_its_promises_passes(tables: Path) -> None:
    gate = gate_of(tables)
    assert gate.passed, strict(gate).findings
    generated, partial = strict(gate).generated, strict(gate).partial
    assert generated is not None
    assert partial is not None
    assert generated.share == 1
    assert generated.count(Fate.EQUIVALENT) == 2
    by_id = {one.id: one for one in generated.results}
    assert by_id["add:binary:1"].killed_by[0] == "test_small_sum"
    assert {one.stub for one in partial.results} == {
        "add",
        "Counter",
        "Counter.__init__",
        "Counter.up",
    }
    text = shown(gate)
    assert "3 promises, 0 free" in text
    assert "2 equivalent, 0 survive (100.0%)" in text
    assert "what is left when one stub is unsolved" in text


def test_only_mutants_that_a_promise_names_are_asked_every_check(tables: Path) -> None:
    write(tables / "promises.toml", PROMISES.replace("add:binary:1", "add:swapped-parameters:1"))
    course = load_course(tables.parents[1])
    material_of = material(course, "adding")
    for thorough in (False, True):
        plan = plan_strict(
            course, "adding", material_of, seed=0, kinds=[Kind.GENERATED], thorough=thorough
        )
        whole = {case.name for case in plan.planned if not case.until_lost}
        every = {case.name for case in plan.planned}
        assert whole == (every if thorough else {"add:swapped-parameters:1"})


def test_survivors_and_wrong_acceptances_are_told(tables: Path) -> None:
    text = EQUIVALENTS.replace("Counter.__init__:default:1", "add:binary:1")
    text += EQUIVALENTS.replace("default:1", "default:9")
    killed = "return a + b → return a - b"
    text += EQUIVALENTS.replace("Counter.__init__:default:1", "add:binary:1").replace(
        "def __init__(self, start=0): → def __init__(self, start=1):", killed
    )
    write(tables / "equivalents.toml", text)
    gate = gate_of(tables, Kind.GENERATED)
    told = "\n".join(one.what for one in strict(gate).findings)
    assert not gate.passed
    assert "there is no generated mutant `Counter.__init__:default:9`" in told
    assert "`add:binary:1` is said to be equivalent, and loses small" in told
    assert "survive: " in told
    text = shown(gate)
    assert "Counter.__init__:default:1 survives: " in text
    assert "reference/sums/__init__.py:12\n" in text
    assert "    -    def __init__(self, start=0):\n    +    def __init__(self, start=1):\n" in text
    assert "grader verify -a adding --accept Counter.__init__:default:1 --reason" in text


def test_an_entry_about_another_change_is_told(tables: Path) -> None:
    write(tables / "equivalents.toml", EQUIVALENTS.replace("start=1", "start=2"))
    told = [one.what for one in strict(gate_of(tables, Kind.GENERATED)).findings]
    assert any("`Counter.__init__:default:1` is another mutant now" in one for one in told)


def test_a_question_that_a_gap_costs_for_no_reason_fails_the_gate(tables: Path) -> None:
    write(tables / "partial.toml", PARTIAL.split("[[lost]]")[0])
    gate = gate_of(tables, Kind.PARTIAL)
    assert not gate.passed
    (finding,) = strict(gate).findings
    assert finding.what.startswith("`add` unsolved (raises, ")
    assert "!state" in shown(gate)


@pytest.mark.slow
def test_tables_are_begun_and_completed_by_the_command(tables: Path) -> None:
    for path in tables.iterdir():
        path.unlink()
    command = [sys.executable, "-m", "grader.cli", "verify", "--course", str(tables.parents[1])]

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, check=False, timeout=120
        )
        assert "Traceback" not in done.stderr
        return done.stderr

    assert "promises.toml: 3 added" in run("--write-tables")
    partial = tables / "partial.toml"
    assert '"add" = []' in partial.read_text(encoding="utf-8")
    write(partial, PARTIAL.split("[[lost]]")[0])
    run("--kind", "generated", "--kind", "partial", "--write-tables")
    assert 'stub = "add"' in partial.read_text(encoding="utf-8")
    assert 'mutant = "Counter.__init__:default:1"' in (tables / "equivalents.toml").read_text()
    assert "promises.toml: 0 added" in run("--write-tables"), "what is there is not added again"
