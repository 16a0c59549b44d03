"""Folders of a class, and what is found in them."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.config.course import Course, load_course
from grader.intake.discovery import Discovery

TABLE = """
[tool.grader]
id = "transformer"
title = "Build a Transformer"
assignments = [
    {id = "embeddings", title = "Embeddings", aliases = ["hw1"]},
    {id = "blocks", title = "Transformer blocks", aliases = ["hw2"]},
    {id = "full_model", title = "The full model"},
    {id = "weight_tying", title = "Weight tying"},
]
"""


def _load(table: str) -> Course:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pyproject.toml").write_text(table, encoding="utf-8")
        return load_course(Path(folder))


COURSE = _load(TABLE)


def notebook(assignment: str | None = None, source: str = "x = 1") -> bytes:
    metadata = {"grader": {"assignment": assignment}} if assignment else {}
    cells = [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []}]
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4}).encode()


def fill(root: Path, files: Files) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    root.mkdir(exist_ok=True)
    return root


def zipped(path: Path, files: Files) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return path


def pairs(found: Discovery) -> list[tuple[str, str, str]]:
    return [(one.student, one.assignment, one.name) for one in found.submissions]


def kinds(found: Discovery) -> list[tuple[str, str | None, str | None]]:
    return [(problem.kind, problem.student, problem.assignment) for problem in found.problems]


NB = notebook()


posix = pytest.mark.skipif(os.name != "posix", reason="POSIX file types")


Files = Mapping[str, bytes]
