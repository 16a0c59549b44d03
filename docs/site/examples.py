"""Colours for the examples of docstrings: indented code is Python there."""

from __future__ import annotations

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"(?<=\n\n)((?: {4}.*\n|\n)+)(?=\S|\Z)")
"""Indented lines after an empty one: what stands right below `Args:` is no code."""


class Examples(griffe.Extension):
    """Fences the examples of docstrings."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Fence those of one object."""
        if obj.docstring is not None:
            obj.docstring.value = EXAMPLE.sub(_fenced, f"{obj.docstring.value}\n").rstrip("\n")


def _fenced(found: re.Match[str]) -> str:
    lines = (line.removeprefix("    ") for line in found[1].strip("\n").splitlines())
    return "\n".join(["```python", *lines, "```\n\n"])
