"""Wrong answers beside code that patches what a check has torch do over there.

The worker draws, copies and steps as its torch does, and its torch is the submission's to patch.
Points that a patch would save are points that nobody checked.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import msgspec
import pytest
from toy import Silent

from grader.authoring.cases import Kind, Planned, plan_cases
from grader.authoring.verify import Case, Verdict, try_cases
from grader.config.course import load_course
from grader.model import Cell

COURSE = load_course(Path(__file__).parents[2])

PATCHES = {
    "tiny numbers": """
        import torch
        draw, copy, scale = torch.Tensor.normal_, torch.Tensor.copy_, torch.Tensor.mul_
        torch.Tensor.normal_ = lambda self, *a, **k: scale(draw(self, *a, **k), 1e-6)
        torch.Tensor.copy_ = lambda self, *a, **k: scale(copy(self, *a, **k), 1e-6)
        torch.nn.init.normal_ = lambda tensor, *a, **k: tensor.data.normal_()
        """,
    "no training": """
        import torch
        torch.Tensor.backward = lambda self, *a, **k: None
        torch.optim.Optimizer.step = lambda self, *a, **k: None
        """,
}

SAVED = [
    ("embeddings", "no_scale", "tiny numbers", "test_differences_of_tokens"),
    ("embeddings", "scale_fixed", "tiny numbers", "test_differences_of_tokens"),
    ("embeddings", "dropout_twice", "tiny numbers", "test_elements_of_the_sum"),
    ("embeddings", "learned_scaled", "tiny numbers", "test_rows_are_added"),
    ("embeddings", "trained_waves", "no training", "test_fixed_in_training"),
    ("full_model", "no_final_norm", "tiny numbers", "test_parts_in_order"),
    ("full_model", "logits_scaled", "tiny numbers", "test_parts_in_order"),
    ("full_model", "head_bias", "tiny numbers", "test_head_is_linear"),
    ("full_model", "blocks_side_by_side", "tiny numbers", "test_stages"),
    ("full_model", "states_overwritten", "tiny numbers", "test_first_state"),
]
"""Mutants that a patch once saved from failing a check: (assignment, mutant, patch, check)."""

pytestmark = pytest.mark.slow


def patched(case: Planned, patch: str) -> Planned:
    cell = Cell(number=len(case.cells) + 1, source=dedent(PATCHES[patch]))
    return msgspec.structs.replace(case, name=f"{case.name}, {patch}", cells=(*case.cells, cell))


@pytest.fixture(scope="module")
def cases() -> dict[tuple[str, str], Case]:
    mutants = {
        (case.assignment, case.name): case
        for case in plan_cases(COURSE, sorted({assignment for assignment, *_ in SAVED}))
        if case.kind is Kind.MUTANT and not case.origin
    }
    planned = [patched(mutants[assignment, name], patch) for assignment, name, patch, _ in SAVED]
    gates = try_cases(COURSE, planned, watcher=Silent()).gates
    return {(gate.assignment, case.name): case for gate in gates for case in gate.cases}


@pytest.mark.parametrize(("assignment", "mutant", "patch", "check"), SAVED)
def test_what_is_wrong_fails_all_the_same(
    cases: dict[tuple[str, str], Case], assignment: str, mutant: str, patch: str, check: str
) -> None:
    case = cases[assignment, f"{mutant}, {patch}"]
    assert case.verdict is not Verdict.UNGRADED
    assert check in case.failed_checks
