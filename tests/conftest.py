"""Fixtures that more than one room's tests need."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import chromium
import pytest
from scheduling import pytest_collection_modifyitems, pytest_ignore_collect  # noqa: F401
from toy import notebook, write, write_course

from grader.config.course import Course, load_course
from grader.testing.links import check_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser


# several processes share the cores: threads of torch would wait for one another
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_configure() -> None:
    """Hear signals, also when started in the background or by nohup: programs inherit this."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True, scope="session")
def _own_key(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Sign what tests keep with a key of their own; programs inherit it."""
    os.environ["GRADER_KEY_FILE"] = str(tmp_path_factory.mktemp("key") / "results.key")


@pytest.fixture(autouse=True)
def _nothing_awaited() -> Iterator[None]:
    """What a test has asked of a submission and not waited for is not the next one's business."""
    with check_run():
        yield


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The one browser of everybody's tests.

    It ends with a file's tests: nobody could start a second one, or run an event loop, beside it.
    """
    with chromium.running() as running:
        yield running


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """The folder of a small course about sums."""
    return write_course(tmp_path / "toy course")


@pytest.fixture
def toy_course(toy: Path) -> Course:
    """The small course, loaded."""
    return load_course(toy)


@pytest.fixture
def class_of(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder of submissions: `class_of(ann=["cell", …], bob="script")`."""

    def make(**students: str | Sequence[str]) -> Path:
        root = tmp_path / "submissions"
        for student, work in students.items():
            if isinstance(work, str):
                write(root / student / "adding.py", work)
            else:
                write(root / student / "adding.ipynb", notebook(*work))
        return root

    return make
