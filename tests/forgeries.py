"""Submissions that try to forge a verdict, by what they do."""

from __future__ import annotations

WRONG = """
def add(a, b):
    return Yes()

class Counter:
    def __init__(self, start=0):
        pass
    def up(self):
        return Yes()
"""


YES = """
class Yes(int):
    __eq__ = __le__ = __ge__ = __lt__ = __gt__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __bool__ = lambda self: True
    __hash__ = lambda self: 0
    __sub__ = __rsub__ = __abs__ = __add__ = __radd__ = lambda self, *other: self
    __class__ = property(lambda self: float)
    __reduce__ = lambda self: (print, ("pickled",))
    __array__ = lambda self, *a, **k: True
    __repr__ = __str__ = lambda self: "3"
"""


ATTACKS = {
    # 1: patching what compares, serialises, judges
    "lying_equality": [YES, WRONG],
    "patched_builtins": [
        YES,
        "import builtins, math, operator",
        "builtins.isinstance = lambda *a: True\nbuiltins.abs = lambda x: 0\nbuiltins.type = lambda x: float",
        "math.isclose = lambda *a, **k: True\noperator.eq = lambda *a: True",
        WRONG,
    ],
    "patched_pytest": [
        YES,
        """
        import pytest, _pytest.runner, _pytest.python, _pytest.assertion.rewrite as r
        _pytest.runner.call_and_report = lambda *a, **k: None
        _pytest.python.Function.runtest = lambda self: None
        pytest.fail = pytest.skip = lambda *a, **k: None
        """,
        WRONG,
    ],
    "patched_grader": [
        YES,
        """
        import sys
        for name, module in list(sys.modules.items()):
            if name.startswith("grader") and module is not None:
                for key, value in list(vars(module).items()):
                    if callable(value) and key.startswith(("assert", "check", "score", "fail")):
                        setattr(module, key, lambda *a, **k: True)
        """,
        WRONG,
    ],
    "patched_codec": [
        YES,
        """
        import msgpack
        real = msgpack.packb
        msgpack.packb = lambda value, **k: real({"id": value.get("id"), "ok": True, "value": 3})
        """,
        WRONG,
    ],
    "patched_serve": [
        """
        import sys
        serve = sys.modules["grader.worker.serve"]
        def liar(server, shell, request):
            return {"id": request["id"], "ok": True, "value": True}
        serve._answer = liar
        """,
    ],
    # 2: proxies that ask the submission for its opinion
    "proxy_of_itself": [
        """
        class Proxy:
            def __getattr__(self, name): return self
            def __call__(self, *a, **k): return self
            def __eq__(self, other): return True
            def value(self): return 3
            def tensor(self): return self
        add = Counter = Proxy()
        """
    ],
    # 5: answers learned from the public check
    "hard_coded": ["def add(a, b): return 3"],
    # 7: leaving early, in every way there is
    "exit_zero": ["import os; os._exit(0)"],
    "exit_in_the_call": ["import os\ndef add(a, b): os._exit(0)\nCounter = add"],
    "system_exit": ["def add(a, b): raise SystemExit(0)\ndef Counter(n): raise SystemExit(0)"],
    "skipped": [
        """
        import pytest
        def add(a, b): pytest.skip("passes")
        def Counter(n): raise pytest.skip.Exception("passes")
        """
    ],
    "keyboard_interrupt": ["def add(a, b): raise KeyboardInterrupt\nCounter = add"],
    "killed_itself": ["import os\ndef add(a, b): os.kill(os.getpid(), 9)\nCounter = add"],
    "assertion_error": ["def add(a, b): raise AssertionError\nCounter = add"],
    # 8: results written where a careless grader would read them
    "fake_results": [
        """
        import atexit, json, os, sys
        fake = json.dumps({"score": 100, "earned": 5, "tests": [{"score": 5, "status": "passed"}]})
        def leave():
            for name in ("results.json", "junit.xml", "gradebook.json", "report.json", "scores.csv"):
                try: open(name, "w").write(fake)
                except OSError: pass
            print(fake); print(fake, file=sys.stderr)
        atexit.register(leave); leave()
        """
    ],
    "fake_frames": [
        r"""
        import os
        for fd in range(3, 20):
            for payload in (b'\0\0\0\x01\xc3', b'{"event":"exit","code":0}\n', b'{"outcomes":"passed"}'):
                try: os.write(fd, payload)
                except OSError: pass
        """
    ],
    # 9: replies that are too many, too large, too deep, too early
    "early_replies": [
        r"""
        import msgpack, os, threading, time
        def flood():
            body = msgpack.packb({"id": 1, "ok": True, "value": 3})
            for _ in range(1000):
                os.write(4, len(body).to_bytes(4, "big") + body)
        threading.Thread(target=flood, daemon=True).start()
        time.sleep(0.2)
        """
    ],
    "huge_reply": [
        "import os\ndef add(a, b): os.write(4, b'\\xff\\xff\\xff\\xff' + b'x' * 100)\nCounter = add"
    ],
    "deep_reply": [
        r"""
        import os
        def add(a, b):
            body = b"\x91" * 100_000 + b"\xc0"
            os.write(4, len(body).to_bytes(4, "big") + body)
        Counter = add
        """
    ],
    # 1 again: through the interpreter's own machinery
    "nbgrader_transformers": [
        YES,
        """
        shell = get_ipython()
        for name in ("input_transformers_cleanup", "input_transformers_post", "ast_transformers"):
            try: getattr(shell, name).append(lambda lines: ["pass\\n"])
            except Exception: pass
        try: shell.run_cell = lambda *a, **k: None
        except Exception: pass
        """,
        WRONG,
    ],
    "traced": [
        """
        import sys, threading
        def spy(frame, event, argument):
            if "reply" in frame.f_locals or "value" in frame.f_locals:
                frame.f_locals.update(reply={"ok": True, "value": 3}, value=3)
            return spy
        sys.settrace(spy); sys.setprofile(spy); threading.settrace(spy)
        """,
        WRONG.replace("Yes()", "None"),
    ],
    "swapped_code": [
        """
        import sys
        serve = sys.modules["grader.worker.serve"]
        def liar(server, shell, request):
            return {"id": request["id"], "ok": True, "value": True}
        serve._answer.__code__ = liar.__code__
        """,
    ],
    "patched_system_calls": [
        YES,
        """
        import os
        real = os.write
        os.write = lambda fd, data: real(fd, bytes(data).replace(b"\\xc2", b"\\xc3"))
        """,
        WRONG,
    ],
    "no_builtins": ["import builtins\nfor name in list(vars(builtins)): delattr(builtins, name)"],
    "no_modules": ["import sys\nsys.modules.clear()", "def add(a, b): return 3"],
    "audited": ["import sys\ndef no(*a): raise SystemExit(0)\nsys.addaudithook(no)"],
    "other_main": [
        """
        import sys, types
        main = types.ModuleType("__main__")
        main.add = main.Counter = lambda *a: True
        sys.modules["__main__"] = main
        """
    ],
    "names_that_answer_anything": [
        """
        class Anything(dict):
            def __missing__(self, name): return lambda *a, **k: True
            def __contains__(self, name): return True
        import sys
        sys.modules["__main__"].__class__ = type("M", (type(sys),), {"__getattr__": lambda *a: True})
        """
    ],
    # 2 again: values that are not what they are called
    "subclasses_of_numbers": [
        """
        class Near(float):
            def __eq__(self, other): return True
            __hash__ = float.__hash__
        def add(a, b): return Near(0.0)
        def Counter(n): return Near(0.0)
        """
    ],
    "lying_containers": [
        YES,
        """
        def add(a, b): return [Yes()]
        class Counter(dict):
            def __init__(self, n): pass
            def up(self): return {"value": Yes()}
        """,
    ],
    "not_numbers": [
        """
        import itertools
        odd = itertools.cycle([float("nan"), float("inf"), -float("inf"), True, None, "3", b"3", 3j])
        def add(a, b): return next(odd)
        class Counter:
            def __init__(self, n): pass
            def up(self): return next(odd)
        """
    ],
    "numbers_out_of_range": [
        """
        def add(a, b): return 10 ** 300
        class Counter:
            def __init__(self, n): pass
            def up(self): return 1 << 1100
        """
    ],
    # 6: what it was given, changed under the check
    "mutated_arguments": [
        """
        import gc
        def add(a, b):
            for thing in gc.get_objects():
                if isinstance(thing, dict) and "args" in thing: thing.clear()
            return 3
        """
    ],
    # 7 again: an end at a time of its own choosing
    "late_exit": [
        "import os, threading\nthreading.Timer(0.3, os._exit, [0]).start()",
        "import time\ntime.sleep(0.6)",
        "def add(a, b): return 3",
    ],
    "exit_in_finalizer": [
        "import os\nclass Trap:\n    def __del__(self): os._exit(0)\ndef add(a, b): Trap()",
    ],
    "exit_while_answering": [
        "import os\nclass Trap:\n    def __call__(self, *a): os._exit(0)\nadd = Counter = Trap()"
    ],
    "forged_exceptions": [
        """
        class StudentError(Exception): pass
        class CheckFailed(AssertionError): expected = actual = None
        class Passed(BaseException): pass
        def add(a, b): raise Passed
        def Counter(n): raise CheckFailed("passed")
        """
    ],
    # 9 again: a worker that speaks the protocol itself
    "speaks_the_protocol": [
        """
        import msgpack, os
        def answer(value):
            body = msgpack.packb(value)
            os.write(4, len(body).to_bytes(4, "big") + body)
        def listen():
            size = int.from_bytes(os.read(3, 4), "big")
            return msgpack.unpackb(os.read(3, size), strict_map_key=False)
        def add(a, b):
            # the next question comes only after this answer, which nobody can foresee
            for number in range(100): answer({"id": number, "ok": True, "value": 3})
        Counter = add
        """
    ],
    "reference_for_a_value": [
        """
        import msgpack, sys
        protocol = sys.modules["grader.wire.values"]
        real = protocol.encode_frame
        def liar(message):
            if message.get("ok"): message["value"] = protocol.Ref(1)
            return real(message)
        sys.modules["grader.worker.serve"].encode_frame = liar
        """,
        WRONG.replace("Yes()", "None"),
    ],
    # 31: a worker that is replaced has learned nothing
    "counts_its_deaths": [
        """
        import os
        places = (".", os.environ.get("TMPDIR", "."))
        def seen():
            return sum(os.path.exists(os.path.join(place, "deaths")) for place in places)
        before = seen()
        for place in places:
            try: open(os.path.join(place, "deaths"), "a").close()
            except OSError: pass
        print("before:", before)
        def add(a, b): os._exit(1) if not before else None
        """
    ],
    # 11, 12: clocks, seeds, defaults
    "patched_random": [
        "import random\nrandom.random = lambda: 0.0\nrandom.seed = lambda *a: None",
        "def add(a, b): return 3",
    ],
    # drawing, after the reset, what the check draws
    "inputs_foreseen": [
        """
        import random
        def add(a, b):
            return 3 if (a, b) == (1, 2) else random.random() + random.random()
        """
    ],
}


# whoever answers 3 has answered one public check rightly
ANSWERS_THREE = {
    *("hard_coded", "patched_random", "patched_codec"),
    *("mutated_arguments", "late_exit", "inputs_foreseen"),
}


DESERVED = {**dict.fromkeys(ATTACKS, 0.0), **dict.fromkeys(ANSWERS_THREE, 1.0), "no_modules": 1.0}
