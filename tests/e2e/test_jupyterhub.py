"""A term in an afternoon: one teacher, an honest student and a hostile one, in a real browser.

What the browser saw, and the log of the hub and of everybody's server, lie in `reports/e2e`
afterwards.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import hub as hubs
import seen
from toy import Silent

from grader.config.course import load_course
from grader.pipeline import Options, check

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.filterwarnings("default"),  # other people's event loops
    pytest.mark.skipif(bool(hubs.missing()), reason=f"missing: {'; '.join(hubs.missing())}"),
]

PATIENCE_MS = 240_000
"""A busy machine imports torch for every notebook that is validated."""

SEEN = hubs.ROOT / "reports/e2e"
ANSWERS = (
    "TokenEmbedding",
    "SinusoidalPositionalEncoding",
    "LearnedPositionalEmbedding",
    "TransformerEmbedding",
)
SUBMISSIONS = "td.name a.name-hidden"
FEEDBACK = "text=(hidden): "
HOSTILE_CODE = """
from IPython import get_ipython
from IPython.core.interactiveshell import InteractiveShell
import os, sys, glob, sqlite3

if get_ipython() is not None:
    get_ipython().input_transformers_cleanup.append(lambda lines: ["pass\\n"])
InteractiveShell.run_cell = lambda self, *a, **k: None
sys.modules["course"] = sys
for place in glob.glob("/tmp/hub-*/home/*/nbgrader course/gradebook.db"):
    try:
        book = sqlite3.connect(place)
        book.execute("UPDATE grade SET auto_score = 100, manual_score = 100")
        book.commit()
    except Exception:
        pass

class Always:
    def __eq__(self, other): return True
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self

TransformerEmbedding = Always()
"""


class Browser:
    """One browser, a window for each person, and numbered pictures of what they see."""

    def __init__(self, browser: Any, hub: hubs.Hub) -> None:
        self._browser, self._hub = browser, hub
        self._taken = 0

    def log_in(self, role: str) -> Any:
        context = self._browser.new_context(viewport={"width": 1400, "height": 1000})
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{self._hub.url}/hub/login")
        page.fill("#username_input", self._hub.people[role])
        page.fill("#password_input", self._hub.password)
        page.click("#login_submit")
        page.wait_for_url(re.compile(r"/user/[^/]+/lab"))
        page.wait_for_selector(".lm-MenuBar-item")
        return page

    def at(self, role: str, path: str) -> str:
        return f"{self._hub.url}/user/{self._hub.people[role]}/{path}"

    def picture_everything(self) -> None:
        """Keep what everybody saw last."""
        for context in self._browser.contexts:
            for page in context.pages:
                self.picture(page, "at-last")

    def picture(self, page: Any, name: str) -> None:
        self._taken += 1
        page.screenshot(path=SEEN / f"{self._taken:02d}-{name}.png")


@pytest.fixture(scope="module")
def hub() -> Iterator[hubs.Hub]:
    shutil.rmtree(SEEN, ignore_errors=True)
    SEEN.mkdir(parents=True)
    with hubs.running_hub(log=SEEN / "hub.log") as running:
        yield running


@pytest.fixture(scope="module")
def browser(hub: hubs.Hub) -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=hubs.CHROMIUM, args=["--no-sandbox"])
        yield Browser(running, hub)
        running.close()


# ---------------------------------------------------------------- what people do


def click_and_read_log(page: Any, selector: str) -> str:
    """Click on one of formgrader's symbols; return the log that it shows when it is done."""
    page.click(selector)
    page.wait_for_selector(".modal.in")
    text: str = page.inner_text(".modal.in .modal-body")
    return text


def close_log(page: Any) -> None:
    page.click(".modal.in .modal-footer button >> nth=0")
    page.wait_for_selector(".modal-backdrop", state="detached")  # it goes last


def open_assignments(page: Any) -> None:
    page.click('.lm-MenuBar-itemLabel:text-is("Nbgrader")')
    page.click('.lm-Menu-itemLabel:text("Assignment List")')
    page.wait_for_selector("text=Released assignments")


def fetch(page: Any) -> None:
    open_assignments(page)
    page.click('button:text-is("Fetch")')
    page.wait_for_selector('button:text-is("Submit")')


def submit(page: Any) -> None:
    page.click('button:text-is("Submit")')
    page.wait_for_function("!document.body.innerText.includes('There are no submitted')")


def notebook_of(hub: hubs.Hub, role: str) -> Path:
    return hub.home(role) / "embeddings/embeddings.ipynb"


def solve(page: Any, hub: hubs.Hub) -> Any:
    """Type the answers in, run everything, and return the cell of the public check."""
    source = json.loads((hub.course_root / "source/embeddings/embeddings.ipynb").read_bytes())
    order = [cell["id"] for cell in source["cells"]]
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
    cells = page.locator(".jp-Notebook .jp-Cell")
    for name in ANSWERS:
        cell = cells.nth(order.index(name))
        cell.scroll_into_view_if_needed()
        cell.locator(".cm-content").click()
        page.keyboard.press("Control+a")
        lines = source["cells"][order.index(name)]["source"]
        page.keyboard.insert_text("".join(line for line in lines if " SOLUTION" not in line))
    page.click('.lm-MenuBar-itemLabel:text-is("Run")')
    page.click('.lm-Menu-itemLabel:text-is("Run All Cells")')
    checked = cells.nth(order.index("shapes"))
    checked.scroll_into_view_if_needed()
    checked.locator("text=points").first.wait_for()
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
    checked.scroll_into_view_if_needed()
    return checked


def make_hostile(hub: hubs.Hub) -> None:
    path = notebook_of(hub, "mallory")
    notebook = json.loads(path.read_bytes())
    notebook["cells"] += [
        {"cell_type": "markdown", "id": "prose", "metadata": {}, "source": seen.HOSTILE_PROSE,
         "attachments": seen.HOSTILE_ATTACHMENT},
        {"cell_type": "code", "id": "code", "metadata": {}, "source": HOSTILE_CODE,
         "execution_count": None,
         "outputs": [{"output_type": "display_data", "metadata": {},
                      "data": {"text/html": "<script>document.title='owned'</script>"}}]},
    ]  # fmt: skip
    path.write_text(json.dumps(notebook))


# ---------------------------------------------------------------- the term


def test_a_term_in_the_browser(hub: hubs.Hub, browser: Browser) -> None:
    try:
        teacher = browser.log_in("teacher")
        release(teacher, browser)
        ann = ann_hands_in(hub, browser)
        mallory = mallory_hands_in(hub, browser)
        collect_and_autograde(teacher, hub, browser)
        look_at_submissions(teacher, hub, browser)
        return_feedback(teacher, hub, browser)
        assert "Token vectors are scaled: 2 of 2 points" in read_feedback(ann, "ann", browser)
        text = read_feedback(mallory, "mallory", browser)
        assert "Token vectors are scaled: 0 of 2 points" in text
    except BaseException:
        browser.picture_everything()
        raise
    the_points_are_those_of_grader_check(hub)


def release(page: Any, browser: Browser) -> None:
    page.goto(browser.at("teacher", "formgrader/manage_assignments"))
    page.wait_for_selector('td.name a:text-is("embeddings")')
    browser.picture(page, "formgrader")
    assert "Successfully created" in click_and_read_log(page, "td.assign a")
    close_log(page)
    assert "Successfully released" in click_and_read_log(page, "td.release a")
    browser.picture(page, "released")
    close_log(page)


def ann_hands_in(hub: hubs.Hub, browser: Browser) -> Any:
    page = browser.log_in("ann")
    fetch(page)
    browser.picture(page, "ann-fetched")
    paste_a_sketch(hub)
    page.goto(browser.at("ann", "lab/tree/embeddings/embeddings.ipynb"))
    checked = solve(page, hub)
    browser.picture(page, "ann-checked")
    assert "3 of 3 points" in checked.inner_text()
    validate(page)
    browser.picture(page, "ann-validated")
    assert "Success! Your notebook passes all the tests." in page.inner_text(".jp-Dialog")
    page.click(".jp-Dialog button")
    open_assignments(page)
    submit(page)
    browser.picture(page, "ann-submitted")
    return page


def paste_a_sketch(hub: hubs.Hub) -> None:
    path = notebook_of(hub, "ann")
    notebook = json.loads(path.read_bytes())
    notebook["cells"].append(seen.sketch())
    path.write_text(json.dumps(notebook))


def validate(page: Any) -> None:
    """Click on the button, which saves first; JupyterLab may be saving by itself just then."""
    page.click('text="Validate" >> visible=true')
    page.wait_for_selector(".jp-Dialog-header")
    if "File Changed" in page.inner_text(".jp-Dialog"):
        page.click('.jp-Dialog button:has-text("Overwrite")')
    page.wait_for_selector(".jp-Dialog-header:text('Validation Results')")


def mallory_hands_in(hub: hubs.Hub, browser: Browser) -> Any:
    page = browser.log_in("mallory")
    fetch(page)
    make_hostile(hub)
    submit(page)
    browser.picture(page, "mallory-submitted")
    return page


def collect_and_autograde(page: Any, hub: hubs.Hub, browser: Browser) -> None:
    page.goto(browser.at("teacher", "formgrader/manage_assignments"))
    page.wait_for_selector("td.collect a")
    assert "Successfully collected" in click_and_read_log(page, "td.collect a")
    close_log(page)
    page.click("td.num-submissions a")
    for role in ("ann", "mallory"):
        row = f'tr:has(td.student-id:text-is("{hub.people[role]}"))'
        page.wait_for_selector(f"{row} td.autograde a")
        text = click_and_read_log(page, f"{row} td.autograde a")
        assert "Successfully autograded" in text
        assert "Traceback" not in text
        close_log(page)
        page.wait_for_selector(f'{row} .label:text-is("graded")')
    browser.picture(page, "autograded")
    assert "None, None" not in page.inner_text("table")
    assert "Example, Ann" in page.inner_text("table")
    full = page.inner_text(f'tr:has(td.student-id:text-is("{hub.people["ann"]}")) td.score')
    none = page.inner_text(f'tr:has(td.student-id:text-is("{hub.people["mallory"]}")) td.score')
    earned, possible = full.split(" / ")
    assert earned == possible != "0"
    assert none == f"0 / {possible}"


def look_at_submissions(page: Any, hub: hubs.Hub, browser: Browser) -> None:
    source = json.loads((hub.course_root / "source/embeddings/embeddings.ipynb").read_bytes())
    full, outside = seen.questions(source), seen.asked_outside(page, hub.url)
    for role, share in (("ann", 1.0), ("mallory", 0.0)):
        page.goto(browser.at("teacher", "formgrader/gradebook/embeddings/embeddings"))
        page.wait_for_selector(SUBMISSIONS)
        named = page.locator(f'td.name a.name-shown:text-is("Example, {role.capitalize()}")')
        page.goto(f"{hub.url}{named.get_attribute('href')}")
        page.wait_for_selector("text=graded after you hand in")
        points = seen.points_in_the_boxes(page)
        assert points == {name: share * worth for name, worth in full.items()}
        page.locator(FEEDBACK).first.scroll_into_view_if_needed()
        browser.picture(page, f"formgrader-{role}")
        seen.nothing_of_theirs_runs(page)
        seen.formulas_are_formulas(page)
        if role == "ann":
            seen.the_sketch_is_there(page)
        else:
            page.locator("text=My work").scroll_into_view_if_needed()
        browser.picture(page, f"formgrader-{role}-words")
    assert outside == []


def return_feedback(page: Any, hub: hubs.Hub, browser: Browser) -> None:
    page.goto(browser.at("teacher", "formgrader/manage_assignments"))
    assert "Successfully generated" in click_and_read_log(page, "td.generate-feedback a")
    close_log(page)
    assert "Successfully released" in click_and_read_log(page, "td.release-feedback a")
    browser.picture(page, "feedback-released")
    close_log(page)
    for role in ("ann", "mallory"):
        feedback = hub.course_root / "feedback" / hub.people[role] / "embeddings/embeddings.html"
        page.goto(feedback.as_uri())
        page.wait_for_selector(FEEDBACK)
        seen.nothing_of_theirs_runs(page)
    released = hub.exchange / "transformer/feedback"
    assert len([*released.glob("*.html")]) == 2
    assert hub.run_as("mallory", "ls", str(released)).returncode != 0  # ann's lies there too


def read_feedback(page: Any, role: str, browser: Browser) -> str:
    """Fetch the feedback in JupyterLab and open it there; return what stands in it."""
    open_assignments(page)
    page.click('button:text-is("Fetch Feedback")')
    page.click("text=(view feedback)")
    page.dblclick('.jp-DirListing-item:has-text("embeddings.html")')
    frame = page.wait_for_selector(".jp-HTMLViewer iframe").content_frame()
    frame.wait_for_selector(FEEDBACK)
    frame.locator(FEEDBACK).first.scroll_into_view_if_needed()
    browser.picture(page, f"{role}-reads-feedback")
    seen.formulas_are_formulas(frame)
    if role == "ann":
        seen.the_sketch_is_there(frame)
        browser.picture(page, "ann-sees-her-sketch")
    seen.nothing_of_theirs_runs(frame)
    assert "owned" not in page.title()
    text: str = frame.inner_text("body")
    return text


def the_points_are_those_of_grader_check(hub: hubs.Hub) -> None:
    with sqlite3.connect(hub.course_root / "gradebook.db") as gradebook:
        rows = gradebook.execute(
            "SELECT sa.student_id, bc.name, g.auto_score, g.manual_score, g.needs_manual_grade "
            "FROM grade g JOIN base_cell bc ON bc.id = g.cell_id "
            "JOIN submitted_notebook sn ON sn.id = g.notebook_id "
            "JOIN submitted_assignment sa ON sa.id = sn.assignment_id"
        ).fetchall()
    course = load_course(hub.private)
    book = check(
        [hub.course_root / "submitted"], course, Options(assignments=("embeddings",)), Silent()
    )
    expected = {
        (one.student, question, points, None, 0)
        for one in book.scores
        for question, points in one.questions.items()
    }
    assert set(rows) == expected
    assert len(rows) > 4


# ---------------------------------------------------------------- what students can't reach


def test_students_reach_nothing_private(hub: hubs.Hub) -> None:
    private = [
        hub.private / "solutions/suites/embeddings/test_1_vectors.py",
        hub.private / "solutions/tiny_transformer/__init__.py",
        hub.course_root / "source/embeddings/embeddings.ipynb",
        hub.course_root / "nbgrader_config.py",
        hub.course_root / "gradebook.db",
        hub.course_root / ".results",
        hub.course_root / "submitted",
        hub.course_root,
        hub.home("mallory"),
    ]
    for path in private[:3]:
        assert path.exists()
        assert hub.run_as("teacher", "head", "-c1", str(path)).returncode == 0
    for path in private:
        assert hub.run_as("ann", "ls", str(path)).returncode != 0, path
        assert hub.run_as("ann", "head", "-c1", str(path)).returncode != 0, path
    assert hub.run_as("ann", "touch", str(hub.course_root / "gradebook.db")).returncode != 0


def test_students_can_import_nothing_private(hub: hubs.Hub) -> None:
    python = str(hub.place / "env/bin/python")
    names = (
        "from importlib.util import find_spec; "
        "print([name for name in ('solutions', 'course', 'grader') if find_spec(name)])"
    )
    command = [sys.executable, str(Path(hubs.__file__).with_name("within_reach.py"))]
    found = subprocess.run(
        [*command, "/usr/bin/setpriv", f"--reuid={hub.people['ann']}", "--clear-groups",
         python, "-c", names],
        cwd="/", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.strip() == "['course', 'grader']"
