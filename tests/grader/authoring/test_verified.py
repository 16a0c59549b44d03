"""A release says what has not passed the gate as it stands, and runs no gate to find out."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import grader
from toy import write, write_gate

from grader.authoring.verified import NAME, keep_verified, standing
from grader.authoring.verify import AssignmentGate, Case, Kind, Verdict, Verification
from grader.config.course import load_course


def result(verdict: Verdict = Verdict.OK) -> Verification:
    case = Case(assignment="adding", kind=Kind.REFERENCE, name="reference", verdict=verdict)
    return Verification((AssignmentGate("adding", (), (case,), ()),))


@pytest.fixture
def root(toy: Path) -> Path:
    write_gate(toy)
    table = toy / "pyproject.toml"
    text = table.read_text(encoding="utf-8")
    text = text.replace("lessons =", 'fakes = "fakes"\nstyles = "styles"\nlessons =', 1)
    table.write_text(text, encoding="utf-8")
    write(toy / "fakes/adding/none.py", "x = 1")
    write(toy / "styles/adding_other.py", "x = 1")
    return toy


def said(root: Path) -> str:
    return standing(load_course(root), ["adding"]).get("adding", "")


def test_what_has_passed_is_not_spoken_of(root: Path) -> None:
    assert said(root).startswith("was never verified: run `grader verify -a adding`")
    keep_verified(load_course(root), result())
    assert said(root) == ""
    keep_verified(load_course(root), result(Verdict.RIGHT_CODE_LOSES))
    assert said(root).startswith("did not pass")


@pytest.mark.parametrize(
    "path",
    [
        "hidden/test_adding.py", "public/test_adding.py", "reference/sums/__init__.py",
        "lessons/01_adding.py", "lessons/01_adding/promises.toml", "mutants/adding/subtracts.toml",
        "mutants/adding/new.toml", "fakes/adding/none.py", "styles/adding_other.py",
    ],
)  # fmt: skip
def test_any_change_asks_for_the_gate_again(root: Path, path: str) -> None:
    keep_verified(load_course(root), result())
    file = root / path
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    write(file, before + "\n# changed\n")
    assert said(root).startswith("is not verified since its last change")


def test_what_does_not_concern_it_changes_nothing(root: Path) -> None:
    keep_verified(load_course(root), result())
    write(root / "README.md", "new")
    write(root / "mutants/README.md", "new")
    assert said(root) == ""


def test_a_strict_course_asks_for_the_strict_gate(root: Path) -> None:
    keep_verified(load_course(root), result())
    table = root / "pyproject.toml"
    text = table.read_text(encoding="utf-8").replace('id = "sums"', 'id = "sums"\nstrict = true', 1)
    table.write_text(text, encoding="utf-8")
    assert said(root).startswith("passed, but not the strict gate")
    keep_verified(load_course(root), result(), strict=True)
    keep_verified(load_course(root), result())
    assert said(root) == "", "a gate that asks for less takes nothing away"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"adding": 1}', '{"adding": {"content": 1}}'])
def test_a_damaged_file_is_as_good_as_none(root: Path, content: str) -> None:
    write(root / NAME, content)
    assert said(root).startswith("was never verified")


def test_where_nothing_can_be_written_nothing_is_kept(root: Path) -> None:
    (root / ".grader").write_text("a file", encoding="utf-8")
    keep_verified(load_course(root), result())
    assert said(root).startswith("was never verified")


@pytest.mark.slow
def test_the_commands_speak_of_it(toy: Path) -> None:
    write_gate(toy)
    table = toy / "pyproject.toml"
    text = table.read_text(encoding="utf-8").replace("lessons =", 'notebooks = "out"\nlessons =', 1)
    table.write_text(text, encoding="utf-8")
    (toy / "out").mkdir()
    done = grader("release", "-a", "adding", cwd=toy)
    assert "warning: `adding` was never verified: run `grader verify -a adding`" in done.stderr
    assert done.returncode == 0
    assert grader("verify", "--kind", "reference", cwd=toy).returncode == 0
    assert "never verified" in grader("release", cwd=toy).stderr, "that was not the whole gate"
    assert grader("verify", "-a", "adding", cwd=toy).returncode == 0
    done = grader("release", cwd=toy)
    assert (done.returncode, done.stderr) == (0, "")
