"""What a person sees in a page of nbgrader's, and what a page of theirs must not do."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

ADDRESSES = "found => found.map(one => one.href || one.src)"
PICTURES = "found => found.map(one => one.naturalWidth)"
BOXES = "found => found.map(box => [box.id, box.placeholder])"
FILLED = "[...document.querySelectorAll('input.score')].every(box => box.placeholder !== '')"
HOSTILE_PROSE = (
    '# My work <img src="x" onerror="document.title=\'owned\'">'
    "<script>document.title='owned'</script>\n\n"
    "# scale\n\n"  # the name of a question
    "[a](java&#115;cript:document.title='owned') [b][r] <javascript&colon;document.title='owned'>\n\n"
    "![c](attachment:page.html) $\\href{javascript:document.title='owned'}{x}$\n\n"
    "[r]: javascript&colon;document.title='owned'\n"
)
HOSTILE_ATTACHMENT = {"page.html": {"text/html": base64.b64encode(b"<script>").decode()}}
SIZE = 48


def sketch() -> dict[str, Any]:
    """A cell into which somebody has pasted a picture, and written a formula."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    pixels = zlib.compress((b"\0" + b"\x20\x80\xff" * SIZE) * SIZE)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels)
    picture = base64.b64encode(content + chunk(b"IEND", b"")).decode()
    text = "My sketch of $\\frac{d}{2}$ pairs, drawn for $5:\n\n![sketch](attachment:image.png)"
    return {
        "cell_type": "markdown", "id": "sketch", "metadata": {}, "source": text,
        "attachments": {"image.png": {"image/png": picture}},
    }  # fmt: skip


def nothing_of_theirs_runs(page: Any) -> None:
    """Whatever a student wrote: no script, no handler, and no link or picture that is one."""
    assert "owned" not in page.title()
    assert page.locator("[onerror]").count() == 0
    assert not [text for text in page.locator("script").all_text_contents() if "owned" in text]
    addresses = page.locator("a[href], img[src]").evaluate_all(ADDRESSES)
    allowed = ("http:", "https:", "file:", "about:", "blob:", "data:image/png;base64,")
    assert not [one for one in addresses if not one.startswith(allowed)]


def formulas_are_formulas(page: Any) -> None:
    """The lesson's are there as MathML, drawn, and none as TeX; without a script or a network."""
    formulas = page.locator("math")
    assert formulas.count() > 5
    assert formulas.first.bounding_box()["height"] > 5
    text = page.inner_text("body")
    assert "\\frac" not in text
    assert "\\text" not in text


def the_sketch_is_there(page: Any) -> None:
    picture = page.locator("img[alt=sketch]")
    picture.scroll_into_view_if_needed()
    assert picture.evaluate_all(PICTURES) == [SIZE]
    assert "drawn for $5" in page.inner_text("body")


def points_in_the_boxes(page: Any) -> dict[str, float]:
    """What the boxes for scores show of what autograde gave."""
    page.wait_for_function(FILLED)
    page.wait_for_function("!jQuery('html, body').is(':animated')")  # it scrolls to its first input
    return {name: float(points) for name, points in page.locator("input.score").evaluate_all(BOXES)}


def questions(notebook: dict[str, Any]) -> dict[str, float]:
    """The points of each question of a notebook."""
    cells = [cell["metadata"].get("nbgrader", {}) for cell in notebook["cells"]]
    return {cell["grade_id"]: float(cell["points"]) for cell in cells if cell.get("grade")}


def asked_outside(page: Any, here: str) -> list[str]:
    """What a page asks others than this server for, from now on."""
    asked: list[str] = []
    inside = (here, "data:", "blob:")
    page.on("request", lambda one: None if one.url.startswith(inside) else asked.append(one.url))
    return asked
