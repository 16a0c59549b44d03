"""A student's afternoon: the released zip, a fresh environment, no grader installed, a browser.

What the browser saw lies in `reports/e2e-student` afterwards.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import student as students
from student import ASLEEP, ENDLESS, TYPO, WRONG, Student, notebook_of, script_of

pytestmark = pytest.mark.e2e

SEEN = students.ROOT / "reports/e2e-student"
PATIENCE_MS = 120_000
REASON = re.compile(r"expected -?\d+\.\d+, got -?\d+\.\d+")
"""What is to stand in a red card."""


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Student:
    one = Student(tmp_path_factory.mktemp("student"))
    # the course's limit, shortened, so that nobody waits for ten seconds
    settings = one.top / "grader/testing/practice.json"
    assert settings.read_text() == '{"check_s": 10.0}\n'
    settings.write_text('{"check_s": 1.0}\n')
    return one


def test_nothing_of_this_project_is_installed(student: Student) -> None:
    for name in ("grader", "course", "solutions"):
        assert student.run("-c", f"import {name}", cwd=student.place).returncode == 1


def test_reasons_arrive_in_a_kernel(student: Student) -> None:
    notebook = student.top / "notebooks/mine.ipynb"
    notebook.write_text(
        notebook_of(
            student.first_cell, WRONG, 'check("token_vectors")', TYPO, 'check("shapes")',
            ENDLESS, 'check("token_vectors")', "print('still', 'here')",
        )
    )  # fmt: skip
    shown = student.execute(notebook)
    assert REASON.search(shown)
    assert "Hint:" in shown
    assert shown.count("NameError: name &#x27;TokenEmbeding&#x27; is not defined") == 1
    assert "Cell In[4], line 4: <code" in shown
    assert "stopped after 1 s: it took too long" in shown
    assert "still here" in shown
    assert "Traceback" not in shown


def test_reasons_arrive_in_a_script(student: Student) -> None:
    script = student.top / "notebooks/mine.py"
    script.write_text(
        script_of(student.first_cell, WRONG, 'check("token_vectors")', TYPO, 'check("shapes")')
    )
    done = student.run(script.name, cwd=script.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert REASON.search(done.stdout)
    assert done.stdout.count("NameError: name 'TokenEmbeding' is not defined") == 1
    assert "mine.py, line " in done.stdout


def test_reasons_arrive_in_another_folder(student: Student) -> None:
    """As in Colab: the notebook lies elsewhere, and a cell at its top unpacks the zip."""
    folder = student.place / "content"
    folder.mkdir()
    shutil.copy(student.zip, folder)
    notebook = folder / "01_embeddings.ipynb"
    readme = (students.ROOT / "course/README.md").read_text(encoding="utf-8")
    (cell,) = re.findall(r"^```python\n(.*?)^```$", readme, flags=re.M | re.S)
    start = cell.replace("%pip install -q msgspec pytest\n", "")  # both are there
    assert start.count("\n") == 2
    notebook.write_text(notebook_of(start, student.first_cell, WRONG, 'check("token_vectors")'))
    assert REASON.search(student.execute(notebook))


# ---------------------------------------------------------------- a browser


@pytest.fixture(scope="module")
def seen() -> Path:
    """An empty folder for what the browser saw."""
    shutil.rmtree(SEEN, ignore_errors=True)
    SEEN.mkdir(parents=True)
    return SEEN


@pytest.mark.filterwarnings("default")  # other people's event loops
def test_cards_in_jupyterlab(student: Student, browser: Any, seen: Path) -> None:
    (student.top / "notebooks/seen.ipynb").write_text(
        notebook_of(
            student.first_cell, WRONG, 'check("token_vectors")', TYPO, "check()",
            ASLEEP, 'check("token_vectors")', "print('not', 'reached')",
        )
    )  # fmt: skip
    with student.jupyterlab(seen / "jupyterlab.log") as address:
        page = browser.new_page(viewport={"width": 1000, "height": 1400})
        page.set_default_timeout(PATIENCE_MS)
        page.goto(address.format("seen.ipynb"))
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_selector('text="Python 3 (ipykernel) | Idle"')
        run_all(page)
        cards = page.locator('.jp-Notebook [role="status"]')
        cards.nth(1).wait_for()
        page.wait_for_selector("text=can't be stopped from here")
        page.screenshot(path=seen / "light.png")
        page.click('.lm-MenuBar-itemLabel:text-is("Kernel")')
        page.click('.lm-Menu-itemLabel:text("Interrupt Kernel")')
        cards.nth(2).wait_for()
        page.wait_for_selector('text="Python 3 (ipykernel) | Idle"')
        red, several, interrupted = (card.inner_text() for card in cards.all())
        cards.nth(2).scroll_into_view_if_needed()
        page.screenshot(path=seen / "interrupted.png")
        assert REASON.search(red)
        assert "Hint:" in red
        assert several.count("TokenEmbeding") == 2  # the message, and the line
        assert "Cell In[4], line 4" in several
        assert "This stopped " in several
        assert "The checks were interrupted in Cell In[6]" in interrupted
        assert "time.sleep(300)" in interrupted
        text = page.inner_text(".jp-Notebook")
        assert "Traceback" not in text
        assert "not reached" not in text


def run_all(page: Any) -> None:
    page.click('.lm-MenuBar-itemLabel:text-is("Run")')
    page.click('.lm-Menu-itemLabel:text-is("Run All Cells")')
