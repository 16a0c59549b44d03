"""What is missing in a model costs the points that it is about, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.authoring.cases import in_place_of, material
from grader.config.course import load_course
from grader.judging.engine import Engine
from grader.model import Status
from tests.handed_in import job

TYING = "self.lm_head.weight = self.embedding.token_embedding.embedding.weight"
UNTIED = "nn.init.normal_(self.lm_head.weight, mean=0.0, std=0.02)"

GAPS = {
    "tying": (TYING, "raise NotImplementedError", {"test_tying"}),
    "tying under another name": (TYING, "self.head.weight = self.table", {"test_tying"}),
    "untied": (UNTIED, "raise NotImplementedError", {"test_tying"}),
}


@pytest.mark.slow
def test_one_gap_costs_its_own_check(tmp_path: Path) -> None:
    course = load_course(Path(__file__).parents[2])
    lesson = material(course, "full_model")
    answer = lesson.answers["TinyTransformerLM"]
    with Engine(course, assignments=["full_model"]) as engine:
        jobs = []
        for name, (old, new, _) in GAPS.items():
            assert answer.count(old) == 1
            cells = in_place_of(lesson, {"TinyTransformerLM": answer.replace(old, new)})
            text = "\n\n".join(cell.source for cell in cells)
            jobs.append(job(engine, "full_model", tmp_path / f"{name}.py", text))
        runs = {run.submission.student: run for run in engine.run(jobs, 2)}
    for name, (_, _, lost) in GAPS.items():
        failed = {one.check for one in runs[name].outcomes if one.status is not Status.PASSED}
        assert failed == lost, name
