"""What a browser would do with a page, read off it without one."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

ADDRESSES = ("href", "src", "xlink:href", "action", "formaction", "data", "srcset", "background")
ACTIVE = ("script", "style", "iframe", "object", "embed", "svg", "form", "base", "link", "meta")
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"picture").decode()


class Page(HTMLParser):
    """A page's dangers, addresses, tags and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.dangers: list[str] = []
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag in ACTIVE:
            self.dangers.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on"):
                self.dangers.append(name)
            if name in ADDRESSES:
                self._address(tag, name, value or "")
            if name == "style" and re.search(r"position|url\(|expression", value or ""):
                self.dangers.append(f"style={value}")

    def _address(self, tag: str, name: str, value: str) -> None:
        seen = re.sub(r"[\t\r\n]", "", value).lstrip("".join(map(chr, range(33)))).lower()
        scheme = re.match(r"([a-z][a-z0-9+.-]*):", seen)
        picture = tag == "img" and re.match(r"data:image/(png|jpeg|gif|webp);base64,", seen)
        if scheme and scheme[1] not in ("http", "https", "mailto") and not picture:
            self.dangers.append(f"{tag} {name}={value[:40]}")
        (self.pictures if picture else self.links).append(value)

    def handle_comment(self, data: str) -> None:
        self.dangers.append("comment")

    def handle_data(self, data: str) -> None:
        self.text += data
        if re.search(r"\\href\s*\{\s*(java|vb)script|\\href\s*\{\s*data:", data):
            self.dangers.append("\\href")
