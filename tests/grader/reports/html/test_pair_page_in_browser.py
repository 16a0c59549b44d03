"""A comparison's pages as people meet them: wide and narrow, light and dark, by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alike_class import write_pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e

EVIL = "<img src=x onerror=alert(1)></mark></pre><script>alert(2)</script>\"'><svg onload=alert(3)>\u202e"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pages(tmp_path_factory.mktemp("alike"), students=4)[0]


@pytest.mark.parametrize("name", ["index.html", "pairs/adding-002.html"])
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_everybody_can_use_it(
    browser: Browser,
    violations: Callable[[Page], list[str]],
    pages: Path,
    name: str,
    scheme: str,
    width: int,
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    page.goto((pages / name).as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    page.keyboard.press("n")
    assert violations(page) == []
    context.close()


def test_a_keyboard_goes_from_part_to_part_and_from_pair_to_pair(page: Page, pages: Path) -> None:
    page.goto((pages / "pairs/adding-001.html").as_uri())
    parts = int(page.locator("main").get_attribute("data-parts") or 0)
    assert parts >= 1
    page.keyboard.press("n")
    assert page.locator("#part").inner_text() == f"Part 1 of {parts}"
    assert page.locator("mark.now").count() >= 2
    page.keyboard.press("p")
    assert page.locator("#part").inner_text() == f"Part {parts} of {parts}"
    page.keyboard.press("j")
    page.wait_for_url("**/adding-002.html")
    page.keyboard.press("k")
    page.wait_for_url("**/adding-001.html")
    page.get_by_label("Listen to keys").uncheck()
    page.keyboard.press("j")
    assert page.url.endswith("adding-001.html")


def test_a_shared_part_leads_to_the_other_side(page: Page, pages: Path) -> None:
    page.goto((pages / "pairs/adding-001.html").as_uri())
    page.locator("#l1 a").click()
    assert page.url.endswith("#r1")
    assert page.locator("#r1").is_visible()


def test_the_list_shows_the_pairs_of_somebody(page: Page, pages: Path) -> None:
    page.goto((pages / "index.html").as_uri())
    page.get_by_label("Name").fill("student0")
    assert page.locator(".pairs tbody tr:visible").count() == 2
    assert page.locator("#shown").inner_text() == "2 of 3 pairs"


def test_without_a_script_everything_is_there_but_the_keys(browser: Browser, pages: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((pages / "index.html").as_uri())
    assert not page.locator("#filter").is_visible()
    page.locator(".pairs a").first.click()
    assert page.locator("mark").count() >= 2
    assert not page.locator("#keys").is_visible()
    context.close()


def test_hostile_code_does_nothing_in_a_browser(page: Page, tmp_path: Path) -> None:
    out, _ = write_pages(tmp_path, words=EVIL)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for path in sorted(out.rglob("*.html")):
        page.goto(path.as_uri())
        assert page.locator("img, body script:not(:last-child), svg").count() == 0
    assert dialogs == []
