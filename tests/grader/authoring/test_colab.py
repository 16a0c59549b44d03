"""Open in Colab: a badge, and a first cell that fetches the rest, where it is missing and there alone."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import pytest

from grader.authoring.lessons import lesson_paths
from grader.authoring.new_course import new_course
from grader.authoring.release import build_notebook, notebook_bytes
from grader.authoring.student_release import student_zip
from grader.config.colab import Colab
from grader.config.course import Course, load_course
from grader.judging.engine import load_suites
from grader.model import Suite

ON_GITHUB = "https://github.com/ada/texts/blob/main/handout/notebooks"


class Server(ThreadingHTTPServer):
    """Serves a folder on this machine, and knows what was asked for."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *about: Any) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Course, Suite, Server]]:
    """A course with its release on a server."""
    root = tmp_path_factory.mktemp("published")
    new_course(root / "texts", split=True)
    course = load_course(root / "texts")
    suites = load_suites(course)
    with Server(root) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        colab = Colab(notebooks=ON_GITHUB, student_zip=server.url("student.zip"))
        course = msgspec.structs.replace(course, colab=colab)
        (root / "student.zip").write_bytes(student_zip(course, suites.values()))
        yield course, suites["words"], server
        server.shutdown()


def cells(course: Course, suite: Suite | None, *, solved: bool = False) -> list[dict[str, Any]]:
    made = build_notebook(lesson_paths(course)["words"], course, suite, solved=solved)
    found: list[dict[str, Any]] = json.loads(notebook_bytes(made))["cells"]
    return found


# The project itself can't be imported, as in Colab; what pip has installed can.
RUN = """
import json, sys
from pathlib import Path
sys.path[:] = [entry for entry in sys.path if entry and not Path(entry, "grader").exists()]
sys.meta_path[:] = [one for one in sys.meta_path if "editable" not in repr(one).lower()]
names = {"__name__": "__main__"}
for cell in json.loads(sys.stdin.read()):
    exec(compile("".join(cell["source"]), "cell", "exec"), names)
"""


def run(notebook: list[dict[str, Any]], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a notebook's code cells in a folder, in a new Python."""
    code = [cell for cell in notebook if cell["cell_type"] == "code"]
    return subprocess.run(
        [sys.executable, "-I", "-X", "utf8", "-c", RUN],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        input=json.dumps(code),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_in_an_empty_folder_the_first_cell_fetches_the_rest(
    published: tuple[Course, Suite, Server], tmp_path: Path
) -> None:
    course, suite, server = published
    server.asked.clear()
    done = run(cells(course, suite), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "✗ To be, or not to be" in done.stdout  # the checks run, of what is not solved
    assert server.asked == ["/student.zip"]
    assert [path.name for path in tmp_path.iterdir()] == ["texts"]


def test_a_kernel_that_is_restarted_keeps_what_is_there(
    published: tuple[Course, Suite, Server], tmp_path: Path
) -> None:
    course, suite, server = published
    assert run(cells(course, suite), tmp_path).returncode == 0
    mine = tmp_path / "texts/notebooks/01_words.ipynb"
    mine.write_text("my work")
    server.asked.clear()
    assert run(cells(course, suite), tmp_path).returncode == 0
    assert server.asked == []
    assert mine.read_text() == "my work"


def test_in_the_unpacked_folder_nothing_is_fetched(
    published: tuple[Course, Suite, Server], tmp_path: Path
) -> None:
    course, suite, server = published
    with zipfile.ZipFile(io.BytesIO(student_zip(course, [suite]))) as archive:
        archive.extractall(tmp_path)
    server.asked.clear()
    done = run(cells(course, suite), tmp_path / "texts/notebooks")
    assert done.returncode == 0, done.stderr
    assert server.asked == []


@pytest.mark.parametrize("name", ["missing.zip", "texts/pyproject.toml?x.zip"])
def test_what_can_not_be_fetched_is_told_with_what_to_do(
    published: tuple[Course, Suite, Server], tmp_path: Path, name: str
) -> None:
    course, suite, server = published
    colab = Colab(notebooks=ON_GITHUB, student_zip=server.url(name))
    done = run(cells(msgspec.structs.replace(course, colab=colab), suite), tmp_path)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "can't be fetched" in last
    assert last.endswith("upload student.zip")
    assert "During handling" not in done.stderr


def test_the_badge_opens_this_very_notebook(published: tuple[Course, Suite, Server]) -> None:
    course, suite, _ = published
    first = cells(course, suite)[0]
    assert first["cell_type"] == "markdown"
    assert "".join(first["source"]) == (
        "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
        "(https://colab.research.google.com/github/ada/texts/blob/main/handout/notebooks/01_words.ipynb)"
    )


def test_without_addresses_and_for_instructors_there_is_neither(
    published: tuple[Course, Suite, Server],
) -> None:
    course, suite, _ = published
    for made in (
        cells(msgspec.structs.replace(course, colab=None), suite),
        cells(course, suite, solved=True),
    ):
        assert "Colab" not in json.dumps(made)
