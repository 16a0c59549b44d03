"""From the class to the case, in Chromium: filters that can be shared, the map by keyboard, a CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from generated import gradebook as generated

from grader.gradebook import State
from grader.model import Status
from grader.reports.choices import Format
from grader.reports.gradebook_json import decode
from grader.reports.writing import write_reports

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e

CHECK = "embeddings/test_1_2"
BOOK = generated(60)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    write_reports(BOOK, folder, [Format.HTML])
    return folder


def statuses() -> dict[str, Status]:
    """What became of CHECK, of everybody who is graded."""
    assignment, check = CHECK.split("/")
    return {
        score.student: outcome.status
        for score in BOOK.scores
        if score.assignment == assignment and score.state is State.GRADED
        for outcome in score.outcomes
        if outcome.check == check
    }


def shown(page: Page) -> list[str]:
    return page.locator("#scores tbody tr:not([hidden]) th").all_inner_texts()


def test_a_check_leads_to_those_who_failed_it_and_each_to_the_case(
    page: Page, reports: Path
) -> None:
    page.goto((reports / "index.html").as_uri())
    page.locator("#items summary").first.press("Enter")
    page.locator("#items a").nth(7).press("Enter")  # the eighth check of the assignment
    page.wait_for_url(f"**/checks/{CHECK}.html")
    lost = [name for name, status in statuses().items() if status is not Status.PASSED]
    assert sorted(page.locator(".people a").all_inner_texts()) == sorted(lost)
    heads = page.locator("section h2").all_inner_texts()
    counts = [int(head.split()[1]) for head in heads]
    assert sum(counts) == len(lost)
    assert counts == sorted(counts, reverse=True)
    page.locator(".people a").first.press("Enter")
    page.wait_for_url("**/students/*.html#check-embeddings-8")
    page.locator(":target").get_by_role("link", name="Who else, and how").click()
    page.wait_for_url(f"**/checks/{CHECK}.html")
    page.go_back()
    page.go_back()
    page.keyboard.press("j")
    page.wait_for_url("**/checks/embeddings/test_1_3.html")
    page.keyboard.press("u")
    page.wait_for_url("**/index.html#items")


def test_who_is_shown_is_chosen_by_check_state_and_score_and_the_address_says_it(
    browser: Browser, page: Page, reports: Path
) -> None:
    page.goto((reports / "index.html").as_uri())
    page.get_by_label("Question or check").select_option(CHECK)
    page.get_by_label("which").select_option("error")
    wrong = sorted(name for name, status in statuses().items() if status is Status.ERROR)
    assert shown(page) == wrong
    page.locator("#of").select_option("embeddings")
    page.get_by_role("spinbutton", name="from").fill("20")
    page.get_by_role("spinbutton", name="to").fill("60")
    percents = {s.student: 100 * s.earned / s.possible for s in BOOK.scores if s.assignment == "embeddings"}  # fmt: skip
    some = [name for name in wrong if 20 <= percents[name] <= 60]
    assert 0 < len(some) < len(wrong)
    assert shown(page) == some
    context = browser.new_context()
    other = context.new_page()
    other.goto((reports / "index.html").as_uri() + page.evaluate("location.hash"))
    assert shown(other) == some
    other.get_by_role("link", name=some[0]).last.click()
    other.wait_for_url(f"**/students/{some[0]}.html#check-embeddings-8")
    context.close()
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function("location.hash === ''")
    assert len(shown(page)) == 60


def test_a_question_is_lost_by_who_lost_any_of_its_checks(page: Page, reports: Path) -> None:
    page.goto((reports / "index.html").as_uri() + "#part=embeddings/q1/&how=passed")
    all_of_it = [
        score.student
        for score in BOOK.scores
        if score.assignment == "embeddings" and score.state is State.GRADED
        and all(o.status is Status.PASSED for o in score.outcomes if o.question == "q1")
    ]  # fmt: skip
    assert 0 < len(all_of_it) < 60
    assert shown(page) == all_of_it


def test_an_address_of_a_check_that_is_gone_shows_everybody(page: Page, reports: Path) -> None:
    page.goto((reports / "index.html").as_uri() + "#part=embeddings/test_gone&how=nothing&from=x")
    assert len(shown(page)) == 60


def test_a_csv_holds_what_is_shown_and_no_formula(page: Page, tmp_path: Path) -> None:
    data = msgspec.json.encode(generated(4, assignments=1)).decode()
    data = data.replace("student0001", "\\uff0bcmd").replace("student000", '=1+1 \\"x\\", ')
    write_reports(decode(data.encode()), tmp_path, [Format.HTML])
    page.goto((tmp_path / "index.html").as_uri())
    page.get_by_label("Question or check").select_option("embeddings/test_0_0")
    page.get_by_label("which").select_option("passed")
    with page.expect_download() as found:
        page.get_by_role("button", name="CSV").press("Enter")
    assert found.value.suggested_filename == "shown.csv"
    rows = list(csv.reader(Path(found.value.path()).read_text(encoding="utf-8").splitlines()))
    assert rows[0][:2] == ["Student", "Embeddings"]
    assert rows[0][-1].startswith("Embeddings: 1 Claim 0")
    names = [row[0] for row in rows[1:]]
    assert [name.removeprefix("'") for name in names] == shown(page)
    assert names
    assert all(name.startswith(('\'=1+1 "x", ', "'\uff0bcmd")) for name in names)
    assert {row[-1] for row in rows[1:]} == {"passed"}


def test_a_cell_of_the_map_leads_to_the_case_by_mouse_and_by_keyboard(
    page: Page, reports: Path
) -> None:
    page.goto((reports / "index.html").as_uri())
    page.locator("#case").focus()
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    assert "· Embeddings #8 " in page.locator("#readout").inner_text()
    while not page.locator("#readout").inner_text().endswith(": failed"):
        page.keyboard.press("ArrowDown")
    name = page.locator("#readout").inner_text().split(" · ")[0]
    assert statuses()[name] is Status.FAILED
    box = page.locator("#case").bounding_box()
    assert box is not None
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/students/{name}.html#check-embeddings-8")
    page.go_back()
    page.locator("#heat").scroll_into_view_if_needed()
    page.locator("#heat").hover(position={"x": 160, "y": 46}, force=True)
    page.locator("#case").click()
    page.wait_for_url("**/students/*.html#*")


def test_heads_stay_while_a_long_table_scrolls(page: Page, reports: Path) -> None:
    page.goto((reports / "index.html").as_uri())
    region = page.get_by_role("region", name="Scores of all students")
    region.evaluate("box => box.scrollTo(0, 2000)")
    head, box = page.locator("#scores thead th").first.bounding_box(), region.bounding_box()
    assert head is not None
    assert box is not None
    assert abs(head["y"] - box["y"]) < 2
    assert region.evaluate("box => box.scrollTop") > 1000


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_everybody_can_filter(
    browser: Browser, violations: Callable[[Page], list[str]], reports: Path, scheme: str, width: int
) -> None:  # fmt: skip
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    page.goto((reports / "index.html").as_uri() + f"#part={CHECK}&how=lost&to=50")
    assert 0 < len(shown(page)) < 60
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    context.close()


def test_hostile_names_titles_and_values_stay_text(page: Page, tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)></script><script>alert(2)</script>\"'>&amp;\u202e"
    data = msgspec.json.encode(generated(3, assignments=1)).decode()
    for word in ("student0001", "Embeddings", "What question", "Claim", "the sum", "test_0_0"):
        data = data.replace(word, json.dumps(evil + word)[1:-1])
    data = data.replace('"expected":""', '"expected":' + json.dumps(evil))
    write_reports(decode(data.encode()), tmp_path, [Format.HTML])
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto((tmp_path / "index.html").as_uri())
    page.get_by_label("Question or check").select_option(index=2)
    page.locator("#case").focus()
    page.keyboard.press("ArrowRight")
    assert "<img src=x" in page.locator("#readout").inner_text()
    with page.expect_download():
        page.get_by_role("button", name="CSV").click()
    for path in (tmp_path / "index.html", *sorted((tmp_path / "checks").rglob("*.html"))[:2]):
        page.goto(path.as_uri())
        assert page.locator("img, body script:not([type]):not(:last-child)").count() == 0
        assert "<img src=x" in page.inner_text("body")
    assert dialogs == []
