"""How a class gets faster with workers of a Dask cluster, and what the cluster itself costs.

    python -m benchmarks.scaling workers         1, 2, 4, … 32 workers, checks that only wait
    python -m benchmarks.scaling cost            2,000 and 20,000 submissions that nobody grades
    python -m benchmarks.scaling real            real checks: two workers beside `--jobs 2`
    python -m benchmarks.scaling simulate        up to 1,000 workers that only wait, one scheduler

Scheduler and workers are processes of this machine. docs/scaling.md has the figures.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.environments import ROOT
from benchmarks.report import table
from grader.config.course import load_course
from grader.intake.reading import digest
from grader.integrations.dask.cluster import Cluster
from grader.judging.engine import Engine
from grader.judging.executor import Starts
from grader.model import Job, Submission

COURSE = """
[tool.grader]
id = "waiting"
title = "Waiting"
suites = "suites"

[tool.grader.limits]
check_s = 100

[[tool.grader.assignments]]
id = "wait"
title = "Wait"
"""
SUITE = '''
import time
from grader.testing import assert_equal, check


class TestWait:
    """Waiting"""

    @check(points=1)
    def test_waits(self, submission):
        """Waits, and takes no processor time"""
        time.sleep({seconds})
        assert_equal(submission.answer().value(), 42, "the answer")
'''
ANSWER = b"def answer():\n    return 42\n"
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["workers", "cost", "real", "simulate"])
    parser.add_argument("--wait", type=float, default=8.0, help="seconds that a check waits")
    parser.add_argument("--rounds", type=int, default=4, help="submissions for each worker")
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32])
    parser.add_argument("--jobs", type=int, nargs="+", default=[2000, 20_000])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.what == "workers":
            measure_workers(Path(folder), options.wait, options.rounds, options.counts)
        elif options.what == "cost":
            for number in options.jobs:
                measure_cost(Path(folder), number)
        elif options.what == "real":
            measure_real(Path(folder))
        else:
            simulate()


# ---------------------------------------------------------------- processes


def dask(what: str, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{what}", "--no-dashboard", *options],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tempfile.gettempdir(),
    )


@contextlib.contextmanager
def cluster(folder: Path, workers: int, *more: str) -> Iterator[tuple[str, int]]:
    """A scheduler and workers of one thread each: the address, and the scheduler's process id."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    started = [dask("scheduler", "--host", "127.0.0.1", "--port", str(port))]
    local = ("--local-directory", str(folder), "--no-nanny", "--nthreads", "1")
    try:
        for _ in range(workers):
            started.append(dask("worker", address, *local, "--memory-limit", "0", *more))
        from distributed import Client

        with Client(address, set_as_default=False, timeout=60) as client:
            if workers:
                client.wait_for_workers(workers, timeout=300)
        yield address, started[0].pid
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:  # some, when their scheduler goes in the same moment
                process.kill()


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int) -> float:
    """Resident memory in MiB."""
    return (
        int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20
    )


# ---------------------------------------------------------------- classes


def waiting_course(folder: Path, seconds: float) -> Path:
    (folder / "suites").mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(COURSE)
    (folder / "suites/test_wait.py").write_text(SUITE.format(seconds=seconds))
    return folder


def jobs_of(executor: Engine, folder: Path, number: int) -> list[Job]:
    path = folder / "wait.py"
    path.write_bytes(ANSWER)
    suite = executor.suites["wait"]
    return [
        Job(
            Submission(f"s{one}", "wait", str(path), "wait.py", digest(ANSWER)),
            suite,
            "cpu",
            0,
            executor.course.limits,
        )
        for one in range(number)
    ]


# ---------------------------------------------------------------- what is measured


def measure_workers(folder: Path, wait_s: float, rounds: int, counts: list[int]) -> None:
    course = load_course(waiting_course(folder / "course", wait_s))
    rows: list[Sequence[str]] = []
    alone = 0.0
    for workers in counts:
        with cluster(folder, workers) as (address, _):
            starts: Starts = Cluster(address)
            with starts(course) as executor:
                jobs = jobs_of(executor, folder, workers * rounds)  # type: ignore[arg-type]
                list(executor.run(jobs_of(executor, folder, workers)))  # type: ignore[arg-type]
                began = time.monotonic()
                runs = list(executor.run(jobs))
                seconds = time.monotonic() - began
        assert all(run.outcomes and run.outcomes[0].status == "passed" for run in runs), runs[0]
        pace = len(runs) / seconds
        alone = alone or pace
        ideal = pace / (alone * workers)
        rows.append((str(workers), str(len(runs)), f"{seconds:.1f}", f"{pace:.2f}", f"{ideal:.2f}"))
        print(rows[-1], flush=True)
    print(table([("workers", "submissions", "seconds", "a second", "of ideal"), *rows]))


def measure_cost(folder: Path, number: int) -> None:
    course = load_course(waiting_course(folder / "course", 0))
    preload = ("--preload", str(ROOT / "benchmarks/no_grading.py"))
    with cluster(folder, 2, *preload) as (address, scheduler), Cluster(address)(course) as executor:
        jobs = jobs_of(executor, folder, number)  # type: ignore[arg-type]
        list(executor.run(jobs[:200]))
        before = cpu_s(scheduler), time.process_time(), time.monotonic()
        peak = [0.0, 0.0]
        done = 0
        for _ in executor.run(jobs):
            done += 1
            if done % 100 == 0:
                peak = [max(peak[0], memory(os.getpid())), max(peak[1], memory(scheduler))]
        seconds = time.monotonic() - before[2]
        scheduler_ms = 1000 * (cpu_s(scheduler) - before[0]) / number
        client_ms = 1000 * (time.process_time() - before[1]) / number
    print(
        f"{done} submissions in {seconds:.1f} s: scheduler {scheduler_ms:.2f} ms, "
        f"client {client_ms:.2f} ms each; peak memory client {peak[0]:.0f} MiB, "
        f"scheduler {peak[1]:.0f} MiB",
        flush=True,
    )


def measure_real(folder: Path, number: int = 60, rounds: int = 3) -> None:
    course = load_course(ROOT)
    from benchmarks.classroom import make_class, write_plain

    works = make_class(course, number)
    write_plain(works, folder / "class")
    paths = sorted((folder / "class").rglob("*.ipynb"))
    local, there = [], []
    with cluster(folder, 2) as (address, _), Engine(course, assignments=["embeddings"]) as engine:
        suite = engine.suites["embeddings"]
        jobs = [
            Job(
                Submission(path.parent.name, "embeddings", str(path), path.name,
                           digest(path.read_bytes())),
                suite, "cpu", 0, course.limits,
            )
            for path in paths
        ]  # fmt: skip
        with Cluster(address)(course, assignments=["embeddings"]) as executor:
            list(engine.run(jobs[:4], 2))
            list(executor.run(jobs[:4]))
            for _ in range(rounds):
                for times, run in ((local, lambda: engine.run(jobs, 2)),
                                   (there, lambda: executor.run(jobs))):  # fmt: skip
                    began = time.monotonic()
                    assert len(list(run())) == len(jobs)
                    times.append(time.monotonic() - began)
    ratio = statistics.median(b / a for a, b in zip(local, there, strict=True))
    print(f"--jobs 2: {local}, two workers: {there}: {ratio:.2f} times as long")


def simulate(counts: Sequence[int] = (10, 100, 300, 1000), pace: float = 60) -> None:
    """Dask's own scheduler with very many workers that only wait: what a submission costs it."""
    rows: list[Sequence[str]] = []
    for workers in counts:
        seconds = workers / pace  # so that the load is the same, however many they are
        number = max(600, 2 * workers)
        with tempfile.TemporaryDirectory() as folder:
            course = load_course(waiting_course(Path(folder) / "course", 0))
            with (
                cluster(Path(folder), 0) as (address, scheduler),
                simulated(address, workers, seconds),
                Cluster(address)(course) as executor,
            ):
                jobs = jobs_of(executor, Path(folder), number)  # type: ignore[arg-type]
                list(executor.run(jobs[:workers]))
                before = cpu_s(scheduler), time.process_time(), time.monotonic()
                assert len(list(executor.run(jobs))) == number
                took = time.monotonic() - before[2]
                scheduler_ms = 1000 * (cpu_s(scheduler) - before[0]) / number
                client_ms = 1000 * (time.process_time() - before[1]) / number
                size = memory(scheduler)
        rows.append((str(workers), f"{number / took:.0f}", f"{scheduler_ms:.2f}",
                     f"{client_ms:.2f}", f"{size:.0f}"))  # fmt: skip
        print(rows[-1], flush=True)
    print(table([("workers", "a second", "scheduler ms", "client ms", "scheduler MiB"), *rows]))


@contextlib.contextmanager
def simulated(address: str, workers: int, seconds: float) -> Iterator[None]:
    from distributed import Client

    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.many_workers", address, str(workers), str(seconds)],
        cwd=ROOT, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        with Client(address, set_as_default=False, timeout=60) as client:
            client.wait_for_workers(workers, timeout=600)
        yield
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
