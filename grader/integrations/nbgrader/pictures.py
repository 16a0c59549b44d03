"""What a stranger calls a picture: it is one when its bytes begin as pictures of that kind do.

SVG is a document that can hold scripts, and counts as none.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from urllib.parse import unquote

from grader.model import Value

MAX_PICTURE_CHARS = 8 << 20
"""Of one picture, in base64."""
MAX_PASTED = 50
ATTACHMENT = "attachment:"

Attachments = Mapping[str, Mapping[str, str]]

_DATA = re.compile(r"data:image/[a-z]{1,9};base64,([A-Za-z0-9+/]{1,}={0,2})")
_IN_PROSE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]{40,}={0,2}")


class Picture(Value, frozen=True):
    """A picture's media type, and its bytes in base64 as we write it."""

    kind: str
    content: str

    @property
    def url(self) -> str:
        """What holds all of it, for a page."""
        return f"data:{self.kind};base64,{self.content}"


def picture(value: object) -> Picture | None:
    """Read base64, as one text or in lines; None if it is no picture that a page may show."""
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    if not isinstance(value, str) or len(value) > MAX_PICTURE_CHARS:
        return None
    try:
        content = base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    kind = _kind(content)
    return Picture(kind, base64.b64encode(content).decode()) if kind else None


def from_url(url: str) -> Picture | None:
    """Read a picture out of a `data:` address."""
    match = _DATA.fullmatch(url.strip()) if len(url) <= MAX_PICTURE_CHARS else None
    return picture(match[1]) if match else None


def attached(attachments: Attachments, url: str) -> Picture | None:
    """Find what an address like `attachment:image.png` means among a cell's attachments."""
    name = url.removeprefix(ATTACHMENT)
    for known in (name, unquote(name)):
        data = attachments.get(known)
        if isinstance(data, Mapping):
            return next((found for one in data.values() if (found := picture(one))), None)
    return None


def pasted(attachments: object) -> dict[str, Picture]:
    """Return the pictures among what a cell brings along, by name."""
    if not isinstance(attachments, Mapping):
        return {}
    found = {}
    for name, data in list(attachments.items())[:MAX_PASTED]:
        if isinstance(name, str) and isinstance(data, Mapping):
            pictures = (picture(value) for value in list(data.values())[:MAX_PASTED])
            if one := next(filter(None, pictures), None):
                found[name] = one
    return found


def taken_out(prose: str) -> tuple[str, dict[str, Picture]]:
    """Take pictures out of Markdown that holds them in full, as Colab writes it.

    Returns:
        The Markdown, which now refers to attachments, and these.
    """
    found: dict[str, Picture] = {}

    def reference(match: re.Match[str]) -> str:
        one = from_url(match[0]) if len(found) < MAX_PASTED else None
        if one is None:
            return match[0]
        name = f"in-text-{len(found) + 1}.{one.kind.removeprefix('image/')}"
        found[name] = one
        return f"{ATTACHMENT}{name}"

    return _IN_PROSE.sub(reference, prose), found


def _kind(content: bytes) -> str:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    return ""
