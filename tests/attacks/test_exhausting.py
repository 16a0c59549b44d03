"""Attempts to use up time, memory, disk, threads or patience: each ends within its limits.

The numbers are those of the threat model (docs/threat-model.md, "Damaging").
"""

from __future__ import annotations

import pytest
from hostile import ON_LINUX, Aftermath, grade_between_neighbours

from grader.gradebook import State
from grader.model import EndingKind, Status

pytestmark = [pytest.mark.slow, ON_LINUX]

WALL_S = 5
LIMITS = f"wall_s = {WALL_S}\ncell_s = 1\ncheck_s = 1\n"
# for each submission: replacing workers, and what a machine with other work takes longer
SLACK_S = 4

LATE_LOOP = "def add(a, b):\n    {}\nCounter = add"

BOMBS = {
    # 25: memory, by every way to take it
    "list": "hoard = []\nwhile True: hoard.append([0] * 100_000)",
    "bytes": "hoard = bytearray(1 << 40)",
    "text": "hoard = 'x'\nwhile True: hoard += hoard",
    "integer": "hoard = 10 ** 10 ** 8",
    "maps": "hoard = []\nwhile True: hoard.append(mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE))",
    "page_tables": """
        hoard = []
        while True:
            hoard.append(mmap.mmap(-1, 1 << 30, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ))
            for place in range(0, 1 << 30, 1 << 21): hoard[-1][place]
        """,
    "thread_stacks": """
        threading.stack_size(256 << 20)
        while True: threading.Thread(target=time.sleep, args=(99,), daemon=True).start()
        """,
    "late_memory": LATE_LOOP.format("return [bytearray(1 << 20) for n in range(1 << 20)]"),
    # 26: disk and inodes
    "disk": "with open('big', 'wb') as file:\n    while True: file.write(b'x' * (1 << 20))",
    "many_large_files": """
        for n in range(10_000): open(f"big{n}", "wb").write(b"x" * (1 << 20))
        """,
    "inodes": "for n in range(10 ** 6): open(str(n), 'w').close()",
    "folders": "while True: os.mkdir('d'); os.chdir('d')",
    "sparse": "open('big', 'wb').truncate(1 << 44)",
    # 24: threads
    "threads": "while True: threading.Thread(target=time.sleep, args=(99,)).start()",
    # 28: output
    "output": "while True: print('x' * 1000)",
    "raw_output": "while True: os.write(1, b'x' * 65536)",
    "errors_as_output": "while True: os.write(2, b'x' * 65536)",
    "late_output": LATE_LOOP.format("while True: print('x' * 1000)"),
    # 29: time
    "loop": "while True: pass",
    "loop_that_ignores_the_limit": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "sleep_without_alarm": "signal.signal(signal.SIGALRM, signal.SIG_IGN)\ntime.sleep(900)",
    "blocked_signals": """
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
        while True: time.sleep(1)
        """,
    "native_loop": "sum(range(10 ** 15))",
    "stopped_clocks": """
        time.time = time.monotonic = time.perf_counter = time.process_time = lambda: 0.0
        signal.setitimer = signal.alarm = signal.signal = lambda *a: None
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
        while True: pass
        """,
    "spinning_threads": """
        def spin():
            while True: pass
        for n in range(50): threading.Thread(target=spin, daemon=True).start()
        """,
    "regular_expression": "import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
    "stopped": "os.kill(os.getpid(), signal.SIGSTOP)",
    "deadlock": "lock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    "deadlock_at_the_end": """
        class Trap:
            def __del__(self): time.sleep(900)
        trap = Trap()
        del trap
        """,
    "late_loop": LATE_LOOP.format("while True: pass"),
    "late_sleep": LATE_LOOP.format("time.sleep(900)"),
    "late_stop": LATE_LOOP.format("os.kill(os.getpid(), signal.SIGSTOP)"),
    "slow_text_of_an_error": """
        class Slow(Exception):
            def __str__(self):
                while True: pass
            __repr__ = __str__
        def add(a, b): raise Slow
        Counter = add
        """,
    # 9: a reply that never ends
    "dribble": r"""
        def add(a, b):
            os.write(4, (1 << 25).to_bytes(4, "big"))
            while True:
                os.write(4, b"x"); time.sleep(0.05)
        Counter = add
        """,
    "long_reply": r"""
        def add(a, b):
            os.write(4, (1 << 26).to_bytes(4, "big"))
            while True: os.write(4, b"\x90" * (1 << 20))
        Counter = add
        """,
    # 31: a new death for every new worker
    "dies_every_time": LATE_LOOP.format("os._exit(1)"),
    # what is reported of it
    "long_message": "raise ValueError('x' * (1 << 27))",
    "long_class_name": "raise type('x' * (1 << 24), (Exception,), {})",
    "long_chain": """
        error = ValueError("x")
        for n in range(200_000):
            new = ValueError("x"); new.__cause__ = error; error = new
        raise error
        """,
}

# what may be said of the end; where nothing is listed, only a cell or a check was stopped
NAMED = {
    "loop_that_ignores_the_limit": {EndingKind.TIME},
    "sleep_without_alarm": {EndingKind.TIME},
    "blocked_signals": {EndingKind.TIME},
    "native_loop": {EndingKind.TIME},
    "stopped_clocks": {EndingKind.TIME},
    "regular_expression": {EndingKind.TIME, EndingKind.COMPLETED},
    "integer": {EndingKind.TIME, EndingKind.COMPLETED},
    "stopped": {EndingKind.TIME},
    "output": {EndingKind.OUTPUT, EndingKind.TIME, EndingKind.COMPLETED},
    "raw_output": {EndingKind.OUTPUT},
    "errors_as_output": {EndingKind.OUTPUT},
}


@pytest.fixture(scope="module")
def aftermath() -> Aftermath:
    return grade_between_neighbours({name: [cell] for name, cell in BOMBS.items()}, limits=LIMITS)


@pytest.mark.parametrize("bomb", BOMBS)
def test_it_ends_and_earns_nothing(aftermath: Aftermath, bomb: str) -> None:
    score = aftermath.scores[bomb]
    assert (score.state, score.earned) == (State.GRADED, 0.0), score.ending
    assert not any(outcome.status is Status.PASSED for outcome in score.outcomes)


@pytest.mark.parametrize("bomb", BOMBS)
def test_it_is_told_which_limit_it_hit(aftermath: Aftermath, bomb: str) -> None:
    score = aftermath.scores[bomb]
    if bomb in NAMED:
        assert score.ending.kind in NAMED[bomb]
    told = [score.ending.message, *(error.message for error in score.cell_errors)]
    told += [outcome.message for outcome in score.outcomes]
    assert any(told)
    assert max(map(len, told)) < 4000


@pytest.mark.parametrize("bomb", BOMBS)
def test_it_takes_no_longer_than_it_may(aftermath: Aftermath, bomb: str) -> None:
    seconds = aftermath.gradebook.run.seconds_per_submission[f"{bomb}/adding"]
    assert seconds < WALL_S + SLACK_S


def test_neighbours_are_graded_as_if_alone(aftermath: Aftermath) -> None:
    assert aftermath.spoiled() == []


def test_nothing_is_harmed_and_nothing_left(aftermath: Aftermath) -> None:
    assert (aftermath.harm, aftermath.left) == ([], [])
