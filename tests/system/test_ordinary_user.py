"""The same wall for an ordinary user, with and without user namespaces: reruns other tests as one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
AS_USER = HERE.parent / "as_user.py"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the wall is made of parts of Linux"),
    pytest.mark.skipif(
        not hasattr(os, "getuid") or os.getuid() != 0, reason="only root becomes somebody else"
    ),
]


@pytest.mark.parametrize(
    "tests",
    [
        *(f"jail/test_{module}.py" for module in ("wall", "limits", "scratch")),
        *(f"judging/test_{module}.py" for module in ("selftest", "doctor")),
        "worker/test_supervisor.py",
    ],
)
@pytest.mark.parametrize(
    ("option", "selection"),
    [([], ""), (["--no-user-namespaces"], "not names_mode")],
    ids=["with user namespaces", "without"],
)
def test_it_holds_as_an_ordinary_user(tests: str, option: list[str], selection: str) -> None:
    path = str(HERE.parent / "grader" / tests)
    command = [sys.executable, str(AS_USER), *option, "-q", path, "-k", selection]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
