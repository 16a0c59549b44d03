"""The notebooks that students get, and their solved twins, from first cell to last."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
import torch
from traitlets.config import Config

from grader.authoring.lessons import lesson_paths, read_lesson
from grader.authoring.release import Notebook, build_notebook, notebook_bytes
from grader.config.course import Course, load_course
from grader.judging.engine import load_suites
from grader.model import Suite

ROOT = Path(__file__).parents[2]
LESSONS = sorted(lesson_paths(load_course(ROOT)))
DEMO_FAILED = ("This demonstration stopped", "run the cells above first")


@pytest.fixture(scope="module")
def course() -> Course:
    return load_course(ROOT)


@pytest.fixture(scope="module")
def suites(course: Course) -> dict[str, Suite]:
    return load_suites(course)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small models are faster on one, by far when the machine is busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def build(course: Course, assignment: str, *, solved: bool) -> Notebook:
    """A notebook with the questions' cells left out."""
    return build_notebook(lesson_paths(course)[assignment], course, None, solved=solved)


def run(notebook: Notebook) -> str:
    """Run the code cells in one namespace; what they print, and a cell that raises fails."""
    names: dict[str, object] = {"__name__": "__main__"}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for number, cell in enumerate(notebook["cells"], 1):
            if cell["cell_type"] == "code":
                exec(compile(cell["source"], f"<cell {number}>", "exec"), names)
    return printed.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("assignment", LESSONS)
def test_unsolved_notebook_runs_to_its_end(course: Course, assignment: str) -> None:
    printed = run(build(course, assignment, solved=False))
    assert "comes alive when the cells above are solved" in printed
    assert not any(words in printed for words in DEMO_FAILED)


@pytest.mark.slow
@pytest.mark.parametrize("assignment", LESSONS)
def test_every_demo_works_when_solved(course: Course, assignment: str) -> None:
    printed = run(build(course, assignment, solved=True))
    assert "comes alive" not in printed
    assert not any(words in printed for words in DEMO_FAILED)
    assert "✗" not in printed
    assert "Public checks" in printed or "✓" in printed


@pytest.mark.parametrize("assignment", LESSONS)
def test_the_answer_is_nowhere_in_the_notebook(course: Course, assignment: str) -> None:
    path = lesson_paths(course)[assignment]
    shown = (course.notebooks / f"{path.stem}.ipynb").read_text(encoding="utf-8")
    solved = build(course, assignment, solved=True)
    unsolved = {
        cell["id"]: cell["source"] for cell in build(course, assignment, solved=False)["cells"]
    }
    for cell in solved["cells"]:
        stub = unsolved[cell["id"]].split("\n")
        for line in cell["source"].split("\n"):
            secret = line.partition("  #")[0].strip()
            if line not in stub and len(secret) > 25:
                assert secret not in shown, f"a line of the answer `{cell['id']}`"


@pytest.mark.parametrize("assignment", LESSONS)
def test_lesson_is_complete(assignment: str, course: Course) -> None:
    lesson = read_lesson(lesson_paths(course)[assignment])
    prose = "\n".join(cell.source for cell in lesson.cells if cell.kind == "markdown")
    for part in ("# ", "Afterwards you will be able to", "## When something is off", "## Hand in",
                 "## Go further (not graded)", "## References"):  # fmt: skip
        assert part in prose
    code = "\n".join(cell.source for cell in lesson.cells if cell.kind == "code")
    assert f'ASSIGNMENT = "{assignment}"' in code
    assert "plots." in code
    assert not re.search(r"\b[A-Z]:\\|/home/|/Users/", prose + code)


@pytest.mark.slow
@pytest.mark.parametrize("solved", [False, True], ids=["unsolved", "solved"])
@pytest.mark.parametrize("assignment", LESSONS)
def test_notebook_runs_in_jupyter_beside_the_course(
    assignment: str,
    solved: bool,
    course: Course,
    suites: dict[str, Suite],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    nbclient = pytest.importorskip("nbclient")
    path = lesson_paths(course)[assignment]
    built = build_notebook(path, course, suites[assignment], solved=solved)
    notebook = nbformat.reads(notebook_bytes(built).decode(), 4)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    folder = {"metadata": {"path": str(course.notebooks)}}
    # a port that is free when a kernel is started may not be when the kernel takes it
    sockets = {"KernelManager": {"transport": "ipc", "ip": str(tmp_path / "kernel")}}
    client = nbclient.NotebookClient(
        notebook, timeout=120, resources=folder, config=Config(sockets)
    )
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [o.text for o in outputs if o.get("name") == "stderr"] == []  # no warnings
    assert "Traceback" not in str(outputs)
    html = "".join(
        output.data.get("text/html", "")
        for output in outputs
        if output.output_type == "display_data"
    )
    assert "<figcaption" in html
    assert ("✗" in html, "✓" in html) == (not solved, solved)


@pytest.mark.slow
def test_committed_notebooks_are_what_their_lessons_give(
    course: Course, suites: dict[str, Suite]
) -> None:
    from grader.authoring.release import release

    release(course, suites.values(), check=True)
