"""Source notebooks of Otter Assign (v1 and later).

Raw cells begin and end blocks: `# BEGIN QUESTION`, `# BEGIN PROMPT`, `# BEGIN SOLUTION` and
`# BEGIN TESTS`, with YAML in the first of them. In an answer, comments such as `# SOLUTION` mark
the lines that students do not get; a test cell is one test case, hidden if its first line says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from grader.authoring.answers import BEGIN, END
from grader.authoring.importing.asserts import imports_of
from grader.authoring.importing.checks import Test, add_checks
from grader.authoring.importing.lesson_text import (
    INSTRUCTOR,
    Lesson,
    NotebookCell,
    SourceNotebook,
    plain_name,
)
from grader.errors import ReleaseError

_BOUNDARY = re.compile(r"#+\s*(BEGIN|END)\s+(QUESTION|PROMPT|SOLUTION|TESTS)\b.*", re.I)
_CONFIG = re.compile(
    r"\A\s*(\"\"\"|''')\s*#\s*BEGIN TEST CONFIG\s*\n(.*?)\n\s*\1;?\s*#\s*END TEST CONFIG[^\n]*\n?",
    re.S | re.I,
)
_HIDDEN = re.compile(r"\A\s*#\s*HIDDEN\s*(\n|\Z)", re.I)
_IGNORED = re.compile(r"#\s*IGNORE\s*$", re.I)
_LINE = re.compile(r"\s*#\s*(SOLUTION( NO PROMPT)?|SEED)\s*$", re.I)
_BEGINS = re.compile(r"\s*#\s*BEGIN SOLUTION( NO PROMPT)?\s*$", re.I)
_ENDS = re.compile(r"\s*#\s*END SOLUTION\s*$", re.I)
_PROMPT = re.compile(
    r"^[ \t]*(\"\"\"|''')\s*#\s*BEGIN PROMPT\s*\n(.*?)^[ \t]*\1;?\s*#\s*END PROMPT[^\n]*$",
    re.S | re.M | re.I,
)


def read_otter(notebook: SourceNotebook) -> Lesson:
    """Make a lesson of a source notebook.

    Raises:
        ReleaseError: it is none, or a block has no end.
    """
    lesson = Lesson()
    imported = imports_of(cell.source for cell in notebook.cells if cell.kind == "code")
    blocks: list[tuple[str, NotebookCell]] = []
    question = _Question()
    found = False
    for cell in notebook.cells:
        mark = _BOUNDARY.match(cell.source.strip()) if cell.kind == "raw" else None
        if cell.kind == "raw" and "ASSIGNMENT CONFIG" in cell.source.partition("\n")[0].upper():
            found = True
            _read_config(cell, lesson)
        elif mark is None:
            _add(cell, [name for name, _ in blocks], question, lesson)
        elif mark[1].upper() == "BEGIN":
            found = True
            blocks.append((mark[2].upper(), cell))
            if mark[2].upper() == "QUESTION":
                question = _Question.begun(cell, notebook, len(lesson.questions) + 1)
                lesson.questions[question.name] = {}
        else:
            if not blocks or blocks[-1][0] != mark[2].upper():
                raise ReleaseError(
                    f"`{cell.source.strip()}` ends what has not begun",
                    where=f"{notebook.path}, cell {cell.number}",
                )
            if blocks.pop()[0] == "QUESTION":
                question.finish(lesson, imported)
                question = _Question()
    if blocks:
        name, cell = blocks[-1]
        raise ReleaseError(
            f"# BEGIN {name} has no end", where=f"{notebook.path}, cell {cell.number}"
        )
    if not found:
        raise ReleaseError(
            "this is no source notebook of Otter",
            where=str(notebook.path),
            hint="it has raw cells like `# BEGIN QUESTION`; before version 1 it is another format",
        )
    return lesson


class _Question:
    """A question that is being read."""

    def __init__(self, name: str = "", config: Mapping[str, Any] | None = None) -> None:
        self.name = name
        self.config = dict(config or {})
        self.tests: list[Test] = []

    @classmethod
    def begun(cls, cell: NotebookCell, notebook: SourceNotebook, number: int) -> _Question:
        where = f"{notebook.path}, cell {cell.number}"
        config = _yaml(cell.source.partition("\n")[2], where)
        return cls(plain_name(str(config.get("name", "")), f"q{number}"), config)

    @property
    def manual(self) -> bool:
        return bool(self.config.get("manual"))

    def finish(self, lesson: Lesson, imported: Mapping[str, str]) -> None:
        """Write its checks, and what they are worth."""
        if not self.tests:
            lesson.questions.pop(self.name, None)
            return
        points = self.config.get("points")
        if isinstance(points, dict):
            each = points.get("each")
            points = each * len(self.tests) if isinstance(each, (int, float)) else None
        if isinstance(points, list):
            for test, value in zip(self.tests, points, strict=False):
                test.points = test.points if test.points is not None else value
            points = None
        for test in self.tests:
            if test.points == 0:
                test.points = None
                test.notes.append("it was worth nothing: now it shares the question's points")
        fixed = sum(test.points or 0 for test in self.tests)
        free = [test for test in self.tests if test.points is None]
        total = points if isinstance(points, (int, float)) and points > fixed else fixed + 1
        if free:
            lesson.questions[self.name] = {"points": total - fixed}
        add_checks(lesson, self.name, self.tests, imported)


def _read_config(cell: NotebookCell, lesson: Lesson) -> None:
    config = _yaml(cell.source.partition("\n")[2], f"cell {cell.number}")
    files = config.get("files")
    if files:
        names = ", ".join(map(str, files)) if isinstance(files, list) else str(files)
        told = [f"files came with it: {names}"]
        lesson.add_prose("Files of the assignment.", told, INSTRUCTOR)


def _add(cell: NotebookCell, blocks: list[str], question: _Question, lesson: Lesson) -> None:
    """Add a cell that is no boundary, as the blocks around it say."""
    inner = blocks[-1] if blocks else ""
    if not cell.source.strip():
        return
    if inner == "TESTS" and cell.kind == "code":
        question.tests.append(_test(cell))
    elif inner == "SOLUTION" and cell.kind == "markdown":
        told = [f"`{question.name}` is graded by a person: this was the answer"]
        lesson.add_prose(cell.source, told, INSTRUCTOR)
    elif inner == "SOLUTION" and cell.kind == "code":
        _answer(cell, question, lesson)
    elif cell.kind == "markdown":
        lesson.add_prose(cell.source)
    elif cell.kind == "raw":
        lesson.add_prose(cell.source, ["a raw cell: nothing reads it here"], INSTRUCTOR)
    elif _is_marked(cell.source):
        _answer(cell, question, lesson)
    else:
        lesson.add("", "\n".join(_not_ignored(cell.source)))


def _answer(cell: NotebookCell, question: _Question, lesson: Lesson) -> None:
    notes = [f"`{question.name}` is graded by a person"] if question.manual else []
    if not _is_marked(cell.source):
        lesson.add("", cell.source, [*notes, "no line of this answer is marked: students get it"])
        return
    source = "\n".join(_in_regions(_without_prompts(cell.source).split("\n")))
    lesson.add(lesson.answer(source, f"{question.name or 'cell'}_answer"), source, notes)


def _is_marked(source: str) -> bool:
    return any(_LINE.search(line) or _BEGINS.match(line) for line in source.split("\n"))


def _without_prompts(source: str) -> str:
    """What students see instead becomes a comment."""

    def commented(found: re.Match[str]) -> str:
        lines = found[2].rstrip("\n").split("\n")
        return "\n".join(
            re.sub(r"^(\s*)(?!#)(\S.*)$", r"\1# \2", line) for line in lines if line.strip()
        )

    return _PROMPT.sub(commented, source)


def _in_regions(lines: list[str]) -> Iterator[str]:
    """Put marked lines between nbgrader's markers, those next to each other into one region."""
    inside = False
    regions: list[tuple[bool, str]] = []
    for line in lines:
        if _BEGINS.match(line):
            inside = True
        elif _ENDS.match(line):
            inside = False
        else:
            regions.append((inside or bool(_LINE.search(line)), _LINE.sub("", line)))
    indent = ""
    within = False
    for number, (marked, line) in enumerate(regions):
        if marked and not within:
            indent = line[: len(line) - len(line.lstrip())]
            yield indent + BEGIN
        if within and not marked:
            yield indent + END
        within = marked
        yield line
        if marked and number == len(regions) - 1:
            yield indent + END


def _test(cell: NotebookCell) -> Test:
    """A test cell: its config, whether it is hidden, and its code."""
    source, config = cell.source, {}
    found = _CONFIG.match(source)
    if found:
        config = _yaml(found[2], f"cell {cell.number}")
        source = source[found.end() :]
    hidden = _HIDDEN.match(source)
    if hidden:
        source = source[hidden.end() :]
    points = config.get("points")
    return Test(
        source="\n".join(_not_ignored(source)),
        hidden=bool(hidden or config.get("hidden")),
        points=float(points) if isinstance(points, (int, float)) else None,
        hint=str(config.get("failure_message") or ""),
        printed=cell.printed,
    )


def _not_ignored(source: str) -> list[str]:
    return [line for line in source.split("\n") if not _IGNORED.search(line)]


def _yaml(text: str, where: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ReleaseError(
            f"its config is not YAML: {str(error).splitlines()[0]}", where=where
        ) from None
    return found if isinstance(found, dict) else {}
