"""Chromium, where it is installed, driven by Playwright."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)


@contextlib.contextmanager
def running() -> Iterator[Browser]:
    """A browser. Only one at a time: Playwright runs an event loop in this thread until the end."""
    if CHROMIUM is None:
        pytest.skip("missing: Chromium: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextlib.contextmanager
def watched_page(browser: Browser, origin: str) -> Iterator[Page]:
    """A page on which any message of the browser is an error, and any request beyond `origin`."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda asked: asked.url.startswith(origin) or messages.append(asked.url))
    yield page
    context.close()
    assert messages == []
