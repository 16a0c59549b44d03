"""What students put into the exchange is theirs, or it is not collected."""

from __future__ import annotations

import os
import pwd
import sys
from pathlib import Path

import pytest

if os.name != "posix":
    pytest.skip("nbgrader's exchange needs Unix", allow_module_level=True)

from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from grader.integrations.nbgrader.collecting import CarefulCollect

pytestmark = pytest.mark.slow  # nbgrader starts a program for every new gradebook

STAMP = "2026-01-01 10:00:00.000000 UTC"
LATER = "2026-01-02 10:00:00.000000 UTC"
ME = pwd.getpwuid(os.getuid()).pw_name


class Exchange:
    """A course root and an exchange; `me` is the only one who hands in."""

    def __init__(self, folder: Path) -> None:
        self.root, self.inbound = folder / "course", folder / "exchange/sums/inbound"
        self.root.mkdir()
        self.inbound.mkdir(parents=True)
        self.secret = self.root / "secret.txt"
        self.secret.write_text("the solutions")
        config = Config()
        config.CourseDirectory.root = str(self.root)
        config.CourseDirectory.course_id = "sums"
        config.CourseDirectory.assignment_id = "adding"
        config.Exchange.root = str(folder / "exchange")
        self.collector = CarefulCollect(coursedir=CourseDirectory(config=config), config=config)

    def hand_in(self, student: str, stamp: str = STAMP) -> Path:
        folder = self.inbound / f"{student}+adding+{stamp}+abc"
        folder.mkdir()
        (folder / "adding.ipynb").write_text(f"{student} {stamp}")
        (folder / "timestamp.txt").write_text(stamp)
        return folder

    def collected(self) -> dict[str, str]:
        self.collector.start()
        submitted = self.root / "submitted"
        return {
            str(path.relative_to(submitted)): path.read_text()
            for path in sorted(submitted.rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exchange:
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", tools)  # nbgrader calls alembic
    return Exchange(tmp_path)


def test_an_ordinary_submission_is_collected(exchange: Exchange) -> None:
    exchange.hand_in(ME)
    assert exchange.collected() == {
        f"{ME}/adding/adding.ipynb": f"{ME} {STAMP}",
        f"{ME}/adding/timestamp.txt": STAMP,
    }


def test_a_link_is_not_followed(exchange: Exchange) -> None:
    folder = exchange.hand_in(ME)
    (folder / "adding.ipynb").unlink()
    (folder / "adding.ipynb").symlink_to(exchange.secret)
    (folder / "page.html").symlink_to(exchange.secret)
    (folder / "more").symlink_to(exchange.root)
    assert list(exchange.collected()) == [f"{ME}/adding/timestamp.txt"]


def test_a_folder_that_is_a_link_is_refused(exchange: Exchange) -> None:
    (exchange.inbound / f"{ME}+adding+{STAMP}+abc").symlink_to(exchange.root)
    assert exchange.collected() == {}


def test_a_pipe_holds_nobody_up(exchange: Exchange) -> None:
    os.mkfifo(exchange.hand_in(ME) / "pipe")
    assert len(exchange.collected()) == 2


def test_a_newer_folder_in_somebody_elses_name_is_refused(exchange: Exchange) -> None:
    exchange.hand_in(ME)
    exchange.hand_in("somebody", LATER)
    assert set(exchange.collected()) == {f"{ME}/adding/adding.ipynb", f"{ME}/adding/timestamp.txt"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_a_forged_folder_does_not_hide_the_genuine_one(exchange: Exchange) -> None:
    exchange.hand_in(ME)
    os.chown(exchange.hand_in(ME, LATER), 12345, 12345)
    assert exchange.collected()[f"{ME}/adding/timestamp.txt"] == STAMP


def test_a_name_that_nobody_can_read_stops_nobody(exchange: Exchange) -> None:
    exchange.hand_in(ME)
    exchange.hand_in(ME, "never")
    assert len(exchange.collected()) == 2


def test_the_owner_counts_for_nothing_where_that_is_switched_off(exchange: Exchange) -> None:
    exchange.collector.check_owner = False
    exchange.hand_in("somebody")
    assert "somebody/adding/adding.ipynb" in exchange.collected()
