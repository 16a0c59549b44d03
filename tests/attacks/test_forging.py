"""Attempts to forge a score: each between two honest neighbours, none earns an undeserved point.

The numbers are those of the threat model (docs/threat-model.md, "Forging the grade").
"""

from __future__ import annotations

from pathlib import Path

import pytest
from toy import RIGHT, Silent, notebook, write, write_course

from grader.config import Course, load_course
from grader.model import EndingKind, Score, State
from grader.pipeline import Options, check

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
    # 11, 12: clocks, seeds, defaults
    "patched_random": [
        "import random\nrandom.random = lambda: 0.0\nrandom.seed = lambda *a: None",
        "def add(a, b): return 3",
    ],
}


def graded(*paths: Path, course: Course, sandbox: bool = True) -> dict[str, Score]:
    gradebook = check(paths, course, Options(sandbox=sandbox), Silent())
    return {score.student: score for score in gradebook.scores}


@pytest.fixture(scope="module", params=[True, False], ids=["walled", "off"])
def hostile_class(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Score]:
    """Every attack, each between two honest neighbours in the order of grading."""
    root = tmp_path_factory.mktemp("hostile")
    course = load_course(write_course(root / "course"))
    for attack, cells in ATTACKS.items():
        write(root / "class" / f"{attack}_a" / "adding.py", RIGHT)
        write(root / "class" / f"{attack}_m" / "adding.ipynb", notebook(*cells))
        write(root / "class" / f"{attack}_z" / "adding.py", RIGHT)
    return graded(root / "class", course=course, sandbox=request.param)


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_undeserved_is_earned(hostile_class: dict[str, Score], attack: str) -> None:
    score = hostile_class[f"{attack}_m"]
    # whoever answers 3 has answered one public check rightly
    deserved = 1.0 if attack in ("hard_coded", "patched_random", "patched_codec") else 0.0
    assert score.earned <= deserved, score.outcomes
    assert score.state is State.GRADED, score.ending


@pytest.mark.parametrize("attack", ATTACKS)
def test_neighbours_are_graded_as_if_alone(hostile_class: dict[str, Score], attack: str) -> None:
    for neighbour in (f"{attack}_a", f"{attack}_z"):
        assert hostile_class[neighbour].earned == 5.0
        assert hostile_class[neighbour].ending.kind is EndingKind.COMPLETED


def test_no_fake_result_lies_in_the_graders_folder(hostile_class: dict[str, Score]) -> None:
    assert hostile_class["fake_results_m"].earned == 0.0
    assert not list(Path.cwd().glob("results.json"))


def test_what_a_submission_plants_is_never_collected(
    toy_course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threat 10: conftest.py, pytest.ini, sitecustomize.py beside a submission change nothing."""
    ann = write(tmp_path / "class/ann/adding.py", RIGHT)
    mallory = write(tmp_path / "class/mallory/adding.ipynb", notebook("x = 1"))
    planted = "import os\nopen(os.path.join(os.path.dirname(__file__), 'ran'), 'w')\n"
    for folder in (ann.parent, mallory.parent, tmp_path):
        for name in ("conftest.py", "sitecustomize.py", "usercustomize.py", "grader.py"):
            write(folder / name, planted)
        write(folder / "pytest.ini", "[pytest]\naddopts = --collect-only\n")
    monkeypatch.chdir(mallory.parent)
    scores = graded(mallory, ann, course=toy_course)
    assert {name: score.earned for name, score in scores.items()} == {"ann": 5.0, "mallory": 0.0}
    assert not list(tmp_path.rglob("ran"))
