"""A process that was made cheap to fork holds what it held, and its children change only their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import gc, os
from grader.forking import prepare_to_fork, start_loading

start_loading()
kept = bytearray(os.urandom(8 << 20))
before = bytes(kept)
prepare_to_fork()
assert gc.isenabled()
assert gc.get_freeze_count() > 1000
if os.fork() == 0:
    kept[:] = bytes(len(kept))
    os._exit(0 if not any(kept) else 1)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
assert kept == before
"""


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is forked there")
def test_memory_stays_what_it_was_on_both_sides_of_a_fork() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
