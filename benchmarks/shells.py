"""What a worker costs with this tree's shell, beside another tree's: start, first cell, memory.

    python -m benchmarks.shells OTHER_TREE

Both are measured in turn in one run, so that a busy machine slows both alike: what counts are the
ratios.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
ROUNDS = 3
WORKERS = 20
PRELOAD = ("numpy", "torch", "torch.nn.functional")
MEMORY = re.compile(r"^(Rss|Private_Dirty):\s+(\d+) kB", re.M)
Figures = dict[str, float]


def measure() -> Figures:
    """The medians of some workers of the tree that is imported; times in seconds, memory in MiB."""
    from grader.judging.spawning import Zygote

    began = time.perf_counter()
    with Zygote(preload=PRELOAD, sandbox=False) as zygote:
        zygote.wait_ready()
        warm_s = time.perf_counter() - began
        workers = [_one_worker(zygote.fileno()) for _ in range(WORKERS)]
    medians = {name: statistics.median(one[name] for one in workers) for name in workers[0]}
    return {"zygote's start": warm_s, **medians}


def _one_worker(spawn_fd: int) -> Figures:
    from grader.judging.spawning import spawn
    from grader.judging.worker_link import WorkerLink
    from grader.model import Limits
    from grader.testing.operations import Op

    limits = Limits()
    began = time.perf_counter()
    link = WorkerLink(spawn(spawn_fd, limits, sandbox=False), limits)
    link.wait_ready()
    ready_s = time.perf_counter() - began
    link.allow(30, "")
    pid = _ask(link, "import os\nx = os.getpid()", "x")
    first_s = time.perf_counter() - began
    memory = {name: int(size) / 1024 for name, size in MEMORY.findall(_memory_of(pid))}
    for number in range(2, 12):
        link.request(Op.CELL, number=number, source=f"def f{number}(a):\n    return a", limit_s=9.0)
    all_s = time.perf_counter() - began
    link.close()
    return {
        "worker's start": ready_s,
        "start and first cell": first_s,
        "start and eleven cells": all_s,
        "processor time": link.cpu_s,
        "resident": memory["Rss"],
        "its own memory": memory["Private_Dirty"],
    }


def _ask(link: object, cell: str, name: str) -> int:
    from grader.testing.operations import Op

    link.request(Op.CELL, number=1, source=cell, limit_s=9.0)  # type: ignore[attr-defined]
    return int(link.request(Op.FETCH, object=link.defer(Op.NAME, name=name)))  # type: ignore[attr-defined]


def _memory_of(pid: int) -> str:
    return Path(f"/proc/{pid}/smaps_rollup").read_text()


def main(other: Path) -> None:
    found: dict[Path, list[Figures]] = {other: [], HERE: []}
    for _ in range(ROUNDS):
        for tree, figures in found.items():
            command = [sys.executable, str(Path(__file__).resolve()), "--measure"]
            environment = {**os.environ, "PYTHONPATH": str(tree)}
            done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
            figures.append(json.loads(done.stdout))
    print(f"{'':<24} {'other':>10} {'this':>10}  this / other")
    for name in found[HERE][0]:
        before, now = (statistics.median(one[name] for one in found[tree]) for tree in found)
        print(f"{name:<24} {before:>10.4f} {now:>10.4f}  {now / before:.3f}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--measure"]:
        sys.path.pop(0)  # the folder of this file: the tree is on PYTHONPATH
        print(json.dumps(measure()))
    else:
        main(Path(sys.argv[1]).resolve())
