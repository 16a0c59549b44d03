"""The cookbook as a course: each recipe is a lesson, with the files that stand beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from guides import ROOT, Block, blocks

PAGE = "docs/cookbook.md"


class Recipe(NamedTuple):
    """A section of the cookbook that holds cells.

    Attributes:
        id: its heading, as the id of an assignment.
        section: all of its text.
        lesson: all of its cells.
        files: what lies in the course's folder beside, by path.
    """

    id: str
    section: str
    lesson: str
    files: dict[str, str]


def recipes() -> Iterator[Recipe]:
    """Every recipe of the page, in its order."""
    lines = (ROOT / PAGE).read_text(encoding="utf-8").splitlines()
    heads = [number for number, line in enumerate(lines, 1) if line.startswith("## ")]
    found = blocks(PAGE)
    for first, last in zip(heads, [*heads[1:], len(lines) + 1], strict=True):
        inside = [block for block in found if first < block.line < last]
        cells = [block.text for block in inside if _is_lesson(block)]
        files = {block.said["file"]: block.text for block in inside if "file" in block.said}
        if cells:
            section = "\n".join(lines[first - 1 : last - 1])
            yield Recipe(_id(lines[first - 1]), section, "\n\n".join(cells), files)


def write_cookbook(root: Path) -> Path:
    """Write the course of all recipes."""
    (root / "lessons").mkdir(parents=True)
    for number, recipe in enumerate(recipes(), 1):
        lesson = root / f"lessons/{number:02}_{recipe.id}.py"
        lesson.write_text(recipe.lesson, encoding="utf-8")
        for name, text in recipe.files.items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
    return root


def _is_lesson(block: Block) -> bool:
    return block.language == "python" and "file" not in block.said


def _id(heading: str) -> str:
    return re.sub(r"\W+", "_", heading.lower()).strip("_")
