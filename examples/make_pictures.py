"""Takes the pictures of `docs/instructors.md` from a real run, and measures what the guide says of it.

    python -m examples.make_pictures [STUDENTS]

A class is graded, Dora complains, a check turns out to be too strict and the class is regraded. It
takes some ten minutes for the 300 students of the guide and needs Chromium. Pictures of the dark
pages are put beside the others' scratch folder, to be looked at.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.classroom import make_class, write_plain
from grader.config.course import load_course

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs/images"
PARTS = ("course", "solutions", "tests/styles", "pyproject.toml")
SUITE = "solutions/suites/embeddings/test_1_vectors.py"
STRICT, REPAIRED = "assert_equal(beside, expected, ", "assert beside >= expected, ("
COLOURS = 96
"""A picture of a page needs no more, and is a third as large."""


def main() -> None:
    """Write the pictures; print the seconds."""
    students = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    home = Path(tempfile.mkdtemp(prefix="pictures-"))
    course = home / "transformer"
    for name in PARTS:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        course.mkdir(exist_ok=True)
        copy(ROOT / name, course / name)
    write_plain(make_class(load_course(ROOT), students - 1), home / "handed-in")
    shutil.copytree(ROOT / "examples/submissions/dora", home / "handed-in/dora")
    grader(home, "check", "handed-in", "-a", "embeddings", "--quiet")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for scheme in ("light", "dark"):
            complaint(browser, home, scheme)
        grader(home, "try", "dora", "embeddings", "test_even_widths")
        suite = course / SUITE
        text = suite.read_text(encoding="utf-8")
        assert STRICT in text
        suite.write_text(text.replace(STRICT, REPAIRED), encoding="utf-8")
        grader(home, "regrade")
        grader(home, "regrade", "--only-gains", "--because", "test_count was too strict", "--apply")
        for scheme in ("light", "dark"):
            regraded(browser, home, scheme)
        browser.close()
    print(f"scratch: {home}")


def grader(home: Path, *words: str) -> None:
    """Run a command as an instructor does, and say how long it took."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "grader.cli", *words]
    command += ["--course", "transformer"]
    path = {**os.environ, "PYTHONPATH": str(ROOT)}
    status = subprocess.run(command, cwd=home, env=path, check=False).returncode
    assert status in (0, 1), status  # 1: a check that is run by hand is not passed
    print(f"--- {time.perf_counter() - began:.1f} s: grader {' '.join(words)}", flush=True)


def complaint(browser: Browser, home: Path, scheme: str) -> None:
    """From the class to Dora's case, by keyboard, and on to her code and to who else is concerned."""
    page = opened(browser, scheme)
    index = (home / "reports/index.html").as_uri()
    timed("open the class report", lambda: page.goto(index))
    timed("filter by name", lambda: page.get_by_label("Name", exact=True).fill("dora"))
    take(page, page.locator("#students"), home, "complaint-class", scheme)
    timed("open the student", lambda: page.get_by_role("link", name="dora").last.click())
    case = page.locator(".checks > li", has_text="grader try dora embeddings test_even_widths")
    timed("find the check", case.scroll_into_view_if_needed)
    case.get_by_text("The check", exact=True).click()
    case.get_by_text("What the check asked").click()
    take(page, case, home, "complaint-case", scheme)
    link = case.get_by_role("link").first
    timed("open the code", link.click)
    cell = page.locator("section", has=page.locator(".line.about")).first
    take(page, cell, home, "complaint-code", scheme)
    page.goto((home / "reports/checks/embeddings/test_even_widths.html").as_uri())
    take(page, page.locator("body"), home, "complaint-others", scheme)
    page.context.close()


def regraded(browser: Browser, home: Path, scheme: str) -> None:
    """What the class report says of a regrading."""
    page = opened(browser, scheme)
    page.goto((home / "reports/index.html").as_uri())
    take(page, page.locator("#regrades"), home, "regraded", scheme)
    page.context.close()


def opened(browser: Browser, scheme: str) -> Page:
    """A page for pictures of one width."""
    light = scheme == "light"
    context = browser.new_context(
        viewport={"width": 1000, "height": 900}, color_scheme="light" if light else "dark"
    )
    return context.new_page()


def timed(what: str, act: Callable[[], object]) -> None:
    """Do something, and say how long it took."""
    began = time.perf_counter()
    act()
    print(f"--- {time.perf_counter() - began:.2f} s: {what}")


def take(page: Page, part: Locator, home: Path, name: str, scheme: str) -> None:
    """Take a picture of a part of a page, a little more than it, and no more than a screen."""
    from PIL import Image

    box = part.bounding_box()
    assert box is not None
    scrolled = page.evaluate("scrollY")
    clip = {
        "x": 0.0, "y": max(0.0, box["y"] + scrolled - 8), "width": 1000.0, "height": min(box["height"] + 16, 860),
    }  # fmt: skip
    path = (PICTURES if scheme == "light" else home) / f"{name}.png"
    page.screenshot(path=path, full_page=True, clip=clip)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"--- {path.stat().st_size // 1000} kB: {path}")


if __name__ == "__main__":
    main()
