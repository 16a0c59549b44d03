"""The key that results are signed with: made once, for its owner alone, and not where results are."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import GraderError
from grader.store.keys import LEAST_BYTES, VARIABLE, Key, instructors_key, key_file

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX only")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the key will be, which is nowhere yet."""
    path = tmp_path / "state/deep/results.key"
    monkeypatch.setenv(VARIABLE, str(path))
    return path


def same(one: Key, other: Key) -> bool:
    return one.sign("n", b"c") == other.sign("n", b"c")


def test_it_is_made_once(place: Path, tmp_path: Path) -> None:
    first = instructors_key(tmp_path / "out")
    assert same(first, instructors_key(tmp_path / "another"))
    place.unlink()
    assert not same(first, instructors_key(tmp_path / "out"))


@posix
def test_nobody_else_can_read_it_whatever_the_umask(place: Path, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        instructors_key(tmp_path / "out")
    finally:
        os.umask(old)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_runs_that_begin_at_once_agree(place: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: instructors_key(tmp_path / "out"), range(8)))
    assert all(same(keys[0], key) for key in keys)


def test_it_lies_with_the_users_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert key_file() == tmp_path / "grader/results.key"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert key_file() == tmp_path / ".local/state/grader/results.key"


def refused(output: Path) -> GraderError:
    with pytest.raises(GraderError, match="can't be used") as caught:
        instructors_key(output)
    assert caught.value.hint
    assert caught.value.where
    return caught.value


@pytest.mark.parametrize("output", ["state", "state/deep", "."])
def test_never_in_the_output_folder(place: Path, tmp_path: Path, output: str) -> None:
    assert "output folder" in refused(tmp_path / output).message
    assert not place.exists()


@posix
def test_nor_through_a_link(place: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "state").mkdir()
    (tmp_path / "state/deep").symlink_to(tmp_path / "out")
    assert "output folder" in refused(tmp_path / "out").message


@posix
@pytest.mark.parametrize("mode", [0o604, 0o644, 0o620, 0o602])
def test_one_that_others_may_read_or_change_is_none(place: Path, tmp_path: Path, mode: int) -> None:
    instructors_key(tmp_path / "out")
    place.chmod(mode)
    assert "chmod 600" in refused(tmp_path / "out").hint


@posix
def test_a_group_may_share_one(place: Path, tmp_path: Path) -> None:
    key = instructors_key(tmp_path / "out")
    place.chmod(0o640)
    assert same(key, instructors_key(tmp_path / "out"))


@pytest.mark.parametrize("content", [b"", b" \n", b"x" * (LEAST_BYTES - 1)])
def test_a_short_one_is_none(place: Path, tmp_path: Path, content: bytes) -> None:
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    place.chmod(0o600)
    assert "bytes" in refused(tmp_path / "out").message


@posix
def test_a_pipe_in_its_place_keeps_nobody_waiting(place: Path, tmp_path: Path) -> None:
    place.parent.mkdir(parents=True)
    os.mkfifo(place, 0o600)
    assert "regular file" in refused(tmp_path / "out").message


def test_a_folder_that_can_not_be_made_is_an_error_for_a_person(
    place: Path, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("in the way")
    assert VARIABLE in refused(tmp_path / "out").hint


@given(st.binary(max_size=40), st.text(max_size=10), st.binary(max_size=40), st.text(max_size=10))
def test_a_signature_is_of_one_name_and_one_content(
    content: bytes, name: str, other: bytes, another: str
) -> None:
    key = Key(b"k" * LEAST_BYTES)
    signature = key.sign(name, content).encode()
    assert key.has_signed(signature, name, content)
    if "\0" not in name + another:
        same_thing = (name, content) == (another, other)
        assert key.has_signed(signature, another, other) is same_thing
    assert not Key(b"l" * LEAST_BYTES).has_signed(signature, name, content)
    assert not key.has_signed(other, name, content)
