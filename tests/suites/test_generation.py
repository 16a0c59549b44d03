"""Texts that come from no model: what must not change the text does not change these either."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy import Silent

from grader.cases import Kind, Planned
from grader.config import load_course
from grader.model import Cell
from grader.verify import Case, try_cases

COURSE = load_course(Path(__file__).parents[2])

MODELLESS = {
    "counting": """
        steps = torch.arange(1, max_new_tokens + 1)
        new = (prompt.sum(dim=1, keepdim=True) + 7 * steps) % model.vocab_size
        return torch.cat([prompt, new], dim=1)
        """,
    "echo": """
        return prompt
        """,
    "dice": """
        new = torch.randint(model.vocab_size, (len(prompt), max_new_tokens))
        return torch.cat([prompt, new], dim=1)
        """,
}

UNDESERVED = {
    *("test_nearly_zero", "test_zero", "test_alone", "test_mode", "test_no_dropout", "test_seed"),
    *("test_chance", "test_less_work", "test_beyond_window"),
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    head = "import torch\ndef generate(model, prompt, max_new_tokens, temperature=1.0, **options):"
    planned = [
        Planned("generation", Kind.MUTANT, name, (Cell(number=1, source=head + body),), seed=0)
        for name, body in MODELLESS.items()
    ]
    (gate,) = try_cases(COURSE, planned, watcher=Silent()).gates
    return {case.name: case for case in gate.cases}


@pytest.mark.parametrize("name", MODELLESS)
def test_a_text_that_comes_from_no_model_earns_nothing_for_what_is_the_models(
    cases: dict[str, Case], name: str
) -> None:
    assert set(cases[name].failed_checks) >= UNDESERVED
