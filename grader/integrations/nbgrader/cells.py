"""A stranger's notebook, rebuilt around the cells that the gradebook knows.

Of the student's file only cells' kinds, texts and harmless outputs are taken. Everything that
nbgrader decides by (ids, points, locks, the text of locked cells) comes from the gradebook.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from grader.integrations.nbgrader.outputs import OutputBudget, clean_outputs
from grader.integrations.nbgrader.pictures import pasted
from grader.integrations.nbgrader.prose import Allowance, harmless_prose, markdown_cell
from grader.model import Value
from grader.text import code_block

MAX_CELLS = 2_000
SCHEMA_VERSION = 3

Cell = dict[str, Any]


class Allowed:
    """How much a notebook may bring along."""

    def __init__(self) -> None:
        self.outputs = OutputBudget()
        self.prose = Allowance()


class Known(Value, frozen=True):
    """A cell as the gradebook knows it. `points` is None for a cell that is not graded."""

    name: str
    kind: str
    source: str
    checksum: str | None
    locked: bool
    solution: bool
    task: bool = False
    points: float | None = None

    @property
    def graded(self) -> bool:
        """Whether it is a question's cell, or an answer that a person grades."""
        return self.points is not None and not self.task


class Source(Value, frozen=True):
    """A notebook as the gradebook knows it, its cells in the order of the questions."""

    cells: tuple[Known, ...]
    kernelspec: dict[str, Any] | None = None

    def sorted(self, order: Sequence[str]) -> Source:
        """Return it with the cells of these names first."""
        place = {name: number for number, name in enumerate(order)}
        ordered = sorted(self.cells, key=lambda cell: (place.get(cell.name, len(place)), cell.name))
        return Source(tuple(ordered), self.kernelspec)


def known_cells(notebook: Any) -> Source:
    """Read a notebook's cells off an `nbgrader.api.Notebook`."""
    graded = {cell.name: cell.max_score for cell in notebook.grade_cells}
    tasks = {cell.name: cell.max_score for cell in notebook.task_cells}
    solutions = {cell.name for cell in notebook.solution_cells}
    cells = tuple(
        Known(
            name=cell.name,
            kind=cell.cell_type,
            source=cell.source or "",
            checksum=cell.checksum,
            locked=bool(cell.locked),
            solution=cell.name in solutions,
            task=cell.name in tasks,
            points=graded.get(cell.name, tasks.get(cell.name)),
        )
        for cell in notebook.source_cells
    )
    kernelspec = json.loads(notebook.kernelspec) if notebook.kernelspec else None
    return Source(cells, kernelspec)


def rebuild(content: object, source: Source) -> tuple[Cell, list[str]]:
    """Make a valid notebook of what a student handed in.

    Args:
        content: the notebook's JSON, in format 4; anything else has no cells.
        source: what the gradebook knows.

    Returns:
        The notebook, and in plain words what had to be repaired.
    """
    by_name = {cell.name: cell for cell in source.cells}
    cells: list[Cell] = []
    found: set[str] = set()
    repairs: list[str] = []
    allowed = Allowed()
    for raw in _cell_list(content):
        known = by_name.get(name) if (name := _claimed(raw)) else None
        if known is not None and known.name in found:
            repairs.append(f"the cell `{known.name}` occurs more than once: the first one counts")
            known = None
        elif known is None and name is not None:
            repairs.append("a cell claims a name that this assignment does not have")
        if known is None:
            cell, changes = _free_cell(raw, allowed)
        else:
            found.add(known.name)
            cell, changes = _bound_cell(raw, known, allowed)
        cells.append(cell)
        repairs += changes
    repairs += _put_back(cells, [cell for cell in source.cells if cell.name not in found], source)
    if not found:
        repairs = ["none of its cells are this assignment's: the questions are put back"]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    metadata: dict[str, Any] = {"language_info": {"name": "python"}}
    if source.kernelspec is not None:
        metadata["kernelspec"] = source.kernelspec
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, repairs


# ---------------------------------------------------------------- one cell


def _cell_list(content: object) -> Iterable[Mapping[str, Any]]:
    cells = content.get("cells") if isinstance(content, Mapping) else None
    if not isinstance(cells, list):
        return []
    return [cell for cell in cells[:MAX_CELLS] if isinstance(cell, Mapping)]


def _claimed(raw: Mapping[str, Any]) -> str | None:
    """The grade_id that a cell says it has."""
    metadata = raw.get("metadata")
    ours = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    name = ours.get("grade_id") if isinstance(ours, Mapping) else None
    return name if isinstance(name, str) and name else None


def _text(raw: Mapping[str, Any]) -> str:
    source = raw.get("source")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        return ""
    return source.encode("utf-8", "replace").decode()  # lone surrogates can't be written to disk


def _free_cell(raw: Mapping[str, Any], allowed: Allowed) -> tuple[Cell, list[str]]:
    """A cell that is the student's own. A raw one would go into feedback as it is: it is quoted."""
    text = _text(raw)
    if raw.get("cell_type") == "code":
        return _code_cell(text, clean_outputs(raw.get("outputs"), allowed.outputs)), []
    if raw.get("cell_type") == "markdown":
        return harmless_prose(text, raw.get("attachments"), allowed.prose)
    return markdown_cell(code_block(text)), []


def _code_cell(source: str, outputs: list[dict[str, Any]]) -> Cell:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": outputs,
        "source": source,
    }


def _bound_cell(raw: Mapping[str, Any], known: Known, allowed: Allowed) -> tuple[Cell, list[str]]:
    changes = []
    text = _text(raw)
    if raw.get("cell_type") != known.kind:
        changes.append(f"the cell `{known.name}` had become another type, and is `{known.kind}`")
    if known.locked and text != known.source:
        changes.append(f"the locked cell `{known.name}` had been changed, and is as released")
        text = known.source
    if known.kind == "code":
        # what a question's cell printed in the student's notebook gives way to our feedback
        printed = None if known.graded and not known.solution else raw.get("outputs")
        cell = _code_cell(text, clean_outputs(printed, allowed.outputs))
    elif text == known.source:
        cell = _released_prose(text, raw.get("attachments"))
    else:  # an answer in words
        cell, more = harmless_prose(text, raw.get("attachments"), allowed.prose)
        changes += more
    return _as_known(cell, known), changes


def _released_prose(text: str, attachments: object) -> Cell:
    """A cell of the course's own words; pictures in it come along with the student's file."""
    cell = markdown_cell(text)
    if pictures := pasted(attachments):
        cell["attachments"] = {name: {one.kind: one.content} for name, one in pictures.items()}
    return cell


def _as_known(cell: Cell, known: Known) -> Cell:
    metadata: dict[str, Any] = {
        "cell_type": known.kind,
        "grade": known.graded,
        "grade_id": known.name,
        "locked": known.locked,
        "schema_version": SCHEMA_VERSION,
        "solution": known.solution,
        "task": known.task,
    }
    if known.checksum:
        metadata["checksum"] = known.checksum
    if known.points is not None:
        metadata["points"] = known.points
    cell["metadata"] = {"nbgrader": metadata}
    return cell


def _put_back(cells: list[Cell], missing: Iterable[Known], source: Source) -> list[str]:
    """Insert graded cells that are missing after the one that comes before it in the source.

    A missing answer is not invented. A written one may stand in a cell that has lost its name: put
    back without its checksum it is not taken for untouched, which is worth nothing, and waits for a
    person.
    """
    order = [cell.name for cell in source.cells if cell.points is not None]
    repairs = []
    for known in missing:
        if known.points is None:
            repairs.append(f"the cell `{known.name}` is missing")
            continue
        before = order[: order.index(known.name)]
        places = [
            place
            for place, cell in enumerate(cells)
            if cell["metadata"].get("nbgrader", {}).get("grade_id") in before
        ]
        text = known.source
        made = _as_known(
            _code_cell(text, []) if known.kind == "code" else markdown_cell(text), known
        )
        if known.solution:
            made["metadata"]["nbgrader"].pop("checksum", None)
        cells.insert(max(places, default=len(cells) - 1) + 1, made)
        repairs.append(f"the cell `{known.name}` was missing, and is put back")
    return repairs
