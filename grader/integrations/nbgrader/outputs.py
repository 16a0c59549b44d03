"""Outputs that a student's notebook came with: text and pictures stay, everything active goes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from grader.integrations.nbgrader.pictures import picture
from grader.text import printable, shortened

MAX_TEXT_CHARS = 10_000
MAX_OUTPUTS = 50
MAX_NOTEBOOK_BYTES = 4 << 20
PICTURES = ("image/png", "image/jpeg")
"""Of what nbconvert's pages show."""
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

Output = dict[str, Any]


@dataclass
class OutputBudget:
    """How many bytes of outputs a notebook may still bring along."""

    left: int = MAX_NOTEBOOK_BYTES

    def allows(self, size: int) -> bool:
        """Take so many bytes, if there are as many left."""
        if size > self.left:
            return False
        self.left -= size
        return True


def clean_outputs(outputs: object, budget: OutputBudget) -> list[Output]:
    """Return what may be shown of a cell's outputs: plain text, errors, PNG and JPEG."""
    if not isinstance(outputs, list):
        return []
    found: list[Output] = []
    for raw in outputs[:MAX_OUTPUTS]:
        if isinstance(raw, Mapping):
            found += [made for made in _one(raw) if budget.allows(_size(made))]
    return found


def _one(raw: Mapping[str, Any]) -> Iterator[Output]:
    kind = raw.get("output_type")
    if kind == "stream":
        name = "stderr" if raw.get("name") == "stderr" else "stdout"
        yield {"output_type": "stream", "name": name, "text": _text(raw.get("text"))}
    elif kind == "error":
        traceback = raw.get("traceback")
        lines = traceback if isinstance(traceback, list) else []
        yield {
            "output_type": "error",
            "ename": _text(raw.get("ename")),
            "evalue": _text(raw.get("evalue")),
            "traceback": [_text("\n".join(line for line in lines if isinstance(line, str)))],
        }
    elif kind in ("display_data", "execute_result"):
        data = raw.get("data")
        shown = _data(data) if isinstance(data, Mapping) else {}
        if shown:
            yield {"output_type": "display_data", "data": shown, "metadata": {}}


def _data(data: Mapping[str, Any]) -> dict[str, str]:
    found = [picture(data.get(kind)) for kind in PICTURES]
    shown = {one.kind: one.content for one in found if one and one.kind in PICTURES}
    if text := _text(data.get("text/plain")):
        shown["text/plain"] = text
    return shown


def _text(value: object) -> str:
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    if not isinstance(value, str):
        return ""
    return printable(shortened(_COLOURS.sub("", value), MAX_TEXT_CHARS))


def _size(output: Output) -> int:
    texts = [*output.get("data", {}).values(), *output.get("traceback", [])]
    texts += [output.get(key, "") for key in ("text", "ename", "evalue")]
    return sum(len(text) for text in texts)
