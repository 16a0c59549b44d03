"""Who killed a worker: its own memory limit, the kernel of a machine without memory, or neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.worker.jail.cgroups import Cgroup, _counter


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
