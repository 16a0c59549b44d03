"""Checks in a student's own notebook do not depend on what else is installed or set there."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from toy import write

from grader.errors import SuiteError, UsageError
from grader.testing.handles import SubmissionNames
from grader.testing.local import LocalLink, run_checks
from grader.testing.practice import Interrupted, LocalResult, each_cause_once

NAMES = {"add": lambda a, b: a + b}


@pytest.fixture
def checks(toy: Path) -> Path:
    """The public checks of the small course about sums."""
    return toy / "public/test_adding.py"


@pytest.mark.parametrize(
    ("name", "value"),
    [("PYTEST_ADDOPTS", "-k nothing"), ("PYTEST_ADDOPTS", "--cov"), ("PYTEST_PLUGINS", "gone")],
)
def test_settings_for_other_tests_have_no_say(
    checks: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
    (result,) = run_checks(dict(NAMES), checks)
    assert result.passed
    assert os.environ[name] == value
    assert "PYTEST_DISABLE_PLUGIN_AUTOLOAD" not in os.environ


def test_pytest_that_does_not_start_is_told(checks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.testing.suites.PYTEST_OPTIONS", ("--no-such-option",))
    with pytest.raises(SuiteError, match="no-such-option"):
        run_checks(dict(NAMES), checks)


def test_a_failed_check_leaves_nothing_of_its_own_in_the_notebook(tmp_path: Path) -> None:
    file = write(
        tmp_path / "test_wheels.py",
        '''
        from grader.testing import assert_equal, check, fail, standing_in

        class TestWheels:
            """Wheels turn"""

            @check(points=1)
            def test_broken(self, submission):
                """Fails while another name stands in"""
                with standing_in(submission.Cart, wheel=submission.sound):
                    submission.Cart().turn("this raises, and nobody waits for it")
                    fail("a verdict")

            @check(points=1)
            def test_own(self, submission):
                """Sees the notebook's own name"""
                assert_equal(submission.Cart().turn().value(), "own", "the turn")
        ''',
    )

    namespace: dict[str, Any] = {}
    exec(
        "class Cart:\n"
        "    def __init__(self): pass\n"
        "    def turn(self): return wheel()\n"
        "def wheel(): return 'own'\n"
        "def sound(): return 'sound'\n",
        namespace,
    )
    broken, own = run_checks(namespace, file)
    assert not broken.passed
    assert own.passed, own.message


# ---------------------------------------------------------------- the same as in a grading

SUMS = '''
    from grader.testing import assert_equal, check

    class TestSums:
        """Sums"""

        @check(points=1, hint="Add them.")
        def test_of_two(self, submission):
            """Adds two numbers"""
            assert_equal(submission.add(2, 3).value(), 5, "the sum")

        @check(points=1, hint="One at a time.")
        def test_of_a_list(self, submission):
            """Adds a list, and leaves it alone"""
            numbers = [1, 2, 3]
            assert_equal(submission.total(numbers).value(), 6, "the total")
            given = submission.send(numbers)
            submission.total(given).done()
            assert_equal(given.value(), [1, 2, 3], "the numbers, afterwards,")

        @check(points=1, hint="Zero.")
        def test_of_nothing(self, submission):
            """The sum of nothing is 0"""
            assert_equal(submission.total([]).value(), 0, "the total")

    class TestMore:
        """More"""

        @check(points=1, hint="Twice.")
        def test_twice(self, submission):
            """Doubles a number"""
            assert_equal(submission.add(4, 4).value() + 0, 8, "the double")
'''


@pytest.fixture
def sums(tmp_path: Path) -> Path:
    return write(tmp_path / "checks/test_sums.py", SUMS)


def notebook(source: str) -> dict[str, Any]:
    """A notebook's names after one cell."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, "<cell 1>", "exec"), namespace)
    return namespace


TOTAL = "def total(numbers):\n    return sum(numbers)\n"


@pytest.mark.parametrize("way", ["plain", "through another folder", "through a link", "relative"])
def test_the_reason_arrives_whatever_the_path(
    sums: Path, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "link").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path / "notebooks")
    file = {
        "plain": sums,
        "through another folder": tmp_path / "notebooks/../checks/test_sums.py",
        "through a link": tmp_path / "link/checks/test_sums.py",
        "relative": Path("../checks/test_sums.py"),
    }[way]
    wrong, *_ = run_checks(notebook("def add(a, b):\n    return a\n" + TOTAL), file)
    assert wrong.message == "the sum: not as expected; expected 5, got 2"
    assert wrong.hint == "Add them."


def test_an_error_of_ones_own_has_its_line_and_no_hint(sums: Path) -> None:
    names = notebook("def add(a, b):\n    return mth.fsum([a, b])\n" + TOTAL)
    stopped, *_ = run_checks(names, sums, "sums")
    assert stopped.message.startswith("NameError: name 'mth' is not defined (line 2")
    assert stopped.hint == ""
    assert stopped.cause is not None


def test_what_the_check_can_not_use_is_told(sums: Path) -> None:
    names = notebook("def add(a, b):\n    return None\n" + TOTAL)
    (unusable,) = run_checks(names, sums, "more")
    assert "returned something that this check can't use (TypeError: " in unusable.message


def test_what_is_changed_in_place_is_noticed(sums: Path) -> None:
    source = "def total(numbers):\n    numbers.append(0)\n    return sum(numbers)\n"
    _, changing, empty = run_checks(notebook(source), sums, "sums")
    assert "the numbers, afterwards: not as expected; expected [1, 2, 3], got" in changing.message
    assert empty.passed


def test_what_comes_back_can_not_change_the_notebook(sums: Path) -> None:
    kept = [1, [2]]
    link = LocalLink({"kept": kept})
    value = SubmissionNames(link).kept.value()
    value[1].append(3)
    assert kept == [1, [2]]


def test_an_end_that_does_not_come_is_not_waited_for(sums: Path) -> None:
    source = "def add(a, b):\n    while True:\n        try:\n            a += 1\n        except:\n            pass\n"
    first, total, empty, later = run_checks(notebook(source + TOTAL), sums, check_s=0.1)
    assert "stopped after 0.1 s: it took too long" in first.message
    assert first.hint == ""
    assert total.passed
    assert empty.passed
    assert "stopped after 0.1 s" in later.message


def test_after_two_that_took_too_long_the_others_are_not_run(sums: Path) -> None:
    source = (
        "def add(a, b):\n    while True: pass\ntotal = add = lambda *_: [0 for _ in iter(int, 1)]\n"
    )
    results = run_checks(notebook(source), sums, check_s=0.1)
    assert [result.skipped for result in results] == [False, False, True, True]


def test_names_are_put_back_after_a_stop(tmp_path: Path) -> None:
    file = write(
        tmp_path / "test_turns.py",
        '''
        from grader.testing import assert_equal, check, standing_in

        class TestWheels:
            """Wheels turn"""

            @check(points=1, timeout_s=0.1)
            def test_endless(self, submission):
                """Turns for ever while another name stands in"""
                with standing_in(submission.Cart, wheel=submission.endless):
                    submission.Cart().turn().value()
        ''',
    )
    names = notebook(
        "class Cart:\n"
        "    def __init__(self): pass\n"
        "    def turn(self): return wheel()\n"
        "def wheel(): return 'own'\n"
        "def endless():\n    while True: pass\n"
    )
    own = names["wheel"]
    (stopped,) = run_checks(names, file)
    assert "took too long" in stopped.message
    assert names["wheel"] is own


def test_an_interrupt_says_so_with_what_there_is(sums: Path) -> None:
    source = (
        "import _thread\n"
        "def add(a, b):\n    return a + b\n"
        "def total(numbers):\n    _thread.interrupt_main()\n    while True: pass\n"
    )
    with pytest.raises(Interrupted, match=r"interrupted in line [56]$") as caught:
        run_checks(notebook(source), sums)
    assert [result.passed for result in caught.value.results] == [True]
    assert "Traceback" not in "".join(caught.value._render_traceback_())


@pytest.mark.parametrize("ending", ["raise SystemExit(3)", "exit()", "raise GeneratorExit"])
def test_code_that_wants_to_end_everything_costs_its_check_alone(sums: Path, ending: str) -> None:
    names = notebook(f"def add(a, b):\n    {ending}\n" + TOTAL)
    first, total, *_ = run_checks(names, sums)
    assert not first.passed
    assert total.passed


def test_checks_run_in_another_thread(sums: Path) -> None:
    found: list[LocalResult] = []
    names = notebook("def add(a, b):\n    while True: pass\n" + TOTAL)
    thread = threading.Thread(target=lambda: found.extend(run_checks(names, sums, check_s=0.1)))
    thread.start()
    thread.join()
    assert [result.passed for result in found] == [False, True, True, False]


def test_a_question_that_does_not_exist_is_told_with_those_that_do(sums: Path) -> None:
    with pytest.raises(UsageError, match="no public question 'sum'") as caught:
        run_checks(notebook(TOTAL), sums, "sum")
    assert caught.value.hint == "there are: sums, more"


def test_one_cause_is_told_once(sums: Path) -> None:
    names = notebook("def add(a, b):\n    return mth\ntotal = lambda numbers: -sum(numbers)\n")
    causes, results = each_cause_once(run_checks(names, sums))
    assert [(cause.what, count) for cause, count in causes] == [
        ("NameError: name 'mth' is not defined", 2)
    ]
    assert [result.skipped for result in results] == [True, False, False, True]
    assert [bool(result.hint) for result in results] == [False, True, False, False]


def test_two_causes_are_two(sums: Path) -> None:
    names = notebook("def add(a, b):\n    return one\ndef total(numbers):\n    return two\n")
    causes, results = each_cause_once(run_checks(names, sums))
    assert [count for _, count in causes] == [2, 2]
    assert all(result.skipped for result in results)


CHART = '''
from grader.testing import check

class TestChart:
    """A chart"""

    @check(points=1)
    def test_bars(self, submission):
        """Draws bars"""
        assert submission.plot([1, 2]).value().axes[0].bars
'''


def test_figures_that_checks_draw_are_closed_and_others_stay(tmp_path: Path) -> None:
    plt = pytest.importorskip("matplotlib.pyplot")

    def plot(heights: list[float]) -> Any:
        figure, axes = plt.subplots()
        axes.bar(range(len(heights)), heights)
        return figure

    own = plt.figure()
    (result,) = run_checks({"plot": plot}, write(tmp_path / "test_chart.py", CHART))
    assert result.passed
    assert plt.get_fignums() == [own.number]
    plt.close(own)
