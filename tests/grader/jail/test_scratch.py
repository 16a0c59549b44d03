"""Scratch folders, whatever a submission makes in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.jail import scratch as scratch_module
from grader.jail.scratch import disk_use, make_scratch, remove_tree

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no workers without fork")


def test_the_folder_is_its_owners_alone(tmp_path: Path) -> None:
    scratch = Path(make_scratch(str(tmp_path), None))
    assert scratch.stat().st_mode & 0o777 == 0o700


def test_use_counts_bytes_on_disk_and_entries(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/full").write_bytes(bytes(100_000))
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    used, entries = disk_use(str(tmp_path))
    assert 100_000 <= used < 200_000
    assert entries == 4


def test_use_does_not_follow_links(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "large").write_bytes(bytes(1 << 20))
    (inside / "loop").symlink_to(tmp_path)
    used, entries = disk_use(str(inside))
    assert used < 1 << 16
    assert entries == 1


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("kept")
    scratch = tmp_path / "scratch"
    (scratch / "sub").mkdir(parents=True)
    (scratch / "link").symlink_to(kept)
    (scratch / "sub/link").symlink_to(kept)
    (scratch / "dangling").symlink_to("/nowhere")
    remove_tree(str(scratch))
    assert not scratch.exists()
    assert (kept / "file").read_text() == "kept"


def test_a_link_in_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("kept")
    (tmp_path / "scratch").symlink_to(kept)
    remove_tree(str(tmp_path / "scratch"))
    assert (kept / "file").read_text() == "kept"


def test_a_deep_tree_is_removed(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    folder = os.open(scratch, os.O_RDONLY)
    for _ in range(1500):  # deeper than recursion, paths and descriptors go
        os.mkdir("deep", dir_fd=folder)
        inner = os.open("deep", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)
    remove_tree(str(scratch))
    assert not scratch.exists()


def test_unreadable_and_special_files_are_removed(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    (scratch / "closed/inner/full").mkdir(parents=True)
    (scratch / "closed/inner/full/file").write_text("x")
    os.mkfifo(scratch / "fifo")
    (scratch / "grader-removes-0").mkdir()
    (scratch / "grader-removes-1").write_text("in the way")
    for path in (scratch / "closed/inner/full", scratch / "closed/inner", scratch / "closed"):
        path.chmod(0)
    remove_tree(str(scratch))
    assert not scratch.exists()


def test_a_missing_folder_is_no_error(tmp_path: Path) -> None:
    remove_tree(str(tmp_path / "nowhere"))


def test_data_is_there_as_at_home_and_left_alone_in_the_end(tmp_path: Path) -> None:
    for name in ("deep/x.csv", "y.csv"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_text(name)
    given = [(str(tmp_path / "data"), "data"), (str(tmp_path / "data/y.csv"), "one.csv")]
    scratch = Path(make_scratch(str(tmp_path), None, given))
    walked = {
        os.path.relpath(os.path.join(folder, name), scratch)  # noqa: PTH118
        for folder, _, names in os.walk(scratch)
        for name in names
    }
    assert walked == {"data/deep/x.csv", "data/y.csv", "one.csv"}
    assert (scratch / "data/deep/x.csv").read_text() == "deep/x.csv"
    assert (scratch / "data/deep").stat().st_mode & 0o222 == 0
    remove_tree(str(scratch))
    assert not scratch.exists()
    assert sorted(path.name for path in (tmp_path / "data").rglob("*.csv")) == ["x.csv", "y.csv"]


def test_of_very_many_files_the_folder_is_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch_module, "MOST_LINKED", 2)
    (tmp_path / "data").mkdir()
    for name in "abc":
        (tmp_path / "data" / name).write_text(name)
    scratch = Path(make_scratch(str(tmp_path), None, [(str(tmp_path / "data"), "data")]))
    assert (scratch / "data").is_symlink()
    assert (scratch / "data/c").read_text() == "c"
