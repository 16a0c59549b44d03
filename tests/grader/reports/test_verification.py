"""What the gate says in a terminal: what fails, what is only told, and what to do next."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from grader.authoring.cases import Kind
from grader.authoring.strict import Fate, GeneratedReport, GeneratedResult, StrictGate
from grader.authoring.verify import AssignmentGate, Case, Verdict, Verification
from grader.reports.verification import print_verification

REFERENCE = Case("words", Kind.REFERENCE, "reference", Verdict.OK)
MUTANT = Case("words", Kind.MUTANT, "wrong", Verdict.OK, must_lose=("q",), lost=("q",))


def gate(*cases: Case, **more: object) -> AssignmentGate:
    more = {"unproven": (), **more}
    return AssignmentGate("words", ("q",), cases, **more)  # type: ignore[arg-type]


def shown(one: AssignmentGate, *, quiet: bool = False) -> str:
    stream = io.StringIO()
    print_verification(Verification((one,)), quiet=quiet, out=Console(file=stream, width=200))
    return stream.getvalue()


def test_what_nothing_proves_is_told_and_passes() -> None:
    one = gate(REFERENCE, MUTANT, unproven=("test_a",))
    assert one.passed
    assert "! test_a: unproven check: no mutant fails it" in shown(one)
    assert "✓ words passes: reference 1×" in shown(one)
    assert "1 of its checks unproven" in shown(one)
    assert "test_a" not in shown(one, quiet=True)


def test_a_demanding_gate_fails_for_it() -> None:
    one = gate(REFERENCE, MUTANT, unproven=("test_a",), demanding=True)
    assert not one.passed
    assert "✗ test_a: unproven check" in shown(one, quiet=True)
    assert "✗ words fails" in shown(one)


@pytest.mark.parametrize("demanding", [False, True])
def test_what_loses_points_wrongly_fails_every_gate(demanding: bool) -> None:
    wrong = Case("words", Kind.REFERENCE, "reference", Verdict.RIGHT_CODE_LOSES)
    assert not gate(wrong, demanding=demanding).passed


def test_a_course_without_mutants_is_told_where_to_begin() -> None:
    text = shown(gate(REFERENCE, unproven=("test_a", "test_b")))
    assert "No wrong answer was tried yet" in text
    assert "whether the 2 checks would notice one" in text
    assert "grader verify -a words --generate" in text
    assert "unproven check" not in text, "there is no need to list them all"


def test_sentences_without_a_promise_are_counted() -> None:
    assert "3 sentences of the docstrings" in shown(gate(REFERENCE, MUTANT, unpromised=3))
    assert "docstrings" not in shown(gate(REFERENCE, MUTANT))


def test_a_survivor_is_a_diff_where_it_is_with_the_command_that_accepts_it() -> None:
    diff = "--- a.py\n+++ f:constant:1\n@@ -1,1 +1,1 @@\n-x = 1\n+x = 2"
    survivor = GeneratedResult(
        "f:constant:1", "x = 1 → x = 2", Fate.SURVIVES, diff=diff, where="a.py:1"
    )
    killed = GeneratedResult("f:constant:2", "", Fate.KILLED, killed_by=("test_a",))
    report = GeneratedReport((survivor, killed), ())
    text = shown(gate(REFERENCE, strict=StrictGate(generated=report)))
    assert (
        "? words: f:constant:1 survives: a.py:1\n    @@ -1,1 +1,1 @@\n    -x = 1\n    +x = 2\n"
        in text
    )
    assert 'grader verify -a words --accept f:constant:1 --reason "…"' in text
    assert "f:constant:2" not in text
