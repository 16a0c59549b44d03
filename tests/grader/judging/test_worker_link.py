"""The judge's end of a worker."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from threading import Timer

import pytest
from processes import descendants
from walled import LIMITS, ready_zygote

from grader.judging import worker_link
from grader.judging.spawning import spawn
from grader.judging.worker_link import WorkerLink
from grader.model import EndingKind
from grader.testing.links import WorkerStopped
from grader.testing.operations import Op

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a wall is built on Linux only")

NAP = "import time; time.sleep({})"


@pytest.fixture
def link() -> Iterator[WorkerLink]:
    with ready_zygote() as zygote:
        link = WorkerLink(spawn(zygote.fileno(), LIMITS), LIMITS)
        link.wait_ready()
        yield link
        link.close()


@pytest.mark.parametrize(("whose", "killed"), [("somebody else", True), ("its own", False)])
def test_a_busy_machine_does_not_make_a_killed_worker_one_that_hung_up(
    monkeypatch: pytest.MonkeyPatch, whose: str, killed: bool
) -> None:
    """Its supervisor has yet to notice; who lives and has hung up is known to have done so."""
    monkeypatch.setattr(worker_link, "LAST_WORD_S", 0.1)
    with ready_zygote() as zygote:
        link = WorkerLink(spawn(zygote.fileno(), LIMITS), LIMITS)
        link.wait_ready()
        (supervisor,) = descendants(zygote.pid, steps=1)
        os.kill(supervisor, signal.SIGSTOP)
        Timer(1.0, os.kill, (supervisor, signal.SIGCONT)).start()
        link.allow(5, "after 5 s")
        if killed:
            for worker in descendants(supervisor):
                os.kill(worker, signal.SIGKILL)
        with pytest.raises(WorkerStopped):
            run_cell(link, "import os, time\nos.closerange(3, 99)\ntime.sleep(30)")
        assert link.killed is killed
        assert link.ending is not None
        assert link.ending.kind is (EndingKind.SIGNAL if killed else EndingKind.EXITED)
        link.close()


def run_cell(link: WorkerLink, source: str) -> None:
    link.request(Op.CELL, number=1, source=source, limit_s=30.0)


def test_what_a_check_computes_itself_counts_against_no_limit(link: WorkerLink) -> None:
    link.allow(1, "after 1 s")
    time.sleep(1.2)
    run_cell(link, "1")
    assert link.ending is None


def test_requests_share_their_time(link: WorkerLink) -> None:
    link.allow(3, "after 3 s")
    run_cell(link, NAP.format(1.6))
    with pytest.raises(WorkerStopped):
        run_cell(link, NAP.format(1.6))
    assert link.ending is not None
    assert link.ending.kind is EndingKind.TIME
    assert link.ending.message == "stopped after 3 s"
