"""A model made of a table gives its logits; one that does not is drawn again."""

import torch

from course.checks import table_models
from course.checks.table_models import NEAR, drawn_table_model


def test_logits_are_those_of_the_table_wherever_a_token_stands():
    table = 10 * torch.randn(7, 7)
    texts = torch.randint(0, 7, (20, 9))
    with torch.no_grad():
        logits, _ = drawn_table_model(table, max_len=16)(texts)
    spread = (table.max() - table.min()).item()
    assert (logits - table[texts]).abs().max() < 10 * NEAR * spread


def test_a_model_that_is_far_from_its_table_is_drawn_again(monkeypatch):
    errors = iter([1.0, 1.0, 0.0])
    monkeypatch.setattr(table_models, "_error", lambda model, logits: next(errors))
    drawn_table_model(torch.eye(3), max_len=4)
    assert list(errors) == []
