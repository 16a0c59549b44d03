"""Checks in a student's own notebook do not depend on what else is installed or set there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from grader.errors import SuiteError
from grader.local import run_checks
from tests.toy import write

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
    monkeypatch.setattr("grader.suites.PYTEST_OPTIONS", ("--no-such-option",))
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
