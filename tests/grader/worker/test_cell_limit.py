"""A cell's time is up although IPython stands between it and the alarm."""

from __future__ import annotations

import pytest
from walled import ready_zygote

from grader.judging.spawning import spawn
from grader.judging.worker_link import WorkerLink
from grader.model import Limits
from grader.testing.links import StudentError
from grader.testing.operations import Op

FOR_EVER = {
    "plain": "while True: pass",
    "a time magic": "%time [0 for _ in iter(int, 1)]",
    "a time cell": "%%time\nwhile True: pass",
    "timeit": "%timeit -n 1 -r 1 [0 for _ in iter(int, 1)]",
    "a captured cell": "%%capture out\nwhile True: pass",
    "a script": "open('loop.py', 'w').write('while True: pass')\n%run loop.py",
    "a profile": "%prun [0 for _ in iter(int, 1)]",
    "a cell in a cell": "get_ipython().run_cell('while True: pass')",
    "a sleep": "import asyncio\nawait asyncio.sleep(100)",
    "a loop of its own": "import asyncio\nasyncio.run(asyncio.sleep(100))",
    "a display": "class Slow:\n    def __repr__(self):\n        while True: pass\nSlow()",
    "an exception's text": """%%writefile loud.py
class E(Exception):
    def __str__(self):
        while True: pass
raise E""",
    "the script that raises it": "%run loud.py",
    "a swallowed alarm": """import time
try: time.sleep(9)
except BaseException: pass
while True: pass""",
    "turns for ever": "import asyncio\nawait asyncio.sleep(0)\nwhile True: await asyncio.sleep(0)",
}
LIMITS = Limits(wall_s=200)
CELL_S = 0.2


@pytest.mark.slow
def test_the_cell_is_stopped_and_the_next_one_runs() -> None:
    stopped = {}
    with ready_zygote() as zygote:
        link = WorkerLink(spawn(zygote.fileno(), LIMITS), LIMITS)
        link.wait_ready()
        link.allow(600, "after 600 s in all")
        for number, (name, source) in enumerate(FOR_EVER.items(), 1):
            try:
                link.request(Op.CELL, number=number, source=source, limit_s=CELL_S)
            except StudentError as error:
                stopped[name] = error.kinds[0]
        link.request(Op.CELL, number=99, source="x = 1", limit_s=9.0)
        assert link.request(Op.FETCH, object=link.defer(Op.NAME, name="x")) == 1
        link.close()
    assert stopped == dict.fromkeys(FOR_EVER.keys() - {"an exception's text"}, "TimeIsUp")
