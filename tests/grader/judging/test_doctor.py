"""`grader doctor`: says what holds, and what would give what does not."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import pytest

from grader import cli
from grader.config.course import load_course
from grader.errors import GraderFault
from grader.jail.properties import PROPERTIES
from grader.judging import doctor
from grader.judging import spawning as launch
from grader.judging.crew import Crew
from grader.judging.doctor import WallReport, examine

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the wall is made of parts of Linux"
)


@pytest.fixture(scope="module")
def incomplete() -> WallReport:
    return examine(forbidden=("seccomp",))


@pytest.fixture(scope="module")
def whole() -> WallReport:
    return examine()


def run_doctor(
    *arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    monkeypatch.delenv("COLUMNS", raising=False)  # no title is wrapped
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
    assert "loops in each of 20 checks costs about 41 s" in text


def test_an_incomplete_wall_is_status_1_and_names_what_would_give_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "examine", partial(examine, forbidden=("seccomp",)))
    code, text = run_doctor(monkeypatch=monkeypatch, capsys=capsys)
    assert code == 1
    assert "a bounded kernel surface: would be given by the system-call filter" in text


@pytest.mark.parametrize(
    ("taken_away", "lost", "reason"),
    [
        (("namespaces", "landlock"), "no file is read outside", "Landlock"),
        (("namespaces", "seccomp"), "no network", "CONFIG_SECCOMP_FILTER"),
        (("landlock", "seccomp"), "a bounded kernel surface", "CONFIG_SECCOMP_FILTER"),
        (("privileges",), "no new privileges", "no_new_privs"),
    ],
)
def test_a_property_that_loses_its_layers_is_named_with_what_would_give_it(
    taken_away: tuple[str, ...], lost: str, reason: str
) -> None:
    found = examine(forbidden=taken_away)
    assert not found.complete
    advice = {result.property: result.advice for result in found.properties if not result.held}
    assert reason in advice[lost]


@pytest.mark.parametrize("taken_away", ["cgroup", "user id", "landlock", "namespaces"])
def test_a_layer_that_others_stand_in_for_is_not_missed(whole: WallReport, taken_away: str) -> None:
    if (whole.mode, taken_away) == ("pod", "landlock"):
        pytest.skip("nothing could stand in for it here")
    found = examine(forbidden=(taken_away,))
    assert found.complete, [result for result in found.properties if not result.held]
    assert all(taken_away not in result.layers for result in found.properties)
    assert found.mode == ("pod" if taken_away == "namespaces" else whole.mode)


def test_a_processor_without_tables_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The zygote believes to run elsewhere; all else is real."""
    elsewhere = "import platform\nplatform.machine = lambda: 'riscv64'\n"
    monkeypatch.setattr(launch, "BOOTSTRAP", elsewhere + launch.BOOTSTRAP)
    found = examine()
    assert not found.complete
    assert "riscv64" in found.without["seccomp"]
    advice = {result.property: result.advice for result in found.properties if not result.held}
    assert "x86_64 or aarch64" in advice["a bounded kernel surface"]


def test_json_says_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], incomplete: WallReport
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
    monkeypatch.setattr("grader.judging.selftest.self_test", holes)
    crew = Crew(load_course(toy), {})
    try:
        with pytest.raises(GraderFault, match="no file is read outside") as fault:
            crew.wait_ready()
        assert "grader doctor" in fault.value.hint
    finally:
        crew.close()


def test_what_endless_answers_cost_follows_the_limits_of_the_course_here(
    toy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(toy)
    _, text = run_doctor("--json", monkeypatch=monkeypatch, capsys=capsys)
    loops = json.loads(text)["loops"]
    # a limit of one second a check is below the patience that there usually is
    assert loops["answer_s"] == pytest.approx(20 * 1 + 21 * 0.3)
    assert loops["class_s"] >= 30 * loops["answer_s"] / loops["slots"]
    assert loops["wall_s"] == 30
