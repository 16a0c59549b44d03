"""`grader doctor`: says what holds, and what would give what does not."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import pytest

from grader import cli, doctor
from grader.config import load_course
from grader.crew import Crew
from grader.doctor import Examination, examine
from grader.errors import GraderFault
from grader.worker.jail.properties import PROPERTIES

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the wall is made of parts of Linux"
)


@pytest.fixture(scope="module")
def incomplete() -> Examination:
    return examine(forbidden=("seccomp",))


def run_doctor(
    *arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["grader", "doctor", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return int(stop.value.code or 0), capsys.readouterr().out


def test_a_complete_wall_is_a_table_and_status_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # no course here
    code, text = run_doctor(monkeypatch=monkeypatch, capsys=capsys)
    assert code == 0
    assert all(item.title in text for item in PROPERTIES)
    assert "connect to a port" in text
    assert "The wall is complete" in text


def test_an_incomplete_wall_is_status_1_and_names_what_would_give_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "examine", partial(examine, forbidden=("seccomp",)))
    code, text = run_doctor(monkeypatch=monkeypatch, capsys=capsys)
    assert code == 1
    assert "a bounded kernel surface: would be given by the system-call filter" in text


def test_json_says_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], incomplete: Examination
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: incomplete)
    code, text = run_doctor("--json", monkeypatch=monkeypatch, capsys=capsys)
    told = json.loads(text)
    assert (code, told["complete"], told["mode"]) == (1, False, "none")
    lost = {item["property"]: item["advice"] for item in told["properties"] if not item["held"]}
    assert "CONFIG_SECCOMP_FILTER" in lost["a bounded kernel surface"]


def test_where_there_is_no_wall_at_all_nothing_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    found = examine()
    assert not found.complete
    assert all("Linux" in result.advice and not result.held for result in found.properties)


def test_no_grading_starts_behind_a_wall_that_lets_a_worker_through(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A layer that says it holds and does not: the canary tells, before any submission runs."""
    real = doctor.self_test
    holes = partial(real, sandbox=False)
    monkeypatch.setattr("grader.worker.jail.selftest.self_test", holes)
    crew = Crew(load_course(toy), {})
    try:
        with pytest.raises(GraderFault, match="no file is read outside") as fault:
            crew.wait_ready()
        assert "grader doctor" in fault.value.hint
    finally:
        crew.close()
