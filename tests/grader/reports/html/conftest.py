"""Pages in a browser, and axe-core, which finds what keeps people from using them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from chromium import watched_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AXE = "axe-core@4"


@pytest.fixture(scope="package")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    if shutil.which("npm") is None:
        pytest.skip("needs npm, for axe-core")
    folder = tmp_path_factory.mktemp("axe")
    subprocess.run(["npm", "install", "--silent", "--prefix", folder, AXE], check=True)
    return (folder / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that shows files; any message, a broken policy among them, is an error."""
    with watched_page(browser, "file:") as watched:
        yield watched


@pytest.fixture
def violations(axe: str) -> Callable[[Page], list[str]]:
    """What axe-core finds on a page, everything unfolded."""

    def find(page: Page) -> list[str]:
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        page.add_script_tag(content=axe)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]

    return find
