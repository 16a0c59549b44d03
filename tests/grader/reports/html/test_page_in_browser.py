"""The pages as people meet them: in Chromium, wide and narrow, light and dark, by keyboard.

Needs Chromium and npm. `SCREENSHOTS=1` writes the picture that the README shows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from generated import gradebook as generated

from grader.reports.choices import Format
from grader.reports.gradebook_json import decode
from grader.reports.writing import write_reports

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[4]
WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports of 100 generated students."""
    folder = tmp_path_factory.mktemp("reports")
    write_reports(generated(100), folder)
    return folder


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports of the class that comes with the course, graded now."""
    folder = tmp_path_factory.mktemp("example")
    command = [sys.executable, "-m", "grader.cli", "check", "examples/submissions", "--quiet"]
    done = subprocess.run([*command, "--output", folder], cwd=ROOT, check=False)
    assert done.returncode == 3  # one of them can't be graded
    return folder


PAGES = [
    ("reports", "index.html"),
    ("reports", "students/student0003.html"),
    ("reports", "feedback/student0003/embeddings.html"),
    ("example", "index.html"),
    ("example", "students/dora.html"),
    ("example", "code/dora/embeddings.html"),
    ("example", "checks/embeddings/test_even_widths.html"),
    ("example", "feedback/hugo/embeddings.html"),
]


@pytest.mark.parametrize(("class_", "name"), PAGES)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_everybody_can_use_it(
    browser: Browser,
    violations: Callable[[Page], list[str]],
    request: pytest.FixtureRequest,
    class_: str,
    name: str,
    scheme: str,
    width: int,
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    page.goto((request.getfixturevalue(class_) / name).as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    context.close()


def test_axe_finds_what_is_wrong(browser: Browser, violations: Callable[[Page], list[str]]) -> None:
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.set_content("<img src=x><input>")
    assert any(one.startswith("image-alt") for one in violations(page))
    context.close()


def first_names(page: Page, number: int = 3) -> list[str]:
    return page.locator("#scores tbody tr:not([hidden]) th").all_inner_texts()[:number]


def test_the_table_sorts_by_keyboard(page: Page, reports: Path) -> None:
    page.goto((reports / "index.html").as_uri())
    head = page.locator("#scores thead th").last
    button = head.get_by_role("button")
    button.focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    totals = [float(text.split()[0]) for text in page.locator("#scores tbody td:last-child").all_inner_texts()]  # fmt: skip
    assert totals == sorted(totals, reverse=True)
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    page.get_by_role("button", name="Student").click()
    assert first_names(page) == ["student0000", "student0001", "student0002"]


def test_the_table_filters_and_says_how_many_are_left(page: Page, reports: Path) -> None:
    page.goto((reports / "index.html").as_uri())
    page.get_by_label("Name").fill("0042")
    assert first_names(page) == ["student0042"]
    assert page.locator("#shown").inner_text() == "1 of 100 students"
    page.get_by_label("Name").fill("")
    page.get_by_label("Show").select_option("ungraded")
    rows = page.locator("#scores tbody tr:not([hidden])")
    assert 0 < rows.count() < 100
    assert all("ungraded" in text for text in rows.all_inner_texts())


def test_from_the_class_to_a_student_to_what_the_student_reads(page: Page, reports: Path) -> None:
    page.goto((reports / "index.html").as_uri())
    page.get_by_role("link", name="student0007").first.click()
    assert page.locator("h1").inner_text().startswith("student0007: ")
    page.get_by_role("link", name="What the student reads about Embeddings").click()
    assert page.locator("h1").inner_text().startswith("Embeddings: ")
    assert page.get_by_role("heading", name="What to do next").is_visible()


def test_a_case_is_walked_through_by_keys(page: Page, example: Path) -> None:
    page.goto((example / "students/dora.html").as_uri())
    page.get_by_role("link", name="Code in Embeddings").click()
    assert page.locator("h1").inner_text() == "dora: Embeddings, 11.5 of 15"
    tab_to(page, "Next student")
    page.keyboard.press("j")
    page.wait_for_url("**/code/emil/**")
    page.keyboard.press("k")
    page.wait_for_url("**/code/dora/**")
    page.get_by_label("Listen to keys").uncheck()
    page.keyboard.press("j")
    page.get_by_label("Listen to keys").check()
    page.keyboard.press("u")
    page.wait_for_url("**/students/dora.html#embeddings")
    page.keyboard.press("u")
    page.wait_for_url("**/index.html")


def test_what_a_check_was_about_is_on_the_screen_when_its_link_is_followed(
    page: Page, example: Path
) -> None:
    page.goto((example / "students/dora.html").as_uri())
    page.get_by_role("link", name="TransformerEmbedding").first.click()
    about = page.locator(".line.about").first
    assert "class TransformerEmbedding" in about.inner_text()
    box = about.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 700
    about.get_by_role("link").first.click()
    page.wait_for_url("**/students/dora.html#check-embeddings-*")


def test_where_arrays_differ_is_drawn_beside_what_was_compared(page: Page, example: Path) -> None:
    page.goto((example / "students/dora.html").as_uri())
    drawn = page.locator(".differs").first
    assert drawn.get_by_role("img").get_attribute("aria-label", timeout=1000)
    assert "first at (0, 0, 1)" in drawn.locator("figcaption").inner_text()


def tab_to(page: Page, wanted: str) -> None:
    """Go on by keyboard until what has the focus is, or is called, what is wanted."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = "document.activeElement"
        if wanted in page.evaluate(f"[{focused}.id, {focused}.textContent.trim()]"):
            return
    pytest.fail(f"Tab does not lead to {wanted}")


def test_a_keyboard_is_enough_to_find_what_a_student_reads(page: Page, reports: Path) -> None:
    page.goto((reports / "index.html").as_uri())
    tab_to(page, "name")
    page.keyboard.type("student0007")
    tab_to(page, "student0007")
    page.keyboard.press("Enter")
    page.wait_for_url("**/students/student0007.html")
    tab_to(page, "What the student reads about Embeddings")
    page.keyboard.press("Enter")
    page.wait_for_url("**/feedback/student0007/embeddings.html")


@pytest.mark.parametrize("name", ["index.html", "students/dora.html"])
def test_what_is_printed_is_light_unfolded_and_fits_the_paper(
    browser: Browser, example: Path, name: str
) -> None:
    context = browser.new_context(
        viewport={"width": 700, "height": 1000}, color_scheme="dark"
    )  # A4 with margins
    page = context.new_page()
    page.emulate_media(media="print", color_scheme="dark")
    page.goto((example / name).as_uri())
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    for folded in page.locator("details > :last-child").all():
        box = folded.bounding_box()
        assert box is not None
        assert box["height"] > 0
    context.close()


def test_the_heat_map_says_what_the_mouse_points_at(page: Page, reports: Path) -> None:
    page.goto((reports / "index.html").as_uri())
    page.locator("#heat").hover(position={"x": 7, "y": 40}, force=True)
    assert " · Embeddings #2 Claim 1 " in page.locator("#readout").inner_text()


def test_without_a_script_everything_is_there_but_the_controls(
    browser: Browser, reports: Path
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((reports / "index.html").as_uri())
    assert page.locator("#scores tbody tr").count() == 100
    assert not page.locator("#filter").is_visible()
    assert not page.locator("#readout").is_visible()
    context.close()


def test_a_thousand_students_open_in_a_second(browser: Browser, tmp_path: Path) -> None:
    write_reports(generated(1000), tmp_path, [Format.HTML])
    took = []
    for _ in range(3):
        context = browser.new_context()
        page = context.new_page()
        # the time of the page's own thread: other programs on the machine don't count
        metrics = context.new_cdp_session(page)
        metrics.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto((tmp_path / "index.html").as_uri())
        found = metrics.send("Performance.getMetrics")["metrics"]
        took.append(next(one["value"] for one in found if one["name"] == "ThreadTime"))
        context.close()
    assert 0 < min(took) < 1


def test_a_hostile_class_does_nothing_in_a_browser(page: Page, tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'><svg onload=alert(3)>\u202e"
    book = generated(3, assignments=2, questions=2)
    data = msgspec.json.encode(book).decode()
    for word in ("student0001", "unit", "What question", "your code", "no x"):
        data = data.replace(word, json.dumps(evil + word)[1:-1])
    write_reports(decode(data.encode()), tmp_path)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for path in sorted(tmp_path.rglob("*.html")):
        page.goto(path.as_uri())
        assert (
            page.locator("img, body script:not([type]):not(:last-child), svg[onload]").count() == 0
        )
    assert dialogs == []


def test_the_picture_of_the_readme(browser: Browser, example: Path, tmp_path: Path) -> None:
    place = "docs/images/class-report.png"
    assert f"]({place})" in (ROOT / "README.md").read_text(encoding="utf-8")
    picture = (ROOT if "SCREENSHOTS" in os.environ else tmp_path) / place
    context = browser.new_context(viewport={"width": 1200, "height": 1600}, device_scale_factor=1)
    page = context.new_page()
    page.goto((example / "index.html").as_uri())
    bottom = page.locator("#items").bounding_box()
    assert bottom is not None
    height = bottom["y"] - 8
    clip = {"x": 0, "y": 0, "width": 1200, "height": height}
    page.screenshot(path=picture, full_page=True, clip=clip)
    assert 1000 < height < 3000
    assert picture.stat().st_size > 50_000
    context.close()
