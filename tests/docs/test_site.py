"""The site of docs/: each page has its place, and opened as files it works without a network."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SITE = ROOT / "build/site"
PAGES = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))


def places(entry: Any) -> Iterator[tuple[str, bool]]:
    """The pages that the navigation names, and whether there must be such a page."""
    if isinstance(entry, str):
        yield entry, True
    elif "glob" in entry:
        yield entry["glob"], False
    else:
        for inside in entry.values():
            for one in inside if isinstance(inside, list) else [inside]:
                yield from places(one)


def navigation() -> list[tuple[str, bool]]:
    return list(places(yaml.safe_load((DOCS / ".nav.yml").read_text(encoding="utf-8"))))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_one_place(page: str) -> None:
    assert len([place for place, _ in navigation() if fnmatch(page, place)]) == 1


def test_a_place_has_a_page() -> None:
    assert [place for place, needed in navigation() if needed and place not in PAGES] == []


@pytest.mark.parametrize("page", PAGES)
def test_what_lies_elsewhere_in_the_repository_is_named_by_its_address(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    home = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"][
        "Homepage"
    ]
    for address in re.findall(rf"{re.escape(home)}/blob/main/([^)\s]+)", text):
        assert (ROOT / address).is_file(), address


def in_browser(test: Any) -> Any:
    """What looks at the site itself."""
    made = (SITE / "index.html").is_file()
    return pytest.mark.e2e(pytest.mark.skipif(not made, reason="`make docs-site` makes it")(test))


@in_browser
def test_pages_ask_for_nothing_from_elsewhere_and_fit_on_a_phone(browser: Any) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800})
    asked: list[str] = []
    troubles: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    wide = []
    for path in sorted(SITE.rglob("*.html")):
        if path.name == "404.html":
            continue
        page.goto(path.as_uri())
        if page.evaluate("document.documentElement.scrollWidth") > 390:
            wide.append(path.name)
    assert [one for one in asked if not one.startswith(("file:", "data:", "blob:"))] == []
    assert (wide, troubles) == ([], [])
    assert len(asked) > len(PAGES)


@in_browser
def test_pages_that_are_opened_as_files_can_be_searched(browser: Any) -> None:
    page = browser.new_page()
    page.goto((SITE / "index.html").as_uri())
    page.set_default_timeout(10_000)
    page.get_by_role("button", name="Search").first.click()
    page.keyboard.type("assert_close")
    page.get_by_text("Compare numbers, tensors").first.click()
    page.wait_for_url("**/api.html*assert_close*")


@in_browser
def test_it_is_dark_for_whoever_wants_it_dark(browser: Any) -> None:
    shades = {}
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto((SITE / "tutorial.html").as_uri())
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        shades[scheme] = sum(map(int, re.findall(r"\d+", colour)[:3]))
    assert shades["dark"] < 150 < 600 < shades["light"]
