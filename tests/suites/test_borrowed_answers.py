"""The parts that come with the course earn nothing where they are asked for."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from grader.config.course import load_course
from grader.judging.engine import Engine
from grader.model import Job, Run, Status, Submission

BORROWED = {
    "embeddings": "from course.parts import TransformerEmbedding",
    "blocks": "from course import parts\nclass TransformerBlock(parts.TransformerBlock): pass",
    "full_model": "from course.parts import *\nfrom course.parts import TinyTransformerLM",
    "weight_tying": "from course import load\n"
    "TinyTransformerLM = load('full_model').TinyTransformerLM",
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Each of them, graded."""
    course = load_course(Path(__file__).parents[2])
    folder = tmp_path_factory.mktemp("borrowed")
    with Engine(course, assignments=list(BORROWED)) as engine:
        jobs = []
        for name, source in BORROWED.items():
            path = folder / f"{name}.py"
            path.write_text(source)
            submission = Submission(
                student="borrower",
                assignment=name,
                path=str(path),
                name=path.name,
                digest=hashlib.sha256(path.read_bytes()).hexdigest(),
            )
            suite = engine.suites[name]
            jobs.append(
                Job(submission=submission, suite=suite, device="cpu", seed=0, limits=course.limits)
            )
        return {run.submission.assignment: run for run in engine.run(jobs, 2)}


@pytest.mark.slow
@pytest.mark.parametrize("assignment", ["embeddings", "blocks", "full_model"])
def test_the_part_is_not_there_and_the_cell_says_why(runs: dict[str, Run], assignment: str) -> None:
    run = runs[assignment]
    assert [o.check for o in run.outcomes if o.status is Status.PASSED] == []
    assert "is yours to write here" in run.cell_errors[0].message


@pytest.mark.slow
def test_the_model_to_build_on_does_not_tie(runs: dict[str, Run]) -> None:
    outcomes = {outcome.check: outcome.status for outcome in runs["weight_tying"].outcomes}
    for check in ("test_table_drives_logits", "test_count", "test_breakdown", "test_both_paths"):
        assert outcomes[check] is not Status.PASSED
