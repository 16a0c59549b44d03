"""A class on a Dask cluster whose hosts die, hang, fall silent: reports are those of a local run.

Scheduler, nannies, workers, judges and zygotes are real processes; where that is permitted each
host has a network of its own.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dask_hosts import Cluster, cluster
from processes import eventually
from runs import differences, end, kept, reports, start
from toy import RIGHT, Silent, notebook, write, write_course

pytest.importorskip("distributed")

from grader.config.course import load_course
from grader.gradebook import State
from grader.integrations.dask.cluster import Cluster as Elsewhere
from grader.model import Submission
from grader.pipeline import Options, check

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone has the wall"),
]
later = pytest.mark.e2e  # what takes long: not among the slow tests of every change

PAUSE = "import time\ntime.sleep(0.5)\n"
WORK: dict[str, str | list[str]] = {
    "bob": PAUSE + "def add(a, b): return 3",
    "cat": [PAUSE, "1 / 0", RIGHT, "print('cat was here')"],
    "fay": [PAUSE + "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", RIGHT],
    "gil": PAUSE + "import os; os._exit(0)",
    "hal": "Dear teacher",
    **{f"s{number}": PAUSE + RIGHT for number in range(9)},
}


class Scene:
    """A course, a class, its reports from this machine, and a cluster of two hosts."""

    def __init__(self, folder: Path, hosts: Cluster) -> None:
        self.folder, self.cluster = folder, hosts
        self.toy = write_course(folder / "toy")
        self.work = folder / "work"
        for student, work in WORK.items():
            if isinstance(work, str):
                write(self.work / student / "adding.py", work)
            else:
                write(self.work / student / "adding.ipynb", notebook(*work))
        assert end(start(self.toy, self.work, folder / "local")) == 0
        self.local = reports(folder / "local")
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, output: Path, wait_s: int = 30) -> subprocess.Popen[bytes]:
        more = ("--cluster", self.cluster.address, "--cluster-wait", str(wait_s))
        process = start(self.toy, self.work, output, *more)
        self._started.append(process)
        return process

    def restore(self) -> None:
        """End what a test that failed has left, and have two hosts again."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
                process.communicate()
        self._started.clear()
        for _ in range(2 - len(self.cluster.hosts)):
            self.cluster.add(threads=2)

    def graded(self, output: Path, harm: Callable[[], None] = lambda: None, after: int = 3) -> None:
        """Grade the class; do harm when some results are there; the reports are the local ones."""
        process = self.start(output)
        assert eventually(lambda: kept(output) >= after or process.poll() is not None, 40)
        assert kept(output) >= after, end(process)
        harm()
        assert end(process) == 0
        assert differences(reports(output), self.local) == []


@pytest.fixture(scope="module")
def class_and_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("cluster")
    with cluster(folder / "hosts", 2, threads=2) as hosts:
        yield Scene(folder, hosts)


@pytest.fixture
def scene(class_and_cluster: Scene) -> Iterator[Scene]:
    yield class_and_cluster
    class_and_cluster.restore()


def test_a_class_whatever_dies_hangs_or_is_cut_off(scene: Scene, tmp_path: Path) -> None:
    """Judge, zygote, worker and nanny are killed, one worker stopped, another's link taken down."""
    seed = int(os.environ.get("GRADER_SEED", "18"))
    chance = random.Random(seed)
    first, second = chance.sample(scene.cluster.hosts, 2)
    stopped = scene.cluster.add(threads=2)

    def harm() -> None:
        for host, what in ((first, "judge"), (second, "zygote"), (first, "worker")):
            assert eventually(lambda: host.kill(what), 30), (seed, what)  # noqa: B023
            time.sleep(chance.uniform(0.1, 0.3))
        stopped.kill("worker", signal.SIGSTOP)
        second.kill("nanny")
        if scene.cluster.apart:
            first.link("down")
            threading.Timer(8, first.link, ["up"]).start()

    scene.graded(tmp_path / "out", harm)
    scene.cluster.remove(second)
    scene.cluster.remove(stopped)


@later
def test_a_client_that_is_killed_or_stopped_and_starts_again(scene: Scene, tmp_path: Path) -> None:
    """Ctrl-C ends what runs on the cluster within seconds."""
    output = tmp_path / "out"
    process = scene.start(output)
    assert eventually(lambda: kept(output) >= 2, 40)
    process.kill()
    process.communicate()
    before = kept(output)
    process = scene.start(output)
    assert eventually(lambda: kept(output) >= before + 2, 40)
    process.send_signal(signal.SIGINT)
    assert end(process) == 130
    hosts = scene.cluster.hosts
    assert eventually(lambda: not any(host.pids.get("judge") for host in hosts), 15)
    scene.graded(output, after=kept(output))


def test_who_takes_three_workers_along_stays_ungraded_and_alone(
    scene: Scene, tmp_path: Path
) -> None:
    course = load_course(scene.toy)
    work = write(tmp_path / "work/bad/adding.py", "import time\ntime.sleep(1.5)\n" + RIGHT)
    for name in ("ann", "ben", "cyd", "dot"):
        write(tmp_path / f"work/{name}/adding.py", PAUSE + RIGHT)
    hosts = {host.name: host for host in scene.cluster.hosts}

    class Killing(Silent):
        died = 0

        def begun(self, submission: Submission, host: str = "") -> None:
            if submission.student == "bad":
                self.died += 1
                threading.Timer(0.3, hosts[host].kill, ["worker"]).start()

    if not scene.cluster.apart:
        pytest.skip("hosts have no names of their own here")
    watcher = Killing()
    elsewhere = Elsewhere(scene.cluster.address, wait_s=30)
    book = check([work.parents[1]], course, Options(), watcher, starts=elsewhere)
    states = {score.student: score.state for score in book.scores}
    assert states.pop("bad") is State.UNGRADED
    assert set(states.values()) == {State.GRADED}
    assert watcher.died == 3
    [bad] = [score for score in book.scores if score.student == "bad"]
    assert bad.ending.message == "3 workers died while they graded it"


@later
@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a disk of its own")
def test_a_disk_that_gets_full_on_one_worker(scene: Scene, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m", "none", str(disk)], check=True)
    others = list(scene.cluster.hosts)
    full = scene.cluster.add(threads=2, more=("--local-directory", str(disk)), TMPDIR=str(disk))
    for host in others:  # so that it is at work when it happens, however slow its start
        scene.cluster.remove(host)

    def harm() -> None:
        with contextlib.suppress(OSError), (disk / "filling").open("wb") as filling:
            while True:
                filling.write(bytes(1 << 20))
        scene.cluster.add(threads=2)

    try:
        scene.graded(tmp_path / "out", harm, after=1)
    finally:
        scene.cluster.remove(full)
        subprocess.run(["umount", "-l", str(disk)], check=True)


@later
def test_a_scheduler_that_dies_and_one_that_takes_its_place(scene: Scene, tmp_path: Path) -> None:
    def harm() -> None:
        assert scene.cluster.scheduler is not None
        scene.cluster.scheduler.kill()
        scene.cluster.scheduler.wait()
        for host in list(scene.cluster.hosts):
            scene.cluster.remove(host)
        scene.cluster.start_scheduler()
        scene.cluster.wait_for(scene.cluster.add(threads=2))

    scene.graded(tmp_path / "out", harm)


@later
def test_a_cluster_that_is_gone_ends_the_run_as_ctrl_c_does(scene: Scene, tmp_path: Path) -> None:
    output = tmp_path / "out"
    process = scene.start(output, wait_s=3)
    assert eventually(lambda: kept(output) >= 2, 40)
    for host in list(scene.cluster.hosts):
        scene.cluster.remove(host)
    assert end(process) == 130
    scene.cluster.add(threads=2)
    scene.graded(output, after=2)


@pytest.mark.skipif(not os.environ.get("GRADER_CHAOS"), reason="minutes: GRADER_CHAOS=1")
def test_three_hundred_submissions_and_thirty_kills(scene: Scene, tmp_path: Path) -> None:
    """Generated answers, right, wrong and broken; a process of a random host dies 30 times."""
    chance = random.Random(int(os.environ.get("GRADER_SEED", "300")))
    lines = [*RIGHT.splitlines(), "1 / 0", "print('here')", "def add(a, b): return a - b", "x ="]
    for number in range(300):
        text = "\n".join(line for line in lines if chance.random() > 0.1)
        write(tmp_path / f"work/s{number:03}/adding.py", text + f"\n# {number}\n")
    local, output = tmp_path / "local", tmp_path / "out"
    assert end(start(scene.toy, tmp_path / "work", local)) == 0
    more = ("--cluster", scene.cluster.address)
    process = start(scene.toy, tmp_path / "work", output, *more)
    kills = 0
    while kills < 30 and process.poll() is None:
        time.sleep(chance.uniform(0.1, 0.6))
        what = chance.choices(("judge", "zygote", "worker"), (4, 4, 1))[0]
        due = kept(output) >= 8 * kills + 4
        kills += due and chance.choice(scene.cluster.hosts).kill(what)
    print(f"{kills} kills, {kept(output)} results when the last came")
    assert end(process) == 0
    assert differences(reports(output), reports(local)) == []
