"""Attempts to forge a score with the interpreter's own machinery, beside the loop that answers.

All of it may spoil the process that it is in; none of it may spoil a verdict.
"""

from __future__ import annotations

import pytest
from hostile import ON_LINUX, Aftermath, grade_between_neighbours

from grader.gradebook import State

pytestmark = [pytest.mark.slow, ON_LINUX]

NONE = """
def add(a, b): return None
def Counter(n): return None
"""

# who forges frames: asks like the judge does, answers what pleases
SPEAK = r"""
import os, threading
def read(size):
    data = b""
    while len(data) < size: data += os.read(3, size - len(data))
    return data
def answer(body): os.write(4, len(body).to_bytes(4, "big") + body)
def answer_everything(value):
    import msgpack
    while True:
        question = msgpack.unpackb(read(int.from_bytes(read(4), "big")), strict_map_key=False)
        answer(msgpack.packb({"id": question["id"], "ok": True, "value": value}))
"""

ATTACKS = {
    # replies of others than the loop: they may even know the number of the question
    "thread_that_answers": [
        SPEAK,
        "for n in range(3): threading.Thread(target=answer_everything, args=(True,), daemon=True).start()",
        NONE,
    ],
    "thread_that_answers_the_public_number": [
        SPEAK,
        "for n in range(3): threading.Thread(target=answer_everything, args=(3,), daemon=True).start()",
        NONE,
    ],
    "child_that_answers": [
        SPEAK,
        """
        try:
            if os.fork() == 0:
                os.setsid()
                answer_everything(True)
        except OSError: pass
        """,
        NONE,
    ],
    "loop_that_never_returns": [SPEAK, "answer_everything(None)"],
    "exit_after_an_answer_of_its_own": [
        SPEAK,
        """
        import msgpack
        def add(a, b):
            answer(msgpack.packb({"id": 0, "ok": True, "value": 3}))
            os._exit(0)
        Counter = add
        """,
    ],
    # memory of the interpreter, rewritten in place
    "rewritten_integers": [
        """
        import ctypes
        for number in range(4, 200):
            ctypes.c_uint32.from_address(id(number) + 24).value = 3
        """,
        "def add(a, b): return 7\ndef Counter(n): return 7",
    ],
    "rewritten_code": [
        """
        import ctypes, sys
        protocol = sys.modules["grader.wire.values"]
        real = protocol.encode_frame
        def liar(reply): return real({**reply, "ok": True, "value": True})
        protocol.encode_frame.__code__, liar.__code__ = liar.__code__, real.__code__
        """,
        NONE,
    ],
    "rewritten_types": [
        """
        import ctypes
        def curse(kind, **names):
            table = ctypes.py_object.from_address(id(kind.__dict__) + 16).value
            table.update(names)
            ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))
        curse(float, __eq__=lambda *a: True, __sub__=lambda *a: 0.0)
        curse(int, __eq__=lambda *a: True)
        """,
        "def add(a, b): return 0.5\ndef Counter(n): return 0.5",
    ],
    # exceptions out of nowhere
    "alarms_in_the_loop": [
        """
        import signal
        class Passed(BaseException): pass
        def ring(*_): raise Passed
        signal.signal(signal.SIGVTALRM, ring)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.01, 0.01)
        """,
        NONE,
    ],
    "exceptions_from_another_thread": [
        """
        import ctypes, threading, time
        main = ctypes.c_ulong(threading.main_thread().ident)
        def throw():
            while True:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(main, ctypes.py_object(SystemExit))
                time.sleep(0.01)
        threading.Thread(target=throw, daemon=True).start()
        """,
        NONE,
    ],
    "interrupts": [
        """
        import _thread, threading
        def interrupt():
            while True: _thread.interrupt_main()
        threading.Thread(target=interrupt, daemon=True).start()
        """,
        NONE,
    ],
    "poisoned_exceptions": [
        """
        class Meta(type):
            __mro__ = property(lambda cls: 1 / 0)
            __name__ = property(lambda cls: cls)
            __qualname__ = "passed"
        class Passed(Exception, metaclass=Meta):
            __str__ = __repr__ = lambda self: exit(0)
            __traceback__ = __cause__ = property(lambda self: self)
            __class__ = property(lambda self: AssertionError)
        def add(a, b): raise Passed
        def Counter(n): raise ExceptionGroup("x", [Passed()]) if "ExceptionGroup" in dir(__builtins__) else Passed
        """
    ],
    # who is told of what happens
    "hooks": [
        """
        import sys, threading, gc, atexit, weakref
        def passed(*a, **k): raise SystemExit(0)
        sys.excepthook = sys.unraisablehook = threading.excepthook = sys.displayhook = passed
        gc.callbacks.append(passed)
        gc.set_threshold(1)
        atexit.register(passed)
        """,
        NONE,
    ],
    "monitoring": [
        """
        import sys
        if hasattr(sys, "monitoring"):
            events = sys.monitoring.events
            def passed(*a): raise SystemExit(0)
            sys.monitoring.use_tool_id(0, "passed")
            sys.monitoring.register_callback(0, events.PY_RETURN, passed)
            sys.monitoring.set_events(0, events.PY_RETURN)
        """,
        NONE,
    ],
    "imports_that_lie": [
        """
        import builtins, sys, types
        class Liar(types.ModuleType):
            def __getattr__(self, name): return lambda *a, **k: True
        class Finder:
            def find_spec(self, *a): raise SystemExit(0)
        builtins.__import__ = lambda name, *a, **k: Liar(name)
        sys.meta_path[:] = [Finder()]
        sys.path_hooks[:] = []
        sys.modules["msgpack"] = sys.modules["struct"] = Liar("msgpack")
        """,
        NONE,
    ],
    "streams_that_lie": [
        """
        import codecs, sys
        class Stream:
            encoding = "utf-8"
            def write(self, text): raise SystemExit(0)
            flush = isatty = fileno = write
        codecs.register_error("replace", lambda error: ("passed", error.end))
        sys.stdout = sys.stderr = sys.__stdout__ = Stream()
        sys.stdin = None
        """,
        NONE,
    ],
    "traceback_into_the_replies": [
        "import faulthandler\nfaulthandler.dump_traceback_later(0.05, repeat=True, file=4)",
        "import time\ntime.sleep(0.3)",
        NONE,
    ],
    "exit_by_faulthandler": [
        "import faulthandler\nfaulthandler.dump_traceback_later(0.3, exit=True)",
        "import time\ntime.sleep(0.5)",
        NONE,
    ],
    # an interpreter that can't do its work
    "no_stack": [
        "import sys",
        "def add(a, b):\n    sys.setrecursionlimit(40)\n    return None\nCounter = add",
    ],
    "no_switching": [
        """
        import sys, threading
        sys.setswitchinterval(1e6)
        def spin():
            while True: pass
        def add(a, b):
            threading.Thread(target=spin, daemon=True).start()
            return None
        Counter = add
        """
    ],
    "no_memory": [
        """
        hoard = []
        def add(a, b):
            try:
                while True: hoard.append(bytearray(1 << 16))
            except MemoryError: return None
        Counter = add
        """
    ],
    "no_descriptors": [
        """
        import os
        def add(a, b):
            try:
                while True: os.dup(1)
            except OSError: return None
        Counter = add
        """
    ],
    "swapped_ends": [
        "import os\nend = os.dup(3)\nos.dup2(4, 3)\nos.dup2(end, 4)",
        NONE,
    ],
    # proxies of the interpreter's own making
    "proxies": [
        """
        import types, unittest.mock, weakref
        class Yes(float):
            __eq__ = lambda *a: True
            __hash__ = float.__hash__
        class Holder:
            value = Yes(0)
            def __call__(self, *a): return weakref.proxy(self)
            up = __call__
        holder = Holder()
        add = unittest.mock.MagicMock(return_value=types.SimpleNamespace(value=Yes(0)))
        Counter = weakref.proxy(holder)
        """
    ],
    "descriptors_that_answer": [
        """
        class Yes(int):
            __eq__ = __bool__ = lambda *a: True
            __hash__ = int.__hash__
            __index__ = __int__ = lambda self: 3
        class Always:
            def __get__(self, *a): return lambda *a: Yes(0)
        class Counter:
            up = Always()
            def __init__(self, n): pass
            def __getattribute__(self, name): return lambda *a: Yes(0)
        def add(a, b): return Yes(0)
        """
    ],
    "instances_of_everything": [
        """
        class Any(type):
            __instancecheck__ = __subclasscheck__ = __eq__ = lambda *a: True
            __hash__ = type.__hash__
        import builtins
        class Number(metaclass=Any): pass
        builtins.int = builtins.float = builtins.str = Number
        """,
        "def add(a, b): return Number()\ndef Counter(n): return Number()",
    ],
}

# the number of the public check is everybody's
PUBLIC_NUMBER = {"thread_that_answers_the_public_number", "rewritten_integers"}


@pytest.fixture(
    scope="module",
    params=[True, False],
    ids=["walled", "off"],
)
def aftermath(request: pytest.FixtureRequest) -> Aftermath:
    """Verdicts are the judge's with the wall and without it."""
    return grade_between_neighbours(ATTACKS, sandbox=request.param, told=False)


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_undeserved_is_earned(aftermath: Aftermath, attack: str) -> None:
    score = aftermath.scores[attack]
    assert score.earned <= float(attack in PUBLIC_NUMBER), score.outcomes
    assert score.state is State.GRADED, score.ending


def test_neighbours_are_graded_as_if_alone(aftermath: Aftermath) -> None:
    assert aftermath.spoiled() == []


def test_nothing_is_left(aftermath: Aftermath) -> None:
    assert aftermath.left == []
