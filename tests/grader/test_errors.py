"""What an exception says to a person."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from grader.errors import no_room, told
from grader.exit_status import ExitStatus, status_of_error

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/tmp/x")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FULL, "No space left on device: /tmp/x"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "No space left on device"),
        (shutil.Error([("a", "b", "why"), ("c", "d", "else")]), "why"),
        (ValueError("one\n two"), "ValueError: one two"),
        (KeyError(), "KeyError"),
        (OSError("plain"), "OSError: plain"),
    ],
)
def test_it_is_one_line_without_a_tuple(error: BaseException, said: str) -> None:
    assert told(error) == said


def test_a_copy_that_fails_everywhere_is_told_once(tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / f"from/{number}").mkdir(parents=True)
        (tmp_path / f"from/{number}/gone").symlink_to("nowhere")
    with pytest.raises(shutil.Error) as error:
        shutil.copytree(tmp_path / "from", tmp_path / "to")
    assert len(told(error.value)) <= 300
    assert "(" not in told(error.value).replace(str(tmp_path), "")


@pytest.mark.parametrize(
    "error",
    [
        FULL,
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        shutil.Error([("a", "b", str(FULL))]),
        FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp', '/x']"),
    ],
)
def test_a_full_disk_is_told_from_other_errors(error: OSError) -> None:
    found = no_room(error)
    assert found is not None
    assert "no room" in found.message
    assert found.where
    assert "[" not in found.message + found.where
    assert "TMPDIR" in found.hint
    assert status_of_error(found) is ExitStatus.UNGRADED


def test_the_folder_is_named() -> None:
    found = no_room(FULL, "/some/where")
    assert found is not None
    assert found.where == "/some/where"
    usual = no_room(FULL)
    assert usual is not None
    assert usual.where == tempfile.gettempdir()


def test_another_error_is_no_full_disk() -> None:
    assert no_room(PermissionError(errno.EACCES, "Permission denied")) is None
