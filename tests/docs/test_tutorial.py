"""The tutorial stays as short as it says; tests/docs/test_guides.py runs it."""

from __future__ import annotations

import pytest
from guides import blocks

PAGE = "docs/tutorial.md"
MOST_COMMANDS, MOST_LINES = 5, 50


def commands() -> list[str]:
    lines = [line for one in blocks(PAGE) if one.is_commands for line in one.text.splitlines()]
    return [line for line in lines if not line.startswith("cd ")]


def test_five_commands_are_typed() -> None:
    assert len(commands()) == MOST_COMMANDS
    assert commands()[-1].startswith("grader check ")


@pytest.mark.parametrize("written", ["lessons/01_rain.py"])
def test_the_author_writes_one_file_of_few_lines(written: str) -> None:
    files = {block.said["file"]: block.text for block in blocks(PAGE) if "file" in block.said}
    authored = {name: text for name, text in files.items() if not name.startswith("submissions/")}
    assert list(authored) == [written]
    assert 30 < len(authored[written].splitlines()) < MOST_LINES
