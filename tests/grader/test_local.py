"""Checks in a student's own notebook do not depend on what else is installed or set there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.errors import SuiteError
from grader.local import run_checks

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
