"""What people do in a JupyterHub, through a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import hub as hubs
import seen

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


class Windows:
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
