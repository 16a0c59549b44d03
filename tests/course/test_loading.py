"""`load` brings a student's earlier notebook in, whatever state it is in."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy import notebook, write

from course import parts
from course.loading import load_assignment

STUB = "class TransformerBlock:\n    def forward(self, x):\n        raise NotImplementedError()"
OWN = "class TransformerEmbedding:\n    mine = True"


def test_own_work_is_loaded_and_demos_are_not_run(tmp_path: Path) -> None:
    cells = ["import math\nWIDTH = 3", OWN, "raise SystemExit('a demo ran')", "%time broken("]
    write(tmp_path / "01_embeddings.ipynb", notebook(*cells))
    names = load_assignment("embeddings", tmp_path)
    assert names.TransformerEmbedding.mine
    assert names.WIDTH == 3


def test_what_is_unfinished_comes_from_the_course(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "02_blocks.ipynb", notebook(OWN, STUB))
    names = load_assignment("blocks", tmp_path)
    assert names.TransformerEmbedding.mine
    assert names.TransformerBlock is parts.TransformerBlock
    assert "TransformerBlock" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content", [None, "not json", '{"cells": 3}', notebook("class A(Missing): pass")]
)
def test_a_notebook_that_can_not_be_used_is_told_and_replaced(
    tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        write(tmp_path / "embeddings.ipynb", content)
    names = load_assignment("embeddings", tmp_path)
    assert names.TransformerEmbedding is parts.TransformerEmbedding
    assert "stand in" in capsys.readouterr().out


def test_only_the_notebook_itself_is_graded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "embeddings.ipynb", notebook(OWN))
    monkeypatch.setenv("GRADER_GRADING", "1")
    assert (
        load_assignment("embeddings", tmp_path).TransformerEmbedding is parts.TransformerEmbedding
    )
