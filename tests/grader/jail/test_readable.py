"""What workers may read, for installations of every shape."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from grader.jail.readable import find_readable

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the wall is made of parts of Linux"
)


def below(path: Path, folders: tuple[str, ...]) -> bool:
    return any(path == Path(folder) or Path(folder) in path.parents for folder in folders)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "lib/site-packages"
    for name in ("numpy/core", "grader/worker", "course"):
        (site / name).mkdir(parents=True)
    (site / "single.py").write_text("")
    return site


def test_the_standard_library_and_packages_are_readable(site: Path) -> None:
    tree = find_readable([str(site)], str(site / "course"), [])
    assert below(Path(os.path.realpath(os.__file__)), tree.readable)
    assert below(site / "numpy", tree.readable)
    assert below(Path("/usr/lib").resolve(), tree.mounts)


def test_what_is_hidden_is_gone_around(site: Path) -> None:
    tree = find_readable([str(site)], str(site / "course"), [str(site / "grader")])
    assert not below(site / "grader", tree.readable)
    assert not below(site / "grader/worker", tree.readable)
    assert below(site / "numpy/core", tree.readable)
    assert below(site / "single.py", tree.readable)
    assert str(site) in tree.listable
    assert str(site / "grader") in tree.hidden


def test_nothing_beside_the_packages_is_readable(site: Path, tmp_path: Path) -> None:
    (tmp_path / "submissions").mkdir()
    tree = find_readable([str(site)], str(site / "course"), [])
    for path in (tmp_path, tmp_path / "submissions", Path.home(), Path("/"), Path("/etc/passwd")):
        assert not below(path, tree.readable)
        assert not below(path, tree.mounts)


def test_a_package_that_is_a_link_is_readable_where_it_lies(site: Path, tmp_path: Path) -> None:
    store = tmp_path / "store/torch"
    store.mkdir(parents=True)
    (site / "torch").symlink_to(store)
    tree = find_readable([str(site)], str(site / "course"), [])
    assert below(store, tree.mounts)
    assert below(store, tree.readable)


def test_a_site_behind_a_link_keeps_both_names(site: Path, tmp_path: Path) -> None:
    (tmp_path / "env").symlink_to(tmp_path / "lib")
    alias = tmp_path / "env/site-packages"
    tree = find_readable([str(alias)], str(site / "course"), [])
    assert below(site, tree.mounts)
    assert (str(alias), str(site)) in tree.links


def test_no_mount_lies_below_another(site: Path) -> None:
    tree = find_readable([str(site)], str(site / "course"), [])
    for path in tree.mounts:
        assert not below(Path(path).parent, tree.mounts)


def test_a_library_path_opens_system_folders_only(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{tmp_path}:/opt:.:")
    tree = find_readable([str(site)], str(site / "course"), [])
    assert not below(tmp_path, tree.mounts)
    assert not below(Path("/opt"), tree.mounts)
