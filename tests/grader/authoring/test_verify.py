"""The gate: right code passes, wrong code is caught, and a broken check is noticed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from commands import grader
from toy import HIDDEN, PUBLIC, REFERENCE, Silent, write, write_gate

from grader.authoring.cases import Kind
from grader.authoring.verify import AssignmentGate, Case, Verdict, Verification, verify
from grader.config.course import load_course


@pytest.fixture
def gated(toy: Path) -> Callable[[], AssignmentGate]:
    """Verify the small course, as it stands on disk by then."""
    write_gate(toy)

    def run() -> AssignmentGate:
        (found,) = verify(load_course(toy), watcher=Silent()).gates
        return found

    return run


def case(gate: AssignmentGate, name: str) -> Case:
    return next(case for case in gate.cases if case.name == name)


def test_a_sound_suite_passes(gated: Callable[[], AssignmentGate]) -> None:
    gate = gated()
    assert gate.passed, gate
    assert case(gate, "reference").lost == ()
    assert set(case(gate, "template").lost) == {"small", "any", "state"}
    assert case(gate, "integers_only").lost == ("any",)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('assert_close(submission.add(a, b).value(), reference.add(a, b), "the sum")', "pass"),
        ("assert counter.up().value() == start + 2", "pass"),
        ('submission.add(1, "2")', "raise_it()"),
    ],
)
def test_a_check_that_always_passes_is_noticed(
    gated: Callable[[], AssignmentGate], toy: Path, old: str, new: str
) -> None:
    broken = HIDDEN.replace(old, new).replace(
        "import pytest",
        "import pytest\nfrom grader.testing import StudentError\n"
        "def raise_it(): raise StudentError(('TypeError',), '')",
    )
    write(toy / "hidden/test_adding.py", broken)
    gate = gated()
    assert gate.unproven or any(case.verdict is Verdict.SURVIVES for case in gate.cases)


def test_a_check_that_right_code_fails_is_noticed(
    gated: Callable[[], AssignmentGate], toy: Path
) -> None:
    write(toy / "hidden/test_adding.py", HIDDEN.replace("start + 2", "start + 3"))
    gate = gated()
    assert case(gate, "reference").verdict is Verdict.RIGHT_CODE_LOSES
    assert "test_counts" in case(gate, "reference").explanation


def test_a_public_point_for_the_untouched_template_is_noticed(
    gated: Callable[[], AssignmentGate], toy: Path
) -> None:
    write(
        toy / "public/test_adding.py",
        PUBLIC.replace(
            'assert_equal(submission.add(1, 2).value(), 3, "the sum")', 'submission.defines("add")'
        ),
    )
    assert case(gated(), "template").verdict is Verdict.TEMPLATE_EARNS


def test_a_mutant_that_loses_elsewhere_is_noticed(
    gated: Callable[[], AssignmentGate], toy: Path
) -> None:
    path = toy / "mutants/adding/subtracts.toml"
    path.write_text(path.read_text().replace("['small', 'any']", "['small']"))
    found = case(gated(), "subtracts")
    assert found.verdict is Verdict.LOSES_ELSEWHERE
    assert found.explanation.startswith("any:")


def test_a_mutant_that_survives_is_noticed(gated: Callable[[], AssignmentGate], toy: Path) -> None:
    path = toy / "mutants/adding/integers_only.toml"
    path.write_text(path.read_text().replace("['any']", "['any', 'state']"))
    found = case(gated(), "integers_only")
    assert found.verdict is Verdict.SURVIVES
    assert "state" in found.explanation


FAKE = """
    # /// fake
    # pretends = "every sum is 3"
    # at_most = 1
    # ///
    def add(a, b):
        return 3
"""


def write_fake(toy: Path, text: str = FAKE) -> None:
    table = toy / "pyproject.toml"
    table.write_text(table.read_text().replace("lessons =", 'fakes = "fakes"\nlessons =', 1))
    write(toy / "fakes/adding/three.py", text)


def test_a_fake_may_earn_what_its_file_says(gated: Callable[[], AssignmentGate], toy: Path) -> None:
    write_fake(toy)
    gate = gated()
    assert gate.passed, gate
    found = case(gate, "three")
    assert (found.kind, found.earned, found.at_most) == (Kind.FAKE, 1, 1)


def test_a_fake_that_earns_too_much_is_noticed(
    gated: Callable[[], AssignmentGate], toy: Path
) -> None:
    write_fake(toy, FAKE.replace("at_most = 1", "at_most = 0.9"))
    gate = gated()
    assert not gate.passed
    found = case(gate, "three")
    assert found.verdict is Verdict.FAKE_EARNS
    assert found.explanation == "1 points, at most 0.9: passes test_small_sum"


def test_only_cases_of_some_kinds_are_tried(toy: Path) -> None:
    write_gate(toy)
    write_fake(toy)
    (gate,) = verify(load_course(toy), kinds=[Kind.FAKE, Kind.REFERENCE], watcher=Silent()).gates
    assert {one.kind for one in gate.cases} == {Kind.FAKE, Kind.REFERENCE}
    assert gate.passed, "no mutant was tried, so none was expected to fail a check"


def test_correct_code_in_another_style_must_pass(
    gated: Callable[[], AssignmentGate], toy: Path
) -> None:
    table = toy / "pyproject.toml"
    table.write_text(table.read_text().replace("lessons =", 'styles = "styles"\nlessons =', 1))
    write(toy / "styles/adding_sum.py", REFERENCE.replace("a + b", "sum([a, b])"))
    write(toy / "styles/adding_odd.py", REFERENCE.replace("a + b", "a - -b"))
    gate = gated()
    assert case(gate, "adding_sum").verdict is Verdict.OK
    # text has no minus: TypeError as it should be
    assert case(gate, "adding_odd").kind is Kind.STYLE
    assert gate.passed
    write(
        toy / "styles/adding_late.py",
        REFERENCE.replace("return a + b", "import time; time.sleep(3)"),
    )
    assert case(gated(), "adding_late").verdict is Verdict.RIGHT_CODE_LOSES


def test_the_reference_is_tried_from_as_many_seeds_as_asked(toy: Path) -> None:
    course = load_course(write_gate(toy))
    (gate,) = verify(course, repeat=5, watcher=Silent()).gates
    assert [case.seed for case in gate.cases if case.kind is Kind.REFERENCE] == [0, 1, 2, 3, 4]


def test_the_result_is_kept_in_a_file(toy: Path, tmp_path: Path) -> None:
    write_gate(toy)
    kept = tmp_path / "new folder/gate.json"
    arguments = ["verify", "--course", str(toy), "--output", str(kept), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "grader.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert kept.read_text(encoding="utf-8") == done.stdout
    assert msgspec.json.decode(kept.read_bytes(), type=Verification).passed


@pytest.mark.slow
def test_a_strict_course_is_held_to_more_unless_told_otherwise(toy: Path) -> None:
    write_gate(toy)
    table = toy / "pyproject.toml"
    table.write_text(table.read_text().replace('id = "sums"', 'id = "sums"\nstrict = true', 1))
    assert grader("verify", "--no-strict", cwd=toy).returncode == 0
    done = grader("verify", "-a", "adding", cwd=toy)
    assert done.returncode == 1
    assert "generated mutants survive" in done.stdout
