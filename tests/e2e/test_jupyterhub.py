"""A term in an afternoon: one teacher, an honest student and a hostile one, in a real browser.

What the browser saw, and the log of the hub and of everybody's server, lie in `reports/e2e`
afterwards.
"""

from __future__ import annotations

import json
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
from hub_people import (
    FEEDBACK,
    SEEN,
    SUBMISSIONS,
    Windows,
    click_and_read_log,
    close_log,
    fetch,
    make_hostile,
    notebook_of,
    open_assignments,
    solve,
    submit,
)
from toy import Silent

from grader.config.course import load_course
from grader.pipeline import Options, check

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.filterwarnings("default"),  # other people's event loops
    pytest.mark.skipif(bool(hubs.missing()), reason=f"missing: {'; '.join(hubs.missing())}"),
]


@pytest.fixture(scope="module")
def hub() -> Iterator[hubs.Hub]:
    shutil.rmtree(SEEN, ignore_errors=True)
    SEEN.mkdir(parents=True)
    with hubs.running_hub(log=SEEN / "hub.log") as running:
        yield running


@pytest.fixture(scope="module")
def windows(hub: hubs.Hub, browser: Any) -> Windows:
    return Windows(browser, hub)


# ---------------------------------------------------------------- what people do


# ---------------------------------------------------------------- the term


def test_a_term_in_the_browser(hub: hubs.Hub, windows: Windows) -> None:
    try:
        teacher = windows.log_in("teacher")
        release(teacher, windows)
        ann = ann_hands_in(hub, windows)
        mallory = mallory_hands_in(hub, windows)
        collect_and_autograde(teacher, hub, windows)
        look_at_submissions(teacher, hub, windows)
        return_feedback(teacher, hub, windows)
        assert "Token vectors are scaled: 2 of 2 points" in read_feedback(ann, "ann", windows)
        text = read_feedback(mallory, "mallory", windows)
        assert "Token vectors are scaled: 0 of 2 points" in text
    except BaseException:
        windows.picture_everything()
        raise
    the_points_are_those_of_grader_check(hub)


def release(page: Any, windows: Windows) -> None:
    page.goto(windows.at("teacher", "formgrader/manage_assignments"))
    page.wait_for_selector('td.name a:text-is("embeddings")')
    windows.picture(page, "formgrader")
    assert "Successfully created" in click_and_read_log(page, "td.assign a")
    close_log(page)
    assert "Successfully released" in click_and_read_log(page, "td.release a")
    windows.picture(page, "released")
    close_log(page)


def ann_hands_in(hub: hubs.Hub, windows: Windows) -> Any:
    page = windows.log_in("ann")
    fetch(page)
    windows.picture(page, "ann-fetched")
    paste_a_sketch(hub)
    page.goto(windows.at("ann", "lab/tree/embeddings/embeddings.ipynb"))
    checked = solve(page, hub)
    windows.picture(page, "ann-checked")
    assert "3 of 3 points" in checked.inner_text()
    validate(page)
    windows.picture(page, "ann-validated")
    assert "Success! Your notebook passes all the tests." in page.inner_text(".jp-Dialog")
    page.click(".jp-Dialog button")
    open_assignments(page)
    submit(page)
    windows.picture(page, "ann-submitted")
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


def mallory_hands_in(hub: hubs.Hub, windows: Windows) -> Any:
    page = windows.log_in("mallory")
    fetch(page)
    make_hostile(hub)
    submit(page)
    windows.picture(page, "mallory-submitted")
    return page


def collect_and_autograde(page: Any, hub: hubs.Hub, windows: Windows) -> None:
    page.goto(windows.at("teacher", "formgrader/manage_assignments"))
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
    windows.picture(page, "autograded")
    assert "None, None" not in page.inner_text("table")
    assert "Example, Ann" in page.inner_text("table")
    full = page.inner_text(f'tr:has(td.student-id:text-is("{hub.people["ann"]}")) td.score')
    none = page.inner_text(f'tr:has(td.student-id:text-is("{hub.people["mallory"]}")) td.score')
    earned, possible = full.split(" / ")
    assert earned == possible != "0"
    assert none == f"0 / {possible}"


def look_at_submissions(page: Any, hub: hubs.Hub, windows: Windows) -> None:
    source = json.loads((hub.course_root / "source/embeddings/embeddings.ipynb").read_bytes())
    full, outside = seen.questions(source), seen.asked_outside(page, hub.url)
    for role, share in (("ann", 1.0), ("mallory", 0.0)):
        page.goto(windows.at("teacher", "formgrader/gradebook/embeddings/embeddings"))
        page.wait_for_selector(SUBMISSIONS)
        named = page.locator(f'td.name a.name-shown:text-is("Example, {role.capitalize()}")')
        page.goto(f"{hub.url}{named.get_attribute('href')}")
        page.wait_for_selector("text=graded after you hand in")
        points = seen.points_in_the_boxes(page)
        assert points == {name: share * worth for name, worth in full.items()}
        page.locator(FEEDBACK).first.scroll_into_view_if_needed()
        windows.picture(page, f"formgrader-{role}")
        seen.nothing_of_theirs_runs(page)
        seen.formulas_are_formulas(page)
        if role == "ann":
            seen.the_sketch_is_there(page)
        else:
            page.locator("text=My work").scroll_into_view_if_needed()
        windows.picture(page, f"formgrader-{role}-words")
    assert outside == []


def return_feedback(page: Any, hub: hubs.Hub, windows: Windows) -> None:
    page.goto(windows.at("teacher", "formgrader/manage_assignments"))
    assert "Successfully generated" in click_and_read_log(page, "td.generate-feedback a")
    close_log(page)
    assert "Successfully released" in click_and_read_log(page, "td.release-feedback a")
    windows.picture(page, "feedback-released")
    close_log(page)
    for role in ("ann", "mallory"):
        feedback = hub.course_root / "feedback" / hub.people[role] / "embeddings/embeddings.html"
        page.goto(feedback.as_uri())
        page.wait_for_selector(FEEDBACK)
        seen.nothing_of_theirs_runs(page)
    released = hub.exchange / "transformer/feedback"
    assert len([*released.glob("*.html")]) == 2
    assert hub.run_as("mallory", "ls", str(released)).returncode != 0  # ann's lies there too


def read_feedback(page: Any, role: str, windows: Windows) -> str:
    """Fetch the feedback in JupyterLab and open it there; return what stands in it."""
    open_assignments(page)
    page.click('button:text-is("Fetch Feedback")')
    page.click("text=(view feedback)")
    page.dblclick('.jp-DirListing-item:has-text("embeddings.html")')
    frame = page.wait_for_selector(".jp-HTMLViewer iframe").content_frame()
    frame.wait_for_selector(FEEDBACK)
    frame.locator(FEEDBACK).first.scroll_into_view_if_needed()
    windows.picture(page, f"{role}-reads-feedback")
    seen.formulas_are_formulas(frame)
    if role == "ann":
        seen.the_sketch_is_there(frame)
        windows.picture(page, "ann-sees-her-sketch")
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
