"""Brings a student's earlier notebook into a later one."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

KEPT = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def load_assignment(assignment: str, folder: Path | None = None) -> SimpleNamespace:
    """Return the names that the notebook of an earlier assignment defines.

    Args:
        assignment: for example `"embeddings"`.
        folder: where the notebook is; the working directory if not given.

    Names that the notebook lacks, or all of them where it can't be used, come from `course.parts`.
    """
    from course import parts

    names: dict[str, Any] = {name: getattr(parts, name) for name in parts.__all__}
    if "FullModel" in names:  # where the notebook ties, a grading has the model that does not
        names.setdefault("TinyTransformerLM", parts.FullModel)
    if "GRADER_GRADING" in os.environ:  # only this notebook is graded
        return SimpleNamespace(**names)
    path = _find(assignment, folder or Path.cwd())
    if path is None:
        print(f"No notebook for {assignment!r} here: the parts of the course stand in.")
        return SimpleNamespace(**names)
    try:
        own = _definitions(path)
    except Exception as error:
        print(f"{path.name} can't be used: {type(error).__name__}: {error}")
        print("The parts of the course stand in.")
        return SimpleNamespace(**names)
    print(f"Loaded {path.name}.")
    asked = parts.ASKED.get(assignment)
    if asked is not None and asked not in own:
        print(f"{asked} is not in it, or unfinished: the course's own stands in.")
    return SimpleNamespace(**{**names, **own})


def _find(assignment: str, folder: Path) -> Path | None:
    found = sorted(folder.glob(f"*{assignment}*.ipynb"))
    return found[0] if found else None


def _definitions(path: Path) -> dict[str, Any]:
    """Run a notebook's imports, definitions and constants; not its demos."""
    namespace: dict[str, Any] = {"__name__": path.stem}
    for source in _code_cells(path):
        try:
            tree = ast.parse(source)
        except SyntaxError:  # a magic, or an unfinished cell
            continue
        tree.body = [node for node in tree.body if _is_kept(node)]
        exec(compile(tree, str(path), "exec"), namespace)
    return {name: value for name, value in namespace.items() if not name.startswith("_")}


def _is_kept(node: ast.stmt) -> bool:
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, KEPT) and not _is_unfinished(node)


def _is_unfinished(node: ast.stmt) -> bool:
    """Whether a stub's `raise NotImplementedError()` is still in it."""
    return any(
        isinstance(part, ast.Raise)
        and part.exc is not None
        and "NotImplementedError" in ast.unparse(part.exc)
        for part in ast.walk(node)
    )


def _code_cells(path: Path) -> Iterator[str]:
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            source = cell["source"]
            yield source if isinstance(source, str) else "".join(source)
