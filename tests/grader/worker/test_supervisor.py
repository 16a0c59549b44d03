"""How workers end, and that nothing stays behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from walled import LIMITS, MODES, events, processes_below, ready_zygote, run, wait_until_gone

from grader.judging.spawning import WorkerPipes, Zygote, spawn
from grader.judging.worker_link import WorkerLink
from grader.testing.operations import Op
from grader.wire.batch import Batch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

PROMPTLY_S = 15.0  # by itself nothing would end for half a minute; a busy machine takes a while
BUSY = "import threading, time\nwhile True: pass"


@pytest.fixture(scope="module")
def shared_zygote() -> Iterator[Zygote]:
    with ready_zygote() as zygote:
        yield zygote


@pytest.fixture
def zygote(shared_zygote: Zygote) -> Zygote:
    """A zygote without workers."""
    assert wait_until_gone(processes_below(shared_zygote.pid), PROMPTLY_S) == []
    return shared_zygote


@pytest.fixture
def own_zygote() -> Iterator[Zygote]:
    """A zygote that the test may end."""
    with ready_zygote() as zygote:
        yield zygote


@pytest.fixture(params=[*MODES, "off"])
def options(request: pytest.FixtureRequest) -> dict[str, object]:
    """What to pass to `spawn` for each mode."""
    if request.param == "off":
        return {"sandbox": False}
    return {"forbidden": MODES[request.param]}


def busy_worker(zygote: Zygote, options: dict[str, object]) -> WorkerPipes:
    """A worker in an endless loop."""
    pipes = spawn(zygote.fileno(), LIMITS, **options)  # type: ignore[arg-type]
    link = WorkerLink(pipes, LIMITS)
    link.wait_ready()
    os.write(pipes.requests, _cell(BUSY, 60.0))
    time.sleep(0.1)
    return pipes


def _cell(source: str, limit_s: float) -> bytes:
    """What asks a worker to run a cell."""
    batch = Batch()
    batch.add(Op.CELL, {"number": 1, "source": source, "limit_s": limit_s})
    return batch.take(1)


def test_events_tell_the_whole_story(zygote: Zygote, options: dict[str, object]) -> None:
    pipes = spawn(zygote.fileno(), LIMITS, **options)  # type: ignore[arg-type]
    os.close(pipes.requests)
    ready, end = events(pipes.status)
    assert ready["event"] == "ready"
    assert ready["mode"]
    assert ready["ms"] > 0
    assert end["event"] == "exit"
    assert (end["reason"], end["code"]) == (None, 0)
    assert end["wall_s"] > 0
    assert end["peak_bytes"] > 1 << 20
    assert end["cpu_s"] >= 0


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("import os; os._exit(3)", 3),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("import os; os.abort()", -signal.SIGABRT),
        ("import ctypes; ctypes.string_at(0)", -signal.SIGSEGV),
    ],
    ids=["exit", "kill", "abort", "crash"],
)
def test_the_way_it_ended_is_reported(
    zygote: Zygote, options: dict[str, object], source: str, code: int
) -> None:
    pipes = spawn(zygote.fileno(), LIMITS, **options)  # type: ignore[arg-type]
    os.write(pipes.requests, _cell(source, 9.0))
    end = events(pipes.status)[-1]
    assert (end["event"], end["reason"], end["code"]) == ("exit", None, code)


def test_closing_the_requests_ends_a_busy_worker(
    zygote: Zygote, options: dict[str, object]
) -> None:
    pipes = busy_worker(zygote, options)
    os.close(pipes.requests)
    end = events(pipes.status, timeout_s=PROMPTLY_S)[-1]
    assert end["reason"] == "grader went away"
    assert wait_until_gone(processes_below(zygote.pid), PROMPTLY_S) == []


def test_closing_the_status_ends_a_busy_worker(zygote: Zygote, options: dict[str, object]) -> None:
    pipes = busy_worker(zygote, options)
    below = processes_below(zygote.pid)
    assert len(below) >= 2
    os.close(pipes.status)
    assert wait_until_gone(below, PROMPTLY_S) == []


def test_closing_the_zygote_ends_everything(own_zygote: Zygote, options: dict[str, object]) -> None:
    busy_worker(own_zygote, options)
    busy_worker(own_zygote, options)
    all_of_it = [own_zygote.pid, *processes_below(own_zygote.pid)]
    own_zygote.close()
    assert wait_until_gone(all_of_it, PROMPTLY_S) == []


@pytest.mark.parametrize("whom", ["zygote", "supervisor"])
def test_a_killed_process_takes_what_is_below_with_it(
    own_zygote: Zygote, options: dict[str, object], whom: str
) -> None:
    busy_worker(own_zygote, options)
    below = processes_below(own_zygote.pid)
    os.kill(own_zygote.pid if whom == "zygote" else below[0], signal.SIGKILL)
    assert wait_until_gone(below, PROMPTLY_S) == []


def test_a_killed_grader_takes_everything_with_it(tmp_path: Path) -> None:
    program = """
        import sys, time
        sys.path[:0] = sys.argv[1:]
        from walled import LIMITS, processes_below
        from grader.judging.worker_link import WorkerLink
        from grader.judging.spawning import Zygote, spawn
        zygote = Zygote(preload=[])
        zygote.wait_ready()
        links = [WorkerLink(spawn(zygote.fileno(), LIMITS), LIMITS) for _ in range(3)]
        for link in links:
            link.wait_ready()
        print([zygote.pid, *processes_below(zygote.pid)], flush=True)
        time.sleep(60)
    """
    tests = Path(__file__).parents[2]
    command = [sys.executable, "-c", textwrap.dedent(program), str(tests), str(tests.parent)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as grader:
        assert grader.stdout is not None
        below = json.loads(grader.stdout.readline())
        assert len(below) >= 7
        grader.kill()
        assert wait_until_gone(below, PROMPTLY_S) == []
    assert list(tmp_path.iterdir()) == []  # the session's folder too


def test_daemons_do_not_survive_their_worker(zygote: Zygote) -> None:
    daemon = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)
time.sleep(0.2)
"""
    assert run(zygote, daemon, sandbox=False).ending is None
    assert wait_until_gone(processes_below(zygote.pid), PROMPTLY_S) == []


def test_nothing_stays_on_disk(own_zygote: Zygote, options: dict[str, object]) -> None:
    run(own_zygote, "import os; os.makedirs('a/b'); open('a/b/c', 'w').write('x')", **options)  # type: ignore[arg-type]
    state = Path(own_zygote.state)
    assert sorted(path.name for path in state.iterdir()) == ["parts", "public", "root"]
    own_zygote.close()
    assert not state.exists()


def test_nothing_stays_in_control_groups(zygote: Zygote) -> None:
    run(zygote, "")
    left = list(Path("/sys/fs/cgroup").glob(f"**/grader-*-{zygote.pid}-*"))
    assert left == []


def test_a_worker_cannot_keep_the_pipes_open(zygote: Zygote, options: dict[str, object]) -> None:
    pipes = spawn(zygote.fileno(), LIMITS, **options)  # type: ignore[arg-type]
    source = "import os; [os.close(n) for n in range(1, 5)]; import time; time.sleep(60)"
    os.write(pipes.requests, _cell(source, 60.0))
    os.set_blocking(pipes.replies, True)
    assert os.read(pipes.replies, 1) == b""
    os.close(pipes.requests)
    assert events(pipes.status, timeout_s=PROMPTLY_S)[-1]["event"] == "exit"
