"""Answers of a wrong kind earn nothing, and no check stumbles over them."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.config.course import load_course
from grader.judging.engine import Engine
from grader.model import Status
from tests.handed_in import job

SOURCE = """
import torch
from torch import nn

class TransformerEmbedding(nn.Module):
    def __init__(self, vocab_size, d_model, max_len=1024, positional="sinusoidal", dropout=0.1,
                 padding_idx=None):
        super().__init__()
        self.token_embedding = nn.Module()
        self.token_embedding.embedding = nn.Embedding(vocab_size, d_model)
        self.d_model = d_model

    def forward(self, tokens):
        return {result}
"""

RESULTS = {
    "nan": "torch.full((*tokens.shape, self.d_model), float('nan'))",
    "integers": "torch.zeros(*tokens.shape, self.d_model, dtype=torch.long)",
    "scalar": "torch.tensor(1.0)",
    "nothing": "None",
    "list": "self.token_embedding.embedding(tokens).tolist()",
    "pair": "(self.token_embedding.embedding(tokens), None)",
    "error": "tokens.no_such_method()",
}


@pytest.mark.slow
def test_empty_answers_earn_nothing(tmp_path: Path) -> None:
    course = load_course(Path(__file__).parents[2])
    with Engine(course, assignments=["embeddings"]) as engine:
        jobs = [
            job(engine, "embeddings", tmp_path / f"{name}.py", SOURCE.replace("{result}", result))
            for name, result in RESULTS.items()
        ]
        runs = list(engine.run(jobs, 2))
    passed = {
        (run.submission.student, outcome.check)
        for run in runs
        for outcome in run.outcomes
        if outcome.status is Status.PASSED
    }
    assert len(runs) == len(RESULTS)
    # the token table is where it should be, but it does not lead anywhere
    assert passed == set()
    assert [problem for run in runs for problem in run.problems] == []
