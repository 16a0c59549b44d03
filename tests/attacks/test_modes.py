"""The same attacks in the other modes of the wall: as an ordinary user, and in one's own container.

Without user namespaces there is no mount namespace either: Landlock and the system-call filter
alone must hold, as in most containers.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import ON_LINUX

HERE = Path(__file__).parent
AS_USER = HERE.parent / "as_user.py"

pytestmark = [
    pytest.mark.slow,
    ON_LINUX,
    pytest.mark.skipif(
        not hasattr(os, "getuid") or os.getuid() != 0, reason="only root becomes somebody else"
    ),
]


@pytest.mark.parametrize("room", ["reading", "damaging", "kernel", "exhausting", "forging"])
@pytest.mark.parametrize(
    "option", [[], ["--no-user-namespaces"]], ids=["with user namespaces", "without"]
)
def test_it_holds_as_an_ordinary_user(room: str, option: list[str]) -> None:
    tests = str(HERE / f"test_{room}.py")
    command = [sys.executable, str(AS_USER), *option, "-q", "-m", "slow or not slow", tests]
    done = subprocess.run(command, capture_output=True, text=True, timeout=590, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
