"""Marking as people do it: in Chromium, wide and narrow, light and dark, by keyboard alone.

`SCREENSHOTS=FOLDER` keeps pictures of what was seen.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from chromium import watched_page
from marking_site import Site

from grader.marking.desk import Said
from grader.store import marks

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e

HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">\n"
    "[a](javascript:document.title='owned') </pre></main>\n\u202e\u200b \x1b[31m " + "x" * 500
)
LONG = "\n\n".join(
    f"{n}. The moon pulls the near side more than the middle, and the middle more than the far "
    "side; so *both* sides bulge. `h = a * cos(2 * t)`" for n in range(1, 5)
)  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A class of 300."""
    answers = {f"student{n:03}": f"{LONG}\n\nIn short: reason {n}" for n in range(299)}
    with Site(tmp_path_factory.mktemp("class"), answers | {"mallory": HOSTILE}) as one:
        queue = one.desk.queues[0]
        for number in range(10, 60):
            one.desk.record(queue, number, Said(("moon",), 0.5, "Good, but say why."))
        one.desk.record(queue, 61, Said(("moon",), 0, "I say so."))
        one.desk.record(queue, 61, Said(("far_side",), -0.5, "I don't."))  # who had not seen it
        yield one


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A page of the site; any message, a broken policy among them, is an error."""
    with watched_page(browser, site.url("")) as watched:
        yield watched


def hostile_number(site: Site) -> int:
    return site.desk.queues[0].students.index("mallory") + 1


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_everybody_can_mark(
    site: Site, browser: Browser, violations: Callable[[Page], list[str]], width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    places = {
        "all": "", "unmarked": "tides/why/1", "marked": "tides/why/10", "conflict": "tides/why/61",
        "hostile": f"tides/why/{hostile_number(site)}", "whole": "tides/why/1/whole",
        "code": "tides/sketch/1",
    }  # fmt: skip
    for name, place in places.items():
        page.goto(site.url(place))
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=Path(folder) / f"{name}-{width}-{scheme}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if name not in ("unmarked", "whole"):  # which have nothing that the others lack
            assert violations(page) == [], name
    context.close()


def test_a_class_is_marked_by_keyboard_alone(site: Site, page: Page) -> None:
    before = len(marks.read(site.reports))
    page.goto(site.url("tides/why/100"))
    page.keyboard.press("1")
    page.keyboard.press("2")
    page.keyboard.press("3")
    assert page.locator("#sum").inner_text() == "3 of 4"
    page.keyboard.press("3")
    page.keyboard.press("c")
    page.keyboard.type("Well said. 1 2 3")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tides/why/101")
    page.keyboard.press("p")
    page.keyboard.type("9")
    assert page.locator("#sum").inner_text() == "4 of 4, not 9"
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/tides/why/102")
    page.keyboard.press("z")
    page.wait_for_url("**/tides/why/101?told=undone")
    assert "Not marked" in page.inner_text("main")
    for key, place in (("j", 102), ("k", 101), ("n", 102)):
        page.keyboard.press(key)
        page.wait_for_url(f"**/tides/why/{place}")
    page.keyboard.press("u")
    page.wait_for_url(site.url())
    first, second, undone = marks.read(site.reports)[before:]
    assert (first.rubric, first.comment) == (("moon", "far_side"), "Well said. 1 2 3")
    assert (second.points, undone.withdrawn) == (9.0, True)


@pytest.mark.parametrize("written", ["0,5", "0.5", " +0,50 "])
def test_half_a_point_is_half_a_point_however_it_is_written(
    site: Site, browser: Browser, written: str
) -> None:
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.goto(site.url("tides/why/150"))
    page.keyboard.press("p")
    page.keyboard.press("Control+a")
    page.keyboard.type(written)
    assert page.locator("#sum").inner_text() == "0.5 of 4"
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/tides/why/151")
    assert marks.read(site.reports)[-1].points == 0.5
    context.close()


def test_points_that_are_no_number_are_not_sent(site: Site, page: Page) -> None:
    page.goto(site.url("tides/why/160"))
    before = len(marks.read(site.reports))
    page.keyboard.press("p")
    page.keyboard.type("a half")
    page.keyboard.press("Control+Enter")
    assert page.locator("#points:invalid").count() == 1
    assert page.url == site.url("tides/why/160")
    assert len(marks.read(site.reports)) == before


def test_who_wants_no_keys_turns_them_off(site: Site, page: Page) -> None:
    page.goto(site.url("tides/why/200"))
    page.locator("#listen").uncheck()
    page.keyboard.press("1")
    assert page.locator("[name=rubric]:checked").count() == 0
    page.goto(site.url("tides/why/201"))
    assert not page.locator("#listen").is_checked()
    page.locator("[name=rubric]").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")  # which sends any form
    page.wait_for_url("**/tides/why/202")


def test_without_a_script_everything_is_there(site: Site, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.url("tides/why/250"))
    page.get_by_label("Names the moon").check()
    page.get_by_label("Comment").fill("by hand")
    page.get_by_role("button", name="Save and next").click()
    assert page.url.endswith("/tides/why/251")
    page.get_by_role("link", name="Previous answer").click()
    assert "Marked: 1.5 of 4" in page.inner_text("main")
    context.close()


def test_hostile_answers_and_comments_stay_text(site: Site, page: Page) -> None:
    number = hostile_number(site)
    site.desk.record(site.desk.queues[0], number, Said((), 1, HOSTILE))
    site.desk.record(site.desk.queues[0], number, Said((), 2, "</textarea>" + HOSTILE))
    for place in (f"tides/why/{number}", f"tides/why/{number}/whole"):
        page.goto(site.url(place))
        assert "owned" not in page.title()
        assert page.locator("img, [onerror], main a[href^=javascript]").count() == 0
        assert "<script>document.title" in page.inner_text("main")
        assert "\u202e" not in page.inner_text("main .prose >> nth=-1")
