"""Control groups of several graders: nobody removes what another one may be using."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from runs import GRADER, ROOT
from toy import RIGHT

from grader.jail import cgroups
from grader.jail.cgroups import ABANDONED_S, PREFIX, Cgroup, _counter, sweep
from grader.wire.worker import WorkerPolicy

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="control groups are a part of Linux"
)

POLICY = WorkerPolicy(wall_s=1, memory_bytes=1 << 26, scratch_bytes=1 << 20, threads=8)


@pytest.fixture
def hierarchy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders and files as version 2 has them, which `sweep` can't tell from the kernel's."""
    (tmp_path / "cgroup.controllers").touch()
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    return tmp_path


def groups(hierarchy: Path) -> list[str]:
    return sorted(path.name for path in hierarchy.glob(f"{PREFIX}*"))


def make(hierarchy: Path, name: str, age_s: float = 0.0) -> Path:
    folder = hierarchy / name
    folder.mkdir()
    made = folder.stat().st_mtime - age_s
    os.utime(folder, (made, made))
    return folder


def gone() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def here() -> int:
    return Path("/proc/self/ns/pid").stat().st_ino


class TestSweep:
    def test_a_group_of_a_dead_process_of_this_namespace_is_removed(self, hierarchy: Path) -> None:
        make(hierarchy, f"{PREFIX}n{here()}-{gone()}-0123456789ab")
        sweep()
        assert groups(hierarchy) == []

    @pytest.mark.parametrize(
        "name",
        [
            pytest.param(f"n{here()}-{os.getpid()}-0123456789ab", id="of a living process"),
            pytest.param(f"n{here()}-1-0123456789ab", id="of somebody else's living process"),
            pytest.param(f"n{here() + 1}-{gone()}-0123456789ab", id="of another namespace"),
            pytest.param(f"n0-{gone()}-0123456789ab", id="of a namespace that nobody knows"),
            pytest.param(f"{gone()}-{gone()}", id="of an earlier version, perhaps in another"),
            pytest.param(f"{gone()}-probe", id="a trial of an earlier version"),
        ],
    )
    def test_what_may_be_in_use_stays(self, hierarchy: Path, name: str) -> None:
        make(hierarchy, PREFIX + name)
        sweep()
        assert groups(hierarchy) == [PREFIX + name]

    def test_what_nobody_has_entered_in_a_day_is_nobodys(self, hierarchy: Path) -> None:
        make(hierarchy, f"{PREFIX}n{here() + 1}-{gone()}-0123456789ab", ABANDONED_S + 60)
        make(hierarchy, f"{PREFIX}{gone()}-{gone()}", ABANDONED_S + 60)
        sweep()
        assert groups(hierarchy) == []

    def test_other_programs_groups_are_not_touched(self, hierarchy: Path) -> None:
        make(hierarchy, "grader", 10 * ABANDONED_S)
        make(hierarchy, "system-grader-1", 10 * ABANDONED_S)
        sweep()
        assert len(list(hierarchy.iterdir())) == 3


class TestMaking:
    def test_two_of_the_same_owner_never_have_the_same_name(self, hierarchy: Path) -> None:
        for _ in range(20):
            Cgroup(7, POLICY)
        assert len(groups(hierarchy)) == 20

    @pytest.fixture
    def remover(self, hierarchy: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
        """Have so many groups removed between being made and being set."""

        def remove_first(number: int) -> None:
            seen: list[Path] = []
            mkdir = Path.mkdir

            def mkdir_and_lose(path: Path, *arguments: int, **options: bool) -> None:
                mkdir(path, *arguments, **options)
                seen.append(path)
                if len(seen) <= number:
                    path.rmdir()

            monkeypatch.setattr(Path, "mkdir", mkdir_and_lose)

        return remove_first

    def test_one_that_is_removed_meanwhile_is_made_again(
        self, hierarchy: Path, remover: Callable[[int], None]
    ) -> None:
        remover(4)
        Cgroup(7, POLICY)
        assert len(groups(hierarchy)) == 1

    def test_when_all_are_the_error_says_what_happened(
        self, hierarchy: Path, remover: Callable[[int], None]
    ) -> None:
        remover(1000)
        with pytest.raises(OSError, match="removed again and again"):
            Cgroup(7, POLICY)

    def test_a_process_that_comes_too_late_has_it_made_again(self, hierarchy: Path) -> None:
        group = Cgroup(7, POLICY)
        (folder,) = hierarchy.glob(f"{PREFIX}*")
        shutil.rmtree(folder)
        group.join()
        assert (folder / "cgroup.procs").read_text() == "0"
        assert (folder / "pids.max").read_text() == "8"

    def test_where_there_are_no_control_groups_nothing_is_tried_again(
        self, hierarchy: Path, remover: Callable[[int], None]
    ) -> None:
        (hierarchy / "cgroup.controllers").unlink()
        with pytest.raises(FileNotFoundError):
            Cgroup(7, POLICY)


APART = ("unshare", "--pid", "--fork", "--kill-child")
SWEEP = (sys.executable, "-c", "from grader.jail.cgroups import sweep; sweep()")
SWEEP_ON = (
    sys.executable,
    "-c",
    "from grader.jail.cgroups import sweep\nprint(flush=True)\nwhile True: sweep()",
)
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def _namespaces() -> None:
    if os.geteuid() or subprocess.run([*APART, "true"], capture_output=True).returncode:
        pytest.skip("NOT TRIED: process namespaces need root, and unshare(1)")


@pytest.mark.usefixtures("_namespaces")
@pytest.mark.parametrize("more", [("--mount-proc",), ()], ids=["own /proc", "our /proc"])
def test_a_sweep_in_another_namespace_leaves_a_group_that_waits_for_its_worker(
    more: tuple[str, ...],
) -> None:
    try:
        group = Cgroup(os.getpid(), POLICY)  # a number that no process in there has
    except OSError as error:
        pytest.skip(f"NOT TRIED: control groups are not to be had: {error}")
    try:
        subprocess.run([*APART, *more, *SWEEP], env=ENVIRONMENT, check=True)
        assert all(folder.is_dir() for folder in group._folders)
    finally:
        group.remove()


@pytest.mark.slow
@pytest.mark.usefixtures("_namespaces")
def test_graders_in_namespaces_of_their_own_grade_whoever_sweeps(
    toy: Path, class_of: Callable[..., Path], tmp_path: Path
) -> None:
    """Processes have the same numbers in each of them, and the control groups are shared."""
    folder = class_of(**{f"s{number}": RIGHT for number in range(5)})
    with subprocess.Popen(
        [*APART, "--mount-proc", *SWEEP_ON], env=ENVIRONMENT, stdout=subprocess.PIPE
    ) as sweeper:
        assert sweeper.stdout is not None
        sweeper.stdout.readline()
        graders = [
            subprocess.Popen(
                [
                    *APART,
                    "--mount-proc",
                    *GRADER,
                    "check",
                    str(folder),
                    "--quiet",
                    "--output",
                    output,
                ],
                cwd=toy,
                env=ENVIRONMENT,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            for output in (str(tmp_path / f"{number}") for number in range(3))
        ]
        told = [(grader.communicate(timeout=120)[1], grader.returncode) for grader in graders]
        sweeper.kill()
    assert told == [(b"", 0)] * len(graders)


# ---------------------------------------------------------------- who killed a worker


def group(folder: Path, files: dict[str, str]) -> Cgroup:
    for name, text in files.items():
        (folder / name).write_text(text)
    found = Cgroup.__new__(Cgroup)
    found._folders = [folder]
    return found


@pytest.mark.parametrize(
    ("files", "limit_reached", "lost"),
    [
        ({"memory.events": "low 0\nmax 9\noom 1\noom_kill 1\n"}, True, True),
        ({"memory.events": "low 0\nmax 0\noom 0\noom_kill 1\n"}, False, True),
        ({"memory.events": "low 0\nmax 9\noom 0\noom_kill 0\n"}, False, False),
        ({"memory.oom_control": "under_oom 0\noom_kill 1\n", "memory.failcnt": "7\n"}, True, True),
        ({"memory.oom_control": "under_oom 0\noom_kill 1\n", "memory.failcnt": "0\n"}, False, True),
        (
            {"memory.oom_control": "under_oom 0\noom_kill 0\n", "memory.failcnt": "7\n"},
            False,
            False,
        ),
        ({}, False, False),
    ],
)
def test_a_group_tells_its_own_limit_from_the_machines_memory(
    tmp_path: Path, files: dict[str, str], limit_reached: bool, lost: bool
) -> None:
    found = group(tmp_path, files)
    assert found.out_of_memory() is limit_reached
    assert found.lost_a_member() is lost


def test_a_counter_is_read_by_its_whole_name() -> None:
    text = "oom_kill_disable 3\nnr_oom_kill 4\noom_kill 5\n"
    assert _counter(text, "oom_kill") == 5
    assert _counter(text, "oom") == 0
