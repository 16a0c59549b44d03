"""A network without biases loses what is asked of biases; its activation is judged all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.authoring.cases import in_place_of, material
from grader.config.course import load_course
from grader.judging.engine import Engine
from grader.model import Status
from tests.handed_in import job

COUNT = "test_parameter_count"
EXACT = "F.gelu(self.widen(x))"

ACTIVATIONS = {
    "as after a norm of another spread": ("F.gelu(0.98 * self.widen(x))", {COUNT}),
    "by tanh": ('F.gelu(self.widen(x), approximate="tanh")', {COUNT, "test_activation_values"}),
}


@pytest.mark.slow
def test_activation_is_judged_without_biases(tmp_path: Path) -> None:
    course = load_course(Path(__file__).parents[2])
    lesson = material(course, "blocks")
    answer = lesson.answers["FeedForward"]
    assert answer.count("bias=bias") == 2
    assert answer.count(EXACT) == 1
    with Engine(course, assignments=["blocks"]) as engine:
        jobs = []
        for name, (activation, _) in ACTIVATIONS.items():
            network = answer.replace("bias=bias", "bias=False").replace(EXACT, activation)
            cells = in_place_of(lesson, {"FeedForward": network})
            text = "\n\n".join(cell.source for cell in cells)
            jobs.append(job(engine, "blocks", tmp_path / f"{name}.py", text))
        runs = {run.submission.student: run for run in engine.run(jobs, 2)}
    for name, (_, lost) in ACTIVATIONS.items():
        failed = {one.check for one in runs[name].outcomes if one.status is not Status.PASSED}
        assert failed == lost, name
